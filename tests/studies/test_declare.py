"""A declaration that could not give evidence is refused; tuning chooses the best."""

import math

import pytest

from course_utils.studies import Study, StudyError, Tuning, product
from course_utils.studies.declare import find_studies
from course_utils.studies.rows import RowError, compute, repeat
from course_utils.studies.table import Table
from tests.studies.toy import MODULE, write_toy

GOOD = {
    "name": "90_size",
    "question": "Does a size count?",
    "arms": product(size=[1, 2], deep=[True, False]),
    "seeds": range(5),
    "run_row": lambda setting, seed: {"val_loss": seed, "steps": 1},
    "tolerance": {"val_loss": 0.1, "steps": 0},
}
TUNING = {"grid": {"rate": [0.1, 1.0]}, "seeds": [7], "by": "val_loss"}


def test_a_product_varies_its_last_name_fastest():
    sizes = [(arm["size"], arm["deep"]) for arm in Study(**GOOD).arms]
    assert sizes == [(1, True), (1, False), (2, True), (2, False)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "size"}, "study 'size': expected a name such as 02_width"),
        ({"seeds": range(4)}, r"seeds \[0, 1, 2, 3\]; expected 5 or more different ones"),
        ({"seeds": [1, 2, 3, 4, 5, 5]}, "5 or more different ones"),
        ({"seeds": [0.5, 1.5, 2.5, 3.5, 4.5]}, "5 or more different ones"),
        ({"arms": []}, "the same parameter names"),
        ({"arms": [{"a": 1}, {"b": 1}]}, "the same parameter names"),
        ({"arms": [{"a": 1}, {"a": 1}]}, "an arm is there twice"),
        ({"arms": [{"a": None}]}, "None is not a plain number"),
        ({"arms": [{"val_loss": 1}]}, "'val_loss' cannot be a column, or is one already"),
        ({"arms": [{"seed": 1}]}, "'seed' cannot be a column"),
        ({"tolerance": {}}, "tolerance names no column"),
        ({"tolerance": {"Loss, mean": 1}}, "'Loss, mean' cannot be a column"),
        ({"smoke": {"size": 3, "deep": True}}, "is not one of the arms"),
        ({"tuning": Tuning(**TUNING | {"by": "steps"})}, "expected a column that begins with val_"),
        ({"tuning": Tuning(**TUNING | {"by": "val_x"})}, "expected a column that begins with val_"),
        ({"tuning": Tuning(**TUNING | {"seeds": [4, 5]})}, "a seed of the tuning is a seed of"),
        ({"tuning": Tuning(**TUNING | {"seeds": []})}, "no candidate or no seed"),
        ({"tuning": Tuning(**TUNING | {"grid": {"size": [1]}})}, "'size' cannot be a column"),
    ],
)
def test_a_wrong_declaration_is_refused(changes, message):
    with pytest.raises(StudyError, match=message):
        Study(**GOOD | changes)


@pytest.mark.parametrize(
    ("losses", "largest", "chosen"),
    [
        ({0.1: [1, 5], 1.0: [2, 2]}, False, 1.0),
        ({0.1: [1, 5], 1.0: [2, 2]}, True, 0.1),
        ({0.1: [2, 2], 1.0: [2, 2]}, True, 0.1),  # of equals the first
        ({0.1: [math.nan, 0], 1.0: [2, 2]}, False, 1.0),  # what diverged never wins
        ({0.1: [2, 2], 1.0: [math.inf, 0]}, True, 0.1),
    ],
)
def test_tuning_chooses_the_best_mean(losses, largest, chosen):
    rows = [
        {"rate": rate, "seed": seed, "val_loss": loss}
        for rate, both in losses.items()
        for seed, loss in enumerate(both)
    ]
    assert Tuning(**TUNING, largest=largest).choose(rows) == {"rate": chosen}


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"val_loss": 1.0}, r"columns \['val_loss'\]; expected \['steps', 'val_loss'\]"),
        ({"val_loss": 1.0, "steps": 1, "more": 1}, "columns"),
        ({"val_loss": 1.0, "steps": "1"}, "column steps is '1'; expected a number"),
        ({"val_loss": 1.0, "steps": None}, "column steps is None; expected a number"),
    ],
)
def test_a_row_must_have_the_declared_columns(found, message):
    study = Study(**GOOD | {"run_row": lambda setting, seed: found})
    with pytest.raises(RowError, match=f"size=1, deep=True, seed 3: StudyError: {message}"):
        compute(study, {"size": 1, "deep": True}, 3)


def test_a_repeated_row_is_compared_within_the_tolerance():
    numpy = pytest.importorskip("numpy")
    study = Study(**GOOD | {"smoke": {"size": 2, "deep": True}})
    columns = {name: [value] for name, value in study.smoke.items()} | {"seed": [0]}

    def differing(val_loss, steps):
        stored = columns | {"val_loss": [val_loss], "steps": [steps]}
        return repeat(study, Table("90_size", {}, {n: numpy.array(c) for n, c in stored.items()}))

    assert differing(0.1, 1) == []
    assert differing(0.11, 2) == [
        "study 90_size, {'size': 2, 'deep': True}, seed 0: "
        + "val_loss is 0, stored 0.11, tolerance 0.1",
        "study 90_size, {'size': 2, 'deep': True}, seed 0: steps is 1, stored 2, tolerance 0",
    ]
    assert len(differing(math.nan, 1)) == 1


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("x = 1\n", "lesson_90.py: expected a list STUDIES of its studies"),
        (MODULE.replace("90_size", "91_size"), "lesson_90.py: 91_size is a name of another lesson"),
        (MODULE + "STUDIES = [SIZE, SIZE]\n", "lesson_90.py: 90_size is declared twice"),
    ],
)
def test_a_wrong_module_is_refused(tmp_path, module, message):
    folder = write_toy(tmp_path, module) / "course_utils" / "studies"
    with pytest.raises(StudyError, match=message):
        find_studies(folder)
