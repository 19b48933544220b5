"""The worker process: executes one lesson, saves it, and writes its page.

`python -m course_utils.runner.worker JOB.json`, started by the runner. It writes one JSON object a
line to its standard output: {"step": …} when a code cell starts, {"executed": true} when only the
page is still to be written, {"result": …} at the end. It works as long as its standard input is
open: when the runner closes it, or is gone for whatever reason, the worker stops its kernel, saves
the partial notebook and reports "interrupted".
"""

import errno
import json
import sys
import traceback
from collections.abc import Callable
from html import escape
from pathlib import Path
from urllib.parse import quote

from course_utils.files import write_atomically
from course_utils.metrics import read_metrics
from course_utils.runner import results
from course_utils.runner.channel import open_reports, watch_input
from course_utils.runner.execution import Execution
from course_utils.runner.render import render, render_text
from course_utils.runner.results import describe


def main(path: str) -> None:
    """Run the job that the JSON file `path` describes."""
    report = open_reports()
    job = json.loads(Path(path).read_text(encoding="utf-8"))
    folder = Path(job["output"])
    execution = Execution(
        source=Path(job["notebook"]),
        target=folder / f"{job['stem']}.ipynb",
        given=job["given"],
        timeout=job["timeout"],
        report=report,
    )
    watch_input(execution.stop.set)
    run(execution, job, report)
    report(
        {
            "result": {
                "status": execution.status,
                "message": execution.message,
                "seconds": execution.seconds,
                "metrics": read_metrics(folder / "metrics.json"),
            }
        }
    )


def run(execution: Execution, job: dict, report: Callable[[dict], None]) -> None:
    """Execute the lesson and write its page; a failure outside of the notebook is noted too."""
    try:
        execution.run()
    except Exception as error:
        traceback.print_exc()
        if execution.stop.is_set():
            execution.status, execution.message = results.INTERRUPTED, "stopped before it was done"
        else:
            execution.status, execution.message = results.NOT_FINISHED, explain(error)
    report({"executed": True})
    if execution.notebook is None:
        return
    try:
        write_page(execution, job)
    except Exception as error:
        traceback.print_exc()
        if execution.status == results.OK:
            execution.status = results.NOT_FINISHED
            execution.message = f"the page could not be written: {explain(error)}"


def write_page(execution: Execution, job: dict) -> None:
    """Write the executed lesson as an HTML page beside the notebook, and the texts it links to."""
    for text in execution.source.parent.glob("*.md"):
        header = f'<p><a href="index.html">Run {escape(job["run"])}</a></p>'
        page = render_text(text.read_text(encoding="utf-8"), text.stem.title(), header)
        write_atomically(execution.target.parent.parent / f"{text.stem}.html", page)
    given = ", ".join(f"{name} = {value}" for name, value in job["given"].items())
    header = f'<p><a href="../index.html">Run {escape(job["run"])}</a></p>'
    header += f'<p class="soft">Parameters: {escape(given or "all at their default")}</p>'
    if execution.status != results.OK:
        text = f"<strong>{execution.status}</strong> {escape(execution.message)}"
        if execution.failed_cell is not None:
            text = f'<a href="#cell-id={quote(execution.failed_cell.id)}">{text}</a>'
        header += f'<p class="failure">{text}</p>'
    page = render(execution.notebook, f"{job['number']} {job['title']}", header)
    write_atomically(execution.target.with_suffix(".html"), page)


def explain(error: Exception) -> str:
    """Say in one line what an exception outside of the notebook means."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full"
    return f"{describe(type(error).__name__, error)} (see log.txt)"


if __name__ == "__main__":
    main(sys.argv[1])
