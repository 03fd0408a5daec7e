"""Branches and commits: of a real git repository if there is one, else of what a test says."""

from __future__ import annotations

import os
import re
import subprocess
from typing import Any

_SHA = re.compile(r"[0-9a-f]{40}")


class Commits:
    def __init__(self) -> None:
        self.repository: str | None = None
        self.branches: dict[str, str] = {}  # without a repository: names and their commits

    def resolve(self, ref: str) -> str | None:
        """The commit of a branch, a tag, a full ref, `pull/N/head` or a commit's name that may be short."""
        if self.repository is None:
            name = ref.removeprefix("refs/").removeprefix("heads/")
            if _SHA.fullmatch(ref):
                return ref if ref in self.branches.values() else None
            return self.branches.get(name)
        candidates = [ref] if re.fullmatch(r"[0-9a-f]{7,40}", ref) else []
        if ref.startswith("refs/"):
            candidates.append(ref)
        elif re.match(r"(heads|tags|pull)/", ref):
            candidates.append(f"refs/{ref}")
        candidates += [f"refs/heads/{ref}", f"refs/tags/{ref}"]
        if ref == "HEAD":
            candidates.insert(0, ref)
        for name in candidates:
            found = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}")
            if found:
                return found
        return None

    def merge_base(self, base: str, head: str) -> str | None:
        if self.repository is None:
            return base if base == head else None
        return self._git("merge-base", base, head)

    def count(self, since: str, until: str) -> int:
        """How many commits `until` has that `since` has not."""
        return int(self._git("rev-list", "--count", f"{since}..{until}") or 0) if self.repository else 0

    def is_ancestor(self, commit: str, of: str) -> bool:
        return commit == of or self.merge_base(commit, of) == commit

    def details(self, commit: str) -> dict[str, Any]:
        """What a commit says of itself; nothing without a repository."""
        shown = self._git("log", "-1", "--format=%P%x00%an%x00%ae%x00%aI%x00%cI%x00%T%x00%B", commit)
        if shown is None:
            return {}
        parents, name, email, written, made, tree, message = shown.split("\0", 6)
        return {
            "commit": {
                "message": message.strip(),
                "author": {"name": name, "email": email, "date": written},
                "committer": {"name": name, "email": email, "date": made},
                "tree": {"sha": tree},
            },
            "parents": [{"sha": parent} for parent in parents.split()],
        }

    def _git(self, *words: str) -> str | None:
        if self.repository is None:
            return None
        own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        command = ["git", "-c", "safe.directory=*", "--git-dir", self._folder(), *words]
        done = subprocess.run(command, capture_output=True, text=True, env=own, stdin=subprocess.DEVNULL)
        return done.stdout.strip() if done.returncode == 0 else None

    def _folder(self) -> str:
        """The bare repository, or that of a checkout."""
        inner = os.path.join(self.repository or "", ".git")
        return inner if os.path.exists(inner) else self.repository or ""
