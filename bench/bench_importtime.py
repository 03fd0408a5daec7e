#!/usr/bin/env python3
"""Layer 1, module by module: what each one costs to import, the most expensive first.

usage: bench_importtime.py [REVISION] [OPTION...]

REVISION is a branch, a tag, a commit, a release (codeflash==0.20.6) or a folder (path:.); by default the
current branch. Options are those of 'cf-bench run', such as --python 3.12,3.13 or --set startup.import-runs=9. 'own' is the time
in the module itself, 'cumulative' that of what it imports too. The commands of the layer are timed in one block only.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import door

Rows = list[dict[str, str]]


def measure(arguments: list[str]) -> tuple[int, str]:
    """Exit status and the JSON that cf-bench printed."""
    # A setting of its own, weaker than any flag: the commands are not what is asked for here.
    environment = {"CF_BENCH_STARTUP_BLOCKS": "1", **os.environ}
    child = subprocess.Popen(
        door.command("startup", arguments), stdout=subprocess.PIPE, env=environment, encoding="utf-8", errors="replace"
    )
    # Ctrl-C reaches cf-bench by itself, which then reports what it has; other signals reach only this process.
    signal.signal(signal.SIGINT, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: child.send_signal(number))
    output, _ = child.communicate()
    return door.exit_status(child), output


def read_table(path: Path) -> dict[str, Rows]:
    """The rows by command, and by Python where several were measured: its column is there only then."""
    tables: dict[str, Rows] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            python = f", Python {row['python']}" if row.get("python") else ""
            tables[row.get("command", "") + python].append(row)
    return tables


def milliseconds(microseconds: int) -> str:
    return f"{microseconds / 1000:.2f} ms"


def show(tables: dict[str, Rows]) -> None:
    for title, rows in tables.items():
        print("".join(letter if letter.isprintable() else "?" for letter in title))
        rows.sort(key=lambda row: int(row["self_us"]), reverse=True)
        total = sum(int(row["self_us"]) for row in rows)
        print(f"{'own':>12}  {'cumulative':>12}  module")
        for row in rows:
            module = "".join(letter if letter.isprintable() else "?" for letter in row["module"])
            own, cumulative = milliseconds(int(row["self_us"])), milliseconds(int(row["cumulative_us"]))
            print(f"{own:>12}  {cumulative:>12}  {module}")
        print(f"{milliseconds(total):>12}  {'':>12}  all {len(rows)} modules\n")


def main() -> None:
    door.help_if_asked(__doc__)
    arguments = sys.argv[1:]
    status, output = measure([*arguments, "--json"])
    if "--json" in arguments:
        print(output, end="")
    elif output.strip():
        table = Path(json.loads(output).get("folder", "")) / "importtime.tsv"
        if table.exists():
            show(read_table(table))
        else:
            door.fail(
                "there is no import breakdown", f"the run wrote no {table}",
                f"see {table.with_name('summary.md')} for what went wrong", status or 4,
            )
    sys.exit(status)


if __name__ == "__main__":
    main()
