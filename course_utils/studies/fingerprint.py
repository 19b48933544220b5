"""The hash of a study's code, which stands in its file: other code, another hash.

The code of a study is its declaration (the call of `Study` with its name) and every function,
class and constant that this reaches by name, in its module and in the modules of course_utils that
these import, with what each of these modules does when it is imported. Comments, docstrings and
formatting do not count, nor what says something about the numbers and makes none: the arguments in
ABOUT, and the modules in CONDITIONS. Versions of packages are written in the file, but a new one
does not make an hour of computing stale: whether the numbers are still the same, the test that
repeats a row finds out. All of this holds for the recipe of a model, too (`course_utils.models`).
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

# The engine of the studies; threads and determinism; the style of figures.
CONDITIONS = {
    *("course_utils.studies", "course_utils.studies.declare", "course_utils.studies.table"),
    *("course_utils.models", "course_utils.models.recipe"),
    *("course_utils.environment", "course_utils.style"),
}
ABOUT = {  # what is declared → the arguments that make no number
    "Study": {"question", "tolerance", "smoke"},
    "Recipe": {"purpose", "evaluate", "again", "tolerance"},
}
SKIPPED = {"ctx", "kind", "type_comment", "type_params"}  # not the same in all versions of Python
DEFINITION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def fingerprint(path: Path, study: str, root: Path) -> tuple[str, set[str]]:
    """Return the hash of a study's code, and the names of the other packages that it imports.

    path: the module that declares the study, or the recipe, of this name, in a room of
    course_utils; root: the folder that holds course_utils.
    Raises LookupError if the module declares nothing with this name or imports what is not there,
    OSError or SyntaxError if a module cannot be read.
    """
    home = f"course_utils.{path.parent.name}.{path.stem}"
    modules = _Modules(root, {home: _Module(path, home)})
    waiting = [(home, modules[home].declaration(study)), *modules.done(home)]
    parts, packages = {}, set()
    while waiting:
        module, node = waiting.pop()
        if id(node) in parts:
            continue
        parts[id(node)] = f"{module}: {_plain(node)}"
        for chain in _chains(node):
            found, package = modules.resolve(module, chain)
            waiting += found
            packages |= package
    return hashlib.sha256("\n".join(sorted(parts.values())).encode()).hexdigest(), packages


class _Module:
    """The top level of a module: what it imports, defines and does."""

    def __init__(self, path: Path, name: str):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        self.tree = tree
        self.imported = dict(_imports(tree, package))  # name → what it stands for, dotted
        self.defined: dict[str, list[ast.stmt]] = {}  # name → the statements that make it
        self.done: list[ast.stmt] = []
        for statement in _without_docstring(tree.body):
            names = _assigned(statement)
            for each in names:
                self.defined.setdefault(each, []).append(statement)
            if not names and not isinstance(statement, ast.Import | ast.ImportFrom):
                self.done.append(statement)

    def declaration(self, study: str) -> ast.Call:
        """Return the call that declares a study or a recipe."""
        for node in ast.walk(self.tree):
            if _declared(node):
                arguments = [*node.args[:1], *(k.value for k in node.keywords if k.arg == "name")]
                if any(isinstance(a, ast.Constant) and a.value == study for a in arguments):
                    return node
        raise LookupError(f"no call of Study or Recipe has the name '{study}' written in it")


class _Modules(dict):
    """Modules of course_utils by name, read when they are needed; None for what is none."""

    def __init__(self, root: Path, known: dict):
        super().__init__(known)
        self.root = root

    def __missing__(self, name: str) -> _Module | None:
        path = self.root.joinpath(*name.split("."))
        places = [path / "__init__.py", path.with_suffix(".py")]
        file = next((place for place in places if place.is_file()), None)
        self[name] = _Module(file, name) if file else None
        return self[name]

    def done(self, name: str) -> list[tuple[str, ast.AST]]:
        return [(name, statement) for statement in self[name].done]

    def resolve(self, name: str, chain: list[str]) -> tuple[list[tuple[str, ast.AST]], set[str]]:
        """Return the statements that a dotted name in a module leads to, or the other package."""
        module, found = self[name], []
        while chain and chain[0] in module.imported:
            dotted = module.imported[chain[0]].split(".") + chain[1:]
            if dotted[0] != "course_utils":
                return found, {dotted[0]}
            names = [".".join(dotted[:n]) for n in range(len(dotted), 0, -1)]
            name = next((n for n in names if n in CONDITIONS or self[n]), None)
            if name is None:
                raise LookupError(f"{names[0]} is imported and cannot be found")
            if name in CONDITIONS:
                return found, set()
            module, chain = self[name], dotted[name.count(".") + 1 :]
            found += self.done(name)
            if not chain:  # the module itself is handed on: all of it counts
                found += [(name, each) for some in module.defined.values() for each in some]
        found += [(name, each) for each in module.defined.get(chain[0] if chain else "", [])]
        return found, set()


def _imports(tree: ast.Module, package: str) -> Iterator[tuple[str, str]]:
    """Yield each name that a module imports, also within functions, and what it stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (top, top)
        elif isinstance(node, ast.ImportFrom):
            relative = "." * node.level + (node.module or "")
            origin = importlib.util.resolve_name(relative, package)
            for alias in node.names:
                yield alias.asname or alias.name, f"{origin}.{alias.name}"


def _assigned(statement: ast.stmt) -> list[str]:
    """Return the names that a statement at the top level defines."""
    if isinstance(statement, DEFINITION):
        return [statement.name]
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return [
            node.id
            for target in targets
            for node in ast.walk(target)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        ]
    return []


def _chains(node: ast.AST) -> Iterator[list[str]]:
    """Yield each name in a piece of code with the attributes after it: ["np", "sum"]."""
    names, root = [], node
    while isinstance(root, ast.Attribute):
        names, root = [root.attr, *names], root.value
    if isinstance(root, ast.Name):
        yield [root.id, *names]
        return
    if root is not node:
        yield from _chains(root)
        return
    for _, value in _fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _chains(child)


def _plain(node) -> str:
    """Return a piece of code as a text that is the same in every version of Python."""
    if isinstance(node, list):
        return f"[{', '.join(map(_plain, node))}]"
    if not isinstance(node, ast.AST):
        return f"{type(node).__name__} {node!r}"
    inside = (f"{name}={_plain(v)}" for name, v in _fields(node) if v is not None and v != [])
    return f"{type(node).__name__}({', '.join(inside)})"


def _fields(node: ast.AST) -> Iterator[tuple[str, object]]:
    """Yield the parts of a piece of code that count, by name."""
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(node, DEFINITION):
            value = _without_docstring(value)
        if name == "keywords" and _declared(node):
            value = [each for each in value if each.arg not in ABOUT[_declared(node)]]
        if isinstance(node, ast.JoinedStr):  # 3.12 adds an empty text to f"{x:{width}}"
            value = [part for part in value if getattr(part, "value", None) != ""]
        if name not in SKIPPED:
            yield name, value


def _declared(node: ast.AST) -> str:
    """Return what a call declares, a name in ABOUT; an empty text for anything else."""
    name = next(_chains(node.func), [""])[-1] if isinstance(node, ast.Call) else ""
    return name if name in ABOUT else ""


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    constant = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return body[1:] if constant and isinstance(first.value.value, str) else body
