"""What the set-up says when it fails: the finding, the likely cause and the next step.

Standard library only, and parses on Python 3.8, as `bootstrap` does.
"""

from __future__ import annotations

import os
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


# What pip's output tells about the cause, and the advice; the first that fits counts.
CAUSES = [
    (
        r"No space left on device|Errno 28|not enough space on the disk",
        "The disk is full: the course needs about 3 GB. Free some space.",
    ),
    (
        r"MemoryError|Cannot allocate memory|Errno 12\b|ended by signal 9\b",
        "The memory ran out, or something else ended pip. Close other programs.",
    ),
    (
        r"Windows Long Path support|WinError 206|File ?name too long|name or extension is too long",
        "The path of a file became too long for this system. Move the course's folder to a place "
        "with a short path, such as C:\\course.",
    ),
    (
        r"Read-only file system|Errno 30",
        "A folder is on a file system that cannot be written. Put the course's folder where you "
        "may write; PIP_CACHE_DIR and TMPDIR can name folders for pip's cache and temporary files.",
    ),
    (
        r"DO NOT MATCH THE HASHES",
        "A file is not the one that requirements.lock names: the package index or a proxy altered "
        "it, or pip's cache is damaged. Empty the cache (`{python} -m pip cache purge`). If that "
        "does not help, use another index (PIP_INDEX_URL) or network.",
    ),
    (
        r"In --require-hashes mode|Hashes are required in",
        "requirements.lock lacks a package that this system needs. That is a mistake of the "
        "course: report it, with the name of the package and of your system.",
    ),
    (
        r"Missing dependencies for SOCKS support",
        "A variable such as ALL_PROXY or HTTPS_PROXY names a SOCKS proxy, which pip cannot use. "
        "Name an HTTP proxy in HTTPS_PROXY, or unset the variable where none is needed.",
    ),
    (
        r"ssl module (in Python )?is not available",
        "This Python was built without TLS, so it reaches no package index. Use another Python.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|CertificateError",
        "The certificate of the package index is not trusted here. Some networks put a proxy with "
        "a certificate of its own in between: ask for it as a PEM file, and name that file in the "
        "variable PIP_CERT. A clock that is wrong has the same effect.",
    ),
    (
        r"Could not find a suitable TLS CA certificate|could not find the TLS certificate",
        "The file of certificates that PIP_CERT, REQUESTS_CA_BUNDLE or pip's settings name is not "
        "there. Mend or remove that setting (`{python} -m pip config list` shows pip's).",
    ),
    (
        r"407 Proxy Authentication|HTTP error 407|407 Client Error",
        "The proxy asks for a name and a password. Put both into the variable: "
        "HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT.",
    ),
    (
        r"HTTP error 40[13]|40[13] (Client )?Error",
        "The package index refuses access. Check its address, and the name and password in it "
        "(PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, or `{python} -m pip config list`).",
    ),
    (
        r"NewConnectionError|ConnectTimeout|ReadTimeout|Read timed out|ProxyError|SSLError"
        r"|Connection (aborted|broken|refused|reset)|NameResolutionError|Max retries exceeded",
        "The package index was not reached. Check the network (and the proxy, if you use one).",
    ),
    (
        r"from versions: none",  # pip says no more when an index answers 401, 403, 404 or 407
        "The package index answers, but shows no version of this package at all: it does not have "
        "it, or it or a proxy refuses access. Check the index's address, name and password "
        "(PIP_INDEX_URL, PIP_NO_INDEX, HTTPS_PROXY, or `{python} -m pip config list`).",
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

NO_NEWS = ("[notice]", "Ignoring ")  # a newer pip; pins of the lock for other systems

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


def separator_in_path(root: Path) -> str:
    """Return the message for a folder whose path Python cannot make an environment in."""
    return (
        f"the path of the course's folder contains `{os.pathsep}`, where Python cannot make an "
        f"environment: {root}\nRename the folder, then repeat the command."
    )


def not_believed(log: Path, python: str, lock: Path, absent: list[str]) -> str:
    """Return the message for a pip that ended well and has not installed everything."""
    return (
        f"pip reported success, but {python} does not find {few(absent)}.\n"
        f"Delete {log.parent} and repeat the command: everything is made anew then, pip included. "
        f"If it ends here again, see what pip says: `{python} -m pip install -r {lock.name}`. "
        f"The whole output is in {log}."
    )


def few(names: list[str], most: int = 5) -> str:
    """Return the first of `names`, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def pip_failed(log: Path, python: str) -> str:
    """Return the message for a pip that failed: the end of its output, the cause, the next step."""
    output = log.read_text(encoding="utf-8", errors="replace")
    advice = next((text for pattern, text in CAUSES if re.search(pattern, output)), "")
    return (
        f"pip failed. The end of its output:\n{tail(log)}\n"
        + (advice.format(python=python) + "\n" if advice else "")
        + f"Then repeat the command: it goes on from here. The whole output is in {log}."
    )


def tail(log: Path) -> str:
    """Return the last lines of the log, indented, without those that are no news."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    last = [line for line in lines if line.strip() and not line.startswith(NO_NEWS)][-8:]
    return "\n".join(f"    {line}" for line in last)


def _how_to_get_pip() -> str:
    version = ".".join(map(str, sys.version_info[:2]))
    for program, command in INSTALLERS:
        if shutil.which(program):
            return f"Install it with `{command.format(version)}`."
    return f"Install Python {version} with pip, for example from python.org."
