"""course.toml is read, lessons are selected, README's table is written."""

import pytest

from course_utils.contents import (
    ContentsError,
    Course,
    Lesson,
    lesson_paths,
    read_contents,
    readme_table,
    select,
    unlisted,
    unlisted_note,
    update_readme,
)

FIRST = """\
title = "A course"

[[lesson]]
file = "00_start.ipynb"
part = "I. Concepts"
title = "Start here"
minutes = 20
seconds = 30
smoke = { epochs = 1 }
full = { epochs = 10 }
"""
SECOND = FIRST.partition("\n\n")[2].replace("00_start", "06_end").replace("Start here", "The end")


def write(tmp_path, text=FIRST + "\n" + SECOND):
    folder = tmp_path / "notebooks"
    folder.mkdir(exist_ok=True)
    for name in ("00_start.ipynb", "06_end.ipynb", "Start.ipynb"):
        (folder / name).touch()
    (folder / "course.toml").write_text(text, encoding="utf-8")
    return folder / "course.toml"


def test_lessons_are_read_in_order(tmp_path):
    course = read_contents(write(tmp_path))
    assert course.title == "A course"
    assert course.lessons[0] == Lesson(
        "00", "00_start.ipynb", "I. Concepts", "Start here", 20, 30, {"epochs": 1}, {"epochs": 10}
    )
    assert [lesson.number for lesson in course.lessons] == ["00", "06"]
    assert [lesson.grammar for lesson in course.lessons] == [1, 1]


def test_a_lesson_in_the_new_grammar_is_marked(tmp_path):
    text = FIRST.replace("minutes = 20", "minutes = 20\ngrammar = 2")
    course = read_contents(write(tmp_path, text + "\n" + SECOND))
    assert [lesson.grammar for lesson in course.lessons] == [2, 1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("minutes = 20\n", "", "lesson entry 1 (00_start.ipynb): the key 'minutes' is missing"),
        ("minutes", "minuets", "unknown key 'minuets'; did you mean 'minutes'?"),
        ("minutes = 20", 'minutes = "20"', "minutes is '20', expected a whole number"),
        ("smoke = { epochs = 1 }", "smoke = 1", "smoke is 1, expected a table of parameter"),
        ("00_start", "01_stop", "(01_stop.ipynb): there is no such file in "),
        ("00_start", "Start", "expected a file name as 06_mnist_end_to_end.ipynb"),
        ("title =", "title", "course.toml: not valid TOML: "),
        ('title = "A course"\n', "", "course.toml: the key 'title' is missing"),
    ],
)
def test_a_mistake_in_course_toml_is_named(tmp_path, old, new, message):
    path = write(tmp_path, FIRST.replace(old, new, 1))
    with pytest.raises(ContentsError) as caught:
        read_contents(path)
    assert message in str(caught.value)


def test_what_an_editor_on_windows_adds_is_no_mistake(tmp_path):
    path = write(tmp_path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8-sig", newline="\r\n")
    assert [lesson.number for lesson in read_contents(path).lessons] == ["00", "06"]


def test_lessons_out_of_order_are_refused(tmp_path):
    path = write(tmp_path, FIRST.replace("00_start", "06_end") + "\n" + SECOND)
    with pytest.raises(ContentsError, match="lesson 06 stands after lesson 06"):
        read_contents(path)


def test_a_missing_course_toml_is_named(tmp_path):
    with pytest.raises(ContentsError, match="this file is missing"):
        read_contents(tmp_path / "course.toml")


COURSE = Course(
    "A course",
    tuple(
        Lesson(f"{n:02}", f"{n:02}_x.ipynb", "I", f"Lesson {n}", 9, 9, {}, {}) for n in (0, 4, 6, 9)
    ),
)


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ([], ["00", "04", "06", "09"]),
        (["06"], ["06"]),
        (["9", "0"], ["00", "09"]),
        (["04-09", "6"], ["04", "06", "09"]),
        (["1-5"], ["04"]),
    ],
)
def test_lessons_are_selected_once_and_in_order(words, numbers):
    assert [lesson.number for lesson in select(COURSE, words)] == numbers


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("07", "there is no lesson 07; there are: 00 04 06 09"),
        ("09-04", "the range 09-04 runs backwards; write 04-09"),
        ("mnist", "'mnist' is not a lesson: expected a number as 06, or 04-09"),
    ],
)
def test_a_lesson_that_does_not_exist_is_refused(word, message):
    with pytest.raises(ContentsError) as caught:
        select(COURSE, ["06", word])
    assert message in str(caught.value)


def test_notebooks_that_are_no_lessons_are_named_in_one_line(tmp_path):
    path = write(tmp_path)
    (path.parent / "glossary.md").touch()
    assert [each.name for each in lesson_paths(path)] == ["00_start.ipynb", "06_end.ipynb"]
    assert unlisted(path) == ["Start.ipynb"]
    (path.parent / "00_start-Copy1.ipynb").touch()
    note = "Left alone, since course.toml does not list them: 00_start-Copy1.ipynb, Start.ipynb"
    assert unlisted_note(path) == note


def test_where_all_are_lessons_there_is_no_line(tmp_path):
    path = write(tmp_path)
    (path.parent / "Start.ipynb").unlink()
    assert unlisted_note(path) == ""


def test_the_table_has_a_line_for_each_lesson():
    lines = readme_table(COURSE).splitlines()
    assert len(lines) == 2 + 4
    assert lines[3] == "| 04 | [Lesson 4](notebooks/04_x.ipynb) | I | 9 |"


def test_update_readme_replaces_only_what_stands_between_the_marks(tmp_path):
    write(tmp_path)
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- lessons -->\nold\n<!-- /lessons -->\nafter\n")
    assert update_readme(tmp_path) is True
    table = readme_table(read_contents(tmp_path / "notebooks" / "course.toml"))
    expected = f"before\n<!-- lessons -->\n{table}<!-- /lessons -->\nafter\n"
    assert readme.read_text() == expected
    assert update_readme(tmp_path) is False


def test_update_readme_refuses_a_readme_without_marks(tmp_path):
    write(tmp_path)
    (tmp_path / "README.md").write_text("no marks\n")
    with pytest.raises(ContentsError, match="found 0 such pairs"):
        update_readme(tmp_path)
