"""Is this machine ready for the course? One row a requirement, with the next step if it fails."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from course_utils import data
from course_utils.setup import bootstrap, kernel, pins
from course_utils.setup.messages import SetupError, few

GIB = 2**30
MEMORY_NEEDED = 1.5  # GiB free; no lesson's default run takes more
DISK_NEEDED = 0.5  # GiB free, for executed lessons and saved models
CORES_NEEDED = 2
BYTES_WRITTEN = 1024


class Row(NamedTuple):
    """One requirement: what was found, what is needed, the next step if they do not agree."""

    what: str
    found: str
    needed: str
    passed: bool
    next_step: str


class MachineReport(tuple[Row, ...]):
    """Rows of `check_machine`; as the last expression of a cell it shows a table."""

    @property
    def ready(self) -> bool:
        """True when every requirement is met."""
        return all(row.passed for row in self)

    def __repr__(self) -> str:
        """Return the table as text, a failed row followed by its next step."""
        head = ("", "requirement", "found", "needed")
        rows = [("pass" if r.passed else "FAIL", r.what, r.found, r.needed) for r in self]
        widths = [max(len(row[i]) for row in (head, *rows)) for i in range(4)]
        lines = ["  ".join(t.ljust(w) for t, w in zip(head, widths, strict=True)).rstrip()]
        for row, cells in zip(self, rows, strict=True):
            lines.append("  ".join(t.ljust(w) for t, w in zip(cells, widths, strict=True)).rstrip())
            if not row.passed:
                lines.append(f"      next step: {row.next_step}")
        failed = sum(not row.passed for row in self)
        lines.append("" if failed else "\nThis machine is ready.")
        return "\n".join(lines).rstrip()


def check_machine(data_folder: Path = data.DATA_FOLDER) -> MachineReport:
    """Check Python, packages, settings, TensorFlow's arithmetic, cores, memory, disk and data."""
    rows = (_python(), _packages(), _settings(), _tensorflow(), _cores(), _memory(), _disk())
    return MachineReport((*rows, *_data(data_folder)))


def _python() -> Row:
    return Row(
        "Python",
        platform.python_version(),
        "3.11 to 3.13",
        bootstrap.OLDEST <= sys.version_info[:2] <= bootstrap.NEWEST,
        "install Python 3.13, then run `python3 -m course_utils lab` with it",
    )


def _packages() -> Row:
    what = "packages as pinned"
    try:
        wanted = bootstrap.wanted(data.DATA_FOLDER.parent)
    except SetupError as error:
        return Row(what, "no list of pins", bootstrap.PINS, False, str(error))
    wrong = pins.missing(wanted, sys.path)
    return Row(
        what,
        f"{len(wanted) - len(wrong)} of {len(wanted)}",
        f"{len(wanted)} of {len(wanted)}",
        not wrong,
        f"run `python3 -m course_utils lab`, which installs: {few(wrong)}",
    )


def _settings() -> Row:
    left = kernel.left()
    return Row(
        "settings that change results",
        f"{len(left)} left" if left else "none left",
        "none left",
        not left,
        "; ".join(f"{setting}: {step}" for setting, step in left.items()),
    )


def _tensorflow() -> Row:
    try:
        import tensorflow as tf

        found = f"{float(tf.reduce_sum(tf.range(5.0) ** 2)):g}"
    except Exception as error:  # whatever stops TensorFlow is the finding
        found = f"{type(error).__name__}: {error}".splitlines()[0][:60]
    return Row(
        "TensorFlow: 0² + 1² + … + 4²",
        found,
        "30",
        found == "30",
        "delete the folder .venv and run `python3 -m course_utils lab` again",
    )


def _cores() -> Row:
    cores = os.cpu_count() or 1
    found = str(cores) if cores >= CORES_NEEDED else f"{cores}: lessons take longer than stated"
    return Row("processor cores", found, f"1, better {CORES_NEEDED}", True, "")


def _memory() -> Row:
    import psutil

    free = psutil.virtual_memory().available / GIB
    step = "close other programs and notebooks (Kernel, Shut Down All Kernels)"
    return Row(
        "free memory", f"{free:.1f} GiB", f"{MEMORY_NEEDED} GiB", free >= MEMORY_NEEDED, step
    )


def _disk() -> Row:
    try:
        with tempfile.TemporaryFile() as file:  # finds no folder, or cannot write, on a full disk
            file.write(bytes(BYTES_WRITTEN))
        free = shutil.disk_usage(tempfile.gettempdir()).free / GIB
        found, passed = f"{free:.1f} GiB", free >= DISK_NEEDED
    except OSError:
        found, passed = "not writable", False
    return Row(
        "free disk for temporary files",
        found,
        f"{DISK_NEEDED} GiB",
        passed,
        "free some space, or set the environment variable TMPDIR to a folder that has it",
    )


def _data(folder: Path) -> list[Row]:
    try:
        names = data.data_files(folder)
    except data.DataError as error:
        return [Row("data files", "no list of checksums", "checksums.toml", False, str(error))]
    rows = []
    for name in names:
        try:
            data.read_checked(name, folder)
            rows.append(Row(f"data: {name}", "SHA-256 agrees", "SHA-256 agrees", True, ""))
        except data.DataError as error:
            rows.append(Row(f"data: {name}", "does not agree", "SHA-256 agrees", False, str(error)))
    return rows
