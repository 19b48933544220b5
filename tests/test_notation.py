"""notation.md: each symbol of the course stands there once, and can be shown."""

import re
from pathlib import Path

import course_utils
from course_utils.runner.formulas import mathml

FILE = Path(course_utils.__file__).resolve().parent.parent / "notebooks" / "notation.md"
FORMULA = re.compile(r"\$([^$\n]+)\$")


def rows(columns):
    """The cells of each row of the tables with so many columns, without the heads."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    heads = ("symbol", "sign", "here", "---")
    return [row for row in cells if len(row) == columns and row[0] not in heads]


def test_every_symbol_has_one_row():
    symbols = [symbol for row in rows(5) for symbol in FORMULA.findall(row[0])]
    assert len(symbols) > 100
    assert sorted(symbols) == sorted(set(symbols))


def test_every_row_has_a_symbol_a_meaning_and_a_lesson():
    for symbol, _, meaning, _, lesson in rows(5):
        assert FORMULA.search(symbol), symbol
        assert len(meaning) > 3, symbol
        assert lesson.isdecimal() and 0 <= int(lesson) <= 22, symbol


def test_every_formula_can_be_shown():
    for formula in FORMULA.findall(FILE.read_text(encoding="utf-8")):
        mathml(formula)
        # GitHub takes a backslash before these for its own, and shows the sign alone.
        assert not re.search(r"\\[,;{}\\]", formula), formula
