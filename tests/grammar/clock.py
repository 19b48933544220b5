"""Rules for times: a page shows them (`course_utils.timing`), and neither it nor nbval judges them.

A time, a throughput, a latency or a ratio of them depends on what else the machine does.
"""

import ast
from collections.abc import Iterator

from tests.grammar.page import Page, Violation, called, syntax, tags

CLOCKS = {"perf_counter", "monotonic", "process_time", "measure_in_turns", "Turns"}
TIMES = {"throughput", "latency"}  # attributes of a load (course_utils.loopback)
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda


def not_compared(page: Page) -> Iterator[Violation]:
    for cell in page.code:
        if "nbval-check-output" not in tags(cell):
            continue
        for name, call in called(cell):
            if name in CLOCKS or ast.unparse(call.func).startswith(("timing.", "timeit.")):
                yield (
                    cell,
                    f"tagged nbval-check-output and calls {name}(…); no output that holds a time "
                    "is compared",
                )


def not_checked(page: Page) -> Iterator[Violation]:
    """Sees what a name holds where the cell itself binds it, not through functions and lists."""
    known: set[str] = set()  # names that hold times
    for cell in page.code:
        for node in _statements(syntax(cell)):
            for target, value in _bindings(node):
                names = {each.id for each in ast.walk(target) if _is_name(each)}
                known = known | names if _time_in(value, known) else known - names
            asserts = isinstance(node, ast.Assert) or _is_check(node)
            if asserts and (what := _time_in(node, known)):
                yield (
                    cell,
                    f"an assertion looks at {what}, a time or made from one; print it beside what "
                    "was expected with timing.compare",
                )


def _bindings(node: ast.AST) -> list[tuple[ast.AST, ast.AST]]:
    """Pairs of target and value; `a, b = c, d` is two."""
    if isinstance(node, ast.AugAssign | ast.NamedExpr):
        return [(node.target, node.value)]
    if not isinstance(node, ast.Assign):
        return []
    targets, value = node.targets, node.value
    parts = [getattr(each, "elts", []) for each in (targets[0], value)]
    if len(targets) == 1 and len(parts[0]) == len(parts[1]) > 0:
        return list(zip(*parts, strict=True))
    return [(target, value) for target in targets]


def _statements(tree) -> Iterator[ast.AST]:
    """All nodes outside functions, in the order of the text."""
    for node in ast.iter_child_nodes(tree) if tree else ():
        if not isinstance(node, FUNCTIONS):
            yield node
            yield from _statements(node)


def _is_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _is_check(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).startswith("check_")


def _time_in(node: ast.AST, known: set[str]) -> str | None:
    """What in an expression is a time, as it is written; None if nothing is."""
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and each.id in known:
            return each.id
        if isinstance(each, ast.Attribute) and each.attr in TIMES:
            return ast.unparse(each)
        if isinstance(each, ast.Call):
            function = ast.unparse(each.func)
            if function.split(".")[-1] in CLOCKS or function.startswith("timeit."):
                return f"{function}(…)"
    return None


RULES = (not_compared, not_checked)
