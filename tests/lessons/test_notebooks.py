"""Every notebook with the reference solutions put in runs to its end, each check CORRECT.

One execution for each notebook: papermill, `smoke` profile. As they are committed (default
parameters, exercises untouched), nbval runs the notebooks in the same session of pytest.
"""

import shutil
import subprocess
from pathlib import Path

import nbformat
import papermill
import pytest

from course_utils.contents import lesson_paths, read_contents, unlisted
from course_utils.exercises import exercise
from course_utils.metrics import VARIABLE, read_metrics
from course_utils.runner.parameters import check_value, read_parameters
from tests import HANG
from tests.exercises.cells import exercise_id, splice
from tests.grammar.page import Page

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
EACH_NOTEBOOK = pytest.mark.parametrize("path", lesson_paths(), ids=lambda path: path.stem)


def lesson_of(path):
    lessons = read_contents(NOTEBOOKS / "course.toml").lessons
    return next(lesson for lesson in lessons if lesson.file == path.name)


def test_contents_list_every_committed_notebook():
    git = ["git", "-C", str(NOTEBOOKS), "ls-files", "*.ipynb"]
    found = subprocess.run(git, capture_output=True, text=True) if shutil.which("git") else None
    if found is None or found.returncode != 0:
        pytest.skip("not in a git repository")
    committed = {name for name in found.stdout.splitlines() if "/" not in name}
    assert not committed & set(unlisted())


@EACH_NOTEBOOK
@pytest.mark.parametrize("profile", ["smoke", "full"])
def test_profile_fits_the_parameters(path, profile):
    parameters = {each.name: each for each in read_parameters(nbformat.read(path, as_version=4))}
    for name, value in getattr(lesson_of(path), profile).items():
        assert name in parameters
        check_value(parameters[name], value)


@EACH_NOTEBOOK
def test_notebook_with_solutions_runs(path, tmp_path, monkeypatch):
    notebook = nbformat.read(path, as_version=4)
    for cell in Page(notebook).exercises:
        cell.source = splice(cell.source, exercise(exercise_id(cell.source)).solution_source)
    solved = tmp_path / path.name
    nbformat.write(notebook, solved)
    metrics = tmp_path / "metrics.json"
    monkeypatch.setenv(VARIABLE, str(metrics))

    executed = papermill.execute_notebook(
        solved,
        tmp_path / f"executed_{path.name}",
        parameters=lesson_of(path).smoke,
        kernel_name="python3",
        language="python",
        cwd=NOTEBOOKS,
        progress_bar=False,
        start_timeout=HANG,
        iopub_timeout=HANG,
    )  # raises if a cell fails

    for cell in Page(executed).exercises:
        shown = [output.data["text/plain"] for output in cell.outputs if "data" in output]
        assert shown and shown[-1].startswith("✓ CORRECT"), f"{cell.id}: {shown}"
    assert read_metrics(metrics), "no metrics: the lesson must end with record_metrics(…)"
