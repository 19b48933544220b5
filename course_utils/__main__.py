"""The course's commands: `python3 -m course_utils lab | run | test | serve | …`.

Each command first makes sure of its environment (see `bootstrap`), so only the standard library
is imported before that; help and wrong arguments need no set-up.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from course_utils.setup import bootstrap, isolation

ROOT = Path(__file__).resolve().parent.parent
PASSING_ON = ("lab", "test")  # what they do not know themselves goes to JupyterLab and pytest

COMMANDS = {
    "lab": "open your copies of the lessons in JupyterLab, at lesson 00",
    "run": "execute the lessons in batch; results go to build/runs/",
    "test": "run every test, notebooks included; pytest's arguments pass through",
    "serve": "serve the model of lesson 06 over HTTP, with a page to draw digits on",
    "keys": "add, list or revoke the API keys of the service",
    "audit": "verify the audit log of the service",
    "study": "for authors: run the comparisons over seeds of a lesson; writes data/studies/",
    "models": "for authors: train the small models that ship; writes data/models/",
    "execute": "for authors: execute the committed notebooks again, in place",
    "lock": "for authors: pin all packages anew after a change of requirements.txt",
}


def main(arguments: list[str]) -> int:
    """Run the command that `arguments` name and return its exit code."""
    isolation.use_utf8()
    overview = argparse.ArgumentParser(
        prog="python3 -m course_utils",
        description="The notebook course: set up on the first use, then read, run and test it.",
        epilog="`python3 -m course_utils COMMAND --help` tells about one command. The first use "
        "makes .venv in the course's folder, unless the running Python has all that "
        "requirements.lock pins.",
    )
    commands = overview.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, text in COMMANDS.items():
        commands.add_parser(name, help=text, add_help=False)
    command = overview.parse_args(arguments[:1]).command

    bootstrap.check_python()
    add_arguments, run = _load(command)
    parser = argparse.ArgumentParser(
        prog=f"{overview.prog} {command}",
        description=f"{command}: {COMMANDS[command]}.",
        allow_abbrev=False,
    )
    add_arguments(parser)
    args, args.rest = parser.parse_known_intermixed_args(arguments[1:])
    if args.rest and command not in PASSING_ON:
        parser.error(f"unrecognized arguments: {' '.join(args.rest)}")

    os.chdir(ROOT)  # paths are the project's, wherever the command was called
    if command != "lock":  # it mends what would stop the set-up
        bootstrap.ensure_environment(ROOT, arguments)
    if command not in ("lab", "lock"):  # the reader's theme, keys and hub; the network's settings
        isolation.isolate(arguments)
    return run(args)


def _load(command: str):
    """Return the two functions of a command: one declares its arguments, one runs it."""
    if command == "run":
        from course_utils.runner import cli

        return cli.add_arguments, cli.main
    if command in ("serve", "keys", "audit"):
        from course_utils.service import cli

        return cli.COMMANDS[command]
    if command == "study":
        from course_utils.studies import cli

        return cli.add_arguments, cli.main
    if command == "models":
        from course_utils.models import cli

        return cli.add_arguments, cli.main
    if command == "execute":
        from course_utils.runner import execute

        return execute.add_arguments, execute.main
    if command == "lock":
        from course_utils.setup import lock

        return lock.add_arguments, lock.main
    if command == "lab":
        from course_utils.reading import cli

        return cli.add_arguments, cli.main
    return _add_test_arguments, _test


def _add_test_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [-h] [pytest's arguments]"
    parser.epilog = "Example: `test tests/test_data.py -x`. Paths start at the course's folder."


def _test(args: argparse.Namespace) -> int:
    # The whole suite runs on two workers (see tests/pairing.py); a part of it, as pytest is told.
    return bootstrap.become([sys.executable, "-m", "pytest", *(args.rest or ["-n", "2"])])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except bootstrap.SetupError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. The same command again finishes what is missing.\n")
        sys.exit(130)
