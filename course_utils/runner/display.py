"""What a run shows on the terminal: a live line for each running lesson, then the table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from course_utils.metrics import format_metric
from course_utils.runner.plan import Job
from course_utils.runner.results import NOT_STARTED, OK, Result

if TYPE_CHECKING:
    from course_utils.runner.orchestrate import Run

WIDTH = 100  # columns where there is no terminal to ask
COLOURS = {OK: "green", NOT_STARTED: "yellow"}


def make_console() -> Console:
    """Return the console for a run: as wide as the terminal, 100 columns in a file or pipe."""
    return Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)


class Display:
    """Shows the progress of a run: live on a terminal, otherwise a line at start and finish."""

    def __init__(self, console: Console):
        """Prepare to show on `console`; use it as a context manager."""
        self.console = console
        self.live = console.is_terminal
        self._tasks: dict[str, int] = {}  # folder of a running job → its line
        self._progress = Progress(
            TextColumn(
                "{task.description}",
                table_column=Column(ratio=3, no_wrap=True, overflow="ellipsis"),
            ),
            BarColumn(bar_width=14),
            TextColumn(
                "{task.fields[step]}",
                table_column=Column(ratio=2, no_wrap=True, overflow="ellipsis"),
            ),
            TimeElapsedColumn(),
            TextColumn("{task.fields[memory]}", justify="right"),
            console=console,
            expand=True,
            refresh_per_second=4,
            disable=not self.live,
        )

    def __enter__(self):
        """Begin to show."""
        self._progress.start()
        return self

    def __exit__(self, *_error):
        """Remove the live lines."""
        for task in self._tasks.values():
            self._progress.remove_task(task)
        self._progress.stop()

    def started(self, job: Job) -> None:
        """Show that `job` started."""
        if self.live:
            self._tasks[job.folder] = self._progress.add_task(
                job.label, total=None, step="starting", memory=""
            )
        else:
            self.note(f"{'start':14} {job.label}")

    def progress(self, job: Job, step: str, place: int, of: int) -> None:
        """Show that `step` (a code cell, a row), number `place` of `of`, started."""
        if self.live:
            self._progress.update(
                self._tasks[job.folder],
                total=of,
                completed=place - 1,
                step=f"{place}/{of} {step}",
            )

    def memory(self, job: Job, peak: int) -> None:
        """Show the peak memory of `job` so far, in bytes."""
        if self.live:
            self._progress.update(self._tasks[job.folder], memory=f"{peak / 1e6:.0f} MB")

    def finished(self, job: Job, result: Result) -> None:
        """Show how `job` ended, in a line that stays."""
        if self.live:
            self._progress.remove_task(self._tasks.pop(job.folder))
        line = Text(f"{result.status:14}", style=colour(result))
        line.append(f" {job.label}", style="default")
        line.append(f"  {_seconds(result)} s  {_memory(result)} MB", style="default")
        self.console.print(line, soft_wrap=True)

    def note(self, text: str) -> None:
        """Show a line that stays."""
        self.console.print(Text(text), soft_wrap=True)


def show_summary(console: Console, run: Run) -> None:
    """Print the table of results, then each failure with its place, then where the files are."""
    pairs = list(zip(run.plan.jobs, run.results, strict=True))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column(run.kind, ratio=3)
    table.add_column("Parameters", ratio=3)
    table.add_column("Status", no_wrap=True)
    table.add_column("Seconds", justify="right", no_wrap=True)
    table.add_column("Peak MB", justify="right", no_wrap=True)
    table.add_column("Metrics", ratio=4)
    for job, result in pairs:
        table.add_row(
            f"{job.number} {job.title}",
            "\n".join(f"{name}={job.parameters[name]}" for name in job.given),
            Text(result.status, style=colour(result)),
            _seconds(result),
            _memory(result),
            "\n".join(f"{name} {format_metric(v)}" for name, v in result.metrics.items()),
        )
    console.print(table)
    for job, result in pairs:
        if result.message:
            console.print(Text(f"{job.label}: {result.status}"), soft_wrap=True)
            console.print(Text(f"  {result.message}"), soft_wrap=True)
            console.print(Text(f"  {shown(run.folder / job.folder)}"), soft_wrap=True)
    ok = sum(result.ok for result in run.results)
    console.print(Text(f"{ok} of {len(pairs)} ok. {shown(run.overview)}"), soft_wrap=True)
    if ok < len(pairs):
        console.print(Text(f"Run again what has not succeeded: {run.again}"), soft_wrap=True)


def shown(path: Path) -> Path:
    """Return `path` from the current folder if it is below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def colour(result: Result) -> str:
    """Return the colour of a status on the terminal."""
    return COLOURS.get(result.status, "red")


def _seconds(result: Result) -> str:
    return "-" if result.seconds is None else f"{result.seconds:.1f}"


def _memory(result: Result) -> str:
    return "-" if result.peak_memory_mb is None else f"{result.peak_memory_mb:.0f}"
