"""For authors: `lock` pins all packages that the direct dependencies need, with their hashes.

requirements.txt gives requirements.lock; the extra `ray` of pyproject.toml gives
requirements-ray.lock, a file of its own because pip cannot choose an extra inside one. Both hold
for Linux, macOS, Windows and every supported Python. uv resolves them; it is fetched for that and
not kept, since readers do not need it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from course_utils.files import write_atomically
from course_utils.setup import bootstrap, pins

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = "requirements.txt"
LOCK = "requirements.lock"
RAY_LOCK = "requirements-ray.lock"
RAY_INPUT = ("pyproject.toml", "--extra=ray", "-c", LOCK)  # the same versions as in LOCK

HEADER = """\
# Every package that {source} asks for, for Linux, macOS, Windows and Python 3.11 to 3.13,
# with the hashes of its files. Renewed by: {renew}
# SHA-256 of what it was made from: {digest}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `lock`."""
    parser.add_argument(
        "--upgrade", action="store_true", help="also move packages that no changed pin asks to move"
    )


def main(args: argparse.Namespace) -> int:
    """Renew both locks, each whole or not at all; return the exit code."""
    requirements = [f"{n}=={v}" for n, v in pins.read_requirements(ROOT / REQUIREMENTS).items()]
    project = read_project(ROOT)
    ray = project["project"]["optional-dependencies"]["ray"]
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder]
        code = (
            subprocess.run([*pip, *project["dependency-groups"]["lock"]]).returncode
            or _make(LOCK, requirements, args.upgrade, Path(folder), REQUIREMENTS)
            or _make(RAY_LOCK, ray, args.upgrade, Path(folder), *RAY_INPUT)
        )
    return code


def _make(name: str, made_from: list[str], upgrade: bool, folder: Path, *inputs: str) -> int:
    """Write the lock `name` with the uv that is in `folder`; return uv's exit code."""
    made = folder / name
    if (ROOT / name).is_file():  # uv keeps the versions that it finds
        shutil.copy(ROOT / name, made)
    code = subprocess.run(
        [
            *(sys.executable, "-m", "uv", "pip", "compile", *inputs, "--output-file", str(made)),
            *("--universal", "--python-version", ".".join(map(str, bootstrap.OLDEST))),
            *("--generate-hashes", "--only-binary", ":all:", "--emit-build-options"),
            *("--no-header", "--no-python-downloads", "--quiet"),
            *(["--upgrade"] if upgrade else []),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(folder)},
    ).returncode
    if code == 0:
        header = HEADER.format(
            source=" ".join(inputs[:2]), renew=pins.RENEW, digest=pins.digest(made_from)
        )
        write_atomically(ROOT / name, header + made.read_text(encoding="utf-8"))
        print(f"{name} is up to date.")
    return code


def read_project(root: Path) -> dict:
    """Return pyproject.toml."""
    import tomllib

    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8-sig"))
