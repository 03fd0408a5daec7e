"""Times functions of the target in a fresh process of the target's own interpreter. Embedded in the agent.

Standard library only, Python 3.9 and later. The order comes as one JSON object, the first line of standard input:

    {"mode": "discover" | "calibrate" | "measure" | "profile", "repeats": N, "repeat_seconds": S, "top": N,
     "longest_call": S,
     "targets": [{"index": I, "name": ..., "candidates": ["package.module:attribute.path", ...], "setup": ...,
                  "test": "FILE::TEST" of a suite instead of candidates and setup, "loops": N, "repeats": N}],
     "suite": {"root": the folder of the project, "paths": [where its benchmarks are], "package": what they test}}

The answer is one JSON object a line on standard output, each written as soon as it is known:

    {"turn": true}                                      set up, or a round is over: it goes on with the next byte on standard input;
                                                        only of measure
    {"test": "FILE::TEST", "name": ...}                 discovered: a test that uses the fixture `benchmark`
    {"unread": FILE, "reason": "why"}                   a file of the suite that can't be collected
    {"begin": I}                                        from here on the worker is busy with this target
    {"index": I, "missing": "why"}                      no candidate imports, or the setup raises
    {"index": I, "failed": "why"}                       the call itself raises
    {"index": I, "slow": true}                          its first call was ended after longest_call, and the worker with it;
                                                        only of calibrate
    {"index": I, "seconds": S, "loops": N, "repeats": N}
                                                        seconds of one call: the best of the repeats, which are spread
                                                        over the worker's life
    {"index": I, "calls": N, "seconds": S, "functions": [...], "stacks": [[[function, file, line], ...], seconds], ...]}
                                                        a profile; stacks are outermost first, seconds are of one call

Whatever the target prints goes to /dev/null: only this file holds the descriptor that the agent reads.
"""

import gc
import importlib
import json
import os
import re
import signal
import sys
import tempfile
import time
import timeit

import benchmark_suite
from source_names import module_files


def take_over_descriptors():
    """Keeps standard input for its turns, standard output for the answers and standard error for a crash, and gives the target /dev/null."""
    turns = os.dup(0)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
    last_words = os.dup(2)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    return turns, answers, last_words


def reason(error):
    text = " ".join(str(error).split())
    return "{}: {}".format(type(error).__name__, text[:300]) if text else type(error).__name__


def locate(place):
    """The object at `package.module:attribute.path`."""
    module, _, path = place.partition(":")
    found = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return found


def find(*places):
    """The first of the places that is there; the last one's error when none is."""
    complaints = []
    for place in places:
        try:
            return locate(place)
        # A module's import may raise or exit with anything; the next place may still do.
        except (Exception, SystemExit) as error:
            complaints.append("{} ({})".format(place, reason(error)))
    raise LookupError("; ".join(complaints) or "no place is named")


class Missing(Exception):
    """The side can't run the target; the text says why."""


class Slow(BaseException):
    """The first call was ended since it takes too long. No target's `except Exception` keeps it."""


def first(call, order):
    """What the target's first call returns; it fills the target's caches and is not counted."""
    limit = order.get("longest_call") if order["mode"] == "calibrate" else None
    if not limit:
        return call()

    def end(*_):
        raise Slow()

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        return call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def prepare(target, order):
    """The target's `call`, ready to be timed, after one call that fills its caches."""
    try:
        function = find(*target["candidates"])
    except LookupError as error:
        raise Missing(str(error))
    space = {
        "__name__": "cf_bench_target", "target": function, "find": find,
        "workdir": tempfile.mkdtemp(prefix="target-"),
    }
    # The setup's asserts call the function too: they are for when it is calibrated.
    stripped = 1 if order["mode"] == "measure" else 0
    try:
        exec(compile(target["setup"], "<setup>", "exec", optimize=stripped), space)
        call = space["call"]
    except (Exception, SystemExit) as error:
        raise Missing("its setup raises {}".format(reason(error)))
    # What sets a profile function itself can't be profiled by one.
    target["traces"] = bool(space.get("traces"))
    first(call, order)
    return call


