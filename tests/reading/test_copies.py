"""No copy is overwritten while it holds work of the reader's."""

import json
import os
import re

import pytest

from course_utils.reading import copies
from tests.reading.small_course import FILE, LESSON, REVISED, code, exercise, text

KEPT = FILE.replace(".", ".2026-11-27.")
ANSWER = "answer = [1, 2]"


def test_all_copies_are_made_at_once_and_then_left(course):
    (course.root / "notebooks" / "Untitled.ipynb").write_text("{}")
    assert course.lab() == []
    assert course.files() == [FILE, "glossary.md"]  # neither course.toml nor Untitled.ipynb
    written = {path: path.stat().st_ino for path in course.work.iterdir()}
    assert course.lab() == []
    assert {path: path.stat().st_ino for path in course.work.iterdir()} == written


def test_a_copy_without_work_follows_its_page(course):
    course.lab()
    cells = course.read()
    cells[4] |= {"outputs": LESSON[4]["outputs"], "execution_count": 3}  # outputs are no work
    course.write(cells)
    course.publish(*REVISED)
    (course.root / "notebooks" / "glossary.md").write_text("new\n")
    assert course.lab() == []
    assert course.source("title") == "# Networks, revised"
    assert course.read()[4]["outputs"] == []
    assert (course.work / "glossary.md").read_text() == "new\n"
    assert course.files() == [FILE, "glossary.md"]


def note(cells):
    return [*cells[:2], text("a1b2c3d4", "My note."), *cells[2:]]


