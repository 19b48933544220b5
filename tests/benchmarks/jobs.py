"""What two jobs at a time save: two seeds of lesson 09, and the batch of all lessons.

    python3 tests/benchmarks/jobs.py [--only seeds|batch] [--rounds 1]

- seeds: `run 09 --grid seed=1,2` with `--jobs 2`, over one after another; wanted below 0.75;
- batch: `run --jobs 2` with all lessons, over a shell loop of papermill; wanted at most 0.6.

Both are measured in turns, and the seconds of processor of each way are printed as well: shared
evenly by all cores they are the time that no way of running could beat. The times depend on the
machine: two cores with nothing else to do are meant. About four minutes for the seeds; for the
batch of twelve lessons about 14 a round.
"""

import argparse
import functools
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from course_utils import timing  # noqa: E402
from course_utils.setup import arguments  # noqa: E402

RUN = [sys.executable, "-m", "course_utils", "run", "--name", "benchmark-jobs"]
LOOP = """\
for lesson in notebooks/[0-9]*.ipynb; do
  {python} -m papermill "$lesson" {folder}/"$(basename "$lesson")" --cwd notebooks || exit 1
done
"""


def call(command: list[str]) -> None:
    """Run a command in the course's folder; its output is shown only if it fails."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if result.returncode != 0:
        sys.exit(f"{shlex.join(command)}\n{result.stdout.decode(errors='replace')[-4000:]}")


def run(*arguments: str) -> None:
    """`run` with these arguments; its folder is removed."""
    try:
        call([*RUN, *arguments])
    finally:
        shutil.rmtree(ROOT / "build" / "runs" / "benchmark-jobs", ignore_errors=True)


def papermill_loop() -> None:
    """All lessons one after another, each with its default parameters."""
    with tempfile.TemporaryDirectory() as folder:
        python, folder = shlex.quote(sys.executable), shlex.quote(folder)
        call(["sh", "-c", LOOP.format(python=python, folder=folder)])


def seeds(rounds: int) -> None:
    """Two seeds of lesson 09."""
    grid = functools.partial(run, "09", "--grid", "seed=1,2")
    ways = {"one after another": grid, "two at a time": functools.partial(grid, "--jobs", "2")}
    show("two seeds of lesson 09", ways, rounds, 0.75)


def batch(rounds: int) -> None:
    """All lessons."""
    ways = {"papermill in a loop": papermill_loop}
    ways["run --jobs 2"] = functools.partial(run, "--jobs", "2")
    show("all lessons", ways, rounds, 0.6)


def show(title: str, ways: dict, rounds: int, wanted: float) -> None:
    """Measure, and print the table and the ratio beside the one wanted."""
    processor = dict.fromkeys(ways, 0.0)

    def counted(name: str) -> None:
        before = os.times()
        ways[name]()
        after = os.times()
        processor[name] += after.children_user - before.children_user
        processor[name] += after.children_system - before.children_system

    turns = timing.measure_in_turns(
        {name: functools.partial(counted, name) for name in ways}, rounds, warm_up=0
    )
    print(f"{title}, {rounds} round{'s' if rounds > 1 else ''}, {os.cpu_count()} cores\n{turns}")
    for name, seconds in processor.items():
        print(f"{name}: {seconds / rounds:.0f} s of processor a round")
    base, other = ways
    timing.compare(f"{other}, over {base}", turns.ratios(other, over=base), 0, wanted)
    print(flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = {"seeds": seeds, "batch": batch}
    parser.add_argument("--only", choices=parts, help="one of the two")
    parser.add_argument("--rounds", type=arguments.whole_number(1, 100), default=1)
    options = parser.parse_args()
    for name in [options.only] if options.only else parts:
        parts[name](options.rounds)
