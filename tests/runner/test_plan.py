"""What the batch runner is asked for is checked before anything runs."""

import subprocess
import sys
from unittest import mock

import pytest

from course_utils.runner.orchestrate import LessonRun
from course_utils.runner.results import Result
from tests.runner.small_course import ROOT, parse, run, write_course


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("course")
    return write_course(root, n00_start="1", n04_descent="1", n06_mnist="1")


@pytest.fixture
def planned(root, monkeypatch):
    """Return a function that gives the jobs a command line would run."""

    def jobs(*words):
        plans = []
        monkeypatch.setattr("course_utils.runner.cli._execute", lambda r, n: plans.append(r) or 0)
        assert run(root, *words) == 0
        return plans[0].plan.jobs

    return jobs


def test_all_lessons_run_with_their_defaults(planned):
    jobs = planned("--name", "all")
    assert [job.folder for job in jobs] == ["00_start", "04_descent", "06_mnist"]
    assert jobs[0].given == []
    assert jobs[0].parameters == {
        "epochs": 5,
        "learning_rate": 1e-3,
        "optimizer": "adam",
        "seed": 0,
    }


def test_p_wins_over_the_profile(planned):
    assert planned("06", "--profile", "full", "--name", "f")[0].parameters["epochs"] == 50
    (job,) = planned("06", "--profile", "full", "-p", "epochs=7", "-p", "seed=3", "--name", "g")
    assert job.parameters == {"epochs": 7, "learning_rate": 1e-3, "optimizer": "adam", "seed": 3}
    assert job.given == ["epochs", "seed"]


def test_the_grid_is_a_product(planned):
    grid = ["--grid", "seed=0,1", "--grid", "learning_rate=1e-3,1e-2"]
    assert [job.folder for job in planned("04", *grid, "--name", "grid")] == [
        "04_descent__seed=0__learning_rate=0.001",
        "04_descent__seed=0__learning_rate=0.01",
        "04_descent__seed=1__learning_rate=0.001",
        "04_descent__seed=1__learning_rate=0.01",
    ]


@pytest.mark.parametrize(("parallel", "order"), [(1, "01 02 03 04"), (2, "02 04 03 01")])
def test_several_at_a_time_start_with_the_longest(tmp_path, monkeypatch, parallel, order):
    root = write_course(tmp_path, n01_short="1", n02_long="1", n03_middle="1", n04_long="1")
    contents = root / "notebooks" / "course.toml"
    text = contents.read_text(encoding="utf-8")
    for seconds in (3, 9, 5, 9):
        text = text.replace("seconds = 1\n", f"seconds = {seconds}\n", 1)
    contents.write_text(text, encoding="utf-8")
    runs, started = [], []
    monkeypatch.setattr("course_utils.runner.cli._execute", lambda r, n: runs.append(r) or 0)
    assert run(root, "--name", "order") == 0
    monkeypatch.setattr(
        LessonRun, "_start", lambda r, place, _: started.append(r.plan.jobs[place].number)
    )
    runs[0].execute(parallel, display=None)
    assert started == order.split()


def test_the_next_starts_while_the_page_of_the_last_is_written(tmp_path, monkeypatch):
    runs, seen = [], []
    monkeypatch.setattr("course_utils.runner.cli._execute", lambda r, n: runs.append(r) or 0)
    assert run(write_course(tmp_path, n01_first="1", n02_second="1"), "--name", "page") == 0

    def start(run, place, _display):
        job = run.plan.jobs[place]
        worker = mock.Mock(job=job, executing=True)
        worker.result = lambda: seen.append(f"end {job.number}") or Result("ok")
        run._running[worker] = place
        seen.append(f"start {job.number}")
        for event in ({"executed": True}, None):
            run._events.put((worker, event))

    monkeypatch.setattr(LessonRun, "_start", start)
    runs[0].execute(1, display=mock.Mock())
    assert seen == ["start 01", "start 02", "end 01", "end 02"]


