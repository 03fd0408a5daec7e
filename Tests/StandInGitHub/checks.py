"""Check runs."""

from __future__ import annotations

from typing import Any

from web import API_HOST, Answer, Refusal, Request, page
from world import Document, World, utc

CONCLUSIONS = ("success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required")
STATUSES = ("queued", "in_progress", "completed")
LONGEST_TEXT = 65535
MOST_ANNOTATIONS = 50


class Checks:
    def __init__(self, world: World) -> None:
        self.world = world

    def create(self, request: Request) -> Answer:
        given, docs = request.document(), "/checks/runs#create-a-check-run"
        for name in ("name", "head_sha"):
            if not given.get(name):
                raise _invalid(f'"{name}" wasn\'t supplied.', docs)
        output = _checked(given, docs, needs_title=True)
        commits = self.world.commits
        if commits.repository is not None and commits.resolve(given["head_sha"]) is None:
            raise Refusal(422, f"No commit found for SHA: {given['head_sha']}", docs=docs)
        identifier = self.world.new_id()
        check: Document = {
            "id": identifier,
            "node_id": f"CR_{identifier}",
            "name": given["name"],
            "head_sha": given["head_sha"],
            "external_id": given.get("external_id", ""),
            "url": f"http://{API_HOST}/repos/{self.world.repository['full_name']}/check-runs/{identifier}",
            "html_url": f"{self.world.html_url}/runs/{identifier}",
            "details_url": given.get("details_url", f"{self.world.html_url}/runs/{identifier}"),
            "status": given.get("status", "queued"),
            "conclusion": None,
            "started_at": given.get("started_at", utc()),
            "completed_at": None,
            "output": {"title": None, "summary": None, "text": None, "annotations_count": 0},
            "annotations": [],
            "app": {"slug": "github-actions", "name": "GitHub Actions"},
            "pull_requests": [],
        }
        self._apply(check, given, output)
        self.world.check_runs[identifier] = check
        return Answer(201, _shown(check), {"Location": check["url"]})

    def update(self, request: Request, identifier: int) -> Answer:
        check = self._existing(identifier)
        given = request.document()
        output = _checked(given, "/checks/runs#update-a-check-run", needs_title=False)
        self._apply(check, given, output)
        return Answer(200, _shown(check))

    def show(self, _: Request, identifier: int) -> Answer:
        return Answer(200, _shown(self._existing(identifier)))

    def annotations(self, request: Request, identifier: int) -> Answer:
        found = self._existing(identifier)["annotations"]
        base = f"http://{API_HOST}/repositories/{self.world.repository['id']}"
        shown, links = page(request, found, f"{base}/check-runs/{identifier}/annotations")
        return Answer(200, shown, links)

    def of_commit(self, request: Request, ref: str) -> Answer:
        """The check runs of a commit; of several with one name, the latest alone unless all are asked for."""
        commit = self.world.commits.resolve(ref) or ref
        found = [c for _, c in sorted(self.world.check_runs.items(), reverse=True) if c["head_sha"] == commit]
        if name := request.query.get("check_name"):
            found = [check for check in found if check["name"] == name]
        if status := request.query.get("status"):
            found = [check for check in found if check["status"] == status]
        if request.query.get("filter", "latest") == "latest":
            found = list({check["name"]: check for check in reversed(found)}.values())
        base = f"http://{API_HOST}/repositories/{self.world.repository['id']}"
        shown, links = page(request, found, f"{base}/commits/{commit}/check-runs")
        return Answer(200, {"total_count": len(found), "check_runs": [_shown(c) for c in shown]}, links)

    def _existing(self, identifier: int) -> Document:
        if identifier not in self.world.check_runs:
            raise Refusal(404, "Not Found", docs="/checks/runs#get-a-check-run")
        return self.world.check_runs[identifier]

    def _apply(self, check: Document, given: Document, output: Document) -> None:
        for name in ("name", "external_id", "details_url", "status", "started_at", "conclusion", "completed_at"):
            if name in given:
                check[name] = given[name]
        if given.get("conclusion") or given.get("completed_at"):
            check["status"] = "completed"
        if check["status"] == "completed":
            check["completed_at"] = check["completed_at"] or utc()
        else:
            check.update(conclusion=None, completed_at=None)
        for name in ("title", "summary", "text"):
            if name in output:
                check["output"][name] = output[name]
        check["annotations"] += output.get("annotations", [])
        check["output"]["annotations_count"] = len(check["annotations"])


def _shown(check: Document) -> Document:
    return {name: value for name, value in check.items() if name != "annotations"}


def _invalid(message: str, docs: str) -> Refusal:
    return Refusal(422, f"Invalid request.\n\n{message}", docs=docs)


def _checked(given: Document, docs: str, needs_title: bool) -> Document:
    """The output, once everything is as GitHub demands it."""
    status, conclusion = given.get("status"), given.get("conclusion")
    if conclusion is not None and conclusion not in CONCLUSIONS:
        raise _invalid(f"{conclusion} is not a member of {list(CONCLUSIONS)}.", docs)
    if status is not None and status not in STATUSES:
        raise _invalid(f"{status} is not a member of {list(STATUSES)}.", docs)
    if (status == "completed" or given.get("completed_at")) and conclusion is None:
        raise _invalid('"conclusion" wasn\'t supplied.', docs)
    output = given.get("output") or {}
    if not isinstance(output, dict):
        raise _invalid("For 'properties/output', the value is not an object.", docs)
    for name in ("title", "summary") if needs_title else ("summary",):
        if output and name not in output:
            raise _invalid(f'"{name}" wasn\'t supplied.', docs)
    for name in ("summary", "text"):
        _check_length(name, output.get(name) or "", docs)
    _check_annotations(output.get("annotations", []), docs)
    return output


def _check_length(name: str, text: str, docs: str) -> None:
    """Characters first, then bytes: GitHub counts both."""
    if len(text) > LONGEST_TEXT:
        raise _invalid(f"Only {LONGEST_TEXT} characters are allowed; {len(text)} were supplied.", docs)
    if len(text.encode()) > LONGEST_TEXT:
        message = f"{name} exceeds a maximum bytesize of {LONGEST_TEXT}"
        error = {"resource": "CheckRun", "code": "custom", "field": name, "message": message}
        raise Refusal(422, "Validation Failed", error, docs=docs)


def _check_annotations(annotations: list[dict[str, Any]], docs: str) -> None:
    if len(annotations) > MOST_ANNOTATIONS:
        raise _invalid(f"No more than {MOST_ANNOTATIONS} items are allowed; {len(annotations)} were supplied.", docs)
    for annotation in annotations:
        for name in ("path", "start_line", "end_line", "annotation_level", "message"):
            if name not in annotation:
                raise _invalid(f'"{name}" wasn\'t supplied.', docs)
        if annotation["annotation_level"] not in ("notice", "warning", "failure"):
            raise _invalid(f"{annotation['annotation_level']} is not a member of notice, warning, failure.", docs)
