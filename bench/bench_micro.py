#!/usr/bin/env python3
"""usage: bench_micro.py [REVISION] [OPTION...]

Layer 2: how long single functions take (timeit), each as the median over blocks of fresh workers.
"""

from __future__ import annotations

import json
import sys

from door import results_of, usage


def main() -> None:
    usage(__doc__)
    folder = results_of("micro", sys.argv[1:])
    document = json.loads((folder / "micro.json").read_text())
    print(f"{'median, us':>12}  target")
    for target in document["targets"]:
        print(f"{target['medianSeconds'] * 1e6:12.3f}  {target['name']}")
    print(f"\n{folder / 'micro.json'}")


if __name__ == "__main__":
    main()
