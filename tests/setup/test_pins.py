"""Lists of pins: what is refused in requirements.txt, what is read from a lock, what is missing."""

import sys
from pathlib import Path

import pytest

import course_utils
from course_utils.setup import pins
from course_utils.setup.messages import SetupError

# --- requirements.txt


def test_the_requirements_of_the_course_are_read():
    path = Path(course_utils.__file__).parents[1] / "requirements.txt"
    assert {"numpy", "tensorflow", "jupyterlab", "pytest"} <= set(pins.read_requirements(path))


def test_comments_blank_lines_and_a_byte_order_mark_are_no_requirements(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text("\ufeff# numbers\n\na.b_c-d==1.0.post1+cpu  # reason\nx==2\n", encoding="utf-8")
    assert pins.read_requirements(path) == {"a.b_c-d": "1.0.post1+cpu", "x": "2"}


def test_what_one_system_has_not_is_pinned_with_a_marker(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text('a==1; sys_platform != "win32"  # reason\n', encoding="utf-8")
    assert pins.read_requirements(path) == {"a": '1; sys_platform != "win32"'}


def test_a_marker_leaves_a_pin_out_on_that_system_alone(monkeypatch):
    named = {"a": "1", "b": '2; sys_platform != "win32"'}
    for system, needed in (("linux", {"a": "1", "b": "2"}), ("win32", {"a": "1"})):
        monkeypatch.setattr(sys, "platform", system)
        assert pins.needed_here(named) == needed


@pytest.mark.parametrize(
    "line",
    ["numpy", "numpy>=2", "numpy==2.*", "numpy==2,<3", "-r more.txt", "a==1; python_version>'3'"],
)
def test_a_line_of_another_kind_is_refused(tmp_path, line):
    path = tmp_path / "requirements.txt"
    path.write_text(f"# first\n{line}\n", encoding="utf-8")
    with pytest.raises(SetupError) as error:
        pins.read_requirements(path)
    assert str(error.value) == f"{path}, line 2: expected `name==version`, found `{line}`"


def test_a_name_pinned_twice_is_refused(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text("toy==1\ntoy==2\n", encoding="utf-8")
    with pytest.raises(SetupError, match="line 2: toy is pinned twice"):
        pins.read_requirements(path)


def test_missing_requirements_are_named(tmp_path):
    with pytest.raises(SetupError, match="is missing"):
        pins.read_requirements(tmp_path / "requirements.txt")


# --- the lock


def test_a_lock_that_is_stale_is_named(tmp_path):
    requirements, made = tmp_path / "requirements.txt", tmp_path / "requirements.lock"
    requirements.write_text("\ufeff# numbers\r\na==1  # reason\r\nB==2\r\n", encoding="utf-8")
    made.write_text(
        f"# SHA-256 of what it was made from: {pins.digest(['B==2', 'a==1'])}\r\n", encoding="utf-8"
    )
    pins.check_lock(requirements, made)
    for changed in ("a==1\nB==3\n", "a==1\n", "a==1\nB==2\nc==3\n"):
        requirements.write_text(changed, encoding="utf-8")
        with pytest.raises(SetupError) as error:
            pins.check_lock(requirements, made)
        assert str(error.value).startswith(f"{requirements} was changed after requirements.lock")
        assert "`python3 -m course_utils lock`" in str(error.value)


def test_markers_forks_and_normalized_names_are_read(tmp_path):
    made = tmp_path / "requirements.lock"
    made.write_text(
        "\ufeff# comment\r\n--only-binary :all:\r\n"
        "a.B_c==1.0 ; python_version < '3' \\\r\n    --hash=sha256:00\r\n    # via x\r\n"
        "a.B_c==2.0 ; python_version >= '3' \\\r\n    --hash=sha256:00\r\n"
        "d==3+cpu\r\n",
        encoding="utf-8",
    )
    assert pins.read_lock(made) == {"a-b-c": "2.0", "d": "3+cpu"}


def test_without_packaging_its_own_pin_shows_that_something_is_missing(tmp_path, monkeypatch):
    made = tmp_path / "requirements.lock"
    made.write_text("a==1\npackaging==26.4 \\\n    --hash=sha256:00\n", encoding="utf-8")
    monkeypatch.setitem(sys.modules, "packaging.requirements", None)
    assert pins.read_lock(made) == {"packaging": "26.4"}


def test_what_is_missing_is_named(tmp_path):
    for folder, version in (("B_c", "2"), ("d", "4")):
        info = Path(tmp_path / f"{folder}-{version}.dist-info")
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {folder}\nVersion: {version}")
    wanted = {"a": "1", "b.c": "2", "d": "3"}
    assert pins.missing(wanted, [str(tmp_path)]) == ["a==1", "d==3"]
