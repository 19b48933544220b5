"""Where the copies are."""

import errno
import os
import tempfile
from pathlib import Path

import pytest

from course_utils.reading import ReadingError
from course_utils.reading.place import IN_HOME, Place, find_place


@pytest.fixture
def home(monkeypatch, tmp_path):
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setattr(Path, "home", lambda: folder)
    return folder


@pytest.fixture
def unwritable(monkeypatch, course):
    """Let nobody write in the course's folder, for that reason (a test may run as root)."""

    def refuse(number, *folders):
        real = tempfile.TemporaryFile

        def temporary(dir):
            if any(Path(dir).is_relative_to(folder) for folder in folders or [course.root]):
                raise OSError(number, os.strerror(number))
            return real(dir=dir)

        monkeypatch.setattr(tempfile, "TemporaryFile", temporary)

    return refuse


def test_the_usual_place_is_in_the_folder_of_the_course(course):
    assert find_place(course.root) == Place(course.work, served=course.root, course="..")
    assert course.work.is_dir()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_a_course_that_cannot_be_written_has_its_copies_in_the_home(
    course, home, unwritable, number
):
    unwritable(number)
    place = find_place(course.root)
    assert (place.folder, place.served) == (home / IN_HOME, home / IN_HOME)
    assert place.reason == f"{course.root} cannot be written"
    assert (place.folder / place.course).samefile(course.root)


def test_a_full_disk_is_no_reason_to_go_home(course, home, unwritable):
    unwritable(errno.ENOSPC)
    with pytest.raises(ReadingError, match=r"work: .* cannot be written there \(No space left"):
        find_place(course.root)
    assert not list(home.iterdir())


def test_where_the_home_cannot_be_written_either_the_way_out_is_named(course, home, unwritable):
    unwritable(errno.EACCES, course.root, home)
    with pytest.raises(ReadingError, match=f"{IN_HOME}: .*name a folder .* with --work DIR"):
        find_place(course.root)


@pytest.mark.parametrize(
    ("wanted", "course_from_copy"),
    [("mine", ".."), ("a/b/c", "../../.."), ("work", ".."), ("../else", "course")],
)
def test_another_folder_can_be_named(course, wanted, course_from_copy):
    place = find_place(course.root, wanted)
    folder = (course.root / wanted).resolve()
    inside = wanted != "../else"
    assert place == Place(folder, course.root if inside else folder, course_from_copy)
    assert (folder / place.course / "README.md").samefile(course.root / "README.md")


def test_a_tilde_is_the_home(course, home, monkeypatch):
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    assert find_place(course.root, "~/x").folder == home / "x"


@pytest.mark.parametrize("wanted", [".", "notebooks", "notebooks/zh", "link", ""])
def test_the_folders_of_the_course_are_refused(course, wanted):
    (course.root / "link").symlink_to(course.root / "notebooks")
    with pytest.raises(ReadingError, match="there the course's own files are"):
        find_place(course.root, wanted)
    assert not (course.root / "notebooks" / "zh").exists()


@pytest.mark.parametrize("wanted", [None, "work", "work/deeper"])
def test_a_file_in_the_place_of_the_folder_is_named(course, wanted):
    course.work.write_text("")
    with pytest.raises(ReadingError, match="found a file in its place; move that file"):
        find_place(course.root, wanted)


def test_a_link_follows_a_course_that_has_moved(course, tmp_path):
    work = str(tmp_path / "else")
    find_place(course.root, work)
    moved = course.root.rename(tmp_path / "moved")
    assert find_place(moved, work).course == "course"
    assert (tmp_path / "else" / "course").samefile(moved)


def test_where_no_link_can_be_made_a_link_in_a_copy_is_an_address(course, tmp_path):
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "course").write_text("the reader's own")
    place = find_place(course.root, str(tmp_path / "else"))
    assert place.course == course.root.as_uri()
    assert (tmp_path / "else" / "course").read_text() == "the reader's own"
