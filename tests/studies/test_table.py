"""A file of a study that is missing, damaged or made by other code is refused with its remedy."""

import re

import pytest

from course_utils.studies import StudyError, read_study
from course_utils.studies.declare import find_studies
from course_utils.studies.fingerprint import fingerprint
from course_utils.studies.table import describe_packages, write_table
from tests.studies.toy import MODULE, NAME, write_toy

AGAIN = f"`python3 -m course_utils study {NAME}` makes it again"


@pytest.fixture
def root(tmp_path):
    """A folder with a stored study of lesson 90."""
    root = write_toy(tmp_path)
    study, module = find_studies(root / "course_utils" / "studies")[NAME]
    code, _ = fingerprint(module, NAME, root)
    rows = [
        {"phase": "final", "size": 1, "kind": "a", "rate": 0.1 + 0.2, "seed": seed}
        | {"val_loss": 1 / 3, "test_loss": float("nan"), "steps": 7}
        for seed in range(5)
    ]
    header = {"module": module.name, "code": code, "packages": "numpy 2"}
    write_table(root / "data" / "studies" / study.file, study, header, rows)
    return root


def test_values_of_settings_are_exact_and_numbers_have_nine_digits(root):
    table = read_study(NAME, root=root)
    assert table["rate"][0] == 0.1 + 0.2
    assert table["val_loss"][0] == 0.333333333
    assert str(table["test_loss"][0]) == "nan"
    assert table.tuning is None
    assert table.header["packages"] == "numpy 2"


def refused(root):
    with pytest.raises(StudyError) as caught:
        read_study(NAME, root=root)
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("final,1,a", "final,2,a", "damaged: its rows are not those"),  # a number changed by hand
        (r"final.*\n\Z", "", "damaged: its rows are not those"),  # cut off
        (r"\A", "<<<<<<< HEAD\n", "damaged: lines are missing"),  # a merge conflict
        (r"# code.*\n", "", "damaged: lines are missing at its top"),
        (r"(?s).*", "", "damaged: lines are missing at its top"),
    ],
)
def test_a_damaged_file_is_refused(root, old, new, what):
    path = root / "data" / "studies" / f"lesson_{NAME}.csv"
    text = path.read_text(encoding="utf-8")
    changed = re.sub(old, new, text, count=1)
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    assert what in refused(root)
    assert AGAIN in refused(root)


def test_a_file_with_other_line_ends_is_read(root):
    path = root / "data" / "studies" / f"lesson_{NAME}.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert len(read_study(NAME, root=root)) == 5


def test_a_missing_file_is_named(root):
    path = root / "data" / "studies" / f"lesson_{NAME}.csv"
    path.unlink()
    assert refused(root) == f"study {NAME}: {path} is missing; {AGAIN}"


def test_a_stale_study_is_refused(root):
    write_toy(root, MODULE.replace("noise / 3", "noise / 4"))
    assert refused(root) == f"study {NAME} is stale: its code in lesson_90.py has changed; {AGAIN}"
    write_toy(root, MODULE.replace("# the rate that suits a size", "# found by hand"))
    read_study(NAME, root=root)
    (root / "course_utils" / "studies" / "lesson_90.py").unlink()
    assert f"study {NAME}: its code is gone" in refused(root)


def test_versions_are_those_of_the_packages_that_compute():
    numbers = r"[\d.]+"
    found = describe_packages({"os", "sklearn", "keras"})
    names = ("python", "keras", "scikit-learn", "tensorflow")
    assert re.fullmatch(", ".join(f"{name} {numbers}" for name in names), found)
