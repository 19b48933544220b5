"""Rules for the cells: ids, the four cells at the top, code that stays readable and offline."""

import ast
import io
import itertools
import re
import tokenize
from collections.abc import Iterator

from course_utils.runner.parameters import ParameterError, read_parameters
from tests.exercises.cells import exercise_id
from tests.grammar.page import (
    EXERCISES,
    Page,
    Violation,
    called,
    code_lines,
    makes,
    nodes,
    syntax,
    tags,
    uses,
)

SETUP_SOURCE = """\
try:
    from course_utils import environment
except ModuleNotFoundError:
    raise ModuleNotFoundError(
        "This kernel does not find the course: start it with `python3 -m course_utils lab` in the "
        "course's folder, or install it there with `pip install --no-deps -e .`."
    ) from None

environment.start()"""

QUIET = {"fit", "evaluate", "predict"}
NETWORK_MODULES = {"urllib", "requests"}
DOWNLOADS = {"load_data", "get_file"}
URL = re.compile(r"https?://(?!127\.0\.0\.1|localhost)")


def ids(page: Page) -> Iterator[Violation]:
    seen = set()
    for cell in page.cells:
        id = cell.get("id", "")
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", id):
            yield cell, 'the id is not lower-case words with hyphens, such as "mse-check"'
        elif re.fullmatch(r"[0-9a-f]{8}", id):
            yield cell, 'the id is one that Jupyter made; expected a meaning, such as "mse-check"'
        if len(id) > 40:
            yield cell, f"the id has {len(id)} characters; expected at most 40"
        if id in seen:
            yield cell, "the id stands twice in the notebook"
        seen.add(id)


def top(page: Page) -> Iterator[Violation]:
    for position, id in ((1, "setup"), (2, "imports")):
        cell = page.cells[position] if len(page.cells) > position else None
        if cell is None or cell.cell_type != "code" or cell.get("id") != id:
            yield cell, f'cell {position + 1} of the notebook is not the code cell "{id}"'
    setup = next((cell for cell in page.code if cell.get("id") == "setup"), None)
    if setup is not None and setup.source != SETUP_SOURCE:
        yield setup, "not the setup cell of all lessons; copy SETUP_SOURCE of tests/grammar/code.py"
    third = page.code[2] if len(page.code) > 2 else None
    if third is None or third.get("id") != "parameters" or "parameters" not in tags(third):
        yield (
            third,
            'the code cell after "imports" is not the parameters cell; expected id and tag '
            '"parameters"',
        )
    fourth = page.code[3] if len(page.code) > 3 else None
    calls = [ast.unparse(call) for _, call in called(fourth)] if fourth else []
    if "environment.set_seed(seed)" not in calls:
        yield fourth, 'the code cell after "parameters" does not call environment.set_seed(seed)'


def parameters(page: Page) -> Iterator[Violation]:
    cell = next((cell for cell in page.code if cell.get("id") == "parameters"), None)
    if cell is None:
        return  # reported by top
    try:
        found = read_parameters(page.notebook)
    except ParameterError as error:
        yield cell, str(error)
        return
    if ("seed", int) not in [(parameter.name, parameter.type) for parameter in found]:
        yield cell, 'there is no line "seed: int = 0  # …"'


def python(page: Page) -> Iterator[Violation]:
    for cell in page.code:
        if not code_lines(cell):
            yield cell, "the code cell is empty"
        magic = [
            line for line in cell.source.splitlines() if re.match(r"\s*(?:[\w, ]+=\s*)?[!%]", line)
        ]
        if magic:
            yield cell, f'"{magic[0].strip()}" is not Python; expected no ! and no % lines'
        elif syntax(cell) is None:
            yield cell, "the code cannot be parsed as Python"
        elif _ends_with_semicolon(cell.source):
            yield cell, "a line ends with ;; bind the value to _ to show nothing"
        if "raises-exception" in tags(cell):
            yield cell, "has the tag raises-exception; show an expected error with try and except"


def _ends_with_semicolon(source: str) -> bool:
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    ends = (tokenize.NEWLINE, tokenize.COMMENT)
    return any(a.string == ";" and b.type in ends for a, b in itertools.pairwise(tokens))


def quiet_training(page: Page) -> Iterator[Violation]:
    for cell in page.code:
        for name, call in called(cell):
            if name not in QUIET or not isinstance(call.func, ast.Attribute):
                continue
            verbose = [ast.unparse(k.value) for k in call.keywords if k.arg == "verbose"]
            if verbose != ["0"]:
                yield cell, f".{name}(…) draws a progress bar; pass verbose=0"


def seeded(page: Page) -> Iterator[Violation]:
    for cell in page.code:
        for node in nodes(cell, ast.Attribute):
            owner = ast.unparse(node.value)
            allowed = ("default_rng", "Generator")
            if owner in ("np.random", "numpy.random") and node.attr not in allowed:
                yield (
                    cell,
                    f"{owner}.{node.attr} draws from a hidden global state; use the generator that "
                    "environment.set_seed(seed) returns, or np.random.default_rng(seed)",
                )
        for name, call in called(cell):
            if name == "default_rng" and not call.args and not call.keywords:
                yield cell, "default_rng() differs in every run; pass it a seed"


def offline(page: Page) -> Iterator[Violation]:
    advice = "lessons read local files only (course_utils.data)"
    for cell in page.code:
        for node in nodes(cell, ast.Import, ast.ImportFrom):
            imported = [getattr(node, "module", None), *(alias.name for alias in node.names)]
            for root in {str(name).partition(".")[0] for name in imported} & NETWORK_MODULES:
                yield cell, f"imports {root}; {advice}"
        for name, _ in called(cell):
            if name in DOWNLOADS:
                yield cell, f"{name}(…) downloads; {advice}"
        for node in nodes(cell, ast.Constant):
            if isinstance(node.value, str) and URL.search(node.value):
                yield cell, f"code holds an address of the network; {advice}, links go to the text"


def exercise_form(page: Page) -> Iterator[Violation]:
    section = page.section(EXERCISES)
    deeper = [cell for section in page.deeper for cell in section.cells]
    count = sum(1 for cell in page.exercises if not _among(cell, deeper))
    if not 2 <= count <= 4:
        yield None, f"{count} exercise cells; expected 2 to 4"
    for cell in page.exercises:
        if not _among(cell, (section.cells if section else []) + deeper):
            yield cell, f'the exercise stands outside the section "## {EXERCISES}"'
        if "exercise" not in tags(cell):
            yield cell, 'the cell calls exercise(…) and lacks the tag "exercise"'
        try:
            if syntax(cell):
                exercise_id(cell.source)
        except ValueError as error:
            yield cell, str(error)


def exercise_leaves(page: Page) -> Iterator[Violation]:
    for exercise in page.exercises:
        after = page.code[[cell is exercise for cell in page.code].index(True) + 1 :]
        for cell in after:
            for name in sorted(uses(cell) & makes(exercise)):
                yield (
                    cell,
                    f'uses {name}, which the exercise "{exercise.get("id")}" makes; no later cell '
                    "uses what an exercise makes",
                )


def _among(cell, cells: list) -> bool:
    return any(cell is other for other in cells)


RULES = (
    ids,
    top,
    parameters,
    python,
    quiet_training,
    seeded,
    offline,
    exercise_form,
    exercise_leaves,
)
