"""`execute`: outputs in place, the same file twice, nothing written when a cell fails."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_utils.runner.execute import ROOT, ExecutionError, add_arguments, execute_notebook, main
from tests.started import Started


@pytest.fixture
def course(tmp_path):
    """A project of two lessons; returns its root."""
    (tmp_path / "notebooks").mkdir()
    entries = []
    for number, source in (("00", "6 * 7"), ("01", "6 * 8")):
        write(tmp_path / "notebooks" / f"{number}_a.ipynb", new_code_cell(source, id="answer"))
        entries.append(
            f'[[lesson]]\nfile = "{number}_a.ipynb"\npart = "I"\ntitle = "Lesson {number}"\n'
            "minutes = 5\nseconds = 1\nsmoke = {}\nfull = {}\n"
        )
    (tmp_path / "notebooks" / "course.toml").write_text('title = "T"\n' + "".join(entries))
    (tmp_path / "README.md").write_text("<!-- lessons -->\nold\n<!-- /lessons -->\n")
    return tmp_path


def write(path, *cells, metadata=None):
    nbformat.write(new_notebook(cells=list(cells), metadata=metadata or {}), path)
    return path


def command(root, *arguments):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return main(parser.parse_args(arguments), root)


def test_outputs_are_written_and_metadata_is_plain(tmp_path):
    stale = new_code_cell(
        "import os, sys\nprint('a', end='\\r')\nprint('b')\nos.path.basename(os.getcwd())",
        id="work",
        metadata={"execution": {"iopub.execute_input": "2020"}, "papermill": {}, "tags": ["x"]},
        execution_count=9,
    )
    metadata = {"widgets": {"state": {}}, "kernelspec": {"name": "conda", "display_name": "c"}}
    path = write(tmp_path / "a.ipynb", new_markdown_cell("# T", id="t"), stale, metadata=metadata)
    execute_notebook(path)
    notebook = nbformat.read(path, as_version=4)
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    cell = notebook.cells[1]
    assert cell.metadata == {"tags": ["x"]}
    assert cell.execution_count == 1
    assert [output.get("text") for output in cell.outputs[:1]] == ["b\n"]
    assert cell.outputs[1].data["text/plain"] == repr(tmp_path.name)


def test_second_execution_changes_nothing(course):
    path = course / "notebooks" / "00_a.ipynb"
    execute_notebook(path)
    first = path.read_bytes()
    assert json.loads(first)["cells"][0]["outputs"]
    execute_notebook(path)
    assert path.read_bytes() == first


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("raise ValueError('two\\nlines')", "cell 'bad' failed: ValueError: two$"),
        (
            "import os\nos._exit(1)",
            "the kernel died in cell 'bad'",
        ),
    ],
)
def test_failure_names_the_cell_and_leaves_the_file(tmp_path, source, message):
    cells = [new_code_cell("1", id="good"), new_code_cell(source, id="bad")]
    path = write(tmp_path / "a.ipynb", *cells)
    before = path.read_bytes()
    with pytest.raises(ExecutionError, match=message):
        execute_notebook(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.ipynb"]


@pytest.mark.skipif(os.name == "nt", reason="sends an interrupt as POSIX does")
def test_interrupt_stops_the_kernel_and_leaves_the_file(tmp_path):
    source = "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\n"
    cell = new_code_cell(source + "time.sleep(600)", id="long")
    path = write(tmp_path / "a.ipynb", cell)
    before = path.read_bytes()
    code = (
        "from pathlib import Path; from course_utils.runner.execute import execute_notebook; "
        f"execute_notebook(Path({str(path)!r}))"
    )
    with Started(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        # an ignored SIGINT would be inherited from a test run in background
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text()):
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in process.communicate()[1].decode()
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))
    assert path.read_bytes() == before


def test_command_executes_what_is_selected_and_renews_the_readme(course, capsys):
    (course / "notebooks" / "Untitled.ipynb").write_text("the reader's own")
    assert command(course, "01") == 0
    left, done, _ = capsys.readouterr().out.split("\n")
    assert left == "Left alone, since course.toml does not list them: Untitled.ipynb"
    assert done.startswith("01_a.ipynb: executed in ")
    outputs = [
        nbformat.read(course / "notebooks" / name, as_version=4).cells[0].outputs
        for name in ("00_a.ipynb", "01_a.ipynb")
    ]
    assert outputs[0] == []
    assert outputs[1][0].data["text/plain"] == "48"
    assert "[Lesson 01](notebooks/01_a.ipynb)" in (course / "README.md").read_text()


def test_command_goes_on_after_a_failure(course, capsys):
    write(course / "notebooks" / "00_a.ipynb", new_code_cell("1 / 0", id="bad"))
    assert command(course) == 1
    output = capsys.readouterr()
    assert output.err.startswith("00_a.ipynb: cell 'bad' failed: ZeroDivisionError: ")
    assert output.out.startswith("01_a.ipynb: executed")


def test_unknown_lesson_is_refused(course, capsys):
    assert command(course, "07") == 2
    assert "there is no lesson 07; there are: 00 01" in capsys.readouterr().err
