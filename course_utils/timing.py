"""Times, throughputs and their ratios: measured in turns, shown with their spread, never asserted.

A time depends on the machine and on what else runs there. So a page shows what it measured beside
what was expected, and nothing here raises because of a value (`course_utils.checks` does).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from course_utils.checks import LABEL_WIDTH

OUTSIDE = "this machine was busy or is of another kind"
UNITS_OF_TIME = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))


@dataclass(frozen=True)
class Turns:
    """One value for each alternative in each round; shown as a table of medians and spreads.

    Attributes:
        values: for each alternative an array (rounds,); the same position is the same round.
        unit: of all values, such as "s" or "answers/s". Seconds are shown as s, ms, µs or ns.
    """

    values: Mapping[str, Sequence[float] | np.ndarray]
    unit: str = "s"

    def median(self, name: str) -> float:
        """Return the median over the rounds, in `unit`."""
        return float(np.median(self.values[name]))

    def spread(self, name: str) -> tuple[float, float]:
        """Return the lower and upper quartile over the rounds, in `unit`; half lies between."""
        return tuple(np.percentile(self.values[name], [25, 75]).tolist())

    def ratios(self, name: str, over: str) -> np.ndarray:
        """Return `name` divided by `over` within each round, an array (rounds,).

        What disturbs a whole round disturbs both, so these vary less than the values.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.values[name], float) / np.asarray(self.values[over], float)

    def table(self, over: str | None = None) -> str:
        """Return one line for each alternative; the ratios are over `over`, by default the first.

        The columns are the median, the quartiles, and median and quartiles of the ratios.
        """
        over = over if over is not None else next(iter(self.values), "")
        unit, size = self._shown_unit()
        rows = [("", f"median ({unit})", "half between", f"over {over}", "half between")]
        for name in self.values:
            middle, low, high = (v / size for v in (self.median(name), *self.spread(name)))
            row = [name, _number(middle), f"{_number(low)} to {_number(high)}"]
            if name != over:
                q1, q2, q3 = np.percentile(self.ratios(name, over), [25, 50, 75])
                row += [_number(q2), f"{_number(q1)} to {_number(q3)}"]
            rows.append((*row, "", "")[:5])
        if len(self.values) < 2:
            rows = [row[:3] for row in rows]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
            for row in rows
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        """Return the table, so that `print` and the last line of a cell show it."""
        return self.table()

    def _shown_unit(self) -> tuple[str, float]:
        """Name and size of the table's unit: no median is below a tenth of it."""
        if self.unit != "s":
            return self.unit, 1.0
        smallest = min((self.median(name) for name in self.values), default=1.0)
        return next((u for u in UNITS_OF_TIME if smallest >= u[1] / 10), UNITS_OF_TIME[-1])


def measure_in_turns(
    alternatives: Mapping[str, Callable[[], object]],
    rounds: int = 9,
    warm_up: int = 1,
    number: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> Turns:
    """Time alternatives in turns (a, b, a, b, …), so that a disturbance meets them all.

    Args:
        alternatives: functions without arguments, by name; what they raise is raised.
        rounds: how often each has its turn.
        warm_up: rounds before, which do not count.
        number: calls in one turn; a turn's value is the mean seconds of one call.
        clock: seconds from any start.

    Returns:
        The seconds of one call, for each alternative and round.
    """
    seconds = {name: [] for name in alternatives}
    for _ in range(warm_up + rounds):
        for name, call in alternatives.items():
            start = clock()
            for _ in range(number):
                call()
            seconds[name].append((clock() - start) / number)
    return Turns({name: np.array(each[warm_up:]) for name, each in seconds.items()})


def compare(label: str, value, low: float, high: float, unit: str = "") -> None:
    """Print a measured time, throughput or ratio beside the range expected; never raise.

    Args:
        label: what was measured, in a few words.
        value: a number, or one for each round: then the median is compared and printed with the
            quartiles.
        low, high: the range in which the value is expected on a machine that does nothing else.
        unit: of value, low and high, such as "ms"; "" for a ratio.
    """
    try:
        values = np.asarray(value, dtype=float).ravel()
    except (TypeError, ValueError):
        values = np.array([])
    middle = float(np.median(values)) if values.size else np.nan
    found = f"{_number(middle)} {unit}".rstrip() if values.size else "nothing measured"
    if values.size > 1:
        q1, q3 = np.percentile(values, [25, 75])
        found += f" (half between {_number(q1)} and {_number(q3)})"
    expected = f"{low:.4g} to {high:.4g}"
    verdict = f"inside {expected}" if low <= middle <= high else f"outside {expected}: {OUTSIDE}"
    print(f"{label:<{LABEL_WIDTH}} {found}   {verdict}")


def _number(value: float) -> str:
    """Three significant digits, without an exponent; from 100 on whole, with thousands apart."""
    if not np.isfinite(value) or value == 0:
        return f"{value:g}"
    decimals = max(0, 2 - int(np.floor(np.log10(abs(value)))))
    return f"{value:,.{decimals}f}" if decimals < 9 else f"{value:.2e}"
