#!/usr/bin/env python3
"""Packs a folder of the fuzzer's inputs into one text file, an input a line in base64, and back.

    scripts/fuzz-corpus.py pack FOLDER FILE
    scripts/fuzz-corpus.py unpack FILE FOLDER
"""

import base64
import hashlib
import pathlib
import sys


def pack(folder, file):
    inputs = sorted((path.read_bytes() for path in folder.iterdir()), key=lambda data: (len(data), data))
    file.write_text("".join(base64.b64encode(data).decode() + "\n" for data in inputs))


def unpack(file, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for line in file.read_text().splitlines() if file.exists() else []:
        data = base64.b64decode(line)
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


if __name__ == "__main__":
    {"pack": pack, "unpack": unpack}[sys.argv[1]](pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
