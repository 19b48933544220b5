"""Make quatrains.txt.gz again from the npm package `chinese-poetry` 2.0.1.

    npm pack chinese-poetry@2.0.1
    python3 data/make_quatrains.py chinese-poetry-2.0.1.tgz quatrains.txt.gz

Needs NumPy. A quatrain here is a poem of four lines of five characters. The lessons do not use
this script: data/quatrains.txt.gz comes with the course.
"""

import gzip
import json
import re
import sys
import tarfile
from pathlib import Path

from making import main, split

FILE = re.compile(r"package/dist/quantangshi/poet\.tang\.(\d+)\.json")
COUPLET = re.compile(r"[\u4e00-\u9fff]{5}，[\u4e00-\u9fff]{5}。")


def read_quatrains(package: Path) -> dict[str, tuple[str, str]]:
    """Return author and title of each quatrain by its text, in the order of the collection.

    A text that stands twice is taken once.
    """
    files = {}
    with tarfile.open(package) as archive:
        for member in archive:
            if found := FILE.fullmatch(member.name):
                files[int(found[1])] = json.load(archive.extractfile(member))
    poems = [poem for number in sorted(files) for poem in files[number]]
    quatrains = {}
    for poem in poems:
        lines = poem["paragraphs"]
        if len(lines) == 2 and all(COUPLET.fullmatch(line) for line in lines):
            quatrains.setdefault("".join(lines), (poem["author"], " ".join(poem["title"].split())))
    return quatrains


def make(package: Path) -> bytes:
    """Return the file: part, author, title and text of a poem in each line, with tabs between.

    Poems with a line in common lie in one part.
    """
    quatrains = read_quatrains(package)
    parts = split([set(re.findall("[^，。]+", text)) for text in quatrains])
    rows = [
        f"{part}\t{author}\t{title}\t{text}\n"
        for part, (text, (author, title)) in zip(parts, quatrains.items(), strict=True)
    ]
    return gzip.compress("".join(rows).encode(), compresslevel=9, mtime=0)


if __name__ == "__main__":
    sys.exit(main(__doc__, "quatrains.txt.gz", make))
