"""Files are written whole or not at all."""

import errno
import os
import stat
import sys
from pathlib import Path

import pytest

from course_utils.files import IN_HOME, NoFolderError, writable_folder, write_atomically


def test_text_is_utf_8_with_newlines_of_one_kind(tmp_path):
    write_atomically(tmp_path / "a.txt", "naïve\nβ\n")
    assert (tmp_path / "a.txt").read_bytes() == "naïve\nβ\n".encode()


def test_bytes_replace_an_old_file_and_leave_nothing_beside_it(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    write_atomically(path, b"\x00new")
    assert path.read_bytes() == b"\x00new"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_permissions_of_an_existing_file_are_kept(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(0o640)
    write_atomically(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_permissions_that_are_asked_for_hold_for_a_new_and_an_old_file(tmp_path):
    path = tmp_path / "secret"
    write_atomically(path, "new", mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    write_atomically(path, "newer", mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_of_the_course_is_made_where_it_can_be(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    folder = writable_folder(tmp_path / "course", "build/runs")
    assert folder == tmp_path / "course" / "build" / "runs"
    assert list(folder.iterdir()) == []
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_in_a_read_only_course_it_is_made_in_the_home(tmp_path, monkeypatch, number):
    make = Path.mkdir

    def refuse(path, *arguments, **options):
        if path.is_relative_to(tmp_path / "course"):
            raise OSError(number, os.strerror(number), str(path))
        make(path, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    folder = writable_folder(tmp_path / "course", "build/runs")
    assert folder == tmp_path / "home" / IN_HOME / "build" / "runs"
    assert folder.is_dir()
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "course")
    with pytest.raises(NoFolderError, match=r"neither .* nor .* can be written"):
        writable_folder(tmp_path / "course", "build/runs")


def test_a_full_disk_is_no_reason_for_another_folder(tmp_path, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(OSError, match="No space left"):
        writable_folder(tmp_path / "course", "build/runs")
