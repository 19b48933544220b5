"""Notebooks beside the lessons that course.toml does not list are no tests; one line names them."""

from course_utils.contents import CONTENTS, lesson_paths, unlisted_note


def pytest_ignore_collect(collection_path):
    beside = collection_path.suffix == ".ipynb" and collection_path.parent == CONTENTS.parent
    return True if beside and collection_path not in lesson_paths() else None


def pytest_terminal_summary(terminalreporter):
    if note := unlisted_note():
        terminalreporter.write_line(note)
