"""`python3 -m course_utils study`: runs studies and writes their files.

Only the standard library is imported at the top, as in `runner.cli`.
"""

import argparse
import shutil
import sys
import time
from pathlib import Path

from course_utils.setup import arguments

ROOT = Path(__file__).resolve().parents[2]
EPILOG = """\
A study is declared in course_utils/studies/lesson_NN.py; that package's docstring tells how. Its
arms run in processes of their own and are kept in build/studies/NAME/; after Ctrl-C the same
command goes on. data/studies/lesson_NAME.csv is written when all rows are there.

Exit code: 0 all written, 1 some arm did not succeed, 2 wrong use, 130 stopped by Ctrl-C.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to `parser`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument(
        "studies",
        nargs="+",
        metavar="STUDY",
        help="a lesson's number (02), for all of its studies, or the name of one (02_width)",
    )
    parser.add_argument(
        "--jobs", type=arguments.JOBS, default=1, metavar="N", help="arms at a time"
    )


def main(args: argparse.Namespace, *, root: Path = ROOT) -> int:
    """Run the studies that `args` asks for, one after the other, and return the exit code.

    Their modules are in root/course_utils/studies, files go to root/data/studies.
    """
    from course_utils.studies.declare import StudyError, find_studies, select_studies

    worst = 0
    try:
        found = find_studies(root / "course_utils" / "studies")
        for name in select_studies(found, args.studies):
            code = _run(*found[name], root, args.jobs)
            if code == 130:
                return code
            worst = max(worst, code)
    except StudyError as error:
        print(f"course_utils study: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"course_utils study: {error.filename}: {error.strerror}. A study writes to build and "
            "data in the course's folder: it needs room, and a course that you may change.",
            file=sys.stderr,
        )
        return 1
    return worst


def _run(study, module: Path, root: Path, parallel: int) -> int:
    """Run one study, show it on the terminal, and return the exit code."""
    from course_utils.runner.display import Display, make_console, show_summary, shown
    from course_utils.studies.rows import edges
    from course_utils.studies.run import prepare

    console = make_console()
    started = time.monotonic()
    run = prepare(study, module, root)
    arms, todo = len(run.results), sum(not result.ok for result in run.results)
    rows = arms * (len(study.trials()) + len(study.seeds))
    with Display(console) as display:
        display.note(f"Study {study.name}: {study.question}")
        there = f"{len(run.rows())} of {rows} rows are there"
        display.note(f"{todo} of {arms} arms to do; {there}; in {shown(run.folder)}")
        stopped = run.execute(parallel, display)
    show_summary(console, run)
    console.print(f"Took {time.monotonic() - started:.0f} s.")
    if stopped or not all(result.ok for result in run.results):
        return 130 if stopped else 1
    file = root / "data" / "studies" / study.file
    rows = run.rows()
    run.write(file, rows)
    shutil.rmtree(run.folder)
    for note in edges(study, rows):
        console.print(f"Look at the grid: {note}.", soft_wrap=True)
    console.print(f"Wrote {shown(file)}, {len(rows)} rows.", soft_wrap=True)
    return 0
