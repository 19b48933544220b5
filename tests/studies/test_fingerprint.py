"""What makes a study stale and what does not."""

import pytest

from course_utils.studies.fingerprint import fingerprint

STUDY = '''\
"""Studies."""

import numpy as np
import pandas

from course_utils import environment, shared
from course_utils.deep import well
from course_utils.studies import Study, product

STEPS = 10


def step(theta):
    """One step."""
    return theta - shared.RATE * well(theta)


def run_row(setting, seed):
    """A row."""
    import keras

    environment.start()
    keras.log(f"row {seed:{STEPS}}")
    return {"val_loss": np.sum(step(seed)) + STEPS + keras.rate}


def other(x):
    return pandas.unused(x)


A = Study("90_a", question="Why?", arms=product(x=[1]), run_row=run_row, tolerance={"val_loss": 1})
B = Study(name="90_b", question="How?", arms=[{"x": 1}], run_row=other, tolerance={"val_loss": 1})
'''
FILES = {
    "course_utils/studies/lesson_90.py": STUDY,
    "course_utils/environment.py": "def start():\n    pass\n",
    "course_utils/shared.py": "RATE = 0.1\nUNUSED = 1\n",
    "course_utils/deep/__init__.py": "from course_utils.deep.bottom import well\n",
    "course_utils/deep/bottom.py": "from .bed import LEVEL\n\ndef well(x):\n    return x * LEVEL\n",
    "course_utils/deep/bed.py": "LEVEL = 2\n",
}


def code(root, file="course_utils/studies/lesson_90.py", old="", new="", study="90_a"):
    """Return hash and packages of the study with a text in one file replaced."""
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert name != file or old in text
        path.write_text(text.replace(old, new) if name == file and old else text)
    return fingerprint(root / "course_utils/studies/lesson_90.py", study, root)


LESSON = "course_utils/studies/lesson_90.py"
MATTERS = [
    (LESSON, "STEPS = 10", "STEPS = 11"),
    (LESSON, "x=[1]", "x=[True]"),
    (LESSON, "theta - shared", "theta + shared"),
    (LESSON, "STEPS = 10", "STEPS = 10\nnp.seterr(all='ignore')"),  # done on import
    (LESSON, "return theta", "theta += 0\n    return theta"),
    (LESSON, "STEPS = 10", "STEPS = 10\nSTEPS += 1"),
    ("course_utils/shared.py", "0.1", "0.2"),
    ("course_utils/shared.py", "UNUSED = 1", "if True:\n    RATE = 2"),
    ("course_utils/deep/bottom.py", "x * LEVEL", "x / LEVEL"),
    ("course_utils/deep/bed.py", "2", "3"),
]
DOES_NOT_MATTER = [
    (LESSON, "STEPS = 10", "STEPS = (\n    10  # many\n)"),
    (LESSON, '"""One step."""', '"""One small step.\n\n    More.\n    """'),
    (LESSON, '"""Studies."""', '"""All studies."""'),
    (LESSON, 'question="Why?"', 'question="Why not?"'),
    (LESSON, 'run_row=run_row, tolerance={"val_loss": 1}', "run_row=run_row, tolerance=other"),
    (LESSON, "pandas.unused(x)", "pandas.other(x)"),  # of the other study
    (LESSON, "STEPS = 10", "STEPS = 10\nMORE = 1"),
    ("course_utils/shared.py", "UNUSED = 1", "UNUSED = 2"),
    ("course_utils/environment.py", "pass", "import os"),  # a condition, not the code
]


@pytest.mark.parametrize(("file", "old", "new"), MATTERS)
def test_what_makes_other_numbers_changes_the_hash(tmp_path, file, old, new):
    assert code(tmp_path) != code(tmp_path, file, old, new)


@pytest.mark.parametrize(("file", "old", "new"), DOES_NOT_MATTER)
def test_what_makes_no_number_does_not(tmp_path, file, old, new):
    assert code(tmp_path)[0] == code(tmp_path, file, old, new)[0]


def test_each_study_of_a_module_has_its_own_code_and_packages(tmp_path):
    (a, of_a), (b, of_b) = code(tmp_path), code(tmp_path, study="90_b")
    assert a != b
    assert (of_a, of_b) == ({"numpy", "keras"}, {"pandas"})


def test_the_hash_is_the_same_in_every_version_of_python(tmp_path):
    """Not ast.dump's text, which 3.13 changed; if this changes, every study becomes stale."""
    assert code(tmp_path)[0][:16] == "79069acf5187f082"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"90_a"', "NAME", "no call of Study or Recipe has the name '90_a' written in it"),
        ("import environment, shared", "import environment, gone as shared", "course_utils.gone"),
    ],
)
def test_what_cannot_be_followed_is_an_error(tmp_path, old, new, message):
    with pytest.raises(LookupError, match=message):
        code(tmp_path, LESSON, old, new)
