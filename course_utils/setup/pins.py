"""What must be installed, and what is not: requirements.txt, its lock, and the folders of packages.

requirements.txt names what the course uses itself. requirements.lock, made from it by
`course_utils.setup.lock`, pins that and everything it needs, with markers for other systems and
Pythons. As a program (`python -m course_utils.setup.pins LOCK`) it prints what the Python that runs
it lacks: the set-up asks `.venv`'s Python so. Parses on Python 3.8.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from course_utils.setup.messages import SetupError

PIN = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.!+_-]+(?:; sys_platform != \"\w+\")?)\s*(#.*)?"
)
MADE_FROM = re.compile(r"# SHA-256 of what it was made from: ([0-9a-f]{64})")
RENEW = "python3 -m course_utils lock"


def read_requirements(path: Path) -> dict[str, str]:
    """Return the pins of a requirements file, name to version.

    What one system has not is pinned as `name==version; sys_platform != "win32"`, and its version
    is then returned with the marker.

    Raises SetupError when the file is missing, or naming the line that is neither blank, nor a
    comment, nor `name==version`, or that pins a name again.
    """
    pins: dict[str, str] = {}
    for number, line in enumerate(_lines(path), start=1):
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


def needed_here(pins: dict[str, str]) -> dict[str, str]:
    """Return the pins of `read_requirements` that apply to this system, without their markers."""
    found = {}
    for name, pin in pins.items():
        version, _, marker = pin.partition("; sys_platform != ")
        if marker != f'"{sys.platform}"':
            found[name] = version
    return found


def check_lock(requirements: Path, lock: Path) -> None:
    """Raise SetupError when `lock` was not made from the pins that `requirements` has now."""
    pins = read_requirements(requirements)
    made_from = MADE_FROM.search("\n".join(_lines(lock)))
    if made_from is None or made_from[1] != digest(f"{n}=={v}" for n, v in pins.items()):
        raise SetupError(
            f"{requirements} was changed after {lock.name} was made from it.\n"
            f"Authors renew the lock: `{RENEW}`. Readers take the change back (`git checkout -- "
            f"{requirements.name} {lock.name}`) and install packages of their own with "
            "`.venv/bin/python -m pip install NAME`."
        )


def digest(requirements: Iterable[str]) -> str:
    """Return the SHA-256 of a set of requirements, in any order, as a lock states it."""
    return hashlib.sha256("\n".join(sorted(requirements)).encode()).hexdigest()


def read_lock(path: Path) -> dict[str, str]:
    """Return the pins of a lock that apply to the running Python, normalized name to version.

    Raises SetupError when the file is missing. Where `packaging` is not installed, which reads
    markers, the result holds only its own pin: enough to see that something is missing.
    """
    lines = _lines(path)
    try:
        from packaging.requirements import Requirement
    except ModuleNotFoundError:
        return dict(re.findall(r"^(packaging)==(\S+)", "\n".join(lines), re.M))
    pins = {}
    for line in lines:
        if line[:1].isalnum():  # hashes are indented; options and comments have their signs
            requirement = Requirement(line.rstrip(" \\"))
            if requirement.marker is None or requirement.marker.evaluate():
                (pin,) = requirement.specifier
                pins[_normalized(requirement.name)] = pin.version
    return pins


def missing(pins: dict[str, str], path: list[str]) -> list[str]:
    """Return the pins (`name==version`) that the folders in `path` do not hold in that version."""
    found = installed(path)
    return [
        f"{name}=={version}"
        for name, version in pins.items()
        if found.get(_normalized(name)) != version
    ]


def installed(path: list[str]) -> dict[str, str]:
    """Return the installed packages in the folders of `path`, normalized name to version."""
    versions: dict[str, str] = {}
    for distribution in metadata.distributions(path=path):
        # Only the head is read: to parse all of it takes ten times as long, and pages as long as
        # a README follow.
        text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
        head = re.search(r"^Name: *(\S+)", text, re.M), re.search(r"^Version: *(\S+)", text, re.M)
        if all(head):
            versions.setdefault(_normalized(head[0][1]), head[1][1])  # the first is imported
    return versions


def _lines(path: Path) -> list[str]:
    try:
        # utf-8-sig: an editor on Windows may have put a byte order mark before the first line.
        return path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except FileNotFoundError:
        raise SetupError(
            f"{path} is missing. Is the course's folder complete? Clone it again."
        ) from None


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    print("\n".join(missing(read_lock(Path(sys.argv[1])), sys.path)))
