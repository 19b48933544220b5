"""Computes the rows of one arm: the trials of its tuning, then every seed with what they chose."""

from __future__ import annotations

import numbers
from collections.abc import Callable

from course_utils.runner.results import describe
from course_utils.studies.declare import Study, StudyError
from course_utils.studies.table import FINAL, TUNING, Table


class RowError(Exception):
    """A row could not be computed; the text names its setting, its seed and the error."""


def run_arm(
    study: Study,
    arm: dict,
    rows: list[dict],
    save: Callable[[list[dict]], None],
    progress: Callable[[str, int, int], None],
) -> None:
    """Append to `rows`, the first rows of the arm, those that are missing.

    save: called with all rows after each; progress: called with what starts, its place, of how
    many. A row of the tuning keeps only the number that decides, so that nothing else is seen
    before the choice. Raises RowError.
    """
    trials = study.trials()
    for place in range(len(rows), len(trials) + len(study.seeds)):
        if place < len(trials):
            phase, (chosen, seed) = TUNING, trials[place]
        else:
            phase, seed = FINAL, study.seeds[place - len(trials)]
            chosen = study.tuning.choose(rows[: len(trials)]) if study.tuning else {}
        trial = ", ".join(f"{name}={value}" for name, value in chosen.items())
        what = f"{trial} seed {seed}" if phase == TUNING else f"seed {seed}"
        progress(what, place + 1, len(trials) + len(study.seeds))
        found = compute(study, arm | chosen, seed)
        if phase == TUNING:
            found = {study.tuning.by: found[study.tuning.by]}
        rows.append({"phase": phase, **arm, **chosen, "seed": seed, **found})
        save(rows)


def compute(study: Study, setting: dict, seed: int) -> dict[str, float]:
    """Return the numbers of one row, in the order of the study's columns. Raises RowError."""
    where = ", ".join([*(f"{name}={value}" for name, value in setting.items()), f"seed {seed}"])
    try:
        found = study.run_row(dict(setting), seed)
        if found.keys() != set(study.columns):
            raise StudyError(f"columns {sorted(found)}; expected {sorted(study.columns)}")
        return {name: _number(name, found[name]) for name in study.columns}
    except Exception as error:
        raise RowError(f"{where}: {describe(type(error).__name__, error)}") from error


def edges(study: Study, rows: list[dict]) -> list[str]:
    """Say where the first or last value of a grid was better than all others: is it too short?"""
    notes = []
    for arm in study.arms if study.tuning else ():
        trials = [row for row in rows if row["phase"] == TUNING and arm.items() <= row.items()]
        scores = study.tuning.scores(trials)
        candidate, best = max(scores, key=lambda pair: pair[1])
        for name, values in study.tuning.grid.items():
            others = [score for other, score in scores if other[name] != candidate[name]]
            if candidate[name] in (values[0], values[-1]) and others and max(others) < best:
                where = ", ".join(f"{key}={value}" for key, value in arm.items())
                notes.append(f"{where}: {name}={candidate[name]} is best, at the end of the grid")
    return notes


def repeat(study: Study, table: Table) -> list[str]:
    """Compute one stored row again and return what differs by more than the tolerance allows."""
    arm, seed = study.smoke or study.arms[0], study.seeds[0]
    stored = table.where(**arm, seed=seed)
    found = compute(study, {name: stored[name][0].item() for name in study.parameters}, seed)
    return [
        f"study {study.name}, {arm}, seed {seed}: {name} is {found[name]:.6g}, "
        f"stored {stored[name][0]:.6g}, tolerance {tolerance:g}"
        for name, tolerance in study.tolerance.items()
        if not abs(found[name] - stored[name][0]) <= tolerance
    ]


def _number(name: str, value: object) -> float | int:
    value = value.item() if hasattr(value, "item") else value  # NumPy's
    if not isinstance(value, numbers.Real):
        raise StudyError(f"column {name} is {value!r}; expected a number")
    return int(value) if isinstance(value, numbers.Integral) else float(value)
