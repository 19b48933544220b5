"""What a request asks to predict: from bytes of JSON to one array of float32, or a refusal.

Rows (`instances`, plain or named) and columns (`inputs`) are read. The request's pixels are not
given to Pydantic: one image holds 784 of them, and a check of each in Python costs more than the
model. JSON is parsed once, and NumPy checks each instance.
"""

from __future__ import annotations

import json
import math
from itertools import accumulate, chain
from operator import mul
from typing import Any, NamedTuple

import numpy as np
import orjson

from course_utils.service.contract import INPUT, LARGE, OUTPUT, BadRequest

JSON_NAMES = {
    str: "text",
    bool: "true or false",
    type(None): "null",
    dict: "an object",
    list: "a list",
}
SPARE = 10_000  # brackets, commas and quotation marks beyond those that an honest body needs

PIXELS = (0.0, 255.0)


class Inputs(NamedTuple):
    """What a request asks: the inputs, float32 of shape (k, …), and how it wants the answers."""

    x: np.ndarray
    reply: str  # the name of the list in the reply, `predictions` or `outputs`


def read_request(
    body: bytes, shape: tuple[int, ...], limit: int, bounds: tuple[float, float] | None = None
) -> Inputs:
    """Return the inputs in a request's body.

    Raises BadRequest, with a sentence for the caller: the body is not JSON, has neither `instances`
    nor `inputs`, has none or more than `limit` of them, or they are not finite numbers of that
    shape within `bounds`.
    """
    if len(body) > LARGE:
        _count(body, shape, limit)
    rows, reply = _rows(_parsed(body))
    if not 1 <= len(rows) <= limit:
        raise BadRequest(f"Expected 1 to {limit} instances, found {len(rows)}.")
    found = _shape(rows[0])
    if found != shape:
        found = list(found) or JSON_NAMES.get(type(rows[0]), "a number")
        raise BadRequest(f"Expected instances of shape {list(shape)}, found {found}.")
    x = np.empty((len(rows), *shape), np.float32)
    flat, numbers = x.reshape(len(rows), -1), _only_numbers(body)
    with np.errstate(over="ignore"):
        # One after the other, so that other threads get their turn between two instances.
        for row, out in zip(rows, flat, strict=True):
            _fill(out, row, shape, numbers)
    _check_values(flat, bounds)
    return Inputs(x, reply)


def _count(body: bytes, shape: tuple[int, ...], limit: int) -> None:
    """Refuse what takes far longer to parse than `limit` instances, before it is parsed."""
    lists = sum(accumulate(shape[:-1], mul, initial=1)) if shape else 0  # of one instance
    numbers = math.prod(shape)
    most = {b"[": lists, b"{": 1, b'"': 2, b",": numbers, b"\\": 0}
    for mark, of_one in most.items():
        if body.count(mark) > limit * of_one + SPARE:
            raise BadRequest(
                f"The body holds more of `{mark.decode()}` than {limit} instances of shape "
                f"{list(shape)} need: too many instances, or lists nested too deep."
            )


