"""`lab`: what JupyterLab is started with, and one real start."""

import json
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
from course_utils.contents import CONTENTS, read_contents
from course_utils.reading import cli, copies
from course_utils.reading.servers import Lock, running_server
from course_utils.setup import bootstrap

ROOT = CONTENTS.parent.parent
COMMAND = [sys.executable, "-m", "course_utils"]
CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture
def lab(monkeypatch, tmp_path):
    """Return JupyterLab's command line for the arguments of `lab`, with copies in tmp_path."""
    caught = []

    def become(command, environ):
        assert environ["PYTHONPATH"] == str(ROOT)  # kernels find the course in any environment
        caught.append(command)
        return 0

    monkeypatch.setattr(bootstrap, "become", become)
    monkeypatch.setattr(bootstrap, "ensure_environment", lambda root, arguments: None)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.chdir(ROOT)

    def call(*arguments, work="copies"):
        where = ["--work", str(tmp_path / work)] if work else []
        assert __main__.main(["lab", *where, *arguments]) == 0
        return caught.pop()

    return call


def options(command):
    return dict(word.partition("=")[::2] for word in command[3:])


def test_copies_are_opened_and_not_the_committed_pages(lab, tmp_path, capfd):
    found = options(lab())
    assert found["--ServerApp.root_dir"] == str(tmp_path / "copies")
    assert found["--LabApp.default_url"] == "/lab/tree/00_start_here.ipynb"
    assert capfd.readouterr() == ("", f"Your copies of the lessons are in {tmp_path}/copies.\n")
    names = {path.name for path in (tmp_path / "copies").glob("*.*")}
    assert {lesson.file for lesson in read_contents().lessons} <= names


def test_originals_are_the_committed_pages(lab, tmp_path):
    found = options(lab("--originals", work=None))
    assert found["--ServerApp.root_dir"] == str(ROOT)
    assert found["--LabApp.default_url"] == "/lab/tree/notebooks/00_start_here.ipynb"
    assert not list(tmp_path.iterdir())


def test_its_own_options_keep_their_meaning(lab):
    command = lab("--no-browser", "--port", "8899", "--ip", "0.0.0.0")
    assert {"--no-browser", "--port=8899", "--ip=0.0.0.0"} <= set(command)
    assert not {"--no-browser", "--port", "--ip"} & set(options(lab()))


@pytest.mark.parametrize(
    "given",
    [
        ["--ServerApp.base_url=/x/"],
        ["--ServerApp.port_retries=0", "--debug"],
        ["--config", "a b.py", "-y"],
        ["--LabApp.collaborative=True", "mine.ipynb"],
        ["--no-browsr"],
        ["--orignals"],
    ],
    ids=" ".join,
)
def test_other_options_go_to_jupyterlab_as_they_are(lab, given):
    command = lab("--no-browser", *given)
    assert command[-len(given) :] == given
    assert "--no-browser" in command


@pytest.mark.parametrize(
    ("given", "gone"),
    [
        ("--LabApp.default_url=/lab/tree/x.ipynb", ["--LabApp.default_url"]),
        ("--LabApp.news_url=http://localhost/", ["--LabApp.news_url"]),
        ("--ServerApp.root_dir=/", ["--ServerApp.root_dir", "--LabApp.default_url"]),
        ("--notebook-dir=/", ["--ServerApp.root_dir", "--LabApp.default_url"]),
        ("--allow-root", ["--allow-root"]),
    ],
)
def test_an_option_is_given_once(lab, given, gone):
    """JupyterLab refuses an option that it gets twice."""
    command = lab(given)
    assert command[-1] == given
    assert not set(gone) & set(options(command[:-1]))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(28, "No space left on device", "/w/02.ipynb"),
            "error: /w/02.ipynb: No space left on device. No copy was lost. Make room, or ",
        ),
        (cli.ReadingError("/w: found a file"), "error: /w: found a file\n"),
    ],
)
def test_where_copies_cannot_be_made_lab_says_so_and_ends(course, monkeypatch, capfd, error, said):
    def fails(*arguments):
        raise error

    monkeypatch.setattr(copies, "make_copies", fails)
    monkeypatch.setattr(bootstrap, "become", None)
    assert cli.open_copies(course.root, None) is None
    assert capfd.readouterr().err.startswith(said)


def test_a_damaged_course_toml_is_named(course, capfd):
    (course.root / "notebooks" / "course.toml").write_text("title =")
    assert cli.open_copies(course.root, None) is None
    assert "course.toml: not valid TOML" in capfd.readouterr().err


