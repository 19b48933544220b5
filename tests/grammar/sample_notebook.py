"""A small notebook that obeys the page grammar, and edits that break it."""

import ast
import base64
import inspect

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.grammar import SETUP_SOURCE
from tests.grammar.counts import minutes_shown, reading_minutes
from tests.grammar.page import Page

ALT = "A curve that falls from left to right and then stays level."
DRAW = f'''\
picture = drawings.Drawing()
style.show(
    picture.figure,
    """{ALT}
    Twice.""",
)'''


def valid_notebook():
    """The smallest notebook that obeys every rule."""
    cells = [
        text(
            "title",
            "# Losses\n\nHow far off is a prediction?\n\nAfter this lesson you can **compute** a "
            "loss, **derive** its gradient and **check** it.\n\n**Prerequisites:** lesson 00. "
            "Words: [glossary](glossary.md), symbols: [notation](notation.md). "
            "20 minutes to read, 30 seconds to run.",
        ),
        code("setup", SETUP_SOURCE),
        code("imports", "import numpy as np\nfrom course_utils import drawings, style"),
        code("parameters", "seed: int = 0  # random draws, 0 to 1,000", tags=["parameters"]),
        code("seed", "rng = environment.set_seed(seed)"),
    ]
    for i in (1, 2, 3):
        cells += [
            text(f"part-{i}-question", f"## Part {i}\n\nWhy?\n\n> **Predict:** how many?"),
            code(f"part-{i}-look", f"x_{i} = np.arange({i})\nx_{i}"),
            text(f"part-{i}-answer", "You predicted a number. A drawing shows why."),
            code(f"part-{i}-drawing", DRAW, tags=["hide-input"], source_hidden=True),
            text(f"part-{i}-formula", f"The formula:\n\n$$\nx = {i}\n$$"),
            code(f"part-{i}-check", f'check_range("number", {i}, {i}, {i}, denies=0)'),
        ]
    for i in (1, 2):
        head = "## Exercises\n\nTry first." if i == 1 else "The second one."
        cells += [text(f"task-{i}", head), exercise(f"exercise-{i}", i)]
    question = "<details><summary>Why?</summary>\n\nBecause.\n\n</details>\n"
    cells.append(
        text(
            "recap",
            f"## Recap\n\n- one\n- two\n- three\n\n### Test yourself\n\n{question * 3}\n"
            "### Further reading\n\n- Gauss, 1809, on errors.\n- Huber, 1964, on outliers.\n\n"
            "Next: [the optimizers](05_optimizers.ipynb)",
        )
    )
    for i, needs in ((1, "part-1-formula"), (2, "law-1-check")):
        link = f"[this](06_x.ipynb#cell-id={needs})"
        head = f"## Deeper: law {i}\n\n*Needs: {link}; nothing later.* Why?"
        cells += [
            new_markdown_cell(head, id=f"law-{i}", metadata={"tags": ["deeper"]}),
            code(f"law-{i}-check", f'law_{i} = 1\ncheck_close("law", law_1, x_1)', ["deeper"]),
            exercise(f"law-{i}-exercise", i + 2, "deeper"),
        ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    store_outputs(notebook, "part-1-drawing")
    minutes = minutes_shown(reading_minutes(Page(notebook)))
    replace("title", "20 minutes", f"{minutes} minutes")(notebook)
    return notebook


def store_outputs(notebook, picture):
    """Number the cells as after a run; a check and one picture have their output."""
    counted = (cell for cell in notebook.cells if cell.cell_type == "code")
    for count, cell in enumerate(counted, start=1):
        cell.execution_count = count
    checked = at(notebook, "part-1-check")
    checked.metadata["tags"] = ["nbval-check-output"]
    checked.outputs = [new_output("stream", name="stdout", text="largest error 0   ok\n")]
    data = {"image/png": png(100), "text/plain": ALT}
    metadata = {"image/png": {"alt": ALT}}
    at(notebook, picture).outputs = [new_output("display_data", data=data, metadata=metadata)]


def text(id, source):
    return new_markdown_cell(source, id=id)


def code(id, source, tags=(), source_hidden=False):
    metadata = {"tags": list(tags)} if tags else {}
    if source_hidden:
        metadata["jupyter"] = {"source_hidden": True}
    return new_code_cell(source, id=id, metadata=metadata)


def exercise(id, number, *tags):
    name = f"q{number}"
    source = (
        f'{name} = exercise("06.{number}")\n\nanswer = ____\n\n'
        f"{name}.check(answer)\n# {name}.hint()"
    )
    return code(id, source, ["exercise", *tags])


def at(notebook, id):
    return next(cell for cell in notebook.cells if cell.id == id)


def png(size):
    return base64.b64encode(bytes(size)).decode()


# Edits that break the valid notebook: each returns a function of the notebook.


def replace(id, old, new):
    def edit(notebook):
        cell = at(notebook, id)
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return edit


def write(id, source):
    return lambda notebook: setattr(at(notebook, id), "source", source)


def set_attribute(id, name, value):
    return lambda notebook: setattr(at(notebook, id), name, value)


def tag(id, *tags):
    return lambda notebook: at(notebook, id).metadata.update(tags=list(tags))


def remove(*ids):
    def edit(notebook):
        notebook.cells = [cell for cell in notebook.cells if cell.id not in ids]

    return edit


def insert_after(id, cell):
    def edit(notebook):
        notebook.cells.insert(notebook.cells.index(at(notebook, id)) + 1, cell)

    return edit


def add_text(id, source):
    return lambda notebook: setattr(at(notebook, id), "source", at(notebook, id).source + source)


def add_output(id, **output):
    kind = output.pop("kind")
    return lambda notebook: at(notebook, id).outputs.append(new_output(kind, **output))


def stdout(text, id="part-2-look"):
    return add_output(id, kind="stream", name="stdout", text=text)


def change_image(**changes):
    def edit(notebook):
        output = at(notebook, "part-1-drawing").outputs[0]
        output.data.update(changes.get("data", {}))
        output.metadata.update(changes.get("metadata", {}))

    return edit


def jpeg(notebook):
    at(notebook, "part-1-drawing").outputs[0].data = {"image/jpeg": png(10), "text/plain": ALT}


def more_images(notebook):
    cell = at(notebook, "part-1-drawing")
    cell.outputs = cell.outputs * 31


def both(*edits):
    """All edits, one after another."""
    return lambda notebook: [edit(notebook) for edit in edits]


def silent_messages(notebooks, rules):
    """The `yield` expressions of the rules that none of the notebooks reaches."""
    given = set()
    for notebook in notebooks:
        page = Page(notebook)
        for rule in rules:
            generator = rule(page)
            for _ in generator:  # suspended at the `yield` whose message it just gave
                given.add((rule, generator.gi_frame.f_lineno))
    return [
        ast.unparse(node)
        for rule in rules
        for lines, start in [inspect.getsourcelines(rule)]
        for node in ast.walk(ast.parse("".join(lines)))
        if isinstance(node, ast.Yield)
        and not any(
            (rule, line) in given
            for line in range(start + node.lineno - 1, start + node.end_lineno)
        )
    ]
