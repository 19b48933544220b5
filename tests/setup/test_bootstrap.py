import ast
import importlib.util
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import threading
from importlib import metadata
from pathlib import Path

import pytest

import course_utils
from course_utils import __main__
from course_utils.setup import bootstrap, pins
from tests import HANG
from tests.setup.toy_project import (
    TOY,
    Project,
    SlowIndex,
    package_files,
    write_wheel,
)

needs_ensurepip = pytest.mark.skipif(
    importlib.util.find_spec("ensurepip") is None, reason="this Python has no ensurepip"
)
posix = pytest.mark.skipif(os.name == "nt", reason="signals and terminals of POSIX systems")


@pytest.fixture(scope="module")
def first_use(tmp_path_factory):
    if importlib.util.find_spec("ensurepip") is None:
        pytest.skip("this Python has no ensurepip")
    project = Project.create(tmp_path_factory.mktemp("first_use"))
    return project, project.run("test")


@pytest.fixture
def fresh(tmp_path):
    return Project.create(tmp_path)


@pytest.fixture
def ready(first_use, tmp_path):
    return first_use[0].copy(tmp_path)


def set_up_said(result) -> bool:
    return "Setting up the course" in result.stderr


def lines_until(process: subprocess.Popen, text: str) -> None:
    """Read what the process says up to a line with `text`."""
    stop = threading.Timer(HANG, process.kill)
    stop.start()
    try:
        for line in process.stderr:
            if text in line:
                return
    finally:
        stop.cancel()
    pytest.fail(f"the process ended, or was ended, without saying {text!r}")


def finish(process: subprocess.Popen) -> tuple[str, str]:
    """Return the rest of the process's output and errors."""
    try:
        return process.communicate(timeout=HANG)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise


# --- the normal course of things


def test_the_first_use_sets_up_and_runs_the_command(first_use):
    project, result = first_use
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"toy 1.0 in {project.venv} with ['-n', '2']\n"
    shown = [line.strip() for line in result.stderr.splitlines()]
    shown = [line for line in shown if not re.match(r"\d+ s ", line)]  # what a slow machine shows
    assert shown[0].startswith(f"Setting up the course in {project.venv}")
    assert shown[1] == f"1 of 3: .venv with Python {platform.python_version()}"
    assert shown[2:4] == ["2 of 3: pip", "3 of 3: the packages of requirements.lock"]
    assert shown[-1].startswith("Set-up done after")
    assert "toy-1.0" in project.log.read_text(encoding="utf-8")
    assert pins.missing({"toy": "1.0"}, sys.path), "the calling Python must stay as it was"


def test_the_second_use_sets_up_nothing(ready):
    before = ready.files()
    result = ready.run("test")
    assert (result.returncode, result.stderr) == (0, "")
    assert ready.files() == before


def test_the_exit_code_and_the_arguments_pass_through(ready):
    result = ready.run("test", "7", "-k", "a or b", "--x=1")
    assert result.returncode == 7
    assert "with ['7', '-k', 'a or b', '--x=1']" in result.stdout


def test_nothing_is_created_where_the_pins_are_installed(fresh):
    fresh.pin(f"pytest=={metadata.version('pytest')}  # the real one, of this environment")
    before = fresh.files()
    result = fresh.run("test", "--version")
    assert result.returncode == 0
    assert not set_up_said(result)
    assert fresh.files() == before


def test_a_venv_made_by_hand_is_used_as_it_is(ready):
    for name in (bootstrap.STAMP, bootstrap.LOCK, bootstrap.LOG):
        (ready.venv / name).unlink()
    before = ready.files()
    result = ready.run("test")
    assert (result.returncode, result.stderr) == (0, "")
    assert ready.files() == before


