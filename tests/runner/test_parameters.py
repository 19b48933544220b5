"""The parameters cell is read, and values are checked against it."""

import nbformat
import pytest

from course_utils.runner.parameters import ParameterError, check_value, parse_value, read_parameters

CELL = """\
# a comment on a line of its own is allowed

seed: int = 0  # seed of every random choice, 0 to 1,000,000
learning_rate: float = 1e-3  # step size of Adam, 1e-5 to 1
shift: int = -3  # pixels, to the left or right, -6 to 6
shuffle: bool = True  # new order every epoch
optimizer: str = "adam"  # update rule, one of adam, sgd
title: str = "a # b"  # heading of the picture
"""


def notebook(source, tags=("parameters",), copies=1):
    metadata = {"tags": list(tags)}
    cells = [nbformat.v4.new_code_cell(source, metadata=metadata) for _ in range(copies)]
    return nbformat.v4.new_notebook(cells=cells)


def named(name):
    return next(p for p in read_parameters(notebook(CELL)) if p.name == name)


def test_every_line_is_read():
    parameters = read_parameters(notebook(CELL))
    assert [(p.name, p.type, p.default, p.allowed) for p in parameters] == [
        ("seed", int, 0, "0 to 1,000,000"),
        ("learning_rate", float, 1e-3, "1e-05 to 1"),
        ("shift", int, -3, "-6 to 6"),
        ("shuffle", bool, True, ""),
        ("optimizer", str, "adam", "one of adam, sgd"),
        ("title", str, "a # b", ""),
    ]
    assert parameters[2].help == "pixels, to the left or right"
    assert (parameters[0].low, parameters[0].high) == (0, 1_000_000)
    assert parameters[4].choices == ("adam", "sgd")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("epochs = 5  # passes, 1 to 9", "line 1: expected 'name: type = default"),
        ("a: int = 1  # n, 0 to 9\nprint(a)", "line 2: expected 'name: type = default"),
        ("epochs: int  # passes, 1 to 9", "line 1: expected 'name: type = default"),
        ("sizes: list = []  # sizes", "the type is 'list', expected one of int, float, bool, str"),
        ("epochs: int = n  # passes, 1 to 9", "epochs: the default must be a plain value"),
        ("epochs: int = 5.0  # passes, 1 to 9", "default 5.0 is not a whole number"),
        ("epochs: int = True  # passes, 1 to 9", "default True is not a whole number"),
        ("rate: float = 1  # step, 0 to 1", "but the type is float (write 1.0, not 1)"),
        ("epochs: int = 5", "must give the meaning and the range"),
        ("epochs: int = 5  # passes", "must give the meaning and the range"),
        ("epochs: int = 5  # 1 to 9", "must give the meaning and the range"),
        ("epochs: int = 5  # passes, 9 to 1", "the range 9 to 1 is empty"),
        ("epochs: int = 50  # passes, 1 to 9", "bad default: parameter epochs: 50 is outside"),
        ('rule: str = "x"  # rule, one of a, b', "bad default: parameter rule: 'x' is not one of"),
        ("shuffle: bool = True", "the comment that says what it means is missing"),
        ("a: int = 1  # n, 0 to 9\na: int = 2  # n, 0 to 9", "'a' is set twice"),
        ("a: int = (", "parameters cell, line 1:"),
    ],
)
def test_a_bad_cell_is_refused_with_the_reason(source, message):
    with pytest.raises(ParameterError) as caught:
        read_parameters(notebook(source))
    assert message in str(caught.value)


@pytest.mark.parametrize(("tags", "copies", "found"), [((), 1, 0), (("parameters",), 2, 2)])
def test_there_is_exactly_one_parameters_cell(tags, copies, found):
    with pytest.raises(ParameterError, match=f"one code cell tagged 'parameters', found {found}"):
        read_parameters(notebook(CELL, tags, copies))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("seed", "7", 7),
        ("seed", "007", 7),
        ("learning_rate", "1e-2", 0.01),
        ("learning_rate", "1", 1.0),
        ("shift", "-6", -6),
        ("shuffle", "False", False),
        ("optimizer", "sgd", "sgd"),
        ("title", "007", "007"),
    ],
)
def test_text_becomes_a_value_of_the_right_type(name, text, value):
    parsed = parse_value(named(name), text)
    assert (parsed, type(parsed)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "seed",
            "many",
            "parameter seed: 'many' is not a whole number "
            "(seed of every random choice, 0 to 1,000,000; default 0)",
        ),
        ("seed", "1.0", "'1.0' is not a whole number"),
        ("seed", "1_0", "'1_0' is not a whole number"),
        ("seed", "", "'' is not a whole number"),
        (
            "seed",
            "-1",
            "parameter seed: -1 is outside 0 to 1,000,000 (seed of every random choice; default 0)",
        ),
        ("learning_rate", "fast", "'fast' is not a number"),
        ("learning_rate", "nan", "nan is not a number"),
        ("learning_rate", "inf", "inf is not a number"),
        ("learning_rate", "0", "0.0 is outside 1e-05 to 1"),
        ("shuffle", "1", "'1' is not true or false"),
        ("optimizer", "Adam", "'Adam' is not one of adam, sgd (update rule; default 'adam')"),
    ],
)
def test_a_bad_value_is_refused_with_the_reason(name, text, message):
    with pytest.raises(ParameterError) as caught:
        parse_value(named(name), text)
    assert message in str(caught.value)


def test_values_from_course_toml_keep_their_type():
    assert check_value(named("learning_rate"), 1) == 1.0
    assert type(check_value(named("learning_rate"), 1)) is float
    for name, value in [("seed", 1.0), ("seed", True), ("shuffle", 1), ("title", 1)]:
        with pytest.raises(ParameterError, match="is not"):
            check_value(named(name), value)
