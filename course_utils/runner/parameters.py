"""The parameters of a lesson: reads its parameters cell and validates values against it.

A parameters cell (tag `parameters`) has one annotated line for each parameter:

    epochs: int = 5  # passes over the training set, 1 to 100
    learning_rate: float = 1e-3  # step size of Adam, 1e-5 to 1
    shuffle: bool = True  # draw the batches in a new order every epoch
    optimizer: str = "adam"  # update rule, one of adam, sgd, rmsprop

The comment says what the parameter means and, after the last comma, what is allowed: LOW to HIGH
for int and float (always), `one of …` for str (nothing: any text).
"""

import ast
import io
import math
import re
import tokenize
from dataclasses import dataclass

TAG = "parameters"
FORM = "name: type = default  # meaning, range"
NUMBER = r"-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?"
RANGE = re.compile(rf"(?P<help>.*\S), (?P<low>{NUMBER}) to (?P<high>{NUMBER})")
CHOICES = re.compile(r"(?P<help>.*?\S), one of (?P<choices>\S.*)")
WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


class ParameterError(ValueError):
    """A parameters cell, or a value for a parameter, is not as it should be."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a lesson."""

    name: str
    type: type  # int, float, bool or str
    default: int | float | bool | str
    help: str  # what it means, without the range
    low: int | float | None = None  # smallest and largest value; int and float only
    high: int | float | None = None
    choices: tuple[str, ...] = ()  # str only; empty: any text

    @property
    def allowed(self) -> str:
        """What is allowed, in words: "1 to 100", "one of adam, sgd", or "" for anything."""
        if self.low is not None:
            return f"{_plain(self.low)} to {_plain(self.high)}"
        return f"one of {', '.join(self.choices)}" if self.choices else ""


def read_parameters(notebook: dict) -> list[Parameter]:
    """Return the parameters of `notebook` (an nbformat node), in the order of their lines.

    Raises ParameterError, naming the line: there is not exactly one cell tagged `parameters`, a
    line has another form than the one described above, or a default is outside its own range.
    """
    cells = [c for c in notebook["cells"] if TAG in c["metadata"].get("tags", [])]
    if len(cells) != 1 or cells[0]["cell_type"] != "code":
        raise ParameterError(f"expected one code cell tagged '{TAG}', found {len(cells)}")
    source = "".join(cells[0]["source"])
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise ParameterError(f"parameters cell, line {error.lineno}: {error.msg}") from None
    comments = {
        token.start[0]: token.string.lstrip("#").strip()
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    parameters = [_parameter(s, comments.get(s.end_lineno, "")) for s in statements]
    names = [parameter.name for parameter in parameters]
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(f"parameters cell: '{name}' is set twice; keep one line")
    return parameters


def parse_value(parameter: Parameter, text: str) -> int | float | bool | str:
    """Return the value that `text` (from the command line) gives to `parameter`.

    Raises ParameterError if it is of another type or outside the documented range.
    """
    value: int | float | bool | str | None = text
    try:
        if parameter.type is int:
            value = int(text) if re.fullmatch(r"\s*[-+]?\d+\s*", text) else None
        elif parameter.type is float:
            value = float(text)
    except ValueError:
        value = None
    if parameter.type is bool:
        value = {"true": True, "false": False}.get(text.strip().lower())
    if value is None:
        raise _wrong_type(parameter, text)
    return check_value(parameter, value)


def check_value(parameter: Parameter, value: object) -> int | float | bool | str:
    """Return `value` in the parameter's own type (a whole number becomes a float where due).

    Raises ParameterError if it is of another type or outside the documented range.
    """
    if parameter.type is float and type(value) is int:
        value = float(value)
    if type(value) is not parameter.type or (parameter.type is float and not math.isfinite(value)):
        raise _wrong_type(parameter, value)
    outside = parameter.low is not None and not parameter.low <= value <= parameter.high
    if outside or (parameter.choices and value not in parameter.choices):
        relation = "outside" if parameter.low is not None else "not"
        raise ParameterError(
            f"parameter {parameter.name}: {_plain(value)} is {relation} {parameter.allowed} "
            f"({parameter.help}; default {_plain(parameter.default)})"
        )
    return value


def _parameter(statement: ast.stmt, comment: str) -> Parameter:
    """Return the parameter that one line of the cell declares."""
    where = f"parameters cell, line {statement.lineno}"
    if (
        not isinstance(statement, ast.AnnAssign)
        or not isinstance(statement.target, ast.Name)
        or not isinstance(statement.annotation, ast.Name)
        or statement.lineno != statement.end_lineno
        or statement.value is None
    ):
        raise ParameterError(f"{where}: expected '{FORM}', found '{ast.unparse(statement)}'")
    name = statement.target.id
    where += f", {name}"
    types = {kind.__name__: kind for kind in WORDS}
    if statement.annotation.id not in types:
        raise ParameterError(
            f"{where}: the type is '{statement.annotation.id}', expected one of {', '.join(types)}"
        )
    kind = types[statement.annotation.id]
    try:
        default = ast.literal_eval(statement.value)
    except ValueError:
        raise ParameterError(f"{where}: the default must be a plain value") from None
    parameter = _documented(name, kind, default, comment, where)
    if type(default) is not kind:
        example = " (write 1.0, not 1)" if kind is float and type(default) is int else ""
        raise ParameterError(
            f"{where}: the default {default!r} is not {WORDS[kind]}, but the type is "
            f"{kind.__name__}{example}"
        )
    try:
        check_value(parameter, default)
    except ParameterError as error:
        raise ParameterError(f"{where}: bad default: {error}") from None
    return parameter


def _documented(name: str, kind: type, default: object, comment: str, where: str) -> Parameter:
    """Return the parameter with what its comment says about it."""
    if kind in (int, float):
        match = RANGE.fullmatch(comment)
        if not match:
            raise ParameterError(
                f"{where}: the comment must give the meaning and the range, as "
                f"'# passes over the training set, 1 to 100'; found '# {comment}'"
            )
        low, high = _number(match["low"]), _number(match["high"])
        if low > high:
            raise ParameterError(f"{where}: the range {_plain(low)} to {_plain(high)} is empty")
        return Parameter(name, kind, default, match["help"], low, high)
    if not comment:
        raise ParameterError(f"{where}: the comment that says what it means is missing")
    match = CHOICES.fullmatch(comment) if kind is str else None
    if match:
        choices = tuple(choice.strip() for choice in match["choices"].split(","))
        return Parameter(name, kind, default, match["help"], choices=choices)
    return Parameter(name, kind, default, comment)


def _wrong_type(parameter: Parameter, value: object) -> ParameterError:
    allowed = f", {parameter.allowed}" if parameter.allowed else ""
    return ParameterError(
        f"parameter {parameter.name}: {_plain(value)} is not {WORDS[parameter.type]} "
        f"({parameter.help}{allowed}; default {_plain(parameter.default)})"
    )


def _number(text: str) -> int | float:
    text = text.replace(",", "")
    return int(text) if re.fullmatch(r"-?\d+", text) else float(text)


def _plain(value: object) -> str:
    """Write a value as a reader of the page would: 'text', 1e-05, 55,000, true."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:,}" if isinstance(value, int) else repr(value)
