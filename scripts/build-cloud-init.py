#!/usr/bin/env python3
"""Puts vm/ together into cloud-init.yaml: build-cloud-init.py [--check]

vm/cloud-init.template.yaml says where each file goes on the VM; `content: !file NAME` becomes the text of vm/NAME.
With --check nothing is written, and a cloud-init.yaml that differs is an error.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARTS = ROOT / "vm"
TEMPLATE = PARTS / "cloud-init.template.yaml"
TARGET = ROOT / "cloud-init.yaml"


def put_together() -> str:
    unused = {str(path.relative_to(PARTS)) for path in PARTS.rglob("*") if path.is_file() and path != TEMPLATE}

    def block(match: re.Match[str]) -> str:
        name = match["name"]
        unused.discard(name)
        text = (PARTS / name).read_text()
        if not text.endswith("\n") or text.endswith("\n\n") or text.startswith(("\n", " ")):
            raise SystemExit(f"vm/{name}: must begin with text and end with one line break, to stand in a YAML block")
        lines = (f"      {line}" if line else "" for line in text.split("\n"))
        return "content: |\n" + "\n".join(lines).rstrip()

    text = re.sub(r"content: !file (?P<name>\S+)$", block, TEMPLATE.read_text(), flags=re.MULTILINE)
    if unused:
        raise SystemExit(f"no line of {TEMPLATE.relative_to(ROOT)} installs {', '.join(sorted(unused))}")
    return text


def main() -> None:
    if sys.argv[1:] not in ([], ["--check"]):
        raise SystemExit(__doc__)
    text = put_together()
    if not sys.argv[1:]:
        TARGET.write_text(text)
    elif TARGET.read_text() != text:
        raise SystemExit("cloud-init.yaml is not what vm/ makes: change the files in vm/, then run `make cloud-init.yaml`")


if __name__ == "__main__":
    main()