def test_the_command_works_from_another_folder(ready, tmp_path):
    ready.environment["PYTHONPATH"] = str(ready.root)
    result = ready.run("test", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("inside", [False, True], ids=["from outside", "inside .venv"])
def test_changed_requirements_are_noticed(ready, inside):
    python = str(bootstrap.venv_python(ready.venv)) if inside else sys.executable
    ready.pin("# newer", "", "toy==2.0")
    result = ready.run("test", python=python)
    assert result.stdout.startswith("toy 2.0 in"), result.stderr
    assert not set_up_said(ready.run("test", python=python))


def test_a_package_changed_by_hand_is_put_right(ready):
    pip = [bootstrap.venv_python(ready.venv), "-m", "pip", "install", "toy==2.0"]
    subprocess.run(pip, env=ready.environment, check=True, capture_output=True)
    assert ready.run("test").stdout.startswith("toy 1.0 in")


def test_a_missing_package_that_only_the_lock_names_is_put_right(ready):
    (info,) = ready.site_packages().glob("packaging-*.dist-info")
    shutil.rmtree(info)
    result = ready.run("test")
    assert result.stdout.startswith("toy 1.0 in"), result.stderr
    assert info.is_dir()


@posix
def test_a_terminal_gets_a_live_line(ready):
    import pty

    ready.stamp.unlink()
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "course_utils", "test"],
        cwd=ready.root,
        env=ready.environment,
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    ):
        os.close(terminal)
        shown = b""
        try:
            while part := os.read(controller, 4096):
                shown += part
        except OSError:  # Linux reports the closed terminal so
            pass
        os.close(controller)
    assert re.search(rb"\r +\d+ s", shown)
    assert b"Set-up done after" in shown


# --- settings of the user


def test_settings_that_change_what_is_installed_or_where_do_not_reach_pip(ready, tmp_path):
    """The index comes from a configuration file; all else in it and around it is refused."""
    elsewhere = tmp_path / "elsewhere"
    settings = tmp_path / "pip.conf"
    settings.write_text(
        f"[global]\nno-index = true\nfind-links = {ready.wheels.as_uri()}\n"
        f"[install]\ntarget = {elsewhere}\nroot = {elsewhere}\nno-deps = true\npre = true\n",
        encoding="utf-8",
    )
    # pip would take a package on PYTHONPATH for installed.
    (info,) = ready.site_packages().glob("packaging-*.dist-info")
    shadow = Path(shutil.move(info, tmp_path / "shadow" / info.name))
    del ready.environment["PIP_NO_INDEX"], ready.environment["PIP_FIND_LINKS"]
    ready.environment.update(
        PIP_CONFIG_FILE=str(settings),
        PIP_DRY_RUN="1",
        PIP_PREFIX=str(elsewhere),
        PIP_TARGET=str(elsewhere),
        PIP_USER="1",
        PIP_CONSTRAINT=str(tmp_path / "no such file"),
        PIP_NO_BINARY=":all:",
        PIP_REPORT=str(elsewhere),
        PYTHONPATH=str(shadow.parent),
        PYTHONWARNINGS="error",
    )
    ready.pin("toy==2.0")
    result = ready.run("test")
    assert result.stdout.startswith(f"toy 2.0 in {ready.venv}"), result.stderr
    assert info.is_dir()
    assert not elsewhere.exists()


# --- interruptions and broken states


@posix
@needs_ensurepip
def test_a_killed_set_up_is_finished_after_its_pip_has_ended(fresh):
    with SlowIndex(fresh) as index:
        with fresh.start("test") as killed:
            assert index.requested.wait(HANG)
            killed.kill()
            killed.communicate()
        assert not fresh.stamp.exists()
        with fresh.start("test") as following:  # the killed set-up's pip still runs
            lines_until(following, "waiting for another set-up")
            index.release.set()
            output, _ = finish(following)
    assert following.returncode == 0
    assert output.startswith("toy 1.0 in")
    assert fresh.stamp.exists()


@posix
@pytest.mark.parametrize("to_all", [True, False], ids=["Ctrl-C", "signal to the parent alone"])
def test_an_interrupted_set_up_is_finished_by_the_next_call(ready, to_all):
    ready.pin("toy==2.0")
    with SlowIndex(ready) as index:
        with ready.start("test") as process:
            assert index.requested.wait(HANG)
            if to_all:
                os.killpg(process.pid, signal.SIGINT)
            else:
                process.send_signal(signal.SIGINT)
            output, errors = finish(process)
        assert (process.returncode, output) == (130, "")
        assert "The same command again finishes" in errors
        assert not ready.stamp.exists()
        index.release.set()
        result = ready.run("test")
    assert result.stdout.startswith("toy 2.0 in"), result.stderr
    assert "waiting" not in result.stderr, "the interrupted set-up left its pip running"