def test_a_folder_in_the_home_is_named_with_its_reason(course, monkeypatch, capfd, tmp_path):
    place = cli.Place(tmp_path / "home", tmp_path / "home", "course", "/srv cannot be written")
    place.folder.mkdir()
    monkeypatch.setattr(cli, "find_place", lambda root, wanted: place)
    assert cli.open_copies(course.root, None) == place
    (line,) = capfd.readouterr().err.splitlines()
    assert line == f"Your copies of the lessons are in {place.folder} (/srv cannot be written)."


def test_copies_can_be_made_without_jupyterlab(tmp_path):
    command = [sys.executable, "-m", "course_utils.reading", "--work", str(tmp_path / "copies")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, "")
    assert (tmp_path / "copies" / "00_start_here.ipynb").is_file()
    lock = Lock(tmp_path / "copies")
    assert lock.alone
    lock.release()


# One start of JupyterLab, for all that follows


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Start `lab` on copies in a folder of their own; return the folder and the address."""
    folder = tmp_path_factory.mktemp("lab")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    variables = {f"JUPYTER_{name}": str(folder / name) for name in settings}
    variables |= {f"JUPYTERLAB_{x}_DIR": str(folder / x) for x in ("SETTINGS", "WORKSPACES")}
    # JupyterLab's extension manager cannot use such a proxy
    variables |= dict.fromkeys(("ALL_PROXY", "http_proxy"), "socks5://127.0.0.1:9")
    words = ["--no-browser", "--ip", "127.0.0.1", "--port", str(port), "--work", f"{folder}/copies"]
    words += ["--ServerApp.base_url=/course/", "--ServerApp.port_retries=0"]
    process = subprocess.Popen(
        [*COMMAND, "lab", *words, "--LabApp.expose_app_in_browser=True"],
        cwd=ROOT,
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        page = f"http://127.0.0.1:{port}/course/lab/tree/00_start_here.ipynb?token="
        said = []
        for line in process.stderr:  # ends when JupyterLab does
            said.append(line)
            if page in line:
                break
        else:
            pytest.fail("JupyterLab ended without an address:\n" + "".join(said))
        yield folder, line[line.index("http") :].strip()
    finally:
        process.terminate()
        process.communicate()


def first_answer(address):
    """Return the page at `address`; the server prints its address before it accepts a call."""
    for _ in range(300):
        try:
            return urllib.request.urlopen(address).read().decode()
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
            time.sleep(0.2)
    pytest.fail(f"{address} did not answer")


def test_lab_serves_the_copies_and_is_known_to_run(running, monkeypatch):
    folder, address = running
    assert "<title>JupyterLab</title>" in first_answer(address)
    api = address.replace("/lab/tree/", "/api/contents/")
    assert '"path": "00_start_here.ipynb"' in first_answer(api + "&content=0")
    readme = api.replace("00_start_here.ipynb", "course/README.md") + "&content=0"
    assert '"name": "README.md"' in first_answer(readme)
    lock = Lock(folder / "copies")
    assert not lock.alone
    lock.release()
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "RUNTIME_DIR"))
    assert running_server(folder / "copies") == re.match(r".*/course/", address)[0]


@pytest.mark.skipif(not CHROMIUM.exists(), reason="/usr/bin/chromium is not installed")
def test_opening_a_copy_does_not_mark_it_as_changed(running, playwright_browser):
    folder, address = running
    first_answer(address)
    path = folder / "copies" / "00_start_here.ipynb"
    before = path.read_bytes()
    page = playwright_browser.new_page()
    page.goto(address + "&reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
    widget = "jupyterapp.shell.currentWidget"
    page.wait_for_function(
        f"{widget}.sessionContext.session?.kernel?.status === 'idle'", timeout=60_000
    )
    page.wait_for_function(  # what JupyterLab marks a copy for comes with this answer
        f"{widget}.context.model.getMetadata('language_info').version !== undefined"
    )
    page.wait_for_timeout(1000)
    assert page.evaluate(f"{widget}.context.model.dirty") is False
    assert page.locator(".lm-DockPanel-tabBar .jp-mod-dirty").count() == 0
    assert page.locator(".jp-CodeCell .jp-InputPlaceholder").count() >= 2  # setup and imports
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_timeout(500)
    assert json.loads(path.read_bytes()) == json.loads(before)
    assert path.read_bytes() == before


@pytest.fixture
def playwright_browser():
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()
