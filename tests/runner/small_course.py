"""A course of tiny lessons in a temporary folder, to test the batch runner on."""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil

import course_utils
from course_utils.runner import cli
from tests import HANG
from tests.started import Started

ROOT = Path(course_utils.__file__).resolve().parent.parent
PARAMETERS = """\
epochs: int = 5  # passes over the training set, 1 to 100
learning_rate: float = 1e-3  # step size, 1e-5 to 1
optimizer: str = "adam"  # update rule, one of adam, sgd
seed: int = 0  # seed of every random choice, 0 to 1,000
"""
SETUP = f"import os, signal, sys, time\nsys.path.insert(0, {str(ROOT)!r})\n"
ENTRY = """
[[lesson]]
file = "{file}"
part = "I. Concepts"
title = "{title}"
minutes = 20
seconds = 1
smoke = {{ epochs = 1 }}
full = {{ epochs = 50 }}
"""


def write_course(root: Path, **lessons: str | list[str]) -> Path:
    """Write root/notebooks with one lesson for each name (n00_start → 00_start.ipynb).

    A lesson is given by its code cells; their ids are code-1, code-2 and so on.
    """
    folder = root / "notebooks"
    folder.mkdir(parents=True)
    toml = 'title = "A small course"\n'
    for name, sources in lessons.items():
        file = f"{name[1:]}.ipynb"
        nbformat.write(notebook([sources] if isinstance(sources, str) else sources), folder / file)
        toml += ENTRY.format(file=file, title=name[4:].replace("_", " ").capitalize())
    (folder / "course.toml").write_text(toml, encoding="utf-8")
    return root


def notebook(sources: list[str]) -> nbformat.NotebookNode:
    """Return a notebook with a title, a setup cell, a parameters cell and these code cells."""
    code = nbformat.v4.new_code_cell
    cells = [
        nbformat.v4.new_markdown_cell("# A lesson", id="title"),
        code(SETUP, id="setup"),
        code(PARAMETERS, id="parameters", metadata={"tags": ["parameters"]}),
        *(code(source, id=f"code-{i}") for i, source in enumerate(sources, start=1)),
    ]
    kernel = {"name": "python3", "display_name": "Python 3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def parse(*words: str) -> argparse.Namespace:
    """Return the runner's arguments for a command line."""
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    return parser.parse_args(words)


def run(root: Path, *words: str) -> int:
    """Run the course in this process and return the exit code."""
    return cli.main(parse(*words), root=root)


def start(root: Path, *words: str) -> Started:
    """Start the runner on the course in a process of its own."""
    program = (
        "import sys; from pathlib import Path; from tests.runner.small_course import run; "
        "sys.exit(run(Path(sys.argv[1]), *sys.argv[2:]))"
    )
    return Started(
        [sys.executable, "-c", program, str(root), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )


def results(root: Path, name: str) -> dict[str, dict]:
    """Return the jobs in summary.json by folder."""
    summary = json.loads((root / "build" / "runs" / name / "summary.json").read_text("utf-8"))
    return {job["folder"]: job for job in summary["jobs"]}


def wait_for(condition, what: str):
    """Return the first true value of `condition()`; fail if there is none."""
    end = time.monotonic() + HANG
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.1)
    raise AssertionError(f"waited {HANG} s for {what}")


def is_gone(pid: int) -> bool:
    """Whether the process has ended (a zombie has)."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
