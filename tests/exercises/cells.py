"""Exercise cells of a notebook: what form they have, and putting a solution into one."""

import ast


def exercise_id(source: str) -> str:
    """Return the id of an exercise cell, such as "06.1".

    Raises:
        ValueError: the cell has not the form of an exercise; the message says what is missing.
    """
    body = ast.parse(source).body
    first = ast.unparse(body[0]) if body else "nothing"
    name, _, call = first.partition(" = ")
    lesson, _, number = call.removeprefix("exercise('").removesuffix("')").partition(".")
    if not (lesson.isdecimal() and number.isdecimal()) or first != (
        f"q{number} = exercise('{lesson}.{number}')"
    ):
        raise ValueError(f'the first statement is {first}; expected qN = exercise("LL.N")')
    last = ast.unparse(body[-1])
    if last != f"{name}.check(answer)":
        raise ValueError(f"the last statement is {last}; expected {name}.check(answer)")
    middle = body[1:-1]
    if not any(isinstance(node, ast.Name) and node.id == "____" for part in middle
               for node in ast.walk(part)):  # fmt: skip
        raise ValueError("there is no blank ____ between the first and the last statement")
    return f"{lesson}.{number}"


def splice(source: str, solution: str) -> str:
    """Put a solution into an exercise cell, between its first and its last statement."""
    exercise_id(source)
    body = ast.parse(source).body
    lines = source.splitlines()
    before, after = lines[: body[0].end_lineno], lines[body[-1].lineno - 1 :]
    return "\n".join([*before, "", solution.strip("\n"), "", *after])
