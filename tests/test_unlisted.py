"""A reader's notebook beside the lessons is neither run nor judged, and one line names it."""

import pytest

from course_utils.contents import CONTENTS, lesson_paths
from tests import unlisted


@pytest.mark.parametrize("name", ["Untitled.ipynb", "02_neural_networks-Copy1.ipynb"])
def test_pytest_leaves_a_notebook_beside_the_lessons_alone(name):
    assert unlisted.pytest_ignore_collect(CONTENTS.parent / name) is True


def test_pytest_collects_the_lessons_and_what_is_elsewhere(tmp_path):
    paths = [*lesson_paths(), tmp_path / "Untitled.ipynb", CONTENTS.parent]
    assert [path for path in paths if unlisted.pytest_ignore_collect(path) is not None] == []


@pytest.mark.parametrize("note", ["", "Left alone: Untitled.ipynb"])
def test_the_summary_of_pytest_names_them(monkeypatch, note):
    class Reporter:
        lines = ()

        def write_line(self, line):
            self.lines += (line,)

    reporter = Reporter()
    monkeypatch.setattr(unlisted, "unlisted_note", lambda: note)
    unlisted.pytest_terminal_summary(reporter)
    assert reporter.lines == ((note,) if note else ())
