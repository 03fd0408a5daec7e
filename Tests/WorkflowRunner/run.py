"""Runs a workflow of ours as GitHub's runner would, without GitHub: `run.py --help`.

Prints one JSON document: what each job and step came to. Whatever a workflow may not do, or this runner does not know,
is an error (exit status 2) or a line of `complaints`; how the jobs ended is in the document only (exit status 0).

Sources: GitHub's "Workflow syntax", "Contexts reference", "Variables reference", "Metadata syntax", and actions/runner.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import artifacts
from expressions import Closed, Functions, Open, Unknown, condition, fill, opened
from process import SUMMARY_LIMIT, Cancel, Listener, Masks, end_orphans, pairs, run
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
Document = dict[str, Any]


def load(path: Path) -> Document:
    return YAML(typ="safe", pure=True).load(path.read_text())  # YAML 1.2: `on` is a word


class Event:
    """What started the run, and the context `github`."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.name: str = options.event
        self.payload: Document = json.loads(Path(options.payload).read_text())
        self.repository: str = options.repository
        pull = self.payload.get("pull_request") or {}
        number = pull.get("number")
        default = self.payload.get("repository", {}).get("default_branch", "main")
        ref = {"push": self.payload.get("ref"), "pull_request": f"refs/pull/{number}/merge"}.get(self.name)
        self.ref: str = options.ref or ref or f"refs/heads/{default}"
        self.sha: str = options.sha or self._commit(Path(options.git))
        is_pull = self.name in ("pull_request", "pull_request_target")
        self.head_ref: str = pull["head"]["ref"] if is_pull else ""
        self.base_ref: str = pull["base"]["ref"] if is_pull else ""
        source = (pull.get("head") or {}).get("repo") or {}
        self.is_fork = self.name == "pull_request" and source.get("full_name", "").lower() != self.repository.lower()
        self.actor = self.payload.get("sender", {}).get("login", "octocat")
        self.server: str = options.server
        self.run_id, self.attempt = options.run_id, options.attempt

    def _commit(self, git: Path) -> str:
        words = ["git", "-c", "safe.directory=*", "--git-dir", str(git), "rev-parse", "--verify", "--quiet"]
        done = subprocess.run([*words, self.ref + "^{commit}"], capture_output=True, text=True)
        if done.returncode != 0 and not self.payload.get("deleted"):
            raise Unknown(f"the repository has no {self.ref}")
        return done.stdout.strip()

    @property
    def ref_name(self) -> str:
        return re.sub(r"^refs/(heads|tags|pull)/", "", self.ref)

    def variables(self) -> dict[str, str]:
        return {
            "GITHUB_EVENT_NAME": self.name,
            "GITHUB_SHA": self.sha,
            "GITHUB_REF": self.ref,
            "GITHUB_REF_NAME": self.ref_name,
            "GITHUB_REF_TYPE": "tag" if self.ref.startswith("refs/tags/") else "branch",
            "GITHUB_HEAD_REF": self.head_ref,
            "GITHUB_BASE_REF": self.base_ref,
            "GITHUB_REPOSITORY": self.repository,
            "GITHUB_REPOSITORY_OWNER": self.repository.split("/")[0],
            "GITHUB_SERVER_URL": self.server,
            "GITHUB_API_URL": "https://api.github.com",
            "GITHUB_GRAPHQL_URL": "https://api.github.com/graphql",
            "GITHUB_RUN_ID": self.run_id,
            "GITHUB_RUN_ATTEMPT": self.attempt,
            "GITHUB_RUN_NUMBER": "1",
            "GITHUB_ACTOR": self.actor,
            "GITHUB_TRIGGERING_ACTOR": self.actor,
        }

    def starts(self, workflow: Document) -> bool:
        on = workflow["on"]
        if isinstance(on, (str, list)):
            return self.name in ([on] if isinstance(on, str) else on)
        if self.name not in on:
            return False
        filters = on[self.name] or {}
        if self.name == "push":
            kind = "tags" if self.ref.startswith("refs/tags/") else "branches"
            if not {"tags", "branches"} & set(filters):
                return True
            return any(_glob(pattern).fullmatch(self.ref_name) for pattern in filters.get(kind, []))
        if self.name == "workflow_run":
            name = self.payload["workflow_run"].get("name")
            if name not in filters["workflows"]:
                return False
        usual = {"pull_request": ["opened", "synchronize", "reopened"]}.get(self.name)
        types = filters.get("types", usual) if isinstance(filters, dict) else usual
        return types is None or self.payload.get("action") in types


