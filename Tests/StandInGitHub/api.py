"""GitHub's REST API: which request goes where, and what concerns pulls, comments and commits."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from actions import Actions
from checks import Checks
from web import API_HOST, Answer, Refusal, Request, page
from world import Document, World, utc

LONGEST_BODY = 65536
_ROLES = {"admin": "admin", "maintain": "write", "write": "write", "triage": "read", "read": "read", "none": "none"}

Route = tuple[str, re.Pattern[str], Callable[..., Answer]]


class API:
    def __init__(self, world: World) -> None:
        self.world = world
        checks, actions = Checks(world), Actions(world)
        self._routes: list[Route] = []
        add = self._add
        add("GET", "", self._repository)
        add("GET", "/issues/([0-9]+)/comments", self._comments)
        add("POST", "/issues/([0-9]+)/comments", self._new_comment)
        add("GET", "/issues/comments/([0-9]+)", self._comment)
        add("PATCH", "/issues/comments/([0-9]+)", self._edit_comment)
        add("DELETE", "/issues/comments/([0-9]+)", self._delete_comment)
        add("GET", "/pulls", self._pulls)
        add("GET", "/pulls/([0-9]+)", self._pull)
        add("GET", "/commits/(.+)/pulls", self._pulls_of_commit)
        add("GET", "/commits/(.+)/check-runs", checks.of_commit)
        add("GET", "/commits/(.+)", self._commit)
        add("GET", r"/compare/(.+?)\.\.\.(.+)", self._compare)
        add("GET", "/collaborators/([^/]+)/permission", self._permission)
        add("POST", "/check-runs", checks.create)
        add("GET", "/check-runs/([0-9]+)", checks.show)
        add("PATCH", "/check-runs/([0-9]+)", checks.update)
        add("GET", "/check-runs/([0-9]+)/annotations", checks.annotations)
        add("GET", "/actions/runs/([0-9]+)", actions.run)
        add("GET", "/actions/runs/([0-9]+)/artifacts", actions.artifacts)
        add("GET", "/actions/artifacts/([0-9]+)", actions.artifact)
        add("GET", "/actions/artifacts/([0-9]+)/zip", actions.content)

    def _add(self, method: str, path: str, action: Callable[..., Answer]) -> None:
        self._routes.append((method, re.compile(path), action))

    def answer(self, request: Request) -> Answer:
        """The caller holds the lock."""
        if request.host.split(":")[0] not in (API_HOST, "127.0.0.1", "localhost"):
            return Answer(502, f"This proxy knows no way to {request.host}.\n")
        token = request.headers.get("authorization", "").split(" ")[-1]
        if not token:
            raise Refusal(401, "Requires authentication")
        if token == "bad":
            raise Refusal(401, "Bad credentials")
        method = "GET" if request.method == "HEAD" else request.method
        if (method, request.path) == ("GET", "/"):
            return Answer(200, {"current_user_url": f"http://{API_HOST}/user"})  # `gh auth status` looks here
        if (method, request.path) == ("GET", "/user"):
            return self._user()
        if (method, request.path) == ("POST", "/graphql"):
            return self._graphql(request)
        path = self._inside(request.path)
        for known, pattern, action in self._routes:
            if path is not None and known == method and (found := pattern.fullmatch(path)):
                numbered = "[0-9]" in pattern.pattern
                return action(request, *(int(group) if numbered else group for group in found.groups()))
        raise Refusal(404, "Not Found")

    def _inside(self, path: str) -> str | None:
        """The part after the repository; None if that is none of ours."""
        for prefix in (f"/repos/{self.world.repository['full_name']}", f"/repositories/{self.world.repository['id']}"):
            if path.lower() == prefix.lower() or path.lower().startswith(prefix.lower() + "/"):
                return path[len(prefix) :]
        return None

    def _address(self, rest: str) -> str:
        """As GitHub writes it in `Link` headers."""
        return f"http://{API_HOST}/repositories/{self.world.repository['id']}{rest}"

    # Who asks, and where

    def _user(self) -> Answer:
        if not self.world.user_readable:
            raise Refusal(
                403, "Resource not accessible by integration", docs="/users/users#get-the-authenticated-user"
            )
        return Answer(200, self.world.user(self.world.login))

    def _graphql(self, request: Request) -> Answer:
        query = request.document().get("query")
        if not isinstance(query, str):
            raise Refusal(400, "A query attribute must be specified and must be a string.")
        if not re.search(r"\bviewer\b", query):
            error = {"type": "NOT_IMPLEMENTED", "message": "The stand-in knows no field but viewer."}
            return Answer(200, {"data": None, "errors": [error]})
        return Answer(200, {"data": {"viewer": {"login": self.world.graphql_login}}})

    def _repository(self, _: Request) -> Answer:
        owner, name = self.world.repository["full_name"].split("/")
        owned = {"name": name, "owner": self.world.user(owner), "html_url": self.world.html_url}
        return Answer(200, {**owned, "archived": False, **self.world.repository})

    def _permission(self, _: Request, login: str) -> Answer:
        known = {name.lower(): (name, role) for name, role in self.world.permissions.items()}
        if login.lower() not in known:
            raise Refusal(404, f"{login} is not a user", docs="/collaborators/collaborators")
        name, role = known[login.lower()]
        return Answer(
            200, {"permission": _ROLES.get(role, "write"), "role_name": role, "user": self.world.user(name)}
        )

    # Comments

    def _comments(self, request: Request, number: int) -> Answer:
        self._require_issue(number)
        since = request.query.get("since", "")
        found = [c for c in self.world.comments_of(number) if c["updated_at"] >= since]
        shown, links = page(request, found, self._address(f"/issues/{number}/comments"))
        return Answer(200, shown, links)

    def _new_comment(self, request: Request, number: int) -> Answer:
        self._require_issue(number)
        body = _comment_body(request, "create-an-issue-comment")
        comment = self.world.add_comment(number, {"body": body})
        return Answer(201, comment, {"Location": comment["url"]})

    def _comment(self, _: Request, identifier: int) -> Answer:
        return Answer(200, self._existing_comment(identifier))

    def _edit_comment(self, request: Request, identifier: int) -> Answer:
        comment = self._existing_comment(identifier)
        comment.update(body=_comment_body(request, "update-an-issue-comment"), updated_at=utc())
        return Answer(200, comment)

    def _delete_comment(self, _: Request, identifier: int) -> Answer:
        del self.world.comments[self._existing_comment(identifier)["id"]]
        return Answer(204)

    def _existing_comment(self, identifier: int) -> Document:
        if identifier not in self.world.comments:
            raise Refusal(404, "Not Found", docs="/issues/comments#get-an-issue-comment")
        return self.world.comments[identifier]

    def _require_issue(self, number: int) -> None:
        if number not in self.world.numbers():
            raise Refusal(404, "Not Found", docs="/issues/comments#list-issue-comments")

    # Pulls

    def _pulls(self, request: Request) -> Answer:
        state, head, base = (request.query.get(name, "") for name in ("state", "head", "base"))
        found = []
        for pull in map(self._shown, sorted(self.world.pulls, key=lambda p: -p["number"])):
            # A head without its owner is no filter.
            others_head = ":" in head and pull["head"]["label"].lower() != head.lower()
            others_base = base and pull["base"]["ref"] != base
            if (state or "open") in ("all", pull["state"]) and not others_head and not others_base:
                found.append(pull)
        shown, links = page(request, found, self._address("/pulls"))
        return Answer(200, shown, links)

    def _pull(self, _: Request, number: int) -> Answer:
        for pull in self.world.pulls:
            if pull["number"] == number:
                return Answer(200, self._shown(pull))
        raise Refusal(404, "Not Found", docs="/pulls/pulls#get-a-pull-request")

    def _pulls_of_commit(self, request: Request, ref: str) -> Answer:
        commit = self._require_commit(ref)
        found = [pull for pull in map(self._shown, self.world.pulls) if self._has(pull, commit)]
        shown, links = page(request, found, self._address(f"/commits/{commit}/pulls"))
        return Answer(200, shown, links)

    def _has(self, pull: Document, commit: str) -> bool:
        """Whether GitHub tells this pull of that commit: a commit of a fork belongs to no pull here, only there."""
        if pull.get("merge_commit_sha") == commit and pull["merged_at"]:
            return True
        source = pull["head"]["repo"]
        if not self.world.fork_commits_listed and (source is None or source["full_name"] != self._name):
            return False
        head, base = pull["head"]["sha"], pull["base"]["sha"]
        if commit == head:
            return True
        commits = self.world.commits
        return bool(head and base) and commits.is_ancestor(commit, head) and not commits.is_ancestor(commit, base)

    @property
    def _name(self) -> str:
        return self.world.repository["full_name"]

    def _shown(self, given: Document) -> Document:
        """A pull with what the test left open filled in; commits that were not said are the branches' of now."""
        number = given["number"]
        head, base = dict(given.get("head", {})), dict(given.get("base", {}))
        if "repo" not in head:
            head["repo"] = {"full_name": self._name, "fork": self.world.repository["fork"]}
        if head["repo"] is not None:
            owner = head["repo"]["full_name"].split("/")[0]
            head["repo"] = {"fork": True, **head["repo"], "owner": self.world.user(owner)}
        owner = head["repo"]["owner"]["login"] if head["repo"] else head.get("user", {}).get("login", "unknown")
        head.setdefault("ref", f"branch-{number}")
        head.setdefault("label", f"{owner}:{head['ref']}")
        head["sha"] = head.get("sha") or self._head_of_pull(number, head)
        base.setdefault("ref", self.world.repository["default_branch"])
        base.setdefault("label", f"{self.world.owner}:{base['ref']}")
        base["sha"] = base.get("sha") or self.world.commits.resolve(f"refs/heads/{base['ref']}")
        base["repo"] = {**self.world.repository, "owner": self.world.user(self.world.owner), **base.get("repo", {})}
        login = given.get("user") or owner
        labels = [{"name": label} if isinstance(label, str) else label for label in given.get("labels", [])]
        filled: dict[str, Any] = {
            "id": 1_700_000_000 + number,
            "state": "open",
            "draft": False,
            "title": f"Pull {number}",
            "html_url": f"{self.world.html_url}/pull/{number}",
            "merged_at": None,
            "merge_commit_sha": None,
            "maintainer_can_modify": bool(head["repo"] and head["repo"]["full_name"] != self._name),
        }
        user = self.world.user(login) if isinstance(login, str) else login
        return {**filled, **given, "head": head, "base": base, "user": user, "labels": labels}

    def _head_of_pull(self, number: int, head: Document) -> str | None:
        commits = self.world.commits
        own = head["repo"] is not None and head["repo"]["full_name"] == self._name
        return commits.resolve(f"refs/pull/{number}/head") or (
            commits.resolve(f"refs/heads/{head['ref']}") if own else None
        )

    # Commits

    def _resolve(self, ref: str) -> str | None:
        if found := self.world.commits.resolve(ref):
            return found
        for pull in map(self._shown, self.world.pulls):
            if self.world.commits.repository is None:
                names = (pull["head"]["sha"], f"pull/{pull['number']}/head", f"refs/pull/{pull['number']}/head")
                if ref in names:
                    return pull["head"]["sha"]
                if ref == pull["base"]["sha"]:
                    return ref
            if ref == pull["head"]["label"]:
                return pull["head"]["sha"]
        owner, _, branch = ref.partition(":")
        return self.world.commits.resolve(branch) if branch and owner.lower() == self.world.owner.lower() else None

    def _require_commit(self, ref: str) -> str:
        found = self._resolve(ref)
        if found is None:
            raise Refusal(422, f"No commit found for SHA: {ref}", docs="/commits/commits#get-a-commit")
        return found

    def _commit(self, request: Request, ref: str) -> Answer:
        commit = self._require_commit(ref)
        if "application/vnd.github.sha" in request.headers.get("accept", ""):
            return Answer(200, commit, {"Content-Type": "application/vnd.github.sha; charset=utf-8"})
        shown = {"sha": commit, "html_url": f"{self.world.html_url}/commit/{commit}"}
        return Answer(200, {**shown, **self.world.commits.details(commit)})

    def _compare(self, _: Request, base: str, head: str) -> Answer:
        ours, theirs = self._resolve(base), self._resolve(head)
        docs = "/commits/commits#compare-two-commits"
        if ours is None or theirs is None:
            raise Refusal(404, "Not Found", docs=docs)
        commits = self.world.commits
        merge_base = commits.merge_base(ours, theirs)
        if merge_base is None:
            raise Refusal(404, f"No common ancestor between {base} and {head}.", docs=docs)
        ahead, behind = commits.count(ours, theirs), commits.count(theirs, ours)
        status = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}
        return Answer(
            200,
            {
                "status": status.get((ahead > 0, behind > 0), "diverged"),
                "ahead_by": ahead,
                "behind_by": behind,
                "total_commits": ahead,
                "base_commit": {"sha": ours, **commits.details(ours)},
                "merge_base_commit": {"sha": merge_base, **commits.details(merge_base)},
            },
        )


def _comment_body(request: Request, section: str) -> str:
    docs = f"/issues/comments#{section}"
    document = request.document()
    if "body" not in document:
        raise Refusal(422, 'Invalid request.\n\n"body" wasn\'t supplied.', docs=docs)
    body = document["body"]
    if not isinstance(body, str):
        raise Refusal(422, f"Invalid request.\n\nFor 'properties/body', {body!r} is not a string.", docs=docs)
    problem = {"resource": "IssueComment", "code": "unprocessable", "field": "data"}
    if not body.strip():
        raise Refusal(422, "Validation Failed", {**problem, "message": "Body cannot be blank"}, docs=docs)
    if len(body) > LONGEST_BODY:
        message = f"Body is too long (maximum is {LONGEST_BODY} characters)"
        raise Refusal(422, "Validation Failed", {**problem, "message": message}, docs=docs)
    return body
