#!/usr/bin/env python3
"""Layer 2: how long single functions take, and where.

usage: bench_micro.py [REVISION [TARGET...]] [OPTION...]

REVISION is a branch, a tag, a commit, a release (codeflash==0.20.6) or a folder (path:.); by default the
current branch. TARGET is a function's name in the table, such as 'merge test results'; by default all of them. Options are those
of 'cf-bench run', such as --set micro.blocks=20.
"""

from __future__ import annotations

import json
import os
import sys
from itertools import takewhile

import door

PREFIX = "micro: "


def with_targets(arguments: list[str]) -> list[str]:
    """The same arguments with the targets as a setting of cf-bench."""
    marker, rest = (["--"], arguments[1:]) if arguments[:1] == ["--"] else ([], arguments)
    words = rest[:1] if marker else list(takewhile(lambda word: not word.startswith("-"), rest))
    options = rest[len(words) :]
    targets = [word[len(PREFIX) :] if word.startswith(PREFIX) else word for word in words[1:]]
    only = ["--set", f"micro.only={json.dumps(targets)}"] if targets else []
    return [*marker, *words[:1], *only, *options]


def main() -> None:
    door.help_if_asked(__doc__)
    command = door.command("micro", with_targets(sys.argv[1:]))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
