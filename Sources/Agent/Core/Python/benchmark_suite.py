"""A project's own benchmarks for pytest-benchmark as targets of the micro worker. Imported by micro_worker.py.

What a test hands to its fixture `benchmark` is timed as every other target is: the fixture is this file's, and neither
pytest-benchmark nor its options have a part in it. The tests are read from one folder for all sides (`root`, where the worker
is then at home), so both sides do the same work; the package that they test is the one installed in the worker's environment.
"""

import importlib
import io
import os
import sys

# Plugins that would time, repeat, spread or reorder the tests themselves.
WITHOUT = ["benchmark", "codeflash-benchmark", "cacheprovider", "xdist", "randomly", "cov"]


class Fresh:
    """A call that needs arguments of its own each time: `renew` makes them, untimed."""

    def __init__(self, function, arguments, setup):
        self.function, self.setup = function, setup
        self.arguments, self.named = arguments

    def renew(self):
        made = self.setup()
        if made is not None:
            self.arguments, self.named = made

    def __call__(self):
        return self.function(*self.arguments, **self.named)


class Benchmark:
    """What a test knows as `benchmark`: the part of pytest-benchmark's fixture that says what to time."""

    def __init__(self, first, perform):
        self.first, self.perform = first, perform
        self.result = None
        # What tests set or ask of pytest-benchmark's.
        self.group = self.name = self.fullname = self.stats = None
        self.extra_info = {}
        self.enabled, self.disabled = True, False

    def timed(self, call):
        if self.result is not None:
            raise RuntimeError("a test can use its benchmark fixture once")
        if hasattr(call, "renew"):
            call.renew()
        returned = self.first(call)
        self.result = self.perform(call)
        return returned

    def __call__(self, function, *arguments, **named):
        return self.timed(lambda: function(*arguments, **named))

    def pedantic(self, target, args=(), kwargs=None, setup=None, rounds=1, warmup_rounds=0, iterations=1, teardown=None):
        """Rounds and iterations are the worker's own; `teardown` is not called."""
        if setup is None:
            return self(target, *args, **(kwargs or {}))
        return self.timed(Fresh(target, (args, kwargs or {}), setup))


def last_line(text):
    lines = [line.strip() for line in str(text).splitlines() if line.strip()]
    # pytest marks what was raised with an E.
    raised = [line[1:].strip() for line in lines if line.startswith("E ")]
    return (raised or lines or ["no reason was given"])[-1][:300]


def start(suite, plugin):
    """Runs pytest on the suite with one plugin. Says what keeps it from running at all, or None."""
    try:
        # Before the suite's own folder can offer another copy of it.
        importlib.import_module(suite["package"])
        import pytest
    except (Exception, SystemExit) as error:
        return "{}: {}".format(type(error).__name__, error)
    root = os.path.realpath(suite["root"])
    os.chdir(root)
    sys.path.append(root)
    words = io.StringIO()
    kept = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = words
    try:
        status = pytest.main(
            ["--rootdir", root, "--override-ini", "addopts=", "--import-mode=importlib", "--capture=no", "--quiet",
             "--continue-on-collection-errors", *("-pno:" + name for name in WITHOUT), *suite["paths"]],
            plugins=[plugin])
    except SystemExit as error:
        status = error.code
    finally:
        sys.stdout, sys.stderr = kept
    # 0: all passed; 1: some failed; 2: files that can't be read; 5: there is no test.
    return None if status in (0, 1, 2, 5) else "pytest ends with status {}: {}".format(status, last_line(words.getvalue()))


def strays(suite):
    """A module of the package that was read from the suite's folder instead of the environment, or None."""
    root = os.path.realpath(suite["root"]) + os.sep
    for name, module in list(sys.modules.items()):
        place = getattr(module, "__file__", None)
        if name.split(".")[0] == suite["package"].split(".")[0] and place and os.path.realpath(place).startswith(root):
            return name
    return None


class Collected:
    """Notes each test that asks for `benchmark`, runs none."""

    def __init__(self, answer):
        self.answer = answer

    def pytest_configure(self, config):
        config.addinivalue_line("markers", "benchmark: options of a benchmark")

    def pytest_collectreport(self, report):
        if report.failed:
            self.answer(unread=report.nodeid, reason=last_line(report.longrepr))

    def pytest_collection_modifyitems(self, items):
        for item in items:
            if "benchmark" in getattr(item, "fixturenames", ()):
                self.answer(test=item.nodeid, name=item.name)
        items[:] = []


def discover(suite, answer):
    reason = start(suite, Collected(answer))
    if reason:
        answer(unread=" ".join(suite["paths"]), reason=reason)


def run(suite, tasks, first, perform, slow, end_slow, answer, turn=None):
    """Runs the tasks' tests in their order; each ends as one answer of the worker's.

    `first` calls what a test times once and returns what that returns, or raises `slow`, for which `end_slow` has the answer;
    `perform` measures it for a task. `turn` waits for the turn of each test.
    """
    import pytest

    waiting = {task["test"]: task for task in tasks}
    unread = {}

    class Measured:
        @pytest.fixture
        def benchmark(self, request):
            task = waiting[request.node.nodeid]
            request.node.cf_bench = Benchmark(first, lambda call: perform(call, task))
            return request.node.cf_bench

    class Run:
        # Last, so that this fixture is the one that counts.
        @pytest.hookimpl(trylast=True)
        def pytest_configure(self, config):
            config.addinivalue_line("markers", "benchmark: options of a benchmark")
            config.pluginmanager.register(Measured(), "cf-bench-measured")

        def pytest_collectreport(self, report):
            if report.failed:
                unread[report.nodeid] = last_line(report.longrepr)

        @pytest.hookimpl(trylast=True)
        def pytest_collection_modifyitems(self, items):
            there = {item.nodeid: item for item in items}
            items[:] = [there[task["test"]] for task in tasks if task["test"] in there]
            for task in tasks:
                if task["test"] not in there:
                    why = next((why for file, why in unread.items() if task["test"].startswith(file)), "there is no such test")
                    self.end(task["test"], missing=why)

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_setup(self, item):
            if turn:
                turn()
            answer(begin=waiting[item.nodeid]["index"])

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_makereport(self, item, call):
            if item.nodeid not in waiting or (call.when == "setup" and call.excinfo is None):
                return
            if call.excinfo is None:
                fixture = getattr(item, "cf_bench", None)
                if fixture is None or fixture.result is None:
                    self.end(item.nodeid, failed="the test passes and times nothing: it never calls benchmark(...)")
                elif strays(suite):
                    self.end(item.nodeid, failed="{} comes from the suite's folder, not from the side".format(strays(suite)))
                else:
                    self.end(item.nodeid, **fixture.result)
                return
            if call.excinfo.errisinstance(slow):
                return end_slow(waiting[item.nodeid]["index"])
            said = "{}: {}".format(call.excinfo.typename, last_line(call.excinfo.value))
            lacks = call.excinfo.errisinstance((ImportError, pytest.skip.Exception))
            self.end(item.nodeid, **({"missing": said} if lacks else {"failed": said}))

        def end(self, test, **fields):
            answer(index=waiting.pop(test)["index"], **fields)

    reason = start(suite, Run())
    for test in list(waiting):
        answer(index=waiting.pop(test)["index"], failed=reason or "pytest ended before the test")
