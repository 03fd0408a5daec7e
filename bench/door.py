"""What bench_importtime.py and bench_micro.py share: they run bench's shell scripts and read the results folder."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path


def results_of(layer: str, arguments: list[str]) -> Path:
    """Measures one layer of a revision, as `bench_all.sh REVISION --layers LAYER` does, and gives its results folder."""
    with tempfile.NamedTemporaryFile("w+", prefix="cf-bench-", suffix=".log") as log:
        script = Path(__file__).resolve().parent / "bench_all.sh"
        with subprocess.Popen(
            [str(script), *arguments, "--layers", layer], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            for line in process.stderr or []:
                sys.stderr.write(line)
                log.write(line)
        if process.returncode not in (0, 4):
            sys.exit(process.returncode)
        log.flush()
        words = [line for line in Path(log.name).read_text().splitlines() if "results in " in line]
    if not words:
        sys.exit("error: the run named no results folder\n  fix: run bench_all.sh and look at what it says")
    return Path(os.path.expanduser(words[-1].split("results in ", 1)[1].strip()))


def usage(text: str) -> None:
    """Ends with the text when help is asked for."""
    if any(word in ("-h", "--help") for word in sys.argv[1:]):
        print(text)
        sys.exit(0)
