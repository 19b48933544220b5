"""What a study is: its arms, its seeds, how each arm is tuned, and the function of one row."""

from __future__ import annotations

import importlib.util
import itertools
import math
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

FEWEST_SEEDS = 5
NAME = re.compile(r"(\d\d)_[a-z][a-z0-9_]*")
COLUMN = re.compile(r"[a-z][a-z0-9_]*")
RESERVED = {"phase", "seed"}


class StudyError(ValueError):
    """A study is missing, wrongly declared, damaged or stale; the text says what to do."""


def product(**values: Sequence) -> list[dict]:
    """Return each combination of the named values as a dict; the last name varies fastest."""
    return [dict(zip(values, each, strict=True)) for each in itertools.product(*values.values())]


@dataclass(frozen=True)
class Tuning:
    """How each arm is tuned before it is compared: the best of a grid, on validation data.

    grid: values of each tuned parameter, of which the product is tried; seeds: those of the
    trials, none of them a seed of the study; by: the column whose mean decides, which begins with
    "val_"; largest: whether the largest mean is the best.
    """

    grid: dict[str, Sequence]
    seeds: Sequence[int]
    by: str
    largest: bool = True

    def choose(self, rows: list[dict]) -> dict:
        """Return the candidate with the best score, of equals the first; see `scores`."""
        return max(self.scores(rows), key=lambda pair: pair[1])[0]

    def scores(self, rows: list[dict]) -> list[tuple[dict, float]]:
        """Return each candidate with its mean in these rows, all trials of an arm.

        The mean is turned if the smallest is the best; one that is not finite is the worst.
        """
        sign, scores = 1 if self.largest else -1, []
        for candidate in product(**self.grid):
            found = [row[self.by] for row in rows if candidate.items() <= row.items()]
            mean = sum(found) / len(found)
            scores.append((candidate, sign * mean if math.isfinite(mean) else -math.inf))
        return scores


@dataclass(frozen=True)
class Study:
    """A comparison of arms over the same seeds; the package's docstring is the author's guide.

    name: the lesson's number and a word; arms: parameter values of each thing that is compared,
    all with the same names; run_row: maps a setting (an arm and what tuning chose for it) and a
    seed to numbers by column; tolerance: its columns, each with the largest difference of a row
    that is run again on another processor; smoke: the arm of that row, the cheapest one.

    Raises StudyError if the declaration is not consistent.
    """

    name: str
    question: str
    arms: Sequence[dict]
    seeds: Sequence[int]
    run_row: Callable[[dict, int], dict]
    tolerance: dict[str, float]
    tuning: Tuning | None = None
    smoke: dict | None = None

    def __post_init__(self):
        """Check the declaration."""
        if not NAME.fullmatch(self.name):
            raise StudyError(f"study '{self.name}': expected a name such as 02_width")
        for problem in self._problems():
            raise StudyError(f"study {self.name}: {problem}")

    @property
    def file(self) -> str:
        """Name of its CSV file in data/studies/."""
        return f"lesson_{self.name}.csv"

    @property
    def columns(self) -> list[str]:
        """Names of the numbers of a row."""
        return list(self.tolerance)

    @property
    def parameters(self) -> list[str]:
        """Names of the values of a setting: those of an arm, then the tuned ones."""
        return [*self.arms[0], *(self.tuning.grid if self.tuning else {})]

    def trials(self) -> list[tuple[dict, int]]:
        """Return candidate and seed of each row of an arm's tuning, in order."""
        if self.tuning is None:
            return []
        return list(itertools.product(product(**self.tuning.grid), self.tuning.seeds))

    def _problems(self):
        if any(type(seed) is not int for seed in self.seeds) or len(set(self.seeds)) < max(
            FEWEST_SEEDS, len(self.seeds)
        ):
            yield f"seeds {list(self.seeds)}; expected {FEWEST_SEEDS} or more different ones"
        if not self.arms or any(list(arm) != list(self.arms[0]) for arm in self.arms):
            yield "the arms need the same parameter names, in the same order"
        if any(self.arms[:i].count(arm) for i, arm in enumerate(self.arms)):
            yield "an arm is there twice"
        if not self.tolerance:
            yield "tolerance names no column"
        names = [*self.parameters, *self.columns, *RESERVED]
        for name in names:
            if names.count(name) > 1 or not COLUMN.fullmatch(name):
                yield f"'{name}' cannot be a column, or is one already"
        grid = product(**self.tuning.grid) if self.tuning else []
        for value in (value for setting in [*self.arms, *grid] for value in setting.values()):
            if type(value) not in (bool, int, float, str):
                yield f"{value!r} is not a plain number, truth value or text"
        if self.smoke is not None and self.smoke not in self.arms:
            yield f"smoke {self.smoke} is not one of the arms"
        if self.tuning:
            if not self.tuning.by.startswith("val_") or self.tuning.by not in self.columns:
                yield f"tuned by '{self.tuning.by}'; expected a column that begins with val_"
            if not grid or not self.tuning.seeds:
                yield "the tuning has no candidate or no seed"
            if set(self.tuning.seeds) & set(self.seeds):
                yield "a seed of the tuning is a seed of the study"


def find_studies(folder: Path) -> dict[str, tuple[Study, Path]]:
    """Return each study of the modules `lesson_NN*.py` in `folder`, by name, with its module.

    Raises StudyError: a module has no list STUDIES, or a study in it is not of its lesson.
    """
    found = {}
    for path in sorted(folder.glob("lesson_[0-9][0-9]*.py")):
        studies = getattr(load_module(path), "STUDIES", None)
        if not studies:
            raise StudyError(f"{path.name}: expected a list STUDIES of its studies")
        for study in studies:
            if study.name in found:
                raise StudyError(f"{path.name}: {study.name} is declared twice")
            if study.name[:2] != path.stem.split("_")[1]:
                raise StudyError(f"{path.name}: {study.name} is a name of another lesson")
            found[study.name] = study, path
    return found


def select_studies(found: dict, words: list[str]) -> list[str]:
    """Return the names of the studies that lesson numbers and study names ask for, in order.

    Raises StudyError for a word that is neither.
    """
    for word in words:
        if word not in found and word not in {name[:2] for name in found}:
            known = ", ".join(found) or "none yet"
            raise StudyError(f"there is no study {word}; there are: {known}")
    return [name for name in found if name in words or name[:2] in words]


def load_module(path: Path):
    """Import a module of studies, or of recipes (`course_utils.models`), by its path."""
    name = f"course_utils.{path.parent.name}.{path.stem}"
    if name in sys.modules and sys.modules[name].__file__ == str(path):
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
