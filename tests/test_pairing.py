"""The two workers of the whole suite begin at their own ends of the queue."""

import subprocess
import sys
from pathlib import Path

import tests

TEST = "import os\ndef test_it(): open({name!r}, 'w').write(os.environ['PYTEST_XDIST_WORKER'])\n"


def test_lessons_and_light_tests_run_side_by_side(tmp_path):
    for name in ("tests/a", "notebooks/b"):
        path = tmp_path / f"{Path(name).parent}/test_{Path(name).name}.py"
        path.parent.mkdir()
        path.write_text(TEST.format(name=str(tmp_path / Path(name).name)))
    (tmp_path / "conftest.py").write_text(
        f"import sys\nsys.path.insert(0, {str(Path(tests.__file__).parents[1])!r})\n"
        "from tests.pairing import pytest_xdist_make_scheduler\n"
    )
    pytest = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:nbval", "tests"]
    done = subprocess.run([*pytest, "notebooks"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "a").read_text() == "gw1"
    assert (tmp_path / "b").read_text() == "gw0"