def test_a_half_installed_package_is_installed_again(ready):
    """The state after a kill between pip's last file of a package and its INSTALLER file."""
    site = ready.site_packages()
    ready.stamp.unlink()
    (site / "toy-1.0.dist-info" / "INSTALLER").unlink()
    shutil.rmtree(site / "pytest")
    result = ready.run("test")
    assert result.stdout.startswith("toy 1.0 in"), result.stderr


def test_a_half_installed_pip_is_installed_again(ready):
    ready.stamp.unlink()
    (next(ready.site_packages().glob("pip-*.dist-info")) / "INSTALLER").unlink()
    shutil.rmtree(ready.site_packages() / "pip")
    result = ready.run("test")
    assert result.stdout.startswith("toy 1.0 in"), result.stderr


def test_a_venv_without_a_working_python_is_rebuilt(ready):
    python = bootstrap.venv_python(ready.venv)
    python.unlink()
    if os.name != "nt":
        python.symlink_to("/no/such/python")  # as after an update of the system's Python
    (ready.venv / "left over").mkdir()
    result = ready.run("test")
    assert result.stdout.startswith("toy 1.0 in"), result.stderr
    assert not (ready.venv / "left over").exists()


def test_two_at_once_set_up_once(ready):
    ready.pin("toy==2.0")
    with SlowIndex(ready) as index, ready.start("test") as first:
        assert index.requested.wait(HANG)
        with ready.start("test") as second:
            lines_until(second, "waiting for another set-up")
            index.release.set()
            for process in (first, second):
                output, errors = finish(process)
                assert process.returncode == 0, errors
                assert output.startswith("toy 2.0 in")
    assert index.downloads == 1


# --- systems where something is missing


@pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="this environment has no pip")
def test_without_ensurepip_the_pip_outside_helps(fresh):
    import pip

    write_wheel(fresh.wheels, "pip", pip.__version__, package_files(pip))
    fresh.hide("ensurepip")
    result = fresh.run("test")
    assert result.stdout.startswith("toy 1.0 in"), result.stderr
    assert (fresh.site_packages() / "pip").is_dir()


def test_without_any_pip_the_message_says_what_to_install(fresh, tmp_path):
    programs = tmp_path / "programs"
    programs.mkdir()
    apt = programs / ("apt.exe" if os.name == "nt" else "apt")
    apt.touch(mode=0o755)
    fresh.environment["PATH"] = str(programs)
    result = fresh.run("test", python=fresh.hide("ensurepip", "pip"))
    assert result.returncode == 1
    version = "{}.{}".format(*sys.version_info)
    assert f"Install it with `sudo apt install python{version}-venv`." in result.stderr
    assert "has neither `ensurepip` nor `pip`" in result.stderr
    assert not fresh.stamp.exists()


def test_without_the_venv_module_the_message_says_what_to_install(fresh):
    python = fresh.hide("venv")
    shutil.rmtree(fresh.venv)
    result = fresh.run("test", python=python)
    assert result.returncode == 1
    assert "-m venv` does not work here:\n" in result.stderr
    assert "No module named venv" in result.stderr
    assert "Then repeat the command" in result.stderr


@posix
def test_a_folder_with_the_separator_of_paths_is_named_before_anything_is_made(fresh):
    root = fresh.root.rename(fresh.root.with_name("course: one"))
    result = fresh.run("test", cwd=root)
    assert result.returncode == 1
    assert result.stderr == (
        "error: the path of the course's folder contains `:`, where Python cannot make an "
        f"environment: {root}\nRename the folder, then repeat the command.\n"
    )
    assert not (root / ".venv").exists()


def test_a_venv_that_cannot_be_written_is_named(fresh):
    fresh.venv.write_text("a file where the folder should be")
    result = fresh.run("test")
    assert result.returncode == 1
    assert f"error: cannot set up {fresh.venv}" in result.stderr


