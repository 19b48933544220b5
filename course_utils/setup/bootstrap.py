"""Set-up of the course on a fresh machine: `.venv` in the project's folder, from requirements.lock.

Only the standard library is imported here, and the text parses on Python 3.8, so that an old
Python gets a message and not a SyntaxError. The order of the steps makes an interruption harmless
at any point: the stamp, which says that `.venv` is complete, goes first and comes back last.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from course_utils.setup import messages, pins, pip_settings
from course_utils.setup.messages import SetupError
from course_utils.setup.progress import LOG, Commands, Progress

OLDEST = (3, 11)
NEWEST = (3, 13)
PINS = "requirements.lock"
STAMP = "requirements.sha256"  # SHA-256 of the requirements.lock that is completely installed
LOCK = "setup.lock"
LINK = "course.pth"  # in site-packages: the course's folder, relative, so that a copy stays whole


def check_python() -> None:
    """Raise SetupError when the running Python is older or newer than the course supports."""
    if not OLDEST <= tuple(sys.version_info[:2]) <= NEWEST:
        raise SetupError(messages.wrong_python(OLDEST, NEWEST))


def ensure_environment(root: Path, arguments: list[str]) -> None:
    """Return if this Python has the packages of the course; else go on in `root/.venv`.

    `.venv` is made, finished or brought up to date when needed. Then this process becomes
    `.venv`'s Python running `-m course_utils` with the same `arguments`, and does not return.
    The working folder must be `root`. Raises SetupError.
    """
    pins.check_lock(root / "requirements.txt", root / PINS)
    whole = _is_complete(root) if runs_in_venv(root) else True
    if whole and not pins.missing(wanted(root), sys.path):
        return
    if not is_ready(root):
        set_up(root)
    # Either could put other packages, or another Python's, before those of .venv.
    environ = {n: v for n, v in os.environ.items() if n not in ("PYTHONPATH", "PYTHONHOME")}
    become([str(venv_python(root / ".venv")), "-m", "course_utils", *arguments], environ)


def wanted(root: Path) -> dict[str, str]:
    """Return the pins that the running Python must hold, name to version; raises SetupError.

    `.venv` is the course's, and holds all that the lock pins. An environment of somebody's own
    must hold what the course uses itself; the rest of it is its owner's.
    """
    if runs_in_venv(root):
        return pins.read_lock(root / PINS)
    return pins.needed_here(pins.read_requirements(root / "requirements.txt"))


def runs_in_venv(root: Path) -> bool:
    """Say whether the running Python is that of `root/.venv`."""
    venv = root / ".venv"
    return venv.is_dir() and os.path.samefile(sys.prefix, venv)


def become(command: list[str], environ: Mapping[str, str] = os.environ) -> NoReturn:
    """Replace this process by `command`; its exit code and Ctrl-C are then the command's own."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execve(command[0], command, environ)
    # Windows has no exec: wait for the command, and leave Ctrl-C, which it gets too, to it.
    process = subprocess.Popen(command, env=environ)
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            sys.exit(process.wait())


def venv_python(venv: Path) -> Path:
    """Return the path of a virtual environment's Python."""
    return venv / "Scripts" / "python.exe" if os.name == "nt" else venv / "bin" / "python"


def is_ready(root: Path) -> bool:
    """Say whether `root/.venv` runs and holds what `root/requirements.lock` pins."""
    return _is_complete(root) and _lacks(root) == []


def set_up(root: Path) -> None:
    """Make or finish `root/.venv`, showing the progress on standard error; raises SetupError."""
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        raise SetupError(messages.INTEL_MAC)
    venv = root / ".venv"
    if os.pathsep in str(venv):
        raise SetupError(messages.separator_in_path(root))
    try:
        venv.mkdir(exist_ok=True)
        with open(venv / LOCK, "a") as lock, Progress(venv) as progress:
            _wait_for(lock, progress)
            if is_ready(root):  # by the set-up that was waited for
                return
            with open(venv / LOG, "wb") as log:
                _install(root, Commands(log, lock, progress), progress)
    except OSError as error:
        raise SetupError(
            f"cannot set up {venv}: {error}\n"
            "Free space, or put the course's folder where you may write; then repeat the command."
        ) from error


