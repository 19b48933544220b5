"""A study of milliseconds in a temporary folder, to test the machinery on."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import course_utils
from course_utils.studies import cli
from tests.started import Started

ROOT = Path(course_utils.__file__).resolve().parent.parent
NAME = "90_size"
MODULE = '''\
"""Studies of a lesson that is not there."""

import os
import time
from pathlib import Path

import numpy as np

from course_utils.studies import Study, Tuning, product

ROOT = Path(__file__).resolve().parents[2]
BEST = {1: 0.5, 2: 2.0}  # the rate that suits a size


def run_row(setting, seed):
    """Note what is computed; wait for the file `go` in one row, fail in another one."""
    size = setting["size"]
    with (ROOT / "computed").open("a") as file:
        file.write(f"{size} {setting['rate']} {seed}\\n")
    if (size, seed) == (2, 3) and (ROOT / "wait").exists():
        (ROOT / "pid").write_text(str(os.getpid()))
        time.sleep(600)
    if (size, seed) == (1, 2) and (ROOT / "fail").exists():
        raise ZeroDivisionError("first line\\nsecond line")
    noise = np.random.default_rng(seed).random()
    loss = abs(setting["rate"] - BEST[size])
    return {"val_loss": loss, "test_loss": loss + noise / 3, "steps": np.int64(10 * seed)}


SIZE = Study(
    name="90_size",
    question="Does a size count?",
    arms=product(size=[2, 1], kind=["a, b"]),
    seeds=range(5),
    run_row=run_row,
    tolerance={"val_loss": 0.01, "test_loss": 0.01, "steps": 1},
    tuning=Tuning({"rate": [0.5, 1.0, 2.0]}, seeds=[8, 9], by="val_loss", largest=False),
    smoke={"size": 1, "kind": "a, b"},
)
STUDIES = [SIZE]
'''


def write_toy(root: Path, module: str = MODULE) -> Path:
    """Write the module of studies of lesson 90 in `root`."""
    folder = root / "course_utils" / "studies"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lesson_90.py").write_text(module, encoding="utf-8")
    return root


def study(root: Path, *words: str) -> int:
    """Run the command in this process and return the exit code."""
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    return cli.main(parser.parse_args(words), root=root)


def start(root: Path, *words: str) -> Started:
    """Start the command in a process of its own."""
    program = (
        "import sys; from pathlib import Path; from tests.studies.toy import study; "
        "sys.exit(study(Path(sys.argv[1]), *sys.argv[2:]))"
    )
    return Started(
        [sys.executable, "-c", program, str(root), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )


def computed(root: Path) -> list[str]:
    """Return each row that was computed, as "size rate seed", in order."""
    path = root / "computed"
    return path.read_text().splitlines() if path.exists() else []