# For how long a worker repeats one target, if a single repeat does not take longer; in seconds.
LONGEST = 0.1
# A call that seems shorter than this is looked at again before it is believed: a machine may stand still for as long; in seconds.
BELIEVED = 0.2


def settle():
    """What survived (every imported module) is not looked at by the garbage collector again: a third of a worker's time would go there."""
    gc.collect()
    gc.freeze()


def best(call, loops, repeats):
    """Seconds of one call: the least disturbed of the repeats. `timeit` keeps the garbage collector out."""
    settle()
    return min(repeated(call, loops, repeats))


def repeated(call, loops, repeats=1):
    return [seconds / loops for seconds in timeit.Timer(call, setup=getattr(call, "renew", "pass")).repeat(repeats, loops)]


def calibrate(call, order, target):
    """How many loops make a repeat as long as it is asked to be, and how many repeats there is time for."""
    # A call that is prepared anew each time can't be looped.
    most = 1 if hasattr(call, "renew") else 1000000
    loops = 1
    while True:
        seconds = best(call, loops, 1)
        if seconds * loops < BELIEVED:
            seconds = min(seconds, best(call, loops, 2))
        if seconds * loops >= order["repeat_seconds"] / 4 or loops >= most:
            break
        loops *= 4
    loops = max(1, min(most, round(order["repeat_seconds"] / max(seconds, 1e-9))))
    repeats = max(1, min(order["repeats"], int(LONGEST / max(seconds * loops, 1e-9))))
    return {"seconds": seconds, "loops": loops, "repeats": repeats}


def measure(call, order, target):
    return {"seconds": best(call, target["loops"], target["repeats"]), "loops": target["loops"]}


def in_turns(prepared, rounds, answer, turn):
    """One repeat of each target after another, in so many rounds, between which the other workers of the block have theirs: a slow
    spell of the machine hits one repeat of many targets in all workers instead of all of one's in one, and the best of a target's leaves it
    out. Repeats of the same target right after each other scatter twice as much from worker to worker."""
    shortest = {}
    lost = set()
    settle()
    for number in range(rounds):
        turn()
        gc.collect()
        for target, call, folder in prepared:
            index = target["index"]
            repeats = min(target["repeats"], rounds)
            # Few repeats are spread evenly.
            if index in lost or (number + 1) * repeats // rounds == number * repeats // rounds:
                continue
            answer(begin=index)
            try:
                os.chdir(folder)
                seconds = repeated(call, target["loops"])[0]
            except (Exception, SystemExit) as error:
                lost.add(index)
                answer(index=index, failed=reason(error))
            else:
                shortest[index] = min(seconds, shortest.get(index, seconds))
    for target, _, _ in prepared:
        if target["index"] not in lost:
            answer(index=target["index"], seconds=shortest[target["index"]], loops=target["loops"])


# --- the profile

def described(code, files):
    if isinstance(code, str):
        return re.sub(r" at 0x[0-9a-fA-F]+", "", code), 0
    function = getattr(code, "co_qualname", code.co_name)
    path = files.get(code.co_filename)
    if path is None:
        path = "<worker>" if code.co_filename == __file__ else os.path.basename(code.co_filename)
    return "{} ({})".format(function, path), code.co_firstlineno


def profile(call, order, target):
    import cProfile

    renew = getattr(call, "renew", None)
    if renew:
        renew()
    started = time.perf_counter()
    call()
    spent = time.perf_counter() - started
    files = module_files()
    stacks = [] if renew else sampled(call, files)
    if target.get("traces"):
        return {"calls": 1, "seconds": spent, "functions": [], "stacks": stacks}
    # Enough calls for a picture of a short function; one is enough of a long one.
    calls = max(1, min(1000, int(0.05 / max(spent, 1e-6))))
    profiler = cProfile.Profile()
    for _ in range(calls):
        if renew:
            renew()
        profiler.enable()
        call()
        profiler.disable()
    functions = {}
    for entry in profiler.getstats():
        name, line = described(entry.code, files)
        if "_lsprof.Profiler" in name:
            continue
        kept = functions.setdefault(name, {"name": name, "line": line, "calls": 0, "self": 0.0, "cumulative": 0.0})
        kept["calls"] += entry.callcount
        kept["self"] += entry.inlinetime
        kept["cumulative"] += entry.totaltime
    every = sorted(functions.values(), key=lambda f: (-f["self"], f["name"]))
    shown = set(f["name"] for f in every[: order["top"]])
    shown |= set(f["name"] for f in sorted(every, key=lambda f: (-f["cumulative"], f["name"]))[: order["top"]])
    return {
        "calls": calls, "seconds": sum(f["self"] for f in every),
        "functions": [f for f in every if f["name"] in shown], "stacks": stacks,
    }


