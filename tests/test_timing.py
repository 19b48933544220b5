"""Times are measured in turns and compared without an end of the page; the clock is a list."""

import numpy as np
import pytest

from course_utils.timing import Turns, compare, measure_in_turns


class Clock:
    """Seconds that pass only where a test says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def measured(costs, **options):
    """Alternatives whose calls cost the seconds listed, one after another; and their order."""
    clock, order = Clock(), []
    costs = {name: iter(each) for name, each in costs.items()}

    def alternative(name):
        def call():
            order.append(name)
            clock.now += next(costs[name])

        return call

    return measure_in_turns(
        {name: alternative(name) for name in costs}, clock=clock, **options
    ), order


def test_alternatives_take_turns_and_the_warm_up_does_not_count():
    turns, order = measured({"a": [99, 1, 2, 3], "b": [99, 2, 8, 6]}, rounds=3, warm_up=1)
    assert order == ["a", "b"] * 4
    assert {name: list(values) for name, values in turns.values.items()} == {
        "a": [1, 2, 3],
        "b": [2, 8, 6],
    }
    assert turns.median("b") == 6
    assert turns.spread("b") == (4, 7)
    assert list(turns.ratios("b", over="a")) == [2, 4, 2]  # the median of ratios, not 6 / 2


def test_a_turn_of_several_calls_counts_one():
    turns, order = measured({"a": [1, 2, 3, 4]}, rounds=2, warm_up=0, number=2)
    assert order == ["a"] * 4
    assert list(turns.values["a"]) == [1.5, 3.5]


def test_what_an_alternative_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        measure_in_turns({"a": lambda: 1 / 0})


def test_the_table_is_aligned_and_names_its_unit():
    turns = Turns({"local": [0.002, 0.0021, 0.0024], "service": [0.019, 0.02, 1.3]})
    assert str(turns) == (
        "         median (ms)  half between  over local  half between\n"
        "local           2.10  2.05 to 2.25\n"
        "service         20.0   19.5 to 660        9.52   9.51 to 276"
    )
    assert "over service" in turns.table(over="service")
    one = Turns({"batches": [1164, 1200, 1410]}, "answers/s")
    assert str(one) == (
        "         median (answers/s)    half between\nbatches               1,200  1,182 to 1,305"
    )


@pytest.mark.parametrize(
    ("seconds", "unit", "shown"),
    [(0.2, "s", "0.200"), (1.3e-4, "ms", "0.130"), (3e-5, "µs", "30.0"), (4e-12, "ns", "0.00400")],
)
def test_the_unit_fits_the_smallest_median(seconds, unit, shown):
    head, row = str(Turns({"a": [seconds]})).splitlines()
    assert f"({unit})" in head and f" {shown} " in row


@pytest.mark.parametrize(
    ("value", "unit", "printed"),
    [
        (18.69, "", "18.7   inside 3 to 60"),
        (1.26, "", "1.26   outside 3 to 60: this machine was busy or is of another kind"),
        (60, "ms", "60.0 ms   inside 3 to 60"),
        (1234.5, "answers/s", "1,234 answers/s   outside 3 to 60: this machine was busy or is of"),
        ([2, 4, 4, 90], "", "4.00 (half between 3.50 and 25.5)   inside 3 to 60"),
        (np.float32([[7]]), "", "7.00   inside 3 to 60"),
        (np.nan, "", "nan   outside 3 to 60"),
        (-np.inf, "", "-inf   outside 3 to 60"),
        (0, "s", "0 s   outside 3 to 60"),
        ([], "", "nothing measured   outside 3 to 60"),
        (None, "", "nan   outside 3 to 60"),
        ("soon", "", "nothing measured   outside 3 to 60"),
        ([[1], [2, 3]], "", "nothing measured   outside 3 to 60"),
    ],
)
def test_a_comparison_prints_and_never_raises(value, unit, printed, capsys):
    assert compare("batches over eager", value, 3, 60, unit) is None
    out = capsys.readouterr().out
    assert out.startswith("batches over eager".ljust(48) + " " + printed)
    assert "ok" not in out and "FAILED" not in out
