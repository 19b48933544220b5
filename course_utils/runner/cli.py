"""`python3 -m course_utils run`: the command line of the batch runner.

Only the standard library is imported at the top, so that --help and wrong use are answered before
anything is installed.
"""

import argparse
import dataclasses
import sys
import time
from datetime import datetime
from pathlib import Path

from course_utils.setup import arguments

ROOT = Path(__file__).resolve().parent.parent.parent
RUNS = "build/runs"
WEEK = 7 * 24 * 3600  # seconds
EXAMPLES = """\
examples:
  run                                   the whole course
  run 06 08                             two lessons
  run 04-09 --profile smoke --jobs 2    a range, shortest values, two at a time
  run 06 -p epochs=10                   one parameter set
  run 06 --grid seed=0,1,2 --grid learning_rate=1e-3,1e-2    six runs of one lesson
  run --resume 2026-01-31_10-00-00      what has not succeeded in that run

Results: FOLDER/NAME/index.html and summary.json.
Exit code: 0 all lessons succeeded, 1 some did not, 2 wrong use, 130 stopped by Ctrl-C.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the runner's arguments to `parser`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.add_argument(
        "lessons",
        nargs="*",
        metavar="LESSON",
        help="a number (06) or a range (04-09); all lessons if none is given",
    )
    parser.add_argument(
        "-p",
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a parameter of the lessons (may be repeated)",
    )
    parser.add_argument(
        "--grid",
        action="append",
        default=[],
        metavar="NAME=V1,V2",
        help="run with each of these values; several grids give their product",
    )
    parser.add_argument(
        "--profile",
        choices=("smoke", "default", "full"),
        help="parameter values from course.toml: shortest, those in the lessons, strongest",
    )
    parser.add_argument(
        "--jobs", type=arguments.JOBS, default=1, metavar="N", help="lessons at a time (default 1)"
    )
    parser.add_argument("--name", help="name of the run (default: date and time)")
    parser.add_argument(
        "--resume", metavar="NAME", help="run again what has not succeeded in an earlier run"
    )
    parser.add_argument(
        "--timeout",
        type=arguments.number(0, WEEK, "seconds"),
        metavar="SECONDS",
        help="limit for each lesson (default none)",
    )
    parser.add_argument(
        "--folder",
        type=arguments.folder,
        help=f"folder of all runs (default {RUNS} in the course's folder; where that cannot be "
        "written, in your home)",
    )


def main(args: argparse.Namespace, *, root: Path = ROOT) -> int:
    """Run what `args` asks for; lessons are in root/notebooks, results go to `args.folder`.

    Returns the exit code.
    """
    from course_utils.contents import ContentsError, unlisted_note
    from course_utils.files import writable_folder
    from course_utils.runner.plan import PlanError

    runs = root / (args.folder or RUNS)
    try:
        runs = runs if args.folder else writable_folder(root, RUNS)
        run = _resumed(args, root, runs) if args.resume else _new(args, root, runs)
        if note := unlisted_note(root / "notebooks" / "course.toml"):
            print(note)
        return _execute(run, args.jobs)
    except (ContentsError, PlanError) as error:
        print(f"course_utils run: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        what = f"cannot write to {runs}: {error.strerror}" if error.strerror else error
        what = f"{what}. Name a folder that has room, and where you may write, with --folder."
        print(f"course_utils run: {what}", file=sys.stderr)
        return 1


def _new(args: argparse.Namespace, root: Path, runs: Path):
    """Plan a new run, make its folder, and return it."""
    from course_utils.contents import read_contents, select
    from course_utils.runner.orchestrate import LessonRun
    from course_utils.runner.plan import PlanError, make_plan, write_plan
    from course_utils.runner.results import Result

    notebooks = root / "notebooks"
    lessons = select(read_contents(notebooks / "course.toml"), args.lessons)
    plan = make_plan(
        args.name or datetime.now().strftime("%Y-%m-%d_%H-%M-%S"),
        lessons,
        notebooks,
        assignments=args.parameter,
        grid=args.grid,
        profile=args.profile or "default",
        timeout=args.timeout,
    )
    folder = runs / plan.name
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise PlanError(
            f"there is already a run named {plan.name}: choose another --name, "
            f"or finish it with --resume {plan.name}"
        ) from None
    write_plan(plan, folder / "run.json")
    return LessonRun(plan, folder, notebooks, [Result() for _ in plan.jobs])


def _resumed(args: argparse.Namespace, root: Path, runs: Path):
    """Return the earlier run that --resume names, with its results so far."""
    from course_utils.contents import read_contents
    from course_utils.runner.orchestrate import LessonRun
    from course_utils.runner.plan import PlanError, check_plan, read_plan
    from course_utils.runner.results import read_results, running_process

    if args.lessons or args.parameter or args.grid or args.profile or args.name:
        raise PlanError(
            "--resume runs the plan of the earlier run: "
            "leave out lessons, -p, --grid, --profile and --name"
        )
    notebooks, folder = root / "notebooks", runs / args.resume
    plan = read_plan(folder / "run.json")
    if pid := running_process(folder):
        raise PlanError(f"run {plan.name} is still going on (process {pid}); wait or stop it first")
    check_plan(plan, read_contents(notebooks / "course.toml"), notebooks)
    if args.timeout is not None:
        plan = dataclasses.replace(plan, timeout=args.timeout)
    return LessonRun(plan, folder, notebooks, read_results(folder, plan.jobs))


def _execute(run, parallel: int) -> int:
    """Execute a run, show it on the terminal, and return the exit code."""
    from course_utils.runner.display import Display, make_console, show_summary, shown

    console = make_console()
    started = time.monotonic()
    todo = sum(not result.ok for result in run.results)
    with Display(console) as display:
        where = shown(run.folder)
        display.note(f"Run {run.plan.name}: {todo} of {len(run.results)} lessons to do, in {where}")
        stopped = run.execute(parallel, display)
    show_summary(console, run)
    console.print(f"Took {time.monotonic() - started:.0f} s.")
    if stopped:
        return 130
    return 0 if all(result.ok for result in run.results) else 1
