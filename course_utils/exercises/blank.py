"""The blank `____`, and finding it in what a reader hands in."""

import inspect
import types

import numpy as np


class Blank:
    """The type of `____`. Calculating with the blank gives the blank, so an untouched cell runs."""

    __iter__ = None  # with __getitem__ alone, Python would iterate over it without end
    __hash__ = object.__hash__

    def __repr__(self):
        """Show the blank as it is written."""
        return "____"

    def _itself(self, *args, **kwargs):
        return self

    __call__ = __getitem__ = __array_ufunc__ = __array_function__ = _itself
    __neg__ = __pos__ = __abs__ = __invert__ = _itself
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _itself
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _itself
    __pow__ = __rpow__ = __matmul__ = __rmatmul__ = _itself
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _itself
    __lt__ = __le__ = __eq__ = __ne__ = __ge__ = __gt__ = _itself


____ = Blank()


def holds_blank(value) -> bool:
    """Say whether `value` is the blank or contains it.

    Looked into: lists, tuples, sets, dicts and object arrays; the code of functions (decorated
    ones too) and the members of classes (also of an object's class).
    """
    if isinstance(value, Blank):
        return True
    if isinstance(value, list | tuple | set | frozenset):
        return any(holds_blank(item) for item in value)
    if isinstance(value, dict):
        return any(holds_blank(item) for pair in value.items() for item in pair)
    if isinstance(value, np.ndarray):
        return value.dtype == object and any(holds_blank(item) for item in value.flat)
    code = getattr(inspect.unwrap(value), "__code__", None) if callable(value) else None
    if code is not None:
        return _code_uses_blank(code)
    members = vars(value if isinstance(value, type) else type(value)).values()
    return any(
        isinstance(member, Blank) or any(_code_uses_blank(code) for code in _codes(member))
        for member in members
    )


def _codes(member) -> list[types.CodeType]:
    """Code of a member of a class: a plain function, a property, a class or static method."""
    functions = [member, *(getattr(member, name, None) for name in ("fget", "__func__"))]
    return [function.__code__ for function in functions if hasattr(function, "__code__")]


def _code_uses_blank(code: types.CodeType) -> bool:
    nested = (constant for constant in code.co_consts if isinstance(constant, types.CodeType))
    return "____" in code.co_names or any(_code_uses_blank(inner) for inner in nested)