def _glob(pattern: str) -> re.Pattern[str]:
    words = re.split(r"(\*\*|\*)", pattern)
    return re.compile("".join({"**": ".*", "*": "[^/]*"}.get(word, re.escape(word)) for word in words))


@dataclass
class Step:
    """What is told of one."""

    name: str
    outcome: str = "skipped"
    conclusion: str = "skipped"
    seconds: float = 0.0
    status: int | None = None
    outputs: dict[str, str] = field(default_factory=dict)
    annotations: list[Document] = field(default_factory=list)
    unknown_commands: list[str] = field(default_factory=list)
    summary: str | None = None
    log: str | None = None
    steps: list["Step"] = field(default_factory=list)
    cancelled_after: float | None = None  # from the cancel to the step's end

    def document(self) -> Document:
        return {**vars(self), "steps": [step.document() for step in self.steps]}


class Job:
    """One job on a runner of its own: folders, environment and steps."""

    def __init__(self, runner: "Runner", key: str, job: Document, needs: Document, matrix: Document) -> None:
        self.runner, self.key, self.job, self.matrix, self.needs = runner, key, job, matrix, needs
        self.label = "-".join([key, *(str(value) for value in matrix.values())])
        self.folder = runner.folder / "jobs" / self.label
        self.temp, self.workspace, self.home = (self.folder / name for name in ("temp", "workspace", "home"))
        self.logs = self.folder / "logs"
        for folder in (self.temp, self.workspace, self.home, self.logs):
            folder.mkdir(parents=True)
        self.mark = f"github_{uuid.uuid4()}"
        self.masks, self.failed, self.count = Masks(), False, 0
        self.extra: dict[str, str] = {}  # what GITHUB_ENV added
        self.path: list[str] = []  # what GITHUB_PATH added, the newest first
        event = runner.event
        self.secrets = {} if event.is_fork else runner.secrets
        self.token = "fork-token" if event.is_fork else "job-token"
        for word in (*self.secrets.values(), self.token):
            self.masks.add(word)
        (self.temp / "event.json").write_text(json.dumps(event.payload))
        runner_facts = {
            "temp": str(self.temp), "os": "Linux", "arch": "X64", "name": "stand-in", "tool_cache": str(self.temp),
        }  # fmt: skip
        self.contexts: Document = {
            "github": runner.github(self),
            "vars": runner.vars,
            "secrets": Open(self.secrets),
            "inputs": runner.inputs,
            "needs": needs,
            "matrix": Closed(matrix),
            "runner": Closed(runner_facts),
        }

    # The job

    def steps(self) -> list[Step]:
        environment = self._filled(self.runner.workflow.get("env"), self.contexts)
        environment |= self._filled(self.job.get("env"), self.contexts)
        done, _ = self._all(self.job["steps"], self.contexts, environment, None)
        for words in end_orphans(self.mark):
            self.runner.orphans.append(words)
        return done

    def functions(self, failed: bool) -> Functions:
        cancelled = self.runner.cancel.event.is_set()
        return {
            "always": lambda: True,
            "success": lambda: not failed and not cancelled,
            "failure": lambda: failed and not cancelled,
            "cancelled": lambda: cancelled,
        }

    def _filled(self, given: Document | None, contexts: Document) -> dict[str, str]:
        return {name: fill(value, contexts, {}) for name, value in (given or {}).items()}

    def _all(
        self, steps: list[Document], contexts: Document, environment: dict[str, str], action: Path | None
    ) -> tuple[list[Step], bool]:
        """Of the job, or of a composite action: whose failures are its own."""
        known = {step["id"]: Closed(outputs=Open(), outcome=None, conclusion=None) for step in steps if "id" in step}
        contexts = {**contexts, "steps": Closed(known)}
        done, failed = [], False
        for step in steps:
            result = Step(step.get("name") or step.get("uses") or step["run"].splitlines()[0])
            done.append(result)
            if self.runner.stopped:
                continue
            here = {k: v for k, v in contexts.items() if k != "secrets"}  # none in conditions
            if condition(step.get("if"), here, self.functions(failed)):
                began = time.monotonic()
                was_cancelled = self.runner.cancel.event.is_set()
                self._one(step, result, contexts, environment, action, was_cancelled)
                result.seconds = round(time.monotonic() - began, 3)
                if self.runner.cancel.event.is_set() and not was_cancelled:
                    result.cancelled_after = round(time.monotonic() - self.runner.cancel.at, 3)
                    if result.outcome == "failure":
                        result.outcome = "cancelled"
                keeps_on = step.get("continue-on-error") is True
                result.conclusion = "success" if keeps_on and result.outcome == "failure" else result.outcome
                failed |= result.conclusion != "success"
            if "id" in step:
                entry = {"outputs": Open(result.outputs), "outcome": result.outcome, "conclusion": result.conclusion}
                contexts["steps"][step["id"]] = Closed(entry)
            self.runner.stopped |= result.name == self.runner.options.stop_after
        if action is not None:
            self._contexts_of_action = contexts
        return done, failed

    # One step

    def _one(
        self, step: Document, result: Step, contexts: Document, environment: dict[str, str], action: Path | None,
        was_cancelled: bool,
    ) -> None:  # fmt: skip
        known = {"name", "id", "if", "uses", "with", "run", "shell", "env", "continue-on-error", "working-directory"}
        if extra := set(step) - known:
            raise Unknown(f"a step has {sorted(extra)}")
        environment = environment | self._filled(step.get("env"), contexts)
        if "run" in step:
            self._script(step, result, environment, action, was_cancelled)
        elif not was_cancelled or step["uses"].startswith("actions/"):
            self._uses(step, result, contexts, environment)
        else:
            raise Unknown("an action of ours after a cancel")

    def _script(
        self, step: Document, result: Step, environment: dict[str, str], action: Path | None, was_cancelled: bool
    ) -> None:
        text = step["run"]
        if "${{" in text:
            raise Unknown(f"the script of {result.name!r} has an expression in it")
        shell = step.get("shell") or (None if action else self.runner.default_shell(self.job))
        if shell != "bash":
            raise Unknown(f"the shell of {result.name!r} is {shell}")
        self.count += 1
        script = self.temp / f"{uuid.uuid4()}.sh"
        script.write_text(text)
        commands = self.temp / "_runner_file_commands" / str(self.count)
        commands.mkdir(parents=True)
        files = {name: commands / name for name in ("OUTPUT", "ENV", "PATH", "STEP_SUMMARY", "STATE")}
        for file in files.values():
            file.touch()
        log = self.logs / f"{self.count:02}-{re.sub('[^A-Za-z0-9]+', '-', result.name)}.txt"
        listener = Listener(log, self.masks)
        options = self.runner.options
        result.log, result.summary = str(log), str(files["STEP_SUMMARY"])
        status = run(
            [self.runner.bash, "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            self._environment(environment, files, action), self.workspace, listener, self.runner.cancel,
            ignores_cancel=was_cancelled,
            cancel_when=None if was_cancelled else options.cancel_when,
            kill_when=None if self.runner.killed else options.kill_when, limit=options.limit,
        )  # fmt: skip
        self.runner.killed |= status == 137
        listener.close(was_killed=status == 137)
        result.status, result.outcome = status, "success" if status == 0 else "failure"
        result.annotations = listener.heard.annotations
        result.unknown_commands = listener.heard.unknown
        for complaint in listener.heard.complaints:
            self._complain(result, complaint)
        self._take(files, result)

    def _take(self, files: dict[str, Path], result: Step) -> None:
        try:
            result.outputs = pairs(files["OUTPUT"])
            self.extra |= pairs(files["ENV"])
        except ValueError as wrong:  # also what is no UTF-8
            self._complain(result, f"GITHUB_OUTPUT or GITHUB_ENV: {wrong}")
            result.outcome = "failure"
        self.path = [*reversed(files["PATH"].read_text().splitlines()), *self.path]
        summary = files["STEP_SUMMARY"].read_bytes()
        if len(summary) > SUMMARY_LIMIT:
            self._complain(result, f"the summary has {len(summary)} bytes: GitHub shows none of it")
        try:
            summary.decode("utf-8")
        except UnicodeDecodeError:
            self._complain(result, "the summary is no UTF-8")
        with (self.folder / "summary.md").open("ab") as joined:
            joined.write(summary)

    def _complain(self, result: Step, words: str) -> None:
        self.runner.complaints.append(f"{self.label}: {result.name}: {words}")

    def _environment(self, own: dict[str, str], files: dict[str, Path], action: Path | None) -> dict[str, str]:
        environment = {
            **self.runner.base,
            "PATH": ":".join([*self.path, self.runner.base["PATH"]]),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            **self.runner.event.variables(),
            "GITHUB_WORKFLOW": self.runner.workflow["name"],
            "GITHUB_JOB": self.key,
            "GITHUB_EVENT_PATH": str(self.temp / "event.json"),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temp),
            "RUNNER_TOOL_CACHE": str(self.temp),
            "RUNNER_OS": "Linux",
            "RUNNER_ARCH": "X64",
            "RUNNER_NAME": "stand-in",
            "RUNNER_ENVIRONMENT": "github-hosted",
            "RUNNER_TRACKING_ID": self.mark,
        }
        environment |= {f"GITHUB_{name}": str(file) for name, file in files.items()}
        if action:
            environment["GITHUB_ACTION_PATH"] = str(action)
        return environment | self.extra | own

    # Actions

    def _uses(self, step: Document, result: Step, contexts: Document, environment: dict[str, str]) -> None:
        uses = step["uses"]
        given = self._filled(step.get("with"), contexts)
        folder = self.runner.own_action(uses)
        if folder is not None:
            self._composite(folder, given | self.runner.overrides, result, contexts, environment)
            return
        match = re.fullmatch(r"actions/([a-z-]+)@[0-9a-f]{40}", uses)
        log = self.logs / f"{self.count:02}-{re.sub('[^A-Za-z0-9]+', '-', result.name)}-action.txt"
        result.log, result.outcome = str(log), "success"
        git_environment = {**self.runner.base, "HOME": str(self.home)}
        try:
            if match and match[1] == "checkout":
                said = artifacts.checkout(
                    given, self.runner.git, self.workspace, self.runner.event.sha, git_environment
                )
            elif match and match[1] == "upload-artifact":
                said = artifacts.upload(given, self.workspace, self.runner.folder / "artifacts")
            elif match and match[1] == "attest-build-provenance":
                said = "not run here"
            else:
                raise Unknown(f"the action {uses} is not known")
        except artifacts.Failed as failed:
            said, result.outcome = f"error: {failed}", "failure"
        log.write_text(said + "\n")

    def _composite(
        self, folder: Path, given: dict[str, str], result: Step, contexts: Document, environment: dict[str, str]
    ) -> None:
        metadata = load(folder / "action.yml")
        inputs = metadata.get("inputs", {})
        if extra := set(given) - set(inputs):
            raise Unknown(f"{folder} has no inputs {sorted(extra)}")
        filled = self._filled({name: value.get("default") for name, value in inputs.items()}, contexts)
        if missing := [n for n, v in inputs.items() if v.get("required") and not given.get(n)]:
            raise Unknown(f"the inputs {missing} are missing")
        # An action sees neither the workflow's settings nor its secrets.
        own = {name: contexts[name] for name in ("github", "runner", "matrix")}
        own["inputs"] = Closed(filled | given)
        result.steps, failed = self._all(metadata["runs"]["steps"], own, environment, folder)
        result.outcome = "failure" if failed else "success"
        outputs = {name: value["value"] for name, value in metadata.get("outputs", {}).items()}
        result.outputs = self._filled(outputs, self._contexts_of_action)
        result.annotations = [note for step in result.steps for note in step.annotations]


