"""Types for argparse that say what was expected, and what was found.

Standard library only, and parses on Python 3.8, as `bootstrap` does.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

LONGEST = 40  # characters of a wrong argument that a message repeats


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return the type of a whole number from `low` to `high`."""
    expected = f"a whole number from {low:,} to {high:,}"

    def read(text: str) -> int:
        try:
            found = int(text.replace("_", "?"))  # Python takes 1_000, too
        except ValueError:  # also for more digits than Python converts
            raise _refusal(expected, text) from None
        if not low <= found <= high:
            raise _refusal(expected, text)
        return found

    return read


def number(above: float, most: float, unit: str) -> Callable[[str], float]:
    """Return the type of a number of `unit`, more than `above` and at most `most`."""
    expected = f"a number of {unit}, more than {above:,} and at most {most:,}"

    def read(text: str) -> float:
        try:
            found = float(text.replace("_", "?"))
        except ValueError:
            raise _refusal(expected, text) from None
        if not above < found <= most:  # NaN is in no range
            raise _refusal(expected, text)
        return found

    return read


def folder(text: str) -> Path:
    """Return the path of a folder, which need not exist."""
    if not text.strip() or not text.isprintable():
        raise _refusal("the path of a folder", text)
    return Path(text)


def host(text: str) -> str:
    """Return the name or address of a network interface, as it was given."""
    try:
        text.encode("idna")
    except UnicodeError:  # a part of the name is empty or too long
        text = ""
    if not text.strip():
        raise _refusal("an address such as 127.0.0.1, or the name of a host", text)
    return text


PORT = whole_number(1, 65_535)
FREE_PORT = whole_number(0, 65_535)  # 0: the system chooses a free one
JOBS = whole_number(1, 64)  # each takes about a gigabyte


def _refusal(expected: str, text: str) -> argparse.ArgumentTypeError:
    shown = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return argparse.ArgumentTypeError(f"expected {expected}, found {shown!r}")
