"""Times one expression of a project, and says what it came to. Embedded in the agent.

The order is one JSON object on standard input: {"root": FOLDER, "module": "package.module", "setup": CODE, "call": EXPRESSION,
"workdir": FOLDER}; the answer one on standard output: {"seconds": best of several repeats of one call, "outcome": a digest of
its value}, or {"failure": why}. Standard library only, Python 3.9 and later.
"""

import gc
import hashlib
import importlib
import json
import os
import sys
import timeit

REPEATS = 5
# How long one repeat lasts, in seconds.
REPEAT_SECONDS = 0.01


def canonical(value):
    """The value as text that is the same for equal values: sets and dictionaries have no order of their own."""
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(canonical(key) + ": " + canonical(each) for key, each in value.items())) + "}"
    if isinstance(value, (set, frozenset)):
        return "set(" + ", ".join(sorted(canonical(each) for each in value)) + ")"
    if isinstance(value, (list, tuple)):
        return type(value).__name__ + "(" + ", ".join(canonical(each) for each in value) + ")"
    return repr(value)


def main():
    order = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    try:
        sys.path.insert(0, order["root"])
        module = importlib.import_module(order["module"])
        if not os.path.realpath(module.__file__).startswith(os.path.realpath(order["root"]) + os.sep):
            raise ImportError("{} comes from {}".format(order["module"], module.__file__))
        names = dict(vars(module), workdir=order["workdir"])
        exec(compile(order["setup"], "<setup>", "exec"), names)
        outcome = eval(compile(order["call"], "<call>", "eval"), names)
        timer = timeit.Timer(order["call"], globals=names)
        gc.collect()
        gc.freeze()
        loops = 1
        while True:
            seconds = timer.timeit(loops)
            if seconds >= REPEAT_SECONDS / 2 or loops >= 1000000:
                break
            loops *= 4
        best = min([seconds] + timer.repeat(REPEATS - 1, loops)) / loops
        answer = {"seconds": best, "outcome": hashlib.sha256(canonical(outcome).encode()).hexdigest()}
    except Exception as error:
        answer = {"failure": "{}: {}".format(type(error).__name__, error)[:300]}
    answers.write(json.dumps(answer))
    answers.close()


main()
