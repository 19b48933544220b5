"""Set-up of the course on a fresh machine: `.venv` in the project's folder, from requirements.txt.

Only the standard library is imported here, and the text parses on Python 3.8, so that an old
Python gets a message and not a SyntaxError. The order of the steps makes an interruption harmless
at any point: the stamp, which says that `.venv` is complete, goes first and comes back last.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import NoReturn

from course_utils.setup import messages
from course_utils.setup.messages import SetupError
from course_utils.setup.progress import LOG, Commands, Progress

OLDEST = (3, 11)
NEWEST = (3, 13)
STAMP = "requirements.sha256"  # SHA-256 of the requirements.txt that is completely installed
LOCK = "setup.lock"
LINK = "course.pth"  # in site-packages: the course's folder, relative, so that a copy stays whole
PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.!+_-]+)\s*(#.*)?")


def check_python() -> None:
    """Raise SetupError when the running Python is older or newer than the course supports."""
    if not OLDEST <= tuple(sys.version_info[:2]) <= NEWEST:
        raise SetupError(messages.wrong_python(OLDEST, NEWEST))


def read_requirements(path: Path) -> dict[str, str]:
    """Return the pins of a requirements file, name to version.

    Raises SetupError when the file is missing, or naming the line that is neither blank, nor a
    comment, nor `name==version`, or that pins a name again.
    """
    if not path.is_file():
        raise SetupError(f"{path} is missing. Is the course's folder complete? Clone it again.")
    pins: dict[str, str] = {}
    # utf-8-sig: an editor on Windows may have put a byte order mark before the first line.
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        pin = PIN.fullmatch(text)
        if pin is None:
            raise SetupError(f"{path}, line {number}: expected `name==version`, found `{text}`")
        if pin[1] in pins:
            raise SetupError(f"{path}, line {number}: {pin[1]} is pinned twice")
        pins[pin[1]] = pin[2]
    return pins


def missing(pins: dict[str, str], path: list[str]) -> list[str]:
    """Return the pins (`name==version`) that the folders in `path` do not hold in that version."""
    return [
        f"{name}=={version}" for name, version in pins.items() if _version(name, path) != version
    ]


def ensure_environment(root: Path, arguments: list[str]) -> None:
    """Return if this Python has what `root/requirements.txt` pins; else go on in `root/.venv`.

    `.venv` is made, finished or brought up to date when needed. Then this process becomes
    `.venv`'s Python running `-m course_utils` with the same `arguments`, and does not return.
    The working folder must be `root`. Raises SetupError.
    """
    pins = read_requirements(root / "requirements.txt")
    venv = root / ".venv"
    inside = venv.is_dir() and os.path.samefile(sys.prefix, venv)
    if not inside and not missing(pins, sys.path):
        return
    if not is_ready(root):
        set_up(root)
    elif inside:
        return
    become([str(venv_python(venv)), "-m", "course_utils", *arguments])


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
    """Say whether `root/.venv` runs and holds what `root/requirements.txt` asks for."""
    venv = root / ".venv"
    requirements = root / "requirements.txt"
    stamp = venv / STAMP
    # Without a lock file no set-up has touched .venv: somebody made it by hand.
    complete = (
        stamp.read_bytes() == _hash(requirements) if stamp.is_file() else not (venv / LOCK).exists()
    )
    return (
        complete
        and all((folder / LINK).is_file() for folder in _linkable(root))
        and _runs(venv)
        and not missing(read_requirements(requirements), _site_packages(venv))
    )


def set_up(root: Path) -> None:
    """Make or finish `root/.venv`, showing the progress on standard error; raises SetupError."""
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        raise SetupError(messages.INTEL_MAC)
    venv = root / ".venv"
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
    requirements = root / "requirements.txt"
    pins = read_requirements(requirements)
    wanted = _hash(requirements)
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
    if not _version("pip", _site_packages(venv)) and not commands.run(
        python, "-m", "ensurepip", "--default-pip"
    ):
        outer_pip = (sys.executable, "-m", "pip", "--python", python)
        if not commands.run(*outer_pip, "--version"):
            raise SetupError(messages.no_pip(venv / LOG))
        if not commands.run(*outer_pip, "install", "--no-input", "pip"):
            raise SetupError(messages.pip_failed(venv / LOG))

    progress.stage(f"3 of 3: {len(pins)} pinned packages and what they need")
    pip_install = (python, "-m", "pip", "install", "--no-input", "--progress-bar", "off")
    if not commands.run(*pip_install, "-r", str(requirements)):
        raise SetupError(messages.pip_failed(venv / LOG))
    absent = missing(pins, _site_packages(venv))
    if absent:
        raise SetupError(
            f"pip reported success, but {venv} has not {', '.join(absent)}.\n"
            f"Delete {venv} and repeat the command. The whole output is in {venv / LOG}."
        )
    from course_utils.files import write_atomically  # late: its annotations need Python 3.10

    for folder in _linkable(root):
        write_atomically(folder / LINK, f"{os.path.relpath(root, folder)}\n")
    write_atomically(stamp, wanted)


def _version(name: str, path: list[str]) -> str | None:
    """Return the version of an installed distribution, None where there is none."""
    importlib.invalidate_caches()  # pip may have changed the folders since the last look
    found = next(iter(metadata.distributions(name=name, path=path)), None)
    return found.version if found else None


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
    try:
        return subprocess.run([venv_python(venv), "-c", test], capture_output=True).returncode == 0
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
