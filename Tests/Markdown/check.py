"""Renders Markdown from standard input as GitHub does, with GitHub's own library, and looks for what names could have put in.

    check.py [LINK...]      addresses that may stand behind a link

Prints a line a finding; exits with 1 when there is one. GitHub takes mentions, references and bare addresses from the text
outside of code, so they count as findings there.
"""

import html.parser
import re
import sys

import cmarkgfm
from cmarkgfm.cmark import Options

ALLOWED = {
    "h2", "h3", "p", "strong", "em", "code", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "ul", "ol",
    "li", "sub", "a", "pre",
}
MENTION = re.compile(r"(?<![\w`])@[\w-]|(?<!\w)#\d|https?://|www\.\w|GH-\d")


class Look(html.parser.HTMLParser):
    """Reads the rendered page."""

    def __init__(self, links):
        super().__init__(convert_charrefs=True)
        self.links = links
        self.open = []
        self.findings = []
        self.cells = 0
        self.columns = 0

    def handle_starttag(self, tag, attrs):
        if tag not in ALLOWED:
            self.findings.append(f"tag <{tag}>")
        for name, value in attrs:
            if tag == "a" and name == "href" and value in self.links:
                continue
            if tag in ("th", "td") and name == "align":
                continue
            self.findings.append(f"attribute {name}={value!r} of <{tag}>")
        if tag == "tr":
            self.cells = 0
        if tag in ("td", "th"):
            self.cells += 1
        self.open.append(tag)

    def handle_endtag(self, tag):
        if tag == "tr":
            if self.open.count("thead"):
                self.columns = self.cells
            elif self.cells != self.columns:
                self.findings.append(f"a row of {self.cells} cells below {self.columns}")
        if not self.open or self.open[-1] != tag:
            self.findings.append(f"</{tag}> closes {self.open[-1:] or 'nothing'}")
            if tag not in self.open:
                return
            while self.open[-1] != tag:
                self.open.pop()
        self.open.pop()

    def handle_data(self, data):
        if "code" in self.open or "pre" in self.open:
            return
        found = MENTION.search(data)
        if found and "a" not in self.open:
            start = max(0, found.start() - 30)
            self.findings.append(f"{found.group()!r} in {data[start:found.end() + 30]!r}")

    def handle_comment(self, data):
        if not data.startswith(" cf-bench:"):
            self.findings.append(f"comment {data[:60]!r}")

    def handle_decl(self, decl):
        self.findings.append(f"declaration {decl[:60]!r}")

    def handle_pi(self, data):
        self.findings.append(f"instruction {data[:60]!r}")


def main():
    text = sys.stdin.buffer.read().decode()
    page = cmarkgfm.github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE)
    look = Look(sys.argv[1:])
    look.feed(page)
    look.close()
    if look.open:
        look.findings.append(f"left open: {look.open}")
    for character in text:
        if ord(character) < 32 and character != "\n" or 0x202A <= ord(character) <= 0x202E or 0x2066 <= ord(character) <= 0x2069:
            look.findings.append(f"character U+{ord(character):04X}")
            break
    for finding in look.findings[:40]:
        print(finding)
    return 1 if look.findings else 0


if __name__ == "__main__":
    sys.exit(main())
