"""No setting of the reader's changes a page: each way to run one, in an account full of them."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from course_utils.setup import isolation
from course_utils.setup.messages import SetupError
from tests.setup.planted import AT_THE_START, FILES, bare, plant

COPIED = (
    *("course_utils", "conftest.py", "pyproject.toml", "requirements.txt", "requirements.lock"),
    *("tests/__init__.py", "tests/pairing.py", "tests/patience.py", "tests/unlisted.py"),
    "tests/nbval_sanitize.cfg",
)
CONTENTS = """
title = "A small course"
[[lesson]]
file = "00_page.ipynb"
part = "I. Concepts"
title = "A page"
minutes = 20
seconds = 1
smoke = { epochs = 3 }
full = { epochs = 3 }
"""
CELLS = {
    "setup": "from course_utils import environment\n\nenvironment.start()",
    "parameters": "epochs: int = 3  # passes, 1 to 9",
    "train": """\
import keras
import numpy as np

environment.set_seed(0)
layers = [keras.layers.Conv2D(4, 3), keras.layers.Flatten(), keras.layers.Dense(2)]
model = keras.Sequential([keras.Input((6, 5, 1)), *layers])
model.compile("adam", "mse")
history = model.fit(np.ones((8, 6, 5, 1)), np.zeros((8, 2)), epochs=epochs, verbose=0)
model.summary()
(history.history["loss"], keras.config.epsilon(), model.get_weights())""",
    "shown": "1.25\n2 / 3",
    "draw": """\
import matplotlib.pyplot as plt
from course_utils import style

figure, axes = plt.subplots()
axes.plot([1, 2, 3])
axes.set_title("$x^2$")
style.show(figure, "A line that rises from 1 to 3, drawn in the course's style.")""",
    "loopback": """\
import http.server, threading, urllib.request

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"answered")
    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}").read()""",
    "threads": """\
import threadpoolctl

{pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"}""",
    "process": """\
import locale, os, subprocess, sys, time

locale.setlocale(locale.LC_ALL, "")
child = [sys.executable, "-c", "print(input(), 'β')"]
said = subprocess.run(child, input="β", text=True, capture_output=True).stdout
names = [name for name in os.environ if name.startswith(("UNKNOWN", "PYTEST_ADD", "JPY_SESSION"))]
[f"{1234.5:n}", time.strftime("%H:%M", time.localtime(0)), sys.flags.optimize, said, names]""",
}


def page() -> nbformat.NotebookNode:
    cells = [nbformat.v4.new_code_cell(source, id=name) for name, source in CELLS.items()]
    for cell in cells:
        tags = ["parameters"] if cell.id == "parameters" else ["nbval-check-output"]
        cell.metadata["tags"] = tags
    return nbformat.v4.new_notebook(cells=cells)


def outputs(path: Path) -> dict[str, list]:
    return {cell.id: cell.get("outputs") for cell in nbformat.read(path, as_version=4).cells}


