"""What the set-up says when it fails: the finding, the likely cause and the next step.

Standard library only, and parses on Python 3.8, as `bootstrap` does.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

INTEL_MAC = """\
TensorFlow has no package for Macs with an Intel processor since version 2.17, so the course
cannot be set up here. On a Mac with an Apple processor this message means that the Python is an
Intel one: install Python for macOS from python.org and use that. Otherwise use Linux or Binder."""


class SetupError(RuntimeError):
    """The set-up cannot go on; the text says what was found and what to do next."""


# What a line of pip's output tells about the cause, and the advice; the first that fits counts.
CAUSES = [
    (
        r"No space left on device|Errno 28|not enough space on the disk",
        "The disk is full: the course needs about 3 GB. Free some space.",
    ),
    (
        r"NewConnectionError|ConnectTimeout|ReadTimeout|Read timed out|ProxyError|SSLError"
        r"|Connection (aborted|broken|refused|reset)|NameResolutionError|Max retries exceeded",
        "The package index was not reached. Check the network (and the proxy, if you use one).",
    ),
    (
        r"No matching distribution found|Could not find a version",
        "The package index has no such version for this system and this Python.",
    ),
    (
        r"Permission denied|Access is denied",
        "A file of .venv cannot be written. Close programs that use it; check its owner.",
    ),
]

INSTALLERS = [
    ("apt", "sudo apt install python{0}-venv"),
    ("dnf", "sudo dnf install python{0} python3-pip"),
    ("zypper", "sudo zypper install python3-pip"),
    ("pacman", "sudo pacman -S python-pip"),
    ("apk", "sudo apk add python3 py3-pip"),
]


def wrong_python(oldest: tuple[int, int], newest: tuple[int, int]) -> str:
    """Return the message for a Python outside the supported versions."""
    found = ".".join(map(str, sys.version_info[:3]))
    low, high = (".".join(map(str, version)) for version in (oldest, newest))
    return (
        f"the course needs Python {low} to {high}; this is Python {found} ({sys.executable}).\n"
        f"Repeat the command with another Python, for example `python{low} -m course_utils`; "
        "python.org has installers."
    )


def no_venv(log: Path) -> str:
    """Return the message for a Python that cannot make a virtual environment at all."""
    return (
        f"`{sys.executable} -m venv` does not work here:\n{tail(log)}\n"
        f"{_how_to_get_pip()}\nThen repeat the command. The whole output is in {log}."
    )


def no_pip(log: Path) -> str:
    """Return the message for a Python that has neither `ensurepip` nor a pip of 22.3 or newer."""
    return (
        f"{sys.executable} has neither `ensurepip` nor `pip` (22.3 or newer), so nothing can be "
        f"installed.\n{_how_to_get_pip()}\nThen repeat the command. The whole output is in {log}."
    )


def pip_failed(log: Path) -> str:
    """Return the message for a pip that failed: the end of its output, the cause, the next step."""
    output = log.read_text(encoding="utf-8", errors="replace")
    advice = next((text for pattern, text in CAUSES if re.search(pattern, output)), "")
    return (
        f"pip failed. The end of its output:\n{tail(log)}\n"
        + (f"{advice}\n" if advice else "")
        + f"Then repeat the command: it goes on from here. The whole output is in {log}."
    )


def tail(log: Path) -> str:
    """Return the last lines of the log, indented."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    last = [line for line in lines if line.strip() and not line.startswith("[notice]")][-8:]
    return "\n".join(f"    {line}" for line in last)


def _how_to_get_pip() -> str:
    version = ".".join(map(str, sys.version_info[:2]))
    for program, command in INSTALLERS:
        if shutil.which(program):
            return f"Install it with `{command.format(version)}`."
    return f"Install Python {version} with pip, for example from python.org."
