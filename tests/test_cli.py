import re
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils import __main__
from course_utils.setup import bootstrap, isolation

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "course_utils"]


def call(*arguments):
    return subprocess.run([*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True)


def test_the_overview_names_every_command():
    result = call("--help")
    assert (result.returncode, result.stderr) == (0, "")
    for command in ("lab", "run", "test", "serve", "keys", "audit", "study", "execute"):
        assert re.search(rf"^    {command} +\w", result.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            "lab",
            ["--work", "--originals", "--no-browser", "--port", "--ip", "JupyterLab's options"],
        ),
        ("run", ["-p", "--grid", "--profile", "--jobs", "--name", "--resume", "--timeout"]),
        ("test", ["pytest's arguments"]),
        ("serve", ["--host", "--port", "--folder", "--tls", "--certificate", "--keep-inputs"]),
        ("keys", ["{add,list,revoke}", "--owner", "--scope", "--days", "--per-minute"]),
        ("audit", ["{verify}", "--folder"]),
        ("study", ["STUDY", "--jobs"]),
        ("execute", ["LESSON"]),
    ],
)
def test_each_command_has_help_without_a_set_up(command, expected):
    # -S: without the installed packages, as on a fresh machine
    result = subprocess.run(
        [sys.executable, "-S", "-m", "course_utils", command, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"usage: python3 -m course_utils {command} ")
    for text in expected:
        assert text in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["lap"], "invalid choice: 'lap'"),
        (["lab", "--port", "many"], "expected a whole number from 1 to 65,535, found 'many'"),
        (["lab", "--port", "80800"], "argument --port: expected a whole number from 1 to 65,535"),
        (["lab", "--work"], "argument --work: expected one argument"),
        (["lab", "--originals", "--work", "x"], "not allowed with argument --originals"),
        (["run", "--colour"], "unrecognized arguments: --colour"),
        (["study"], "the following arguments are required: STUDY"),
        (
            ["study", "02", "--jobs", "0"],
            "argument --jobs: expected a whole number from 1 to 64, found '0'",
        ),
        (["execute", "--colour"], "unrecognized arguments: --colour"),
        (["serve", "--colour"], "unrecognized arguments: --colour"),
        (["keys", "lend"], "invalid choice: 'lend'"),
        (["audit"], "the following arguments are required: action"),
    ],
)
def test_a_wrong_call_is_refused(arguments, message):
    result = call(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr


@pytest.fixture
def becoming(monkeypatch):
    """Catch the command that this process would become."""
    caught = []

    def become(command, environ=None):
        caught.append(command)
        return 0

    monkeypatch.setattr(bootstrap, "become", become)
    monkeypatch.setattr(isolation, "isolate", lambda arguments: None)
    monkeypatch.setattr(bootstrap, "ensure_environment", lambda root, arguments: None)
    monkeypatch.chdir(ROOT)
    return caught


@pytest.mark.parametrize(
    "arguments",
    [["-q", "-x"], ["tests/test_data.py", "-k", "a or b", "--lf"], ["--collect-only", "-q"]],
)
def test_arguments_of_pytest_pass_through(becoming, arguments):
    assert __main__.main(["test", *arguments]) == 0
    assert becoming == [[sys.executable, "-m", "pytest", *arguments]]


def test_the_whole_suite_runs_on_two_workers(becoming):
    __main__.main(["test"])
    assert becoming == [[sys.executable, "-m", "pytest", "-n", "2"]]


def test_a_command_runs_in_the_folder_of_the_course(becoming, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    __main__.main(["test"])
    assert Path.cwd() == ROOT