class Project:
    """A course of one page, executed in this account; `planted` is another account's variables."""

    def __init__(self, folder: Path):
        self.root, self.home = folder / "project", folder / "home"
        for name in COPIED:
            source, target = isolation.ROOT / name, self.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        (self.root / "README.md").write_text("<!-- lessons -->\n<!-- /lessons -->\n")
        self.page = self.root / "notebooks" / "00_page.ipynb"
        self.page.parent.mkdir()
        (self.page.parent / "course.toml").write_text(CONTENTS)
        (self.page.parent / "glossary.md").write_text("# Glossary\n")
        nbformat.write(page(), self.page)
        self.planted = plant(self.home)

    def command(self, *words: str, variables: dict | None = None) -> str:
        """Run a command of the course to its end; return what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "course_utils", *words],
            cwd=self.root,
            env=variables or bare(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("isolation"))
    project.command("execute", "00")
    return project


@pytest.fixture
def planted(project):
    """The variables of the account full of settings; some files lie beside the page, too."""
    for name in ("matplotlibrc", "keras.py"):
        text = next(text for path, text in FILES.items() if path.endswith(name))
        (project.page.parent / name).write_text(text)
    return {**project.planted, **AT_THE_START}


def test_execute_writes_the_same_bytes(project, planted):
    before = project.page.read_bytes()
    project.command("execute", "00", variables=planted)
    assert project.page.read_bytes() == before


def test_run_gets_the_same_outputs(project, planted):
    project.command("run", "00", "--name", "planted", variables=planted)
    copy = project.root / "build" / "runs" / "planted" / "00_page" / "00_page.ipynb"
    assert outputs(copy) == outputs(project.page)


def test_nbval_finds_the_same_outputs(project, planted):
    said = project.command("test", "notebooks/00_page.ipynb", "-q", variables=planted)
    assert f"{len(CELLS)} passed" in said


def test_nothing_is_left_in_the_home_but_what_was_planted(project):
    found = {path for path in project.home.rglob("*") if path.is_file()}
    assert found == {project.home / name for name in FILES}


PAPERMILL = """
import sys, papermill
papermill.execute_notebook(*sys.argv[1:], kernel_name="python3", progress_bar=False)
"""


def test_a_kernel_that_others_started_computes_the_same_and_names_what_stays(project, tmp_path):
    own = os.path.join(sys.prefix, "share", "jupyter")
    variables = {**project.planted, "PYTHONOPTIMIZE": "1", "JUPYTER_PATH": own}
    path = [str(project.home / "other path"), str(project.root)]
    variables["PYTHONPATH"] = os.pathsep.join(path)
    copy = tmp_path / "copy.ipynb"
    command = [sys.executable, "-c", PAPERMILL, str(project.page), str(copy)]
    done = subprocess.run(command, env=variables, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    expected, found = outputs(project.page), outputs(copy)
    for name in CELLS.keys() - {"setup", "process"}:
        assert found[name] == expected[name], name
    versions, *lines = found["setup"][0]["text"].splitlines()
    assert [versions] == expected["setup"][0]["text"].splitlines()
    stays = "A setting that can change results stays: "
    assert all(line.startswith(stays) and ". Next step: " in line for line in lines)
    start_up = project.home / ".ipython/profile_default/startup/00.py"
    expected = ["hides wave", f"before the lesson: {start_up}", "exec_lines", "skips `assert`"]
    assert all(text in "".join(lines) for text in expected)


# --- the parts


def test_what_a_process_inherits_is_the_same_from_everybody(project, planted):
    clean = isolation.environment({**bare(), "USERPROFILE": "", "TZ": ""})
    found = isolation.environment(planted)
    proxies = {name for name in found if name.lower().endswith("_proxy")} - {"NO_PROXY", "no_proxy"}
    differ = {name for name in found if clean.get(name) != found[name]} - {"PYTEST_CURRENT_TEST"}
    assert differ == {"HOME", "USERPROFILE", "TZ", *proxies}
    assert clean.keys() <= found.keys()
    assert isolation.environment(found) == found  # so a command starts itself again only once


def test_jupyterlab_keeps_what_is_the_readers():
    mine = {"JUPYTERHUB_API_TOKEN": "x", "JUPYTER_CONFIG_DIR": "/mine", "LANG": "tr_TR.UTF-8"}
    mine |= {"OPENBLAS_CORETYPE": "Haswell", "HTTPS_PROXY": "http://p", "JUPYTER_PATH": "/mine"}
    taken = dict.fromkeys(("KERAS_BACKEND", "TF_X", "MPLBACKEND", "PYTHONOPTIMIZE"), "planted")
    found = isolation.jupyterlab_environment({**mine, **taken})
    own = os.path.join(sys.prefix, "share", "jupyter")
    assert found.pop("JUPYTER_PATH") == os.pathsep.join([own, mine.pop("JUPYTER_PATH")])
    assert mine.items() <= found.items()
    assert "planted" not in found.values()
    assert found["NO_PROXY"] == "localhost,127.0.0.1,::1"
    assert "NO_PROXY" not in isolation.jupyterlab_environment({})  # the system's own proxies hold


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "localhost,127.0.0.1,::1"),
        ({"no_proxy": " a.org, ::1 ,"}, "a.org,::1,localhost,127.0.0.1"),
        ({"NO_PROXY": "a.org", "no_proxy": "b.org"}, "a.org,b.org,localhost,127.0.0.1,::1"),
        ({"NO_PROXY": "*"}, "*"),
    ],
)
def test_no_proxy_is_extended(given, expected):
    assert set(isolation.no_proxy(given).values()) == {expected}


def test_the_folder_of_settings_is_repaired_and_stays_small(tmp_path, monkeypatch):
    monkeypatch.setattr(isolation.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = isolation.settings_folder()
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == isolation.FILES.keys()
    (folder / "keras" / "keras.json").write_text("{")
    old, new = (folder / "jupyter_runtime" / f"kernel-{n}.json" for n in (1, 2))
    for path in (old, new):
        path.write_text("{}")
    os.utime(old, (time.time() - 2 * isolation.WEEK,) * 2)
    assert isolation.settings_folder() == folder
    assert json.loads((folder / "keras" / "keras.json").read_text())["backend"] == "tensorflow"
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.skipif(os.name == "nt", reason="there the folder is the account's own")
@pytest.mark.parametrize("kind", ["open to all", "a link", "a file", "another account's"])
def test_a_folder_of_settings_that_others_may_change_is_refused(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(isolation.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = tmp_path / f"course_utils-{os.getuid()}"
    if kind == "a link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "elsewhere")
    elif kind == "a file":
        folder.touch(mode=0o600)
    else:
        folder.mkdir(mode=0o700)
    if kind == "open to all":
        folder.chmod(0o777)
    elif kind == "another account's":
        found, there = os.getuid(), folder.rename
        monkeypatch.setattr(os, "getuid", lambda: found + 1)
        there(tmp_path / f"course_utils-{found + 1}")
    with pytest.raises(SetupError, match="the course's settings cannot be written"):
        isolation.settings_folder()


def test_warnings_are_those_of_python_without_options():
    shown = "import warnings; print([(f[0], f[2], f[3] is None) for f in warnings.filters])"
    taken = "from course_utils.setup import kernel; kernel.take_settings_away();"
    plain = [sys.executable, "-c", shown]
    strict = [sys.executable, "-W", "error", "-c", taken + shown]
    found = [subprocess.run(command, capture_output=True).stdout for command in (plain, strict)]
    assert found[0] == found[1] != b""
