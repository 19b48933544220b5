"""Print what breaks the page grammar, and the counts: `python3 -m tests.grammar NOTEBOOK…`."""

import argparse
import sys
from pathlib import Path

import nbformat

from tests.grammar import grammar_of, violations
from tests.grammar.counts import Counts
from tests.grammar.page import Page


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m tests.grammar", description=__doc__)
    parser.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK")
    parser.add_argument("--draft", action="store_true", help="do not judge outputs and metadata")
    arguments = parser.parse_args()
    total = 0
    for path in arguments.notebooks:
        notebook, grammar = nbformat.read(path, as_version=4), grammar_of(path.resolve())
        found = violations(notebook, grammar=grammar, committed=not arguments.draft)
        print(f"{path}: {len(found)} violations" if found else f"{path}: ok")
        for line in [*found, *str(Counts(Page(notebook))).splitlines()]:
            print(f"  {line}")
        total += len(found)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
