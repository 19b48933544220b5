"""The machine check: ready here; each requirement that fails says what to do."""

import errno
import os
import shutil
import sys
import tempfile
from types import SimpleNamespace

import psutil
import pytest
import tensorflow as tf

from course_utils import data
from course_utils.machine import check_machine
from course_utils.setup import bootstrap, kernel, pins
from course_utils.setup.messages import SetupError

GIB = 2**30
PINS = len(bootstrap.wanted(data.DATA_FOLDER.parent))


@pytest.fixture(autouse=True)
def enough(monkeypatch):
    """Cores, memory and disk of a sufficient machine, whatever runs beside the tests."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1.5 * GIB))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0.5 * GIB))


def test_every_requirement_is_met_here():
    report = check_machine()
    assert [(row.what, row.found) for row in report if not row.passed] == []
    assert report.ready
    lines = repr(report).splitlines()
    assert lines[0].split() == ["requirement", "found", "needed"]
    assert lines[-2:] == ["", "This machine is ready."]
    rows = lines[1:-2]
    assert len(rows) == len(report) == 7 + len(data.data_files())
    assert all(line.startswith("pass  ") for line in rows)
    assert "next step" not in repr(report)
    for column in ("found", "needed"):  # aligned
        start = lines[0].index(column)
        assert all(line[start - 2 : start] == "  " and line[start] != " " for line in rows)


def test_the_needed_python_is_the_one_that_the_set_up_accepts():
    oldest, newest = (".".join(map(str, v)) for v in (bootstrap.OLDEST, bootstrap.NEWEST))
    assert check_machine()[0].needed == f"{oldest} to {newest}"


def no_temporary_folder(monkeypatch):
    def none_usable():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none_usable)
    monkeypatch.setattr(tempfile, "TemporaryFile", none_usable)


def disk_full(monkeypatch):
    class Full:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            return False

        def write(self, content):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", Full)


def no_pins(monkeypatch):
    def missing(root):
        raise SetupError("requirements.txt is missing. Clone it again.")

    monkeypatch.setattr(bootstrap, "wanted", missing)


TENSORFLOW = "TensorFlow: 0² + 1² + … + 4²"
FAILURES = {
    "old Python": (
        lambda m: m.setattr(bootstrap, "OLDEST", (3, 99)),
        ("Python", None, "install Python 3.13, then run `python3 -m course_utils lab` with it"),
    ),
    "new Python": (
        lambda m: m.setattr(bootstrap, "NEWEST", (3, 10)),
        ("Python", None, "install Python 3.13, then run `python3 -m course_utils lab` with it"),
    ),
    "packages": (
        lambda m: m.setattr(pins, "missing", lambda wanted, path: ["keras==1.0", "rich==2.0"]),
        (
            "packages as pinned",
            f"{PINS - 2} of {PINS}",
            "run `python3 -m course_utils lab`, which installs: keras==1.0, rich==2.0",
        ),
    ),
    "no pins": (
        no_pins,
        ("packages as pinned", "no list of pins", "requirements.txt is missing. Clone it again."),
    ),
    "a setting": (
        lambda m: m.setattr(kernel, "left", lambda: {"PYTHONOPTIMIZE": "unset it"}),
        ("settings that change results", "1 left", "PYTHONOPTIMIZE: unset it"),
    ),
    "no TensorFlow": (
        lambda m: m.setitem(sys.modules, "tensorflow", None),
        (TENSORFLOW, "ModuleNotFoundError: import of tensorflow halted", "delete the folder .venv"),
    ),
    "wrong arithmetic": (
        lambda m: m.setattr(tf, "reduce_sum", lambda x: 30.5),
        (TENSORFLOW, "30.5", "delete the folder .venv and run `python3 -m course_utils lab` again"),
    ),
    "memory": (
        lambda m: m.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1.4 * GIB)),
        ("free memory", "1.4 GiB", "close other programs and notebooks"),
    ),
    "little disk": (
        lambda m: m.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0.3 * GIB)),
        ("free disk for temporary files", "0.3 GiB", "free some space, or set"),
    ),
    "full disk": (
        disk_full,
        ("free disk for temporary files", "not writable", "free some space, or set"),
    ),
    "no temporary folder": (
        no_temporary_folder,
        ("free disk for temporary files", "not writable", "environment variable TMPDIR"),
    ),
}


@pytest.mark.parametrize(("change", "expected"), FAILURES.values(), ids=FAILURES)
def test_a_failed_requirement_is_the_only_one_and_names_the_next_step(
    monkeypatch, change, expected
):
    change(monkeypatch)
    report = check_machine()
    assert not report.ready
    (failed,) = (row for row in report if not row.passed)
    assert_shown(report, failed, *expected)


def assert_shown(report, failed, what, found, next_step):
    assert failed.what == what
    if found is not None:
        assert failed.found.startswith(found)
    lines = repr(report).splitlines()
    (number,) = (i for i, line in enumerate(lines) if line.startswith("FAIL"))
    assert lines[number].startswith(f"FAIL  {what} ")
    assert failed.found in lines[number]
    assert lines[number + 1].startswith("      next step: ")
    assert next_step in lines[number + 1]
    assert "ready" not in lines[-1]


def test_a_damaged_data_file_and_a_missing_list_are_failures_too(tmp_path):
    for name in {data.CHECKSUMS, *data.data_files()} - {"mnist.npz"}:
        shutil.copy(data.DATA_FOLDER / name, tmp_path)
    report = check_machine(tmp_path)
    assert_shown(
        report,
        next(row for row in report if row.what == "data: mnist.npz"),
        "data: mnist.npz",
        "does not agree",
        f"{tmp_path / 'mnist.npz'} is missing; expected a file of",
    )
    (tmp_path / data.CHECKSUMS).unlink()
    report = check_machine(tmp_path)
    assert_shown(
        report, report[-1], "data files", "no list of checksums", "checksums.toml is missi"
    )


def test_several_failures_are_all_shown(monkeypatch, tmp_path):
    disk_full(monkeypatch)
    shown = repr(check_machine(tmp_path))
    assert shown.count("FAIL  ") == shown.count("next step: ") == 2


@pytest.mark.parametrize("cores", [1, None])
def test_one_core_is_slow_and_no_failure(monkeypatch, cores):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    row = next(row for row in check_machine() if row.what == "processor cores")
    assert row.passed
    assert row.found == "1: lessons take longer than stated"
