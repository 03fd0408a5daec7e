"""actions/upload-artifact and actions/checkout, as far as our workflows use them."""

from __future__ import annotations

import glob
import os
import re
import subprocess
import zipfile
from pathlib import Path

Inputs = dict[str, str]


class Failed(Exception):
    """The action would end with an error."""


def _known(inputs: Inputs, *names: str) -> None:
    if extra := set(inputs) - set(names):
        raise Failed(f"unexpected inputs {sorted(extra)}")


def upload(inputs: Inputs, workspace: Path, folder: Path) -> str:
    """Returns a line for the log. Hidden files stay out, as they do unless asked for."""
    _known(inputs, "name", "path", "if-no-files-found", "overwrite", "retention-days")
    name = inputs.get("name") or "artifact"
    if re.search(r'[":<>|*?\r\n\\/]', name):
        raise Failed(f"the artifact's name {name!r} has a character that GitHub refuses")
    roots, files = [], []
    for pattern in filter(None, (line.strip() for line in inputs["path"].splitlines())):
        path = Path(os.path.join(workspace, os.path.expanduser(pattern)))
        if re.search(r"[*?\[]", pattern):
            fixed = str(path)[: re.search(r"[*?\[]", str(path)).start()]  # type: ignore[union-attr]
            roots.append(Path(fixed).parent if not fixed.endswith("/") else Path(fixed))
            found = [Path(one) for one in glob.glob(str(path), recursive=True)]
        else:
            roots.append(path if path.is_dir() else path.parent)
            found = [path] if path.exists() else []
        for one in found:
            files += [inner for inner in one.rglob("*") if inner.is_file()] if one.is_dir() else [one]
    root = Path(os.path.commonpath(roots))
    entries = {file.relative_to(root).as_posix(): file for file in sorted(set(files))}
    entries = {entry: file for entry, file in entries.items() if not re.search(r"(^|/)\.", entry)}
    if not entries:
        words = f"No files were found with the provided path: {inputs['path']}. No artifacts will be uploaded."
        if inputs.get("if-no-files-found", "warn") == "error":
            raise Failed(words)
        return words
    archive = folder / f"{name}.zip"
    if archive.exists() and inputs.get("overwrite") != "true":
        raise Failed(f"(409) Conflict: an artifact with this name already exists on the workflow run: {name}")
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as packed:
        for entry, file in entries.items():
            packed.writestr(entry, file.read_bytes())  # a file's rights are not kept
    return f"Artifact {name} has {len(entries)} files"


def checkout(inputs: Inputs, git: Path, workspace: Path, sha: str, environment: dict[str, str]) -> str:
    """A real clone at the event's commit, or at `ref`; detached, as it is for a commit."""
    _known(inputs, "ref", "fetch-depth", "persist-credentials")
    wanted = inputs.get("ref") or sha
    depth = inputs.get("fetch-depth") or "1"

    def run(*words: str) -> None:
        done = subprocess.run(
            ["git", "-c", "safe.directory=*", *words], cwd=workspace, env=environment, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise Failed(f"git {' '.join(words)}: {done.stderr.strip()}")

    run("init", "--quiet", "--initial-branch=main", ".")
    run("remote", "add", "origin", git.resolve().as_uri())
    if depth == "0":
        run("fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
        run("fetch", "--quiet", "origin", wanted)
    else:
        run("fetch", "--quiet", "--no-tags", f"--depth={depth}", "origin", wanted)
    run("checkout", "--quiet", "--force", "--detach", "FETCH_HEAD")
    return f"checked out {wanted}"
