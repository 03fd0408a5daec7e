"""How the Python scripts of this folder call cf-bench: through lib.sh, like the shell scripts."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

LIBRARY = Path(__file__).resolve().parent / "lib.sh"


def command(layer: str, arguments: list[str]) -> list[str]:
    """What measures one layer; the arguments stay a vector, no shell reads them."""
    return ["bash", "-c", 'source "$1"; shift; run_layers "$@"', sys.argv[0], str(LIBRARY), layer, *arguments]


def stop_with_reader() -> None:
    """A reader that stops after the first lines is not an error."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def help_if_asked(text: str | None) -> None:
    stop_with_reader()
    if sys.argv[1:2] in (["--help"], ["-h"]):
        print((text or "").strip())
        sys.exit(0)


def fail(what: str, why: str, fix: str, status: int) -> NoReturn:
    print(f"error: {what}\n  why: {why}\n  fix: {fix}", file=sys.stderr)
    sys.exit(status)


def exit_status(child: subprocess.Popen[str]) -> int:
    """The child's own status; 128 + N when a signal N ended it, as a shell says it."""
    return child.returncode if child.returncode >= 0 else 128 - child.returncode
