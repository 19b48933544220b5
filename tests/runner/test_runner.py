"""The batch runner: what succeeds, each way to fail, and what is left behind."""

import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import unquote

import nbformat
import psutil
import pytest
from rich.console import Console

from course_utils.runner import results as statuses
from course_utils.runner import worker
from course_utils.runner.display import Display
from course_utils.runner.execution import Execution
from course_utils.runner.plan import Job
from course_utils.runner.process import memory_of
from tests import HANG
from tests.runner.small_course import is_gone, notebook, results, run, start, wait_for, write_course

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
METRICS = """\
from course_utils.metrics import record_metrics
record_metrics(accuracy=0.123456 + epochs, seed=seed)
"""
PROGRESS = "for i in range(3):\n    print(f'\\repoch {i}', end='')\nprint()"
NOTE_PID = "open('kernel.pid', 'w').write(str(os.getpid()))"
# a kernel that does not even react to an interrupt
STUBBORN = f"{NOTE_PID}\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(600)"


def executed(root, name, folder, stem):
    path = root / "build" / "runs" / name / folder / f"{stem}.ipynb"
    return {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A run, two lessons at a time, of lessons that end in different ways; and its output."""
    root = write_course(
        tmp_path_factory.mktemp("a {brace} and a space"),
        n00_good=[PROGRESS, METRICS, "os.getcwd()"],
        n01_bad=["print('before')\nraise ValueError('first line\\nsecond line')", "1"],
        n02_dead=["print('last words')\ntime.sleep(1)\nos.kill(os.getpid(), 9)", "1"],
        n03_exit=["sys.exit(0)", "1"],
        n04_lost=["time.sleep(1)\nos.kill(os.getppid(), 9)\ntime.sleep(600)", "1"],
    )
    (root / "notebooks" / "Untitled.ipynb").write_text("the reader's own")
    (root / "notebooks" / "glossary.md").write_text("# Glossary\n", encoding="utf-8")
    words = ("--jobs", "2", "--name", "mixed", "-p", "epochs=2", "--grid", "seed=3")
    with start(root, *words) as process:
        out, _ = process.communicate(timeout=HANG)
    return root, process.returncode, out


@POSIX
def test_each_ending_has_its_status_and_its_cell(mixed):
    root, code, _ = mixed
    assert code == 1
    found = {
        folder.partition("__")[0]: (job["status"], job["message"])
        for folder, job in results(root, "mixed").items()
    }
    dead = "the kernel process ended by itself; was the memory exhausted?"
    lost = "the worker process ended without a result (exit code -9; see log.txt)"
    assert found == {
        "00_good": ("ok", ""),
        "01_bad": ("cell failed", "cell 4 of 5, code-1: ValueError: first line"),
        "02_dead": ("kernel died", f"cell 4 of 5, code-1: {dead}"),
        "03_exit": ("cell failed", "cell 4 of 5, code-1: SystemExit: 0"),
        "04_lost": ("not finished", lost),
    }


@POSIX
def test_a_good_lesson_leaves_notebook_page_metrics_and_summary(mixed):
    root, _, _ = mixed
    job = results(root, "mixed")["00_good__seed=3"]
    assert job["parameters"]["epochs"] == 2
    assert job["metrics"] == {"accuracy": 2.123456, "seed": 3}
    assert isinstance(job["seconds"], float)
    assert 10 < job["peak_memory_mb"] < 2000
    folder = root / "build" / "runs" / "mixed" / job["folder"]
    assert json.loads((folder / "metrics.json").read_text()) == job["metrics"]
    assert (folder / "log.txt").exists()
    cells = executed(root, "mixed", job["folder"], "00_good")
    assert cells["injected-parameters"].source.endswith("epochs = 2\nseed = 3\n")
    # a progress line drawn again and again is saved as its last state
    assert cells["code-1"].outputs[0].text == "epoch 2\n"
    assert cells["code-3"].outputs[0].data["text/plain"] == repr(str(root / "notebooks"))
    assert "epoch 2" in (folder / "00_good.html").read_text(encoding="utf-8")


@POSIX
def test_the_partial_notebook_is_kept_with_the_failure_in_its_cell(mixed):
    root, _, _ = mixed
    bad = executed(root, "mixed", "01_bad__seed=3", "01_bad")
    assert [output.output_type for output in bad["code-1"].outputs] == ["stream", "error"]
    assert bad["code-1"].outputs[1].ename == "ValueError"
    assert bad["code-2"].execution_count is None
    dead = executed(root, "mixed", "02_dead__seed=3", "02_dead")
    assert dead["code-1"].outputs[0].text == "last words\n"
    assert dead["code-1"].outputs[1].traceback[0].startswith("kernel died: cell 4 of 5, code-1")
    lost = executed(root, "mixed", "04_lost__seed=3", "04_lost")
    assert lost["parameters"].execution_count == 2


@POSIX
def test_no_kernel_outlives_its_worker(mixed):
    """The kernel of 04_lost, whose worker was killed, slept in the folder of the notebooks."""
    root, _, _ = mixed
    notebooks = str(root / "notebooks")
    left = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == notebooks and not is_gone(process.pid):
                left.append(process)
        except psutil.Error:
            continue
    assert left == []


@POSIX
def test_the_terminal_shows_a_table_of_100_columns_without_colour(mixed):
    _, _, out = mixed
    assert "\x1b" not in out
    table = out[out.index(" Lesson") : out.index("01 Bad seed=3: cell failed")]
    assert max(map(len, table.splitlines())) <= 100
    row = next(line for line in table.splitlines() if line.startswith(" 00 Good"))
    assert re.fullmatch(r" 00 Good +epochs=2 +ok +\d+\.\d +\d+ +accuracy 2\.123 *", row)
    assert "01 Bad seed=3: cell failed\n  cell 4 of 5, code-1: ValueError: first line\n" in out
    assert "1 of 5 ok." in out
    assert "python3 -m course_utils run --resume mixed" in out


@POSIX
def test_notebooks_that_are_no_lessons_are_left_alone_and_named(mixed):
    _, _, out = mixed
    assert out.startswith("Left alone, since course.toml does not list them: Untitled.ipynb\n")


@POSIX
def test_the_index_names_every_lesson_and_links_to_what_is_there(mixed):
    root, _, _ = mixed
    folder = root / "build" / "runs" / "mixed"
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "<script" not in page
    for text in ("✓ ok", "✗ cell failed", "✗ kernel died", "2.123", "ValueError: first line"):
        assert text in page
    links = re.findall(r'href="([^"]+)"', page)
    assert "00_good__seed%3D3/00_good.html" in links
    for link in links:
        assert (folder / unquote(link)).exists(), link
    assert "Glossary" in (folder / "glossary.html").read_text(encoding="utf-8")


def test_a_lesson_that_takes_too_long_is_stopped(tmp_path):
    root = write_course(tmp_path, n03_slow=["print('begun')\ntime.sleep(600)", "1"])
    assert run(root, "--name", "slow", "--timeout", "6") == 1
    job = results(root, "slow")["03_slow"]
    assert job["status"] == "timed out"
    assert re.fullmatch(r"cell \d of 4, [\w-]+: still running after 6 s", job["message"])
    cells = executed(root, "slow", "03_slow", "03_slow")
    assert cells["code-2"].execution_count is None
    assert any(
        output.get("ename") == "TimedOut" for c in cells.values() for output in c.get("outputs", [])
    )


@POSIX
def test_ctrl_c_keeps_what_is_done_and_leaves_no_kernel(tmp_path):
    root = write_course(tmp_path, n00_good="6 * 7", n05_long=["40 + 2", STUBBORN], n06_next="1")
    with start(root, "--name", "stopped") as process:
        pid = wait_for(lambda: read_pid(root), "the kernel of lesson 05")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=HANG)

    assert process.returncode == 130
    assert is_gone(pid)
    jobs = results(root, "stopped")
    assert {folder: job["status"] for folder, job in jobs.items()} == {
        "00_good": "ok",
        "05_long": "interrupted",
        "06_next": "not started",
    }
    assert jobs["05_long"]["message"] == "cell 4 of 4, code-2: stopped here"
    cells = executed(root, "stopped", "05_long", "05_long")
    assert cells["code-1"].outputs[0].data["text/plain"] == "42"
    assert "interrupted" in (root / "build/runs/stopped/index.html").read_text(encoding="utf-8")
    assert "1 of 3 ok." in out
    assert "Traceback" not in out


@POSIX
def test_a_second_ctrl_c_kills(tmp_path):
    root = write_course(tmp_path, n05_long=STUBBORN)
    with start(root, "--name", "killed") as process:
        pid = wait_for(lambda: read_pid(root), "the kernel of lesson 05")
        process.send_signal(signal.SIGINT)
        for line in process.stdout:
            if line.startswith("stopping"):
                break
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=HANG)
    assert process.returncode == 130
    assert is_gone(pid)
    job = results(root, "killed")["05_long"]
    assert (job["status"], job["message"]) == ("interrupted", "killed before it was done")


@POSIX
def test_a_killed_runner_loses_only_what_was_running_and_resume_finishes_it(tmp_path, capsys):
    count = "open('count', 'a').write('x')"
    slow = f"if not os.path.exists('fast'):\n    {NOTE_PID}\n    time.sleep(600)"
    root = write_course(tmp_path, n00_good=count, n05_long=slow, n06_next=METRICS)
    with start(root, "--name", "killed", "-p", "epochs=2") as process:
        pid = wait_for(lambda: read_pid(root), "the kernel of lesson 05")
        assert run(root, "--resume", "killed") == 2
        assert f"is still going on (process {process.pid})" in capsys.readouterr().err
        worker = psutil.Process(pid).ppid()
        process.kill()
        process.communicate()
    wait_for(lambda: is_gone(pid), "the end of the kernel after its runner was killed")
    wait_for(lambda: is_gone(worker), "the end of the worker, which saves what it has")
    assert {folder: job["status"] for folder, job in results(root, "killed").items()} == {
        "00_good": "ok",
        "05_long": "not finished",
        "06_next": "not started",
    }

    (root / "notebooks" / "fast").touch()
    assert run(root, "--resume", "killed") == 0
    jobs = results(root, "killed")
    assert [job["status"] for job in jobs.values()] == ["ok", "ok", "ok"]
    assert jobs["06_next"]["metrics"]["accuracy"] == 2.123456  # with the plan's parameters
    assert (root / "notebooks" / "count").read_text() == "x", "a lesson that was ok ran again"


def read_pid(root: Path) -> int | None:
    path = root / "notebooks" / "kernel.pid"
    text = path.read_text() if path.exists() else ""
    return int(text) if text else None


def no_space(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_one_clear_sentence(tmp_path, monkeypatch, capsys):
    root = write_course(tmp_path, n00_good="1")
    monkeypatch.setattr(statuses, "write_atomically", no_space)
    assert run(root, "--name", "full") == 1
    error = capsys.readouterr().err
    assert error == (
        f"course_utils run: cannot write to {root / 'build' / 'runs'}: No space left on device. "
        "Name a folder that has room, and where you may write, with --folder.\n"
    )


def test_a_full_disk_in_the_worker_is_told_apart(tmp_path, monkeypatch, capsys):
    execution = make_execution(tmp_path, notebook(["1"]))
    monkeypatch.setattr("course_utils.runner.execution.write_atomically", no_space)
    worker.run(execution, {}, report=print)
    assert (execution.status, execution.message) == ("not finished", "the disk is full")
    assert "No space left" in capsys.readouterr().err  # the whole story, for log.txt


def test_a_page_that_cannot_be_written_is_not_ok(tmp_path, monkeypatch, capsys):
    execution = make_execution(tmp_path, notebook(["1"]))
    monkeypatch.setattr(execution, "run", lambda: None)
    monkeypatch.setattr(execution, "notebook", notebook(["1"]))
    monkeypatch.setattr(worker, "render", no_space)
    worker.run(execution, {"given": {}, "run": "x", "number": "00", "title": "t"}, report=print)
    assert execution.status == "not finished"
    assert execution.message == "the page could not be written: the disk is full"


def make_execution(folder: Path, lesson: nbformat.NotebookNode) -> Execution:
    source = folder / "00_lesson.ipynb"
    nbformat.write(lesson, source)
    return Execution(source, folder / "out.ipynb", {}, None, lambda event: None, threading.Event())


def test_a_terminal_shows_one_live_line_for_each_running_lesson():
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    job = Job("06_mnist__seed=1", "06", "MNIST", "06_mnist.ipynb", {"seed": 1}, ["seed"], ["seed"])
    with Display(console) as display:
        display.started(job)
        display.progress(job, "flagship-fit", 12, 40)
        display.memory(job, 812_000_000)
        display._progress.refresh()
        live = console.file.getvalue()
        display.finished(job, statuses.Result("ok", "", 41.26, 812.3))
    line = live.splitlines()[-1]
    assert re.search(r"06 MNIST seed=1 +[━╸╺]+ +12/40 flagship-fit +\d:\d\d:\d\d +812 MB", line)
    assert "ok             06 MNIST seed=1  41.3 s  812 MB" in console.file.getvalue()


@pytest.mark.skipif(not psutil.LINUX, reason="only Linux tells how often a page is shared")
def test_memory_that_processes_share_is_counted_once():
    held = 100_000_000
    source = (
        f"import os\nb = b'x' * {held}\nos.fork()\nprint(flush=True)\nimport sys; sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", source], **pipes) as parent:
        parent.stdout.readline(), parent.stdout.readline()  # both have it now
        process = psutil.Process(parent.pid)
        both = [process, *process.children()]
        counted = sum(memory_of(each) for each in both)
        resident = sum(each.memory_info().rss for each in both)
        parent.stdin.close()
    assert len(both) == 2
    assert held < counted < 1.5 * held < 2 * held < resident
