"""A worker's line to the runner: reports go out, and the end of its input means stop."""

import contextlib
import json
import os
import threading
from collections.abc import Callable


def open_reports() -> Callable[[dict], None]:
    """Return the function that sends a report, one JSON object a line, over standard output.

    What else is written to standard output from now on, also by a process that inherits it, goes
    to standard error, which is the job's log.
    """
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def report(event: dict) -> None:
        with contextlib.suppress(BrokenPipeError):  # the runner is gone; so is the input
            print(json.dumps(event), file=pipe, flush=True)

    return report


def watch_input(stop: Callable[[], None]) -> None:
    """Call `stop` in a thread when standard input is closed: the runner asks for it, or is gone."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        stop()

    threading.Thread(target=watch, daemon=True).start()