def _install(root: Path, commands: Commands, progress: Progress) -> None:
    venv = root / ".venv"
    lock = root / PINS
    wanted = _hash(lock)
    stamp = venv / STAMP
    stamp.unlink(missing_ok=True)

    progress.stage(f"1 of 3: .venv with Python {platform.python_version()}")
    if not _runs(venv):
        _clear(venv)
        if not commands.run(sys.executable, "-m", "venv", "--without-pip", str(venv)):
            raise SetupError(messages.no_venv(venv / LOG))

    progress.stage("2 of 3: pip")
    _forget_half_installed(venv)
    python = str(venv_python(venv))
    if "pip" not in pins.installed(_site_packages(venv)) and not commands.run(
        python, "-m", "ensurepip", "--default-pip"
    ):
        if not commands.run(sys.executable, "-m", "pip", "--python", python, "--version"):
            raise SetupError(messages.no_pip(venv / LOG))
        if not commands.run_pip(sys.executable, "--python", python, "install", "pip"):
            raise SetupError(messages.pip_failed(venv / LOG, python))

    progress.stage(f"3 of 3: the packages of {PINS}")
    pip_install = ("install", "--progress-bar", "off", "--require-hashes")
    if not commands.run_pip(python, *pip_install, "-r", str(lock)):
        raise SetupError(messages.pip_failed(venv / LOG, python))
    absent = _lacks(root)
    if absent != []:
        raise SetupError(messages.not_believed(venv / LOG, python, lock, absent or ["Python"]))
    from course_utils.files import write_atomically  # late: its annotations need Python 3.10

    for folder in _linkable(root):
        write_atomically(folder / LINK, f"{os.path.relpath(root, folder)}\n")
    write_atomically(stamp, wanted)


def _is_complete(root: Path) -> bool:
    """Say whether the last set-up of `.venv` came to its end, and had the lock of today."""
    venv = root / ".venv"
    stamp = venv / STAMP
    # Without a lock file no set-up has touched .venv: somebody made it by hand.
    complete = (
        stamp.read_bytes() == _hash(root / PINS)
        if stamp.is_file()
        else venv.is_dir() and not (venv / LOCK).exists()
    )
    return complete and all((folder / LINK).is_file() for folder in _linkable(root))


def _lacks(root: Path) -> list[str] | None:
    """Return the pins that `.venv`'s Python does not find, None where it does not run."""
    command = [str(venv_python(root / ".venv")), "-m", "course_utils.setup.pins", str(root / PINS)]
    settings = pip_settings.bare(os.environ)
    try:
        done = subprocess.run(command, cwd=root, env=settings, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.split() if done.returncode == 0 else None


def _hash(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).hexdigest().encode()


def _site_packages(venv: Path) -> list[str]:
    return [str(p) for p in (*venv.glob("lib/python*/site-packages"), venv / "Lib/site-packages")]


def _linkable(root: Path) -> list[Path]:
    """Return `.venv`'s folders of packages, from which every kernel must find the course."""
    return [path for path in map(Path, _site_packages(root / ".venv")) if path.is_dir()]


def _runs(venv: Path) -> bool:
    """Say whether `.venv`'s Python starts and is of a supported version."""
    test = f"import sys; sys.exit(not {OLDEST} <= sys.version_info[:2] <= {NEWEST})"
    command = [str(venv_python(venv)), "-I", "-c", test]
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:  # no such file, a broken link, not executable
        return False


def _clear(venv: Path) -> None:
    for entry in venv.iterdir():
        if entry.name in (LOCK, LOG):  # both are open
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _forget_half_installed(venv: Path) -> None:
    """Remove the metadata of packages whose installation was cut off, so that pip redoes them.

    pip writes the file INSTALLER after all others, and takes a package for installed as soon as
    its metadata folder is there.
    """
    for folder in _site_packages(venv):
        for info in Path(folder).glob("*.dist-info"):
            if not (info / "INSTALLER").is_file():
                shutil.rmtree(info)


def _wait_for(lock, progress: Progress) -> None:
    """Take the lock, waiting for another set-up of the same folder to end."""
    while True:
        try:
            if os.name == "nt":
                import msvcrt

                lock.seek(0)
                msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except (BlockingIOError, PermissionError):
            progress.stage("waiting for another set-up of this folder to finish")
            time.sleep(0.2)