# For how long stacks are taken, and how often, in seconds.
SAMPLED_SECONDS = 0.4
SAMPLED_EVERY = 0.001


def sampled(call, files):
    """The stacks below `call`, taken by a timer's signal, with the seconds of one call that each weighs."""
    seen = {}

    def take(_, frame):
        stack = []
        while frame is not None and frame.f_code is not sampled.__code__:
            code = frame.f_code
            stack.append((getattr(code, "co_qualname", code.co_name), code.co_filename, frame.f_lineno or 0))
            frame = frame.f_back
        if frame is not None:
            key = tuple(reversed(stack))
            seen[key] = seen.get(key, 0) + 1

    before = signal.signal(signal.SIGALRM, take)
    calls = 0
    started = time.perf_counter()
    signal.setitimer(signal.ITIMER_REAL, SAMPLED_EVERY, SAMPLED_EVERY)
    try:
        while time.perf_counter() - started < SAMPLED_SECONDS or calls == 0:
            call()
            calls += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    spent = (time.perf_counter() - started) / calls
    every = sum(seen.values())

    def name(path):
        return files.get(path) or ("<worker>" if path == __file__ else os.path.basename(path))

    return [
        [[[function, name(path), line] for function, path, line in stack], spent * count / every]
        for stack, count in sorted(seen.items(), key=lambda item: -item[1])[:2000]
    ]


def main():
    order = json.loads(sys.stdin.readline())
    turns, answers, last_words = take_over_descriptors()
    # Not our own folder: the target must not find this file as a module.
    sys.path[:] = [path for path in sys.path if path != os.path.dirname(os.path.abspath(__file__))]

    def answer(**fields):
        answers.write(json.dumps(fields) + "\n")
        answers.flush()

    def turn():
        """Waits for this worker's next turn: all of a block are there at the same time, and one at a time measures."""
        answer(turn=True)
        if not os.read(turns, 1):
            os._exit(1)

    def end_slow(index):
        """What was broken off anywhere in a library may leave it in any state: the others get a new process."""
        answer(index=index, slow=True)
        os._exit(0)

    import faulthandler

    faulthandler.enable(file=last_words)
    if order["mode"] == "discover":
        benchmark_suite.discover(order["suite"], answer)
        os._exit(0)
    step = {"calibrate": calibrate, "measure": measure, "profile": profile}[order["mode"]]
    prepared = []
    # Tests come last: pytest and its plugins change the process that they run in.
    for target in order["targets"]:
        index = target["index"]
        if target.get("test"):
            continue
        answer(begin=index)
        try:
            call = prepare(target, order)
            if step is measure:
                prepared.append((target, call, os.getcwd()))
                continue
            result = step(call, order, target)
        except Slow:
            end_slow(index)
        except Missing as error:
            answer(index=index, missing=str(error))
        except (Exception, SystemExit) as error:
            answer(index=index, failed=reason(error))
        else:
            answer(index=index, **result)
    if prepared:
        in_turns(prepared, order["repeats"], answer, turn)
    tests = [target for target in order["targets"] if target.get("test")]
    if tests:
        benchmark_suite.run(
            order["suite"], tests, lambda call: first(call, order), lambda call, target: step(call, order, target), Slow, end_slow,
            answer, turn if step is measure else None)
    answers.flush()
    # Threads and exit handlers of the target (telemetry, pools) have nothing to add to what was measured.
    os._exit(0)


main()
