"""The studies of the course: stored, whole, made by the code as it is, and repeatable."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils.studies import read_study
from course_utils.studies.declare import find_studies

ROOT = Path(__file__).resolve().parents[2]
STUDIES = find_studies(ROOT / "course_utils" / "studies")
# One process for all: TensorFlow is imported once, and apart from what other tests do with it.
REPEAT = """
import json
from pathlib import Path
from course_utils.studies import read_study
from course_utils.studies.declare import find_studies
from course_utils.studies.rows import repeat
found = find_studies(Path("course_utils/studies"))
print(json.dumps({name: repeat(study, read_study(name)) for name, (study, _) in found.items()}))
"""


@pytest.fixture(scope="module")
def tables():
    """Each stored study; to read one that is stale is an error, which says what to do."""
    return {name: read_study(name) for name in STUDIES}


def test_every_file_belongs_to_a_study():
    files = {path.name for path in (ROOT / "data" / "studies").iterdir()}
    assert files == {study.file for study, _ in STUDIES.values()}


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_stored_as_it_is_declared_by_the_code_as_it_is(name):
    study, _ = STUDIES[name]
    table = read_study(name)
    assert list(table.columns) == [*study.parameters, "seed", *study.columns]
    rows = list(zip(*(table[key].tolist() for key in [*study.arms[0], "seed"]), strict=True))
    assert rows == [(*arm.values(), seed) for arm in study.arms for seed in study.seeds]
    for parameter, values in (study.tuning.grid if study.tuning else {}).items():
        assert set(table[parameter].tolist()) <= set(values)
    assert (len(table.tuning) if study.tuning else 0) == len(study.arms) * len(study.trials())


@pytest.mark.parametrize("name", STUDIES)
def test_the_tolerance_of_a_repeated_row_would_show_the_row_of_another_arm(name):
    study, _ = STUDIES[name]
    table = read_study(name)
    stored = table.where(**(study.smoke or study.arms[0]), seed=study.seeds[0])
    for column, tolerance in study.tolerance.items():
        furthest = abs(table[column] - stored[column]).max()
        assert tolerance == 0 or furthest > tolerance, column


def test_one_row_of_each_study_comes_out_again():
    command = [sys.executable, "-c", REPEAT]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {name: [] for name in STUDIES}
