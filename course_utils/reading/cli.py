"""`python3 -m course_utils lab`: opens the reader's copies of the lessons in JupyterLab."""

import argparse
import os
import sys
from pathlib import Path
from urllib.parse import quote

from course_utils.reading import ReadingError
from course_utils.reading.place import Place, find_place
from course_utils.reading.settings import write_overrides
from course_utils.setup import arguments, bootstrap, isolation

ROOT = Path(__file__).resolve().parents[2]
FIRST_LESSON = "00_start_here.ipynb"
SERVED = "--ServerApp.root_dir"
SAME = ("--notebook-dir",)  # JupyterLab's shorter name for it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.usage = "%(prog)s [-h] [--work DIR | --originals] [--no-browser] [--port PORT] [--ip IP]"
    parser.usage += " [JupyterLab's options]"
    parser.epilog = (
        "You read copies of the lessons, which are yours: nothing that you write in them is "
        "overwritten. All other options go to JupyterLab, such as --ServerApp.base_url=/course/."
    )
    which = parser.add_mutually_exclusive_group()
    add_work(which)
    which.add_argument(
        "--originals", action="store_true", help="for authors: open the committed pages"
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    # JupyterLab listens on the rest after division by 65536 and prints an address that is wrong.
    parser.add_argument(
        "--port", type=arguments.PORT, help="port to listen on (default 8888 or the next)"
    )
    parser.add_argument("--ip", type=arguments.host, help="address to listen on (localhost)")


def add_work(parser) -> None:
    """Declare the argument that names the folder of the copies."""
    parser.add_argument(
        "--work",
        metavar="DIR",
        help="folder of your copies (default: work in the course's folder, where a relative DIR "
        "starts, too; a folder in your home where that cannot be written)",
    )


def main(args: argparse.Namespace, root: Path = ROOT) -> int:
    """Make the copies and become JupyterLab; return the exit code if that cannot be."""
    prefix = Path(sys.prefix)
    if prefix.resolve() == (root / ".venv").resolve() and (warning := write_overrides(prefix)):
        _say(f"warning: {warning}")
    place = (
        Place(root / "notebooks", root, "..") if args.originals else open_copies(root, args.work)
    )
    if place is None:
        return 1
    return bootstrap.become(_command(args, place), isolation.jupyterlab_environment())


def open_copies(root: Path, wanted: str | None, keep: bool = True) -> Place | None:
    """Make or renew the copies, say what the reader must know, and return their place.

    Returns None, with the reason on standard error, where that cannot be done. With `keep` this
    process, and what it becomes, is one that has the copies open.
    """
    from course_utils.contents import ContentsError
    from course_utils.reading.copies import make_copies
    from course_utils.reading.servers import Lock, running_server

    try:
        place = find_place(root, wanted)
    except ReadingError as error:
        _say(f"error: {error}")
        return None
    try:
        lock = Lock(place.folder)
        server = running_server(place.folder) or (None if lock.alone else "another `lab`")
        notes = make_copies(root, place, server)
        lock.share() if keep else lock.release()
    except (ReadingError, ContentsError) as error:
        _say(f"error: {error}")
        return None
    except OSError as error:
        _say(
            f"error: {error.filename or place.folder}: {error.strerror}. No copy was lost. Make "
            "room, or name another folder with --work DIR; then repeat the command."
        )
        return None
    why = f" ({place.reason})" if place.reason else ""
    _say(f"Your copies of the lessons are in {place.folder}{why}.")
    for note in notes:
        _say(note)
    return place


def _command(args: argparse.Namespace, place: Place) -> list[str]:
    """Return JupyterLab's command line; where the reader gives an option, ours is left out."""
    path = (place.folder / FIRST_LESSON).relative_to(place.served).as_posix()
    ours = {
        SERVED: str(place.served),
        "--LabApp.default_url": f"/lab/tree/{quote(path)}",
        "--LabApp.news_url": "None",  # with the next lines: no request to the network
        "--LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager": "readonly",  # no search on PyPI, and the pins stay
        "--port": args.port,
        "--ip": args.ip,
    }
    given = {word.partition("=")[0] for word in args.rest}
    if given & {SERVED, *SAME}:  # then the first lesson has another path, or none
        del ours[SERVED], ours["--LabApp.default_url"]
    command = [sys.executable, "-m", "course_utils.reading.jupyterlab"]
    command += [f"{name}={x}" for name, x in ours.items() if x is not None and name not in given]
    if args.no_browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0 and "--allow-root" not in given:
        command.append("--allow-root")  # root is the usual user in a container
    return [*command, *args.rest]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # whose encoding refuses nothing
