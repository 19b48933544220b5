"""The course's defaults for JupyterLab, in the environment that is the course's own."""

import json

import pytest

from course_utils.reading import settings
from course_utils.reading.settings import OURS, write_overrides

TRACKER = "@jupyterlab/notebook-extension:tracker"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "share" / "jupyter" / "lab" / "settings" / "overrides.json"


def stored(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_pages_do_not_jump_and_nobody_is_asked_about_news(path, tmp_path):
    assert write_overrides(tmp_path) is None
    assert stored(path) == OURS
    assert stored(path)[TRACKER] == {"windowingMode": "none"}
    before = path.stat().st_ino
    assert write_overrides(tmp_path) is None
    assert path.stat().st_ino == before


def test_what_stands_there_stays(path, tmp_path):
    theirs = {
        "@jupyterlab/apputils-extension:themes": {"theme": "JupyterLab Dark"},
        TRACKER: {"windowingMode": "full", "recordTiming": True},
    }
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(theirs))
    assert write_overrides(tmp_path) is None
    assert stored(path) == OURS | theirs


def test_a_folder_that_cannot_be_written_is_named_in_a_line(path, tmp_path, monkeypatch):
    def refused(path, text):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(settings, "write_atomically", refused)
    line = write_overrides(tmp_path)
    assert line.startswith(f"{path}: Permission denied") and "\n" not in line


def test_settings_for_reading_only_that_are_right_need_no_writing(path, tmp_path, monkeypatch):
    write_overrides(tmp_path)
    monkeypatch.delattr(settings, "write_atomically")
    assert write_overrides(tmp_path) is None


@pytest.mark.parametrize("content", ["{", "[]", f'{{"{TRACKER}": 1}}'])
def test_a_damaged_file_is_named_and_left(path, tmp_path, content):
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert write_overrides(tmp_path).startswith(f"{path}: not JSON settings (")
    assert path.read_text() == content