def test_an_intel_mac_is_told_before_anything_is_made(fresh, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    with pytest.raises(bootstrap.SetupError, match="no package for Macs with an Intel"):
        bootstrap.set_up(fresh.root)
    assert not fresh.venv.exists()


# --- pip fails


def test_a_version_that_does_not_exist_is_reported_and_then_finished(ready):
    ready.pin("toy==3.0")
    result = ready.run("test")
    assert result.returncode == 1
    assert "No matching distribution found for toy==3.0" in result.stderr
    assert "no such version for this system and this Python" in result.stderr
    assert f"The whole output is in {ready.log}." in result.stderr
    assert not ready.stamp.exists()
    write_wheel(ready.wheels, "toy", "3.0", {"pytest/__init__.py": "", "pytest/__main__.py": TOY})
    ready.pin("toy==3.0")
    assert ready.run("test").stdout.startswith("toy 3.0 in")


def test_an_index_that_is_not_reached_is_reported(ready):
    ready.pin("toy==2.0")
    del ready.environment["PIP_NO_INDEX"], ready.environment["PIP_FIND_LINKS"]
    ready.environment.update(PIP_RETRIES="1", PIP_INDEX_URL="http://127.0.0.1:9/simple")
    result = ready.run("test")
    assert result.returncode == 1
    assert "The package index was not reached. Check the network" in result.stderr


def test_a_file_that_was_altered_is_refused(ready):
    ready.pin("toy==2.0")
    write_wheel(ready.wheels, "toy", "2.0", {"pytest/__main__.py": "print('altered')"})
    result = ready.run("test")
    assert result.returncode == 1
    assert "A file is not the one that requirements.lock names" in result.stderr
    assert f"`{bootstrap.venv_python(ready.venv)} -m pip cache purge`" in result.stderr


def test_a_pip_that_does_nothing_is_not_believed(ready):
    ready.pin("toy==2.0")
    (ready.site_packages() / "pip" / "__main__.py").write_text("", encoding="utf-8")
    result = ready.run("test")
    assert result.returncode == 1
    python = bootstrap.venv_python(ready.venv)
    assert f"pip reported success, but {python} does not find toy==2.0." in result.stderr
    assert f"Delete {ready.venv} and repeat the command" in result.stderr
    assert not ready.stamp.exists()


# --- the lists of pins


def test_a_bad_line_stops_the_command_before_the_set_up(fresh):
    (fresh.root / "requirements.txt").write_text("toy\n", encoding="utf-8")
    result = fresh.run("test")
    assert result.returncode == 1
    assert "line 1: expected `name==version`, found `toy`" in result.stderr
    assert not fresh.venv.exists()


def test_a_lock_that_is_stale_stops_the_command_before_the_set_up(fresh):
    (fresh.root / "requirements.txt").write_text("toy==2.0\n", encoding="utf-8")
    result = fresh.run("test")
    assert result.returncode == 1
    assert "requirements.txt was changed after requirements.lock was made from it" in result.stderr
    assert not fresh.venv.exists()


# --- the version of Python


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 14, 0)])
def test_a_python_outside_the_range_is_named(monkeypatch, version):
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(bootstrap.SetupError) as error:
        __main__.main(["test"])
    found = ".".join(map(str, version))
    assert f"needs Python 3.11 to 3.13; this is Python {found} ({sys.executable})" in str(
        error.value
    )


PACKAGE = Path(course_utils.__file__).parent


@pytest.mark.parametrize(
    "path", [PACKAGE / "__main__.py", *(PACKAGE / "setup").glob("*.py")], ids=lambda path: path.name
)
def test_old_pythons_can_read_the_set_up(path):
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))


OLD_PYTHONS = sorted(Path.home().glob(".pyenv/versions/3.[89].*/bin/python"))


@pytest.mark.parametrize("python", OLD_PYTHONS, ids=lambda path: path.parts[-3])
def test_an_old_python_gets_help_and_a_message(fresh, python):
    shown = fresh.run("--help", python=python)
    assert (shown.returncode, shown.stderr) == (0, "")
    refused = fresh.run("test", python=python)
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: the course needs Python 3.11 to 3.13; this is")
    assert not fresh.venv.exists()
