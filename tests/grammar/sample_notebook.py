"""A small notebook that obeys the page grammar, and edits that break it."""

import base64

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.grammar import SETUP_SOURCE

ALT = "A curve that falls from left to right and then stays level."


def valid_notebook():
    """The smallest notebook that obeys every rule."""
    filler = "Each of these words stands for a sentence that explains the step at hand. " * 4
    cells = [
        text(
            "title",
            "# Losses\n\nHow far off is a prediction?\n\nAfter this lesson you can compute a loss, "
            "derive its gradient and check it.\n\n**Prerequisites:** lesson 00. "
            "20 minutes to read, 30 seconds to run.",
        ),
        code("setup", SETUP_SOURCE),
        code("imports", "import numpy as np\nfrom course_utils.checks import check_close"),
        code("parameters", "seed: int = 0  # random draws, 0 to 1,000", tags=["parameters"]),
        code("seed", "rng = environment.set_seed(seed)"),
    ]
    for i in range(1, 8):
        cells += [
            text(f"part-{i}-question", f"## Part {i}\n\n{filler}\n\n> **Predict:** how many?"),
            code(f"part-{i}-look", f"x_{i} = np.arange({i})\nx_{i}"),
            text(f"part-{i}-formula", f"{filler}\n\n$$\nx = {i}\n$$"),
            code(f"part-{i}-check", f'check_close("the number", {i}, {i})'),
            text(f"part-{i}-reading", filler),
        ]
    for i in (1, 2):
        head = "## Exercises\n\nTry first." if i == 1 else "The second one."
        source = f'q{i} = exercise("06.{i}")\n\nanswer = ____\n\nq{i}.check(answer)\n# q{i}.hint()'
        cells += [text(f"task-{i}", head), code(f"exercise-{i}", source, tags=["exercise"])]
    question = "<details><summary>Why?</summary>\n\nBecause.\n\n</details>\n"
    cells.append(
        text(
            "recap",
            f"## Recap\n\n- one\n- two\n- three\n\n### Test yourself\n\n{question * 3}\n"
            "### Further reading\n\n- Gauss, 1809, on errors.\n- Huber, 1964, on outliers.\n\n"
            "Next: [the optimizers](05_optimizers.ipynb)",
        )
    )
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    counted = (cell for cell in cells if cell.cell_type == "code")
    for count, cell in enumerate(counted, start=1):
        cell.execution_count = count
    checked = at(notebook, "part-1-check")
    checked.metadata["tags"] = ["nbval-check-output"]
    checked.outputs = [new_output("stream", name="stdout", text="largest error 0   ok\n")]
    picture = {"image/png": png(100), "text/plain": ALT}
    metadata = {"image/png": {"alt": ALT}}
    at(notebook, "part-1-look").outputs = [
        new_output("display_data", data=picture, metadata=metadata)
    ]
    return notebook


def text(id, source):
    return new_markdown_cell(source, id=id)


def code(id, source, tags=()):
    return new_code_cell(source, id=id, metadata={"tags": list(tags)} if tags else {})


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


def change_image(**changes):
    def edit(notebook):
        output = at(notebook, "part-1-look").outputs[0]
        output.data.update(changes.get("data", {}))
        output.metadata.update(changes.get("metadata", {}))

    return edit


def more_text(notebook):
    for i in range(8):
        insert_after("part-1-reading", text(f"more-{i}", "More."))(notebook)


def jpeg(notebook):
    at(notebook, "part-1-look").outputs[0].data = {"image/jpeg": png(10), "text/plain": ALT}


def more_images(notebook):
    look = at(notebook, "part-1-look")
    look.outputs = look.outputs * 31


def stdout(text):
    return add_output("part-2-look", kind="stream", name="stdout", text=text)
