#!/usr/bin/env python3
"""Runs the fault trials, one row after the other, and prints a table of them.

    scripts/faults.py [WORD...]      rows whose name contains one of the words, such as kills, disks, fuzz; all rows without

The seed is printed; CF_BENCH_FAULT_SEED=N repeats its choices. CF_BENCH_FAULT_SHARE=0.1 runs a tenth of the trials.
Every row is a test of `make test` with a larger number of trials; it prints TRIAL lines, which are gathered here.
Exits with 1 when a row fails.
"""

import os
import random
import re
import subprocess
import sys
import time

# What a row is called here, the tests it runs, how many trials each makes, and more of its environment.
ROWS = [
    ("cut connections", "BrokenConnectionTests.manyCuts", 1000, {}),
    ("kills of everybody", "EndToEndTests.KillTests", 100, {}),
    ("kills under load", "AgentTests.KillTests", 10, {}),
    ("cancels", "GitHubCancelTests", 50, {}),
    ("trees", "AgentTests.TreeTests", 10, {}),
    ("controllers at once", "TogetherTests", 3, {}),
    ("queue", "QueueTests", 5, {}),
    ("stale stops", "MayStopTests", 50, {}),
    ("uploads", "UploadReceiverTests", 100, {}),
    ("peers of other releases", "RestrictedKeyTests|PeerTests", 1, {}),
    ("full disks", "DiskFullTests", 20, {}),
    ("floods", "FloodTests", 1, {}),
    ("restricted key", "RestrictedKeyAttackTests", 20, {}),
    ("secrets", "Redact|Secret", 1000, {}),
    ("hostile input", "Hostile", 200, {}),
    ("azure failures", "AzureFailureTests|AzureBreakageTests", 1, {"SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH": "4"}),
    ("azure nets", "AzureNetsTests", 50, {"SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH": "4"}),
]

LIMIT = 3600  # seconds for a row


def run(command, environment, log):
    """Runs a command and gives its output's lines and its exit status."""
    lines = []
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    began = time.monotonic()
    for line in process.stdout:
        log.write(line)
        log.flush()
        lines.append(line.rstrip("\n"))
        if time.monotonic() - began > LIMIT:
            process.kill()
            lines.append(f"stopped after {LIMIT} s")
    return lines, process.wait()


def trials(lines):
    """The fields of the TRIAL lines among a test's output."""
    for line in lines:
        found = re.search(r"TRIAL\t(.*)", line)
        if found:
            name, count, held, worst, seconds = (found.group(1).split("\t") + [""] * 5)[:5]
            yield name, int(count), int(held), worst, float(seconds)


def passed(title, lines, seconds):
    """For tests without a line of their own: their cases that passed, and those that failed."""
    held = failed = 0
    for line in lines:
        found = re.match(r"(?:✔|✘) Test (?!run|case).*?(?: with (\d+) test cases?)? (passed|failed) after", line)
        if found:
            count = int(found.group(1) or 1)
            held, failed = (held + count, failed) if found.group(2) == "passed" else (held, failed + count)
    return [(title, held + failed, held, "-", seconds)] if held + failed else []


def fuzz(seed, log):
    """The fuzzer's row: inputs instead of trials."""
    began = time.monotonic()
    lines, status = run(["scripts/fuzz.sh"], os.environ | {"FUZZ_SEED": str(seed)}, log)
    speeds = [re.match(r"(\w+) +(\d+) inputs +(\d+) a second +(\d+) MB", line) for line in lines]
    speeds = [found.groups() for found in speeds if found]
    inputs = sum(int(speed[1]) for speed in speeds)
    slowest = min(speeds, key=lambda speed: int(speed[2]), default=("", 0, 0, 0))
    worst = f"{slowest[2]} a second ({slowest[0]}), {max((int(s[3]) for s in speeds), default=0)} MB at most"
    return [("inputs of the fuzzer", inputs, inputs if status == 0 else 0, worst, time.monotonic() - began)], status == 0


def row(title, test, count, more, seed, share, log):
    """Runs one row's tests; gives rows of the table and whether all held."""
    environment = os.environ | more | {
        "CF_BENCH_TEST_TRIALS": str(max(1, round(count * share))),
        "CF_BENCH_TEST_KILLS": os.environ.get("CF_BENCH_TEST_KILLS") or str(max(1, round(count * share))),
        "CF_BENCH_FAULT_SEED": str(seed),
    }
    began = time.monotonic()
    lines, status = run(["swift", "test", "--skip-build", "--filter", test], environment, log)
    found = list(trials(lines)) or passed(title, lines, time.monotonic() - began)
    if status != 0 or not found:
        failed = [line.strip() for line in lines if "✘" in line or "error:" in line][:3]
        print("\n".join(f"  {line[:400]}" for line in failed), file=sys.stderr)
    if not found:
        found = [(title, 0, 0, "no trial was made" if status == 0 else "failed", time.monotonic() - began)]
    return found, status == 0 and all(0 < trial[1] == trial[2] for trial in found)


def table(rows):
    """Markdown, so that it can be put into docs/faults.md as it is."""
    head = ("what", "trials", "passed", "worst", "seconds")
    cells = [head] + [(r[0], str(r[1]), str(r[2]), r[3], f"{r[4]:.0f}") for r in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    cells.insert(1, tuple("-" * width for width in widths))
    return "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in cells)


def main():
    wanted = sys.argv[1:]
    seed = int(os.environ.get("CF_BENCH_FAULT_SEED") or random.randrange(1, 1 << 32))
    share = float(os.environ.get("CF_BENCH_FAULT_SHARE") or 1)
    os.makedirs(".build/faults", exist_ok=True)
    print(f"seed {seed}: CF_BENCH_FAULT_SEED={seed} repeats it", flush=True)
    rows, all_held = [], True
    with open(".build/faults/log", "w", encoding="utf-8") as log:
        for title, test, count, more in ROWS:
            if wanted and not any(word in title for word in wanted):
                continue
            print(f"{title} …", flush=True)
            found, held = row(title, test, count, more, seed, share, log)
            all_held = all_held and held
            rows += found
        if not wanted or any(word in "fuzz" for word in wanted):
            found, held = fuzz(seed, log)
            all_held = all_held and held
            rows += found
    print(table(rows))
    print("all held" if all_held else "NOT all held: .build/faults/log has every word")
    return 0 if all_held else 1


if __name__ == "__main__":
    sys.exit(main())
