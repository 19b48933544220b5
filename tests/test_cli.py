import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
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
    for command in ("lab", "run", "test", "serve", "keys", "audit", "execute"):
        assert re.search(rf"^    {command} +\w", result.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("lab", ["--no-browser", "--port", "--ip"]),
        ("run", ["-p", "--grid", "--profile", "--jobs", "--name", "--resume", "--timeout"]),
        ("test", ["pytest's arguments"]),
        ("serve", ["--host", "--port", "--folder", "--tls", "--certificate", "--keep-inputs"]),
        ("keys", ["{add,list,revoke}", "--owner", "--scope", "--days", "--per-minute"]),
        ("audit", ["{verify}", "--folder"]),
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
        (["lab", "--port", "many"], "argument --port: invalid int value: 'many'"),
        (["lab", "--no-browser", "--colour"], "unrecognized arguments: --colour"),
        (["run", "--colour"], "unrecognized arguments: --colour"),
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


def test_options_of_jupyterlab_pass_through(becoming):
    __main__.main(["lab", "--no-browser", "--port", "8899", "--ip", "0.0.0.0"])
    (command,) = becoming
    assert {"--no-browser", "--port=8899", "--ip=0.0.0.0"} <= set(command)
    becoming.clear()
    __main__.main(["lab"])
    (command,) = becoming
    assert not [word for word in command if word.startswith(("--no-browser", "--port", "--ip"))]


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def first_answer(process, address):
    """Return the page at `address`; the server prints its address before it accepts a call."""
    for _ in range(300):
        try:
            return urllib.request.urlopen(address).read().decode()
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError) or process.poll() is not None:
                raise
            time.sleep(0.2)
    pytest.fail(f"{address} did not answer")


def test_lab_opens_lesson_00_in_jupyterlab(free_port, tmp_path):
    settings = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    process = subprocess.Popen(
        [*COMMAND, "lab", "--no-browser", "--ip", "127.0.0.1", "--port", str(free_port)],
        cwd=ROOT,
        env={**os.environ, **{name: str(tmp_path / name) for name in settings}},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        page = f"http://127.0.0.1:{free_port}/lab/tree/notebooks/00_start_here.ipynb?token="
        said = []
        for line in process.stderr:  # ends when JupyterLab does
            said.append(line)
            if page in line:
                break
        else:
            pytest.fail("JupyterLab ended without an address:\n" + "".join(said))
        address = line[line.index("http") :].strip()
        assert "<title>JupyterLab</title>" in first_answer(process, address)
        notebook = address.replace("/lab/tree/", "/api/contents/") + "&content=0"
        assert '"path": "notebooks/00_start_here.ipynb"' in first_answer(process, notebook)
    finally:
        process.terminate()
        process.communicate()