class Runner:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.workflow = load(options.workflow)
        self.folder: Path = options.folder.resolve()
        self.git: Path = options.git.resolve()
        self.event = Event(options)
        self.cancel = Cancel()
        self.complaints: list[str] = []
        self.orphans: list[str] = []
        self.stopped = self.killed = False
        self.vars = Open(options.vars)
        self.secrets: dict[str, str] = options.secrets
        self.overrides: dict[str, str] = options.set
        self.inputs = self._inputs(options.inputs)
        keep = ("PATH", "LD_LIBRARY_PATH")
        self.base = {name: os.environ[name] for name in keep if name in os.environ} | options.env
        self.bash = "/bin/bash"

    def _inputs(self, given: dict[str, str]) -> Document:
        on = self.workflow["on"]
        declared = (on.get("workflow_dispatch") or {}).get("inputs", {}) if isinstance(on, dict) else {}
        if self.event.name != "workflow_dispatch":
            return Closed({name: None for name in declared})
        if extra := set(given) - set(declared):
            raise Unknown(f"the workflow has no inputs {sorted(extra)}")
        filled = {name: given.get(name, value.get("default", "")) for name, value in declared.items()}
        for name, value in declared.items():
            if value.get("type") == "choice" and filled[name] not in value["options"]:
                raise Unknown(f"{filled[name]!r} is no choice of {name}")
        return Closed(filled)

    def default_shell(self, job: Document) -> str | None:
        for place in (job, self.workflow):
            if shell := place.get("defaults", {}).get("run", {}).get("shell"):
                return str(shell)
        return None

    def own_action(self, uses: str) -> Path | None:
        """The folder of this checkout that `uses` stands for."""
        found = re.fullmatch(r"(?:\$|\.|codeflash-ai/cf-bench)(/[^@]*?)?/?(?:@[0-9a-f]{40})?", uses)
        return (ROOT / (found[1] or "/").strip("/")) if found else None

    def github(self, job: Job | None) -> Closed:
        event = self.event
        known: Document = {name.removeprefix("GITHUB_").lower(): value for name, value in event.variables().items()}
        known |= {"event": opened(event.payload), "workflow": self.workflow["name"]}
        if job:
            known |= {"token": job.token, "job": job.key, "workspace": str(job.workspace)}
        return Closed(known)

    # Jobs, each after those it needs

    def run(self) -> Document:
        started = self.event.starts(self.workflow)
        jobs: dict[str, Document] = {}
        waiting = dict(self.workflow["jobs"]) if started else {}
        while waiting:
            key = next(k for k, job in waiting.items() if all(need in jobs for need in self._needs(job)))
            jobs[key] = self._job(key, waiting.pop(key), jobs)
        return {"started": started, "jobs": jobs, "complaints": self.complaints, "orphans": self.orphans}

    @staticmethod
    def _needs(job: Document) -> list[str]:
        needs = job.get("needs", [])
        return [needs] if isinstance(needs, str) else needs

    def _job(self, key: str, job: Document, done: dict[str, Document]) -> Document:
        needs = Closed({need: Closed(result=done[need]["result"], outputs=Open()) for need in self._needs(job)})
        contexts: Document = {"github": self.github(None), "needs": needs, "vars": self.vars, "inputs": self.inputs}
        results = [need["result"] for need in needs.values()]
        cancelled = self.cancel.event.is_set()
        functions: Functions = {
            "always": lambda: True,
            "success": lambda: not cancelled and all(result == "success" for result in results),
            "failure": lambda: "failure" in results,
            "cancelled": lambda: cancelled,
        }
        told: Document = {"result": "skipped", "steps": []}
        if not condition(job.get("if"), contexts, functions) or self.stopped:
            return told
        told["concurrency"] = fill(
            job.get("concurrency", {}).get("group", ""),
            {k: v for k, v in contexts.items() if k in ("github", "needs", "inputs")} | {"matrix": Open()}, {},
        )  # fmt: skip
        if self.options.only not in (None, key):
            return {**told, "result": "success", "assumed": True}
        told["permissions"] = dict(job.get("permissions", self.workflow.get("permissions", {})))
        for matrix in self._matrix(job):
            one = Job(self, key, job, needs, matrix)
            steps = one.steps()
            told["steps"] += [step.document() for step in steps]
            failed = any(step.conclusion == "failure" for step in steps)
            result = "cancelled" if self.cancel.event.is_set() else "failure" if failed else "success"
            told["result"] = result if told["result"] in ("skipped", "success") else told["result"]
            told["summary"], told["folder"] = str(one.folder / "summary.md"), str(one.folder)
        return told

    def _matrix(self, job: Document) -> list[Document]:
        matrix = job.get("strategy", {}).get("matrix")
        if matrix is None:
            return [{}]
        if set(matrix) != {"include"}:
            raise Unknown("a matrix with more than include")
        wanted = self.options.matrix
        return [entry for entry in matrix["include"] if wanted is None or wanted in map(str, entry.values())]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    add = parser.add_argument
    add("--workflow", type=Path, required=True)
    add("--event", required=True, help="its name")
    add("--payload", type=Path, required=True, help="a file of JSON")
    add("--repository", required=True, help="OWNER/NAME")
    add("--git", type=Path, required=True, help="the bare repository that checkout clones")
    add("--folder", type=Path, required=True, help="everything is written here")
    add("--ref", help="GITHUB_REF, where the payload does not say it")
    add("--sha", help="GITHUB_SHA, where it is not the ref's commit")
    add("--server", default="https://github.com", help="GITHUB_SERVER_URL")
    add("--run-id", default="4711")
    add("--attempt", default="1")
    for name, words in (
        ("inputs", "of a run by hand"), ("vars", "of the repository"), ("secrets", "of the repository"),
        ("env", "more environment for every step"), ("set", "inputs of our action that the test decides"),
    ):  # fmt: skip
        add(f"--{name}", type=json.loads, default={}, help=f"{words}, as JSON")
    add("--only", help="runs this job; others count as succeeded where their condition holds")
    add("--matrix", help="runs only the entries that have this value")
    add("--stop-after", help="the last step that is run")
    add("--cancel-when", help="cancels the run when a line of output matches")
    add("--kill-when", help="kills the step's first process when a line of output matches")
    add("--limit", type=float, default=240, help="seconds that a step may take")
    options = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # a test program blocks signals, and this is its child
    try:
        runner = Runner(options)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: runner.cancel.ask())
        document = runner.run()
    except Unknown as unknown:
        print(f"error: {unknown}", file=sys.stderr)
        return 2
    print(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
