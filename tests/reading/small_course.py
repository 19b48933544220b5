"""A course of one small lesson in a temporary folder, and a reader who works on its copy."""

import json
from pathlib import Path

from course_utils.reading.copies import make_copies
from course_utils.reading.place import find_place

FILE = "02_networks.ipynb"
CONTENTS = """\
title = "T"
[[lesson]]
file = "02_networks.ipynb"
part = "I"
title = "Networks"
minutes = 1
seconds = 1
smoke = {}
full = {}
"""
TAIL = "q{0}.check(answer)\n# q{0}.hint()\n# q{0}.solution()"
TODAY = "2026-11-27"


def text(id, source):
    return {"cell_type": "markdown", "id": id, "metadata": {}, "source": source}


def code(id, source, outputs=(), **metadata):
    count = 1 if outputs else None
    return {
        **{"cell_type": "code", "id": id, "metadata": metadata, "source": source},
        **{"outputs": list(outputs), "execution_count": count},
    }


def exercise(number, answer="answer = ____", id=None):
    source = f'q{number} = exercise("02.{number}")\n\n{answer}\n\n{TAIL.format(number)}'
    return code(id or f"exercise-{number}", source, tags=["exercise"])


PRINTED = {"name": "stdout", "output_type": "stream", "text": ["42\n"]}
LESSON = (
    text("title", "# Networks\n\nSee [the service](../README.md#the-service), [Adam](05.ipynb)."),
    code("setup", "start()", [PRINTED]),
    code("imports", "import a\nimport b"),
    code("parameters", "n: int = 1  # how many, 1 to 9", tags=["parameters"]),
    code("look", "n", [PRINTED], jupyter={"source_hidden": True}),
    exercise(1),
    exercise(2),
)
# The lesson after an author changed a sentence.
REVISED = (text("title", "# Networks, revised"), *LESSON[1:])


class SmallCourse:
    """The course in `root`, with one lesson and a glossary."""

    def __init__(self, root: Path):
        self.root = root
        self.work = root / "work"
        self.path = self.work / FILE
        (root / "notebooks").mkdir(parents=True)
        (root / "data").mkdir()
        (root / "README.md").write_text("# Course\n")
        (root / "data" / "README.md").write_text("# Data\n")
        (root / "notebooks" / "course.toml").write_text(CONTENTS)
        (root / "notebooks" / "glossary.md").write_text("*loss*: [what](02_networks.ipynb#look)\n")
        self.publish(*LESSON)

    def publish(self, *cells):
        """Write the committed page."""
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        page = {"cells": list(cells), "metadata": {"kernelspec": kernel}}
        page |= {"nbformat": 4, "nbformat_minor": 5}
        (self.root / "notebooks" / FILE).write_text(json.dumps(page, indent=1), encoding="utf-8")

    def lab(self, server=None, work=None):
        """Make or renew the copies; return the lines for the reader."""
        return make_copies(self.root, find_place(self.root, work), server, TODAY)

    def read(self, name=FILE):
        """Return the cells of a copy, sources as text."""
        cells = json.loads((self.work / name).read_text(encoding="utf-8"))["cells"]
        return [{**cell, "source": "".join(cell["source"])} for cell in cells]

    def source(self, id, name=FILE):
        return next(cell["source"] for cell in self.read(name) if cell["id"] == id)

    def write(self, cells, **changes):
        """Save the copy as a reader would: `changes` are new sources by cell id (- as _)."""
        notebook = json.loads(self.path.read_text(encoding="utf-8"))
        sources = {id.replace("_", "-"): source for id, source in changes.items()}
        notebook["cells"] = [
            {**cell, "source": sources.get(cell["id"], cell["source"])} for cell in cells
        ]
        self.path.write_text(json.dumps(notebook), encoding="utf-8")

    def answer(self, number, answer):
        """Let the reader answer an exercise."""
        cell = exercise(number, answer)
        self.write(self.read(), **{cell["id"]: cell["source"]})

    def files(self):
        """Return the names in the folder of the copies that a reader sees."""
        return sorted(path.name for path in self.work.iterdir() if path.name[0] != ".")