IT_HAS = "epochs, learning_rate, optimizer, seed"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["06", "-p", "epcohs=5"],
            f"lesson 06 has no parameter 'epcohs'; did you mean 'epochs'? It has: {IT_HAS}",
        ),
        (["06", "-p", "zzz=5"], f"lesson 06 has no parameter 'zzz'; it has: {IT_HAS}"),
        (["06", "--grid", "sed=0,1"], "lesson 06 has no parameter 'sed'; did you mean 'seed'?"),
        (
            ["06", "-p", "epochs=many"],
            "lesson 06, parameter epochs: 'many' is not a whole number "
            "(passes over the training set, 1 to 100; default 5)",
        ),
        (
            ["06", "-p", "epochs=-1"],
            "lesson 06, parameter epochs: -1 is outside 1 to 100 "
            "(passes over the training set; default 5)",
        ),
        (["06", "--grid", "epochs=1,x"], "lesson 06, parameter epochs: 'x' is not a whole number"),
        (["06", "--grid", "epochs=1,"], "lesson 06, parameter epochs: '' is not a whole number"),
        (["06", "-p", "optimizer=Adam"], "'Adam' is not one of adam, sgd"),
        (["06", "-p", "epochs"], "-p epochs: expected name=value, for example epochs=5"),
        (["06", "-p", "seed=1", "-p", "seed=2"], "parameter seed is set twice by -p"),
        (["06", "-p", "seed=1", "--grid", "seed=1,2"], "seed is set by both -p and --grid"),
        (
            ["06", "--grid", "learning_rate=0.001,1e-3"],
            "--grid learning_rate=0.001,1e-3 names a value twice",
        ),
        (["07"], "there is no lesson 07; there are: 00 04 06"),
        (["mnist"], "'mnist' is not a lesson"),
        (["--name", "../x"], "'../x' is not a name for a run"),
        (["--resume", "nothing"], "there is no run nothing"),
        (["06", "--resume", "x"], "--resume runs the plan of the earlier run: leave out lessons"),
        (["--resume", "x", "-p", "epochs=1"], "leave out lessons, -p"),
    ],
)
def test_what_cannot_run_is_refused_with_the_reason(root, capsys, words, message):
    before = sorted(root.rglob("*"))
    assert run(root, *words) == 2
    assert message in capsys.readouterr().err
    assert sorted(root.rglob("*")) == before, "something was written"


def test_a_profile_that_does_not_fit_the_lesson_is_refused(tmp_path, capsys):
    root = write_course(tmp_path, n06_mnist="1")
    toml = root / "notebooks" / "course.toml"
    toml.write_text(toml.read_text().replace("epochs = 50", "epochs = 500"))
    assert run(root, "--profile", "full") == 2
    message = "course.toml, full: lesson 06, parameter epochs: 500 is outside 1 to 100"
    assert message in capsys.readouterr().err


def test_a_lesson_that_is_no_notebook_is_refused(tmp_path, capsys):
    root = write_course(tmp_path, n06_mnist="1")
    (root / "notebooks" / "06_mnist.ipynb").write_text("not JSON")
    assert run(root) == 2
    assert "06_mnist.ipynb is not a notebook" in capsys.readouterr().err


def test_an_existing_name_is_refused(root, planned, capsys):
    planned("06", "--name", "taken")
    assert run(root, "06", "--name", "taken") == 2
    assert "there is already a run named taken" in capsys.readouterr().err


def test_resume_refuses_a_plan_that_no_longer_fits(root, tmp_path, planned, capsys):
    planned("06", "-p", "epochs=7", "--name", "old")
    lesson = root / "notebooks" / "06_mnist.ipynb"
    text = lesson.read_text()
    lesson.write_text(text.replace("1 to 100", "1 to 6"))
    try:
        assert run(root, "--resume", "old") == 2
    finally:
        lesson.write_text(text)
    assert "lesson 06, parameter epochs: 7 is outside 1 to 6" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--jobs", "0"], "expected a whole number from 1 to 64, found '0'"),
        (["--timeout", "-5"], "expected a number of seconds, more than 0 and at most 604,800"),
        (["--timeout", "1e300"], "at most 604,800, found '1e300'"),
        (["--profile", "quick"], "invalid choice: 'quick'"),
    ],
)
def test_wrong_options_are_refused(capsys, words, message):
    with pytest.raises(SystemExit) as caught:
        parse(*words)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_the_command_line_needs_the_standard_library_alone():
    program = (
        "import argparse; from course_utils.runner import cli; "
        "p = argparse.ArgumentParser(); cli.add_arguments(p); p.parse_args(['--help'])"
    )
    # -S: no site-packages
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "--grid NAME=V1,V2" in done.stdout
