#!/usr/bin/env python3
"""Draws a comment as GitHub shows it: Markdown through GitHub's own library, its style in short, headless Chromium.

    .tools/venv/bin/python scripts/comment-picture.py COMMENT.md PICTURE.png [HEIGHT]
"""

import pathlib
import subprocess
import sys
import tempfile

import cmarkgfm
from cmarkgfm.cmark import Options

STYLE = """
body { font: 14px/1.5 -apple-system, "Segoe UI", "DejaVu Sans", Helvetica, Arial, sans-serif; color: #1f2328; margin: 24px; width: 780px; }
h2 { font-size: 21px; border-bottom: 1px solid #d1d9e0; padding-bottom: 6px; margin: 0 0 16px; }
table { border-collapse: collapse; margin: 0 0 16px; } th, td { border: 1px solid #d1d9e0; padding: 6px 13px; }
tr:nth-child(2n) td { background: #f6f8fa; } p { margin: 0 0 16px; } details { margin: 0 0 16px; } sub { color: #59636e; }
code { background: #818b981f; border-radius: 6px; font-size: 85%; padding: 3px 6px; }
"""


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
    body = cmarkgfm.github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE)
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder) / "comment.html"
        page.write_text(f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>{body}", encoding="utf-8")
        height = sys.argv[3] if len(sys.argv) == 4 else "620"
        subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1",
             f"--window-size=830,{height}", f"--user-data-dir={folder}/profile", f"--screenshot={pathlib.Path(sys.argv[2]).resolve()}",
             page.as_uri()],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120,
        )


if __name__ == "__main__":
    main()
