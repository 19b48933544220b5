"""A checkout has the same bytes on every system, and the advice for an older one works."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from course_utils import data

ROOT = data.DATA_FOLDER.parent
WINDOWS = ("-c", "core.autocrlf=true")  # what Git for Windows proposes

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *arguments: str) -> str:
    """Run git in `folder` with nobody's settings."""
    environment = {name: value for name, value in os.environ.items() if name[:4] != "GIT_"}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    author = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    command = ["git", "-C", str(folder), *author, *arguments]
    return subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True, encoding="utf-8"
    ).stdout


@pytest.fixture
def origin(tmp_path):
    """A small repository with the data files and one file of each other kind, no attributes yet."""
    folder = tmp_path / "origin"
    names = [f"data/{name}" for name in (data.CHECKSUMS, *data.data_files())]
    names += ["notebooks/course.toml", "notebooks/00_start_here.ipynb", "requirements.lock"]
    names += ["course_utils/data.py", "course_utils/service/page/index.html", ".ci/run"]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=1")
    return folder


def clone(origin: Path) -> Path:
    folder = origin.with_name("clone")
    git(origin.parent, "clone", "--quiet", *WINDOWS, str(origin), str(folder))
    return folder


def add_attributes(origin: Path) -> None:
    shutil.copy(ROOT / ".gitattributes", origin)
    git(origin, "add", ".gitattributes")
    git(origin, "commit", "--quiet", "--message=2")


@needs_git
def test_a_clone_with_the_settings_of_windows_has_the_same_bytes(origin):
    add_attributes(origin)
    folder = clone(origin)
    names = git(folder, "ls-files").splitlines()
    assert [n for n in names if (folder / n).read_bytes() != (ROOT / n).read_bytes()] == []
    for name in data.data_files():
        data.read_checked(name, folder / "data")


@needs_git
def test_a_clone_from_before_the_attributes_is_mended_by_the_advice(origin):
    folder = clone(origin)
    add_attributes(origin)
    git(folder, "pull", "--quiet")
    with pytest.raises(data.DataError, match="line ends of Windows") as error:
        data.read_checked("model_sizes.csv", folder / "data")
    assert "delete the file, then in the course's folder: `git checkout -- data/model" in str(
        error.value
    )
    (folder / "data/model_sizes.csv").unlink()
    git(folder, "checkout", "--", "data/model_sizes.csv")
    data.read_checked("model_sizes.csv", folder / "data")
