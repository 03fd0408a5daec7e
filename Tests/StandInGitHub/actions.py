"""Runs of workflows, and their artifacts."""

from __future__ import annotations

from pathlib import Path

from web import API_HOST, Answer, Refusal, Request, page
from world import Document, World, utc

STORAGE = "/artifact-storage/"


class Actions:
    def __init__(self, world: World) -> None:
        self.world = world

    def run(self, _: Request, identifier: int) -> Answer:
        for run in self.world.runs:
            if run["id"] == identifier:
                return Answer(200, self._shown(run))
        raise Refusal(404, "Not Found", docs="/actions/workflow-runs#get-a-workflow-run")

    def _shown(self, given: Document) -> Document:
        """A run with what the test left open filled in."""
        identifier = given["id"]
        source = given.get("head_repository", {"full_name": self.world.repository["full_name"]})
        if source is not None:
            source = {**source, "owner": self.world.user(source["full_name"].split("/")[0])}
        filled = {
            "name": "bench",
            "event": "pull_request",
            "head_sha": None,
            "head_branch": None,
            "path": ".github/workflows/bench.yml",
            "status": "completed",
            "conclusion": "success",
            "run_attempt": 1,
            "run_number": 1,
            "pull_requests": [],
            "html_url": f"{self.world.html_url}/actions/runs/{identifier}",
            "created_at": utc(),
        }
        return {**filled, **given, "head_repository": source, "repository": self.world.repository}

    def artifacts(self, request: Request, run: int) -> Answer:
        if run not in {known["id"] for known in self.world.runs}:
            raise Refusal(404, "Not Found", docs="/actions/artifacts#list-workflow-run-artifacts")
        found = [self._listed(a) for a in self.world.artifacts.values() if a["run"] == run]
        if name := request.query.get("name"):
            found = [artifact for artifact in found if artifact["name"] == name]
        address = f"http://{API_HOST}/repositories/{self.world.repository['id']}/actions/runs/{run}/artifacts"
        shown, links = page(request, found, address)
        return Answer(200, {"total_count": len(found), "artifacts": shown}, links)

    def artifact(self, _: Request, identifier: int) -> Answer:
        return Answer(200, self._listed(self._existing(identifier)))

    def content(self, _: Request, identifier: int) -> Answer:
        artifact = self._existing(identifier)
        if artifact.get("expired"):
            raise Refusal(410, "Artifact has expired", docs="/actions/artifacts#download-an-artifact")
        return Answer(302, "", {"Location": f"{self.world.storage}{STORAGE}{identifier}?sig={identifier:x}"})

    def stored(self, request: Request) -> Answer:
        """The bytes. As at the real storage, a request with a token of GitHub is refused: the address is the proof."""
        identifier = request.path.removeprefix(STORAGE)
        artifact = self.world.artifacts.get(int(identifier)) if identifier.isdecimal() else None
        if artifact is None or request.query.get("sig") != f"{artifact['id']:x}":
            return Answer(404, "<Error><Code>BlobNotFound</Code></Error>", {"Content-Type": "application/xml"})
        if "authorization" in request.headers:
            error = "<Error><Code>InvalidAuthenticationInfo</Code></Error>"
            return Answer(401, error, {"Content-Type": "application/xml"})
        return Answer(200, Path(artifact["file"]).read_bytes(), {"Content-Type": "application/zip"})

    def _existing(self, identifier: int) -> Document:
        if identifier not in self.world.artifacts:
            raise Refusal(404, "Not Found", docs="/actions/artifacts#get-an-artifact")
        return self.world.artifacts[identifier]

    def _listed(self, artifact: Document) -> Document:
        identifier = artifact["id"]
        address = f"http://{API_HOST}/repos/{self.world.repository['full_name']}/actions/artifacts/{identifier}"
        file = Path(artifact.get("file", ""))
        size = artifact.get("size_in_bytes", file.stat().st_size if file.is_file() else 0)
        run = next((self._shown(run) for run in self.world.runs if run["id"] == artifact["run"]), {})
        return {
            "id": identifier,
            "name": artifact["name"],
            "size_in_bytes": size,
            "expired": artifact.get("expired", False),
            "url": address,
            "archive_download_url": f"{address}/zip",
            "created_at": artifact["created_at"],
            "workflow_run": {
                "id": artifact["run"],
                "head_branch": run.get("head_branch"),
                "head_sha": run.get("head_sha"),
            },
        }