def _parsed(body: bytes) -> Any:
    """Return the content of a body; raises BadRequest."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if len(body) > LARGE:  # Python's parser takes longer
            fault = str(error).partition(":")[0]
            raise BadRequest(f"The body is not JSON: {fault} at character {error.pos}.") from None
    try:  # for a better sentence: Python's parser tells more of what it expected
        return DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadRequest("The body is not JSON: it is not text in UTF-8.") from None
    except json.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error.msg} at character {error.pos}.") from None
    except (RecursionError, ValueError):  # ValueError: a whole number of thousands of digits
        raise BadRequest("The body holds lists nested too deep or a number too long.") from None


def _only_numbers(body: bytes) -> bool:
    """Whether a JSON body's bytes show at once that all its values are numbers and lists.

    It has one object with one name, and no letter of true, null or false. (False tells nothing.)
    """
    return body.count(b'"') == 2 and body.count(b"{") == 1 and b"u" not in body and b"f" not in body


def _rows(request: Any) -> tuple[list, str]:
    """Return the instances of a request, and the name of the list in its reply."""
    names = [name for name in ("inputs", INPUT) if isinstance(request, dict) and name in request]
    rows = request[names[0]] if len(names) == 1 else None
    if names == ["inputs"] and isinstance(rows, dict) and list(rows) == [INPUT]:
        rows = rows[INPUT]  # a named column
    if not isinstance(rows, list):
        raise BadRequest(
            'Expected a JSON object with a list `instances`: {"instances": […]}, or `inputs`.'
        )
    unknown = sorted(set(request) - {names[0], "signature_name"})
    if unknown:
        raise BadRequest(f"Expected `{names[0]}` alone, found also {unknown[0][:50]!r}.")
    if request.get("signature_name", "serving_default") != "serving_default":
        raise BadRequest("Expected the `signature_name` serving_default, the only one there is.")
    if names == [INPUT] and rows and type(rows[0]) is dict:
        rows = [_named(row) for row in rows]
    return rows, OUTPUT if names == [INPUT] else "outputs"


def _named(row: Any) -> Any:
    """Return the input in a row of the form {"instances": input}."""
    if type(row) is not dict or list(row) != [INPUT]:
        raise BadRequest(f"Expected each named row to be an object with `{INPUT}` alone.")
    return row[INPUT]


def _fill(out: np.ndarray, row: Any, shape: tuple[int, ...], numbers: bool) -> None:
    """Write the numbers of one instance into `out`, a float32 array with one axis.

    `numbers`: it is known that there are only numbers and lists in `row`.
    """
    # Lengths and kinds come before the array: NumPy would turn true into 1, and one long text among
    # short ones into an array where every element has the length of the longest.
    flat = [row]
    for length in shape:
        if set(map(type, flat)) != {list} or set(map(len, flat)) != {length}:
            raise _misshapen(flat, shape)
        flat = list(chain.from_iterable(flat))
    if numbers:
        try:  # six times as fast as a list of any numbers
            out[:] = np.frombuffer(bytes(flat), np.uint8)
            return
        except (TypeError, ValueError, OverflowError):
            pass  # not all are whole numbers from 0 to 255
    if not set(map(type, flat)) <= {int, float}:
        raise _misshapen(flat, shape)
    try:
        out[:] = flat
    except OverflowError:  # a whole number of more than 308 digits
        raise BadRequest("Expected finite numbers in `instances`, found one too large.") from None


def _misshapen(parts: list, shape: tuple[int, ...]) -> BadRequest:
    """Return the refusal of an instance with these parts, some of which have no place there."""
    kinds = sorted(JSON_NAMES[kind] for kind in set(map(type, parts)) - {int, float, list})
    if kinds:
        return BadRequest(f"Expected numbers in `instances`, found {', '.join(kinds)}.")
    return BadRequest(f"Expected instances of shape {list(shape)}; not all have it.")


def _check_values(flat: np.ndarray, bounds: tuple[float, float] | None) -> None:
    """Refuse numbers that are not finite, or that the model's inputs cannot mean."""
    lowest = np.minimum.reduce(flat, axis=1, initial=np.inf)  # of each instance
    highest = np.maximum.reduce(flat, axis=1, initial=-np.inf)
    low, high = lowest.min(), highest.max()
    if flat.size and not (np.isfinite(low) and np.isfinite(high)):
        raise BadRequest("Expected finite numbers in `instances`, found one too large for float32.")
    if bounds is None:
        return
    if low < bounds[0] or high > bounds[1]:
        found = low if low < bounds[0] else high
        raise BadRequest(f"Expected values from {bounds[0]:g} to {bounds[1]:g}, found {found:g}.")
    if bounds == PIXELS and ((highest > 0) & (highest <= 1)).any():
        raise BadRequest(
            "Expected pixels from 0 (background) to 255 (ink), found an image with none above 1: "
            "do not divide by 255, the model does."
        )


def _refuse_constant(name: str) -> None:
    raise BadRequest(f"{name} is not a JSON number; expected finite numbers in `instances`.")


def _shape(instance: Any) -> tuple[int, ...]:
    """Return the lengths of nested lists, along the first element of each."""
    lengths: list[int] = []
    while isinstance(instance, list) and len(lengths) < 10:
        lengths.append(len(instance))
        instance = instance[0] if instance else None
    return tuple(lengths)


DECODER = json.JSONDecoder(parse_constant=_refuse_constant)  # refuses NaN and Infinity
