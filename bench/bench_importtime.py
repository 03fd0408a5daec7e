#!/usr/bin/env python3
"""usage: bench_importtime.py [REVISION] [OPTION...]

What each module costs when the target is imported: own time and with all it imports, the dearest first.
"""

from __future__ import annotations

import csv
import sys

from door import results_of, usage


def main() -> None:
    usage(__doc__)
    folder = results_of("startup", sys.argv[1:])
    with open(folder / "importtime.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    own, total = (next(name for name in rows[0] if word in name) for word in ("self", "cumulative")) if rows else ("", "")
    print(f"{'own, us':>12}  {'in all, us':>12}  module")
    for row in sorted(rows, key=lambda row: -float(row[own])):
        print(f"{float(row[own]):12.0f}  {float(row[total]):12.0f}  {row['module']}")
    print(f"\n{folder / 'importtime.tsv'}")


if __name__ == "__main__":
    main()
