"""What a lesson teaches, for tests that the package's own version of it gives the same.

`lesson = taught("02", "forward-code", "train-code", np=np, steps=20)` runs the definitions of two
cells, with the names that they need, and `lesson.train(…)` is then the function on the page.
"""

import ast
from pathlib import Path
from types import SimpleNamespace

import nbformat

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
DEFINITION = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def taught(number: str, *cells: str, **given) -> SimpleNamespace:
    """Return what the code cells with these ids define: functions, classes, CONSTANTS, imports.

    The rest of a cell is left out: it measures, checks or draws. `given` are names that the
    definitions need: parameters, modules. Raises KeyError for an id that is not in the notebook.
    """
    (path,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
    sources = {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}
    names = given | {"__name__": path.stem}
    for cell in cells:
        if cell not in sources:
            raise KeyError(f"{path.name} has no cell '{cell}'; the test must follow the page")
        tree = ast.parse(sources[cell])
        tree.body = [statement for statement in tree.body if defines(statement)]
        exec(compile(tree, f"<{path.stem}, cell {cell}>", "exec"), names)
    return SimpleNamespace(**{name: value for name, value in names.items() if name.isidentifier()})


def defines(statement: ast.stmt) -> bool:
    """Whether a statement defines something: also `PHI = …`, but not `loss = …`."""
    if isinstance(statement, ast.Assign):
        return all(ast.unparse(target).isupper() for target in statement.targets)
    return isinstance(statement, DEFINITION)