WORK = {
    "an answer": lambda cells: [*cells[:5], exercise(1, ANSWER), *cells[6:]],
    "a changed parameter": lambda cells: [
        *cells[:3],
        {**cells[3], "source": "n: int = 2"},
        *cells[4:],
    ],
    "a note": note,
    "a removed cell": lambda cells: cells[:4] + cells[5:],
    "a doubled cell": lambda cells: [*cells[:5], cells[4], *cells[5:]],
    "a cell with another id": lambda cells: [{**cells[0], "id": "new"}, *cells[1:]],
    "cells without ids": lambda cells: [
        {key: value for key, value in cell.items() if key != "id"} for cell in cells
    ],
    "cells in another order": lambda cells: [cells[1], cells[0], *cells[2:]],
    "a cell of another kind": lambda cells: [*cells[:4], text("look", "n"), *cells[5:]],
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_work_on_a_page_that_stays_is_left_and_on_one_that_changes_is_kept(course, work):
    course.lab()
    cells = work(course.read())
    notebook = json.loads(course.path.read_text(encoding="utf-8")) | {"cells": cells}
    course.path.write_text(json.dumps(notebook), encoding="utf-8")
    mine = course.path.read_bytes()
    assert course.lab() == []
    assert course.path.read_bytes() == mine

    course.publish(*REVISED)
    (line,) = course.lab()
    assert line.startswith(f"{FILE}: the lesson and your copy have both changed. Yours is kept as ")
    assert (course.work / KEPT).read_bytes() == mine
    assert course.source("title") == "# Networks, revised"
    assert course.lab() == []
    assert course.files() == [KEPT, FILE, "glossary.md"]


def test_answers_are_carried_into_the_new_page(course):
    course.lab()
    course.answer(2, ANSWER)
    course.publish(*REVISED[:5], exercise(3), exercise(2), text("end", "The end."))
    (line,) = course.lab()
    assert line.endswith("the new page is in its place, with your answers to 02.2.")
    assert course.source("exercise-2") == exercise(2, ANSWER)["source"]
    assert course.source("exercise-3") == exercise(3)["source"]
    assert course.source("end") == "The end."


def test_carried_answers_are_work_when_the_page_changes_again(course):
    course.lab()
    course.answer(1, ANSWER)
    course.publish(*REVISED)
    course.lab()
    course.publish(*LESSON)
    (line,) = course.lab()
    assert "kept as 02_networks.2026-11-27-2.ipynb" in line and "answers to 02.1." in line
    assert course.source("exercise-1", KEPT) == exercise(1, ANSWER)["source"]
    assert course.source("exercise-1") == exercise(1, ANSWER)["source"]


def test_an_answer_without_an_exercise_is_named(course):
    course.lab()
    course.answer(1, ANSWER)
    course.publish(*LESSON[:5], exercise(2))
    (line,) = course.lab()
    assert line.endswith("the new page is in its place (it no longer has 02.1).")


def test_a_changed_glossary_is_kept(course):
    course.lab()
    (course.work / "glossary.md").write_text("mine\n")
    (course.root / "notebooks" / "glossary.md").write_text("new\n")
    (line,) = course.lab()
    assert "kept as glossary.2026-11-27.md" in line
    assert (course.work / "glossary.2026-11-27.md").read_text() == "mine\n"
    assert (course.work / "glossary.md").read_text() == "new\n"


@pytest.mark.parametrize("content", [b"", b'{"cells": [{"cell_type": "co', b"\0" * 4096, b"[]"])
def test_a_file_that_is_not_whole_is_kept_and_replaced(course, content):
    course.lab()
    course.path.write_bytes(content)
    (line,) = course.lab()
    assert line.startswith(f"{FILE}: your file was not whole and cannot be opened. Yours is kept")
    assert (course.work / KEPT).read_bytes() == content
    assert course.source("title") == LESSON[0]["source"]


def test_a_copy_that_the_reader_deleted_is_made_again(course):
    course.lab()
    course.path.unlink()
    assert course.lab() == []
    assert course.source("title") == LESSON[0]["source"]


def test_the_readers_own_files_are_left(course):
    course.lab()
    (course.work / "mine.ipynb").write_text("{}")
    (course.work / "notes.md").write_text("notes")
    course.publish(*REVISED)
    assert course.lab() == []
    assert (course.work / "mine.ipynb").read_text() == "{}"
    assert course.files() == [FILE, "glossary.md", "mine.ipynb", "notes.md"]


@pytest.mark.parametrize("to", ["committed", "nowhere", "folder"])
def test_what_is_no_file_is_left(course, to):
    course.lab()
    course.path.unlink()
    committed = course.root / "notebooks" / FILE
    if to == "folder":
        course.path.mkdir()
    else:
        course.path.symlink_to(committed if to == "committed" else "nowhere.ipynb")
    course.publish(*REVISED)
    before = committed.read_bytes()
    (line,) = course.lab()
    kind = "no file" if to == "folder" else "a link"
    assert line == f"{course.path} is {kind}; it is left as it is."
    assert committed.read_bytes() == before
    assert course.path.is_symlink() or course.path.is_dir()


def test_a_copy_for_reading_only_stays_so_and_is_renewed(course):
    course.lab()
    course.path.chmod(0o444)
    course.publish(*REVISED)
    assert course.lab() == []
    assert course.source("title") == "# Networks, revised"
    assert course.path.stat().st_mode & 0o777 == 0o444


def test_copies_of_pages_for_reading_only_can_be_written(course):
    for path in (course.root / "notebooks").iterdir():
        path.chmod(0o444)
    course.lab()
    assert course.path.stat().st_mode & 0o200


@pytest.mark.parametrize("damage", ["missing", "{", "[]", '{"02_networks.ipynb": {"cells": 3}}'])
def test_without_a_record_nothing_of_the_readers_is_lost(course, damage):
    course.lab()
    record = course.work / copies.RECORD
    record.unlink() if damage == "missing" else record.write_text(damage)
    assert course.lab() == []  # the copies equal their pages
    record.unlink() if damage == "missing" else record.write_text(damage)
    course.answer(1, ANSWER)
    (line,) = course.lab()
    assert f"kept as {KEPT}" in line and line.endswith("with your answers to 02.1.")
    assert course.source("exercise-1") == exercise(1, ANSWER)["source"]
    assert course.lab() == []


def test_a_copy_that_was_never_run_follows_the_environment(course, monkeypatch):
    course.lab()
    newer = {"language_info": {"name": "python", "version": "3.13.99"}}
    monkeypatch.setattr(copies, "kernel_metadata", lambda: newer)
    assert course.lab() == []
    assert json.loads(course.path.read_text())["metadata"] == newer
    course.write(course.read())  # saved by another program: its cells alone are compared
    saved = course.path.read_bytes()
    monkeypatch.undo()
    assert course.lab() == []
    assert course.path.read_bytes() == saved


# Under a running server


def test_nothing_is_renewed_under_a_server(course):
    course.lab()
    course.publish(*REVISED)
    (course.work / "glossary.md").write_text("mine")
    (course.root / "notebooks" / "glossary.md").write_text("new")
    before = course.path.read_bytes()
    (line,) = course.lab(server="http://localhost:8888/")
    assert line.startswith(f"There are new pages for {FILE}, glossary.md. Your copies may be open ")
    assert "http://localhost:8888/" in line
    assert course.path.read_bytes() == before
    assert course.files() == [FILE, "glossary.md"]
    assert "kept as glossary.2026-11-27.md" in course.lab()[0]
    assert course.source("title") == "# Networks, revised"


def test_a_missing_copy_is_made_under_a_server(course):
    course.lab()
    course.path.unlink()
    assert course.lab(server="http://localhost:8888/") == []
    assert course.path.is_file()


# A full disk


@pytest.mark.parametrize("fails", [FILE, "glossary.md", copies.RECORD])
@pytest.mark.parametrize("answered", [False, True])
def test_on_a_full_disk_no_work_is_lost_and_the_next_call_finishes(
    course, monkeypatch, fails, answered
):
    course.lab()
    if answered:
        course.answer(1, ANSWER)
    course.publish(*REVISED)
    (course.root / "notebooks" / "glossary.md").write_text("new\n")
    mine = course.path.read_bytes()
    write = copies.write_atomically

    def full(path, content):
        if path.name == fails:
            raise OSError(28, "No space left on device", str(path))
        write(path, content)

    monkeypatch.setattr(copies, "write_atomically", full)
    with pytest.raises(OSError, match="No space left"):
        course.lab()
    if fails == FILE:
        assert course.path.read_bytes() == mine
        assert course.files() == [FILE, "glossary.md"]
    monkeypatch.undo()
    course.lab()
    assert course.source("title") == "# Networks, revised"
    assert (course.work / "glossary.md").read_text() == "new\n"
    if answered:
        assert course.source("exercise-1") == exercise(1, ANSWER)["source"]
        assert (course.work / KEPT).read_bytes() == mine
    assert course.lab() == []


def test_a_kept_file_takes_no_name_that_is_taken(course, monkeypatch):
    def no_hard_links(*names):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_hard_links)
    course.lab()
    (course.work / KEPT).write_text("older")
    course.write(note(course.read()))
    mine = course.path.read_bytes()
    course.publish(*REVISED)
    (line,) = course.lab()
    assert re.search(r"kept as 02_networks\.2026-11-27-2\.ipynb", line)
    assert (course.work / KEPT).read_text() == "older"
    assert (course.work / "02_networks.2026-11-27-2.ipynb").read_bytes() == mine


def test_code_of_the_lesson_is_not_touched(course):
    """A path in code is no link."""
    cell = code("path", 'print("[a](../README.md)")')
    course.publish(*LESSON, cell)
    course.lab()
    assert course.source("path") == cell["source"]
