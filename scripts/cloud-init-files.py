#!/usr/bin/env python3
"""Writes the files that cloud-init.yaml puts on the VM below a folder: cloud-init-files.py FOLDER [FILE]"""

from __future__ import annotations

import sys
from pathlib import Path

from ruamel.yaml import YAML


def main() -> None:
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    source = Path(sys.argv[2]) if len(sys.argv) == 3 else Path(__file__).resolve().parent.parent / "cloud-init.yaml"
    document = YAML(typ="safe").load(source.read_text())
    for entry in document["write_files"]:
        target = Path(sys.argv[1]) / entry["path"].lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(entry["content"])
        target.chmod(int(entry.get("permissions", "0644"), 8))


if __name__ == "__main__":
    main()
