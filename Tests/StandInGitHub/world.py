"""All that the stand-in knows: plain data under one lock."""

from __future__ import annotations

import copy
import datetime
import itertools
import threading
import time
from typing import Any

from commits import Commits

Document = dict[str, Any]


def utc(seconds: float | None = None) -> str:
    moment = datetime.datetime.fromtimestamp(time.time() if seconds is None else seconds, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class World:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.ended = threading.Event()
        self.login = "github-actions[bot]"
        self.graphql_login = "github-actions[bot]"
        self.user_readable = False  # GET /user answers a token of Actions with 403
        self.fork_commits_listed = False  # whether commits/SHA/pulls finds a fork's pull by a commit of the fork
        self.repository: Document = {
            "id": 811000001,
            "full_name": "octo/project",
            "private": False,
            "fork": False,
            "default_branch": "main",
        }
        self.commits = Commits()
        self.pulls: list[Document] = []
        self.issues: list[int] = []
        self.comments: dict[int, Document] = {}  # by their own id
        self.permissions: dict[str, str] = {}
        self.runs: list[Document] = []
        self.artifacts: dict[int, Document] = {}
        self.check_runs: dict[int, Document] = {}
        self.requests: list[Document] = []
        self.storage = ""  # where the artifacts' contents are
        self._ids = itertools.count(2_300_000_001)
        self._rate_used = 0

    def new_id(self) -> int:
        return next(self._ids)

    @property
    def owner(self) -> str:
        return self.repository["full_name"].split("/")[0]

    @property
    def html_url(self) -> str:
        return f"https://github.com/{self.repository['full_name']}"

    def numbers(self) -> set[int]:
        """Of all issues and pulls."""
        return {pull["number"] for pull in self.pulls} | set(self.issues)

    def rate_headers(self) -> dict[str, str]:
        with self.lock:
            self._rate_used += 1
            used, limit = self._rate_used, 5000
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(limit - used, 0)),
            "X-RateLimit-Reset": str(int(time.time()) + 3600),
            "X-RateLimit-Used": str(used),
            "X-RateLimit-Resource": "core",
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-GitHub-Request-Id": f"0000:{used:06X}",
        }

    def user(self, login: str) -> Document:
        kind = "Bot" if login.endswith("[bot]") else "User"
        return {"login": login, "id": sum(map(ord, login)), "type": kind, "site_admin": False}

    def comments_of(self, number: int) -> list[Document]:
        return [c for _, c in sorted(self.comments.items()) if c["issue_url"].endswith(f"/issues/{number}")]

    # What tests set and read

    def set(self, given: Document) -> None:
        for name in ("login", "graphql_login", "user_readable", "fork_commits_listed", "issues", "permissions"):
            if name in given:
                setattr(self, name, given[name])
        self.repository.update(given.get("repository", {}))
        if "git" in given:
            self.commits.repository = given["git"]
        self.commits.branches.update(given.get("branches", {}))
        if "pulls" in given:
            self.pulls = copy.deepcopy(given["pulls"])
            for pull in self.pulls:
                pull["number"] = int(pull["number"])
        for number, comments in given.get("comments", {}).items():
            for old in self.comments_of(int(number)):
                del self.comments[old["id"]]
            if int(number) not in self.numbers():
                self.issues.append(int(number))
            for comment in comments:
                self.add_comment(int(number), comment)
        if "runs" in given:
            self.runs = copy.deepcopy(given["runs"])
        for run, artifacts in given.get("artifacts", {}).items():
            self.artifacts = {k: v for k, v in self.artifacts.items() if v["run"] != int(run)}
            for artifact in artifacts:
                identifier = artifact.get("id") or self.new_id()
                self.artifacts[identifier] = {"created_at": utc(), **artifact, "id": identifier, "run": int(run)}

    def add_comment(self, number: int, given: Document) -> Document:
        """A comment of that issue or pull, with what `given` leaves open filled in."""
        identifier = given.get("id") or self.new_id()
        login = given.get("user") or self.login
        login = login["login"] if isinstance(login, dict) else login
        address = f"http://api.github.localhost/repos/{self.repository['full_name']}/issues"
        now = utc()
        comment = {
            "id": identifier,
            "node_id": f"IC_{identifier}",
            "url": f"{address}/comments/{identifier}",
            "html_url": f"{self.html_url}/pull/{number}#issuecomment-{identifier}",
            "issue_url": f"{address}/{number}",
            "body": given["body"],
            "user": self.user(login),
            "created_at": given.get("created_at", now),
            "updated_at": given.get("updated_at", given.get("created_at", now)),
            "author_association": given.get("author_association", self._association(login)),
            "performed_via_github_app": None,
        }
        self.comments[identifier] = comment
        return comment

    def _association(self, login: str) -> str:
        if login.lower() == self.owner.lower():
            return "OWNER"
        return "COLLABORATOR" if self.permissions.get(login, "none") != "none" else "NONE"

    def document(self) -> Document:
        """Everything as it stands."""
        comments: dict[str, list[Document]] = {str(number): [] for number in sorted(self.numbers())}
        for number in comments:
            comments[number] = self.comments_of(int(number))
        artifacts: dict[str, list[Document]] = {}
        for artifact in self.artifacts.values():
            artifacts.setdefault(str(artifact["run"]), []).append(artifact)
        return {
            "login": self.login,
            "graphql_login": self.graphql_login,
            "user_readable": self.user_readable,
            "fork_commits_listed": self.fork_commits_listed,
            "repository": self.repository,
            "git": self.commits.repository,
            "branches": self.commits.branches,
            "issues": self.issues,
            "pulls": self.pulls,
            "comments": comments,
            "permissions": self.permissions,
            "runs": self.runs,
            "artifacts": artifacts,
            "check_runs": [check for _, check in sorted(self.check_runs.items())],
        }
