"""What came of each job, and summary.json, which keeps it."""

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import psutil

from course_utils.files import write_atomically
from course_utils.runner.plan import Job, Plan

OK = "ok"
CELL_FAILED = "cell failed"
TIMED_OUT = "timed out"
KERNEL_DIED = "kernel died"
INTERRUPTED = "interrupted"
NOT_STARTED = "not started"
NOT_FINISHED = "not finished"  # the failure lies outside of the notebook
LONGEST_MESSAGE = 200


@dataclass
class Result:
    """What came of one job."""

    status: str = NOT_STARTED
    message: str = ""  # which cell or row and what happened there; empty if ok
    seconds: float | None = None  # of a lesson: from the start of the kernel to its end
    peak_memory_mb: float | None = None  # what computes and its children; 1 MB is 10^6 bytes
    metrics: dict = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the job ran to its end without an error."""
        return self.status == OK


def write_summary(folder: Path, plan: Plan, results: list[Result], finished: bool) -> None:
    """Write summary.json: the plan's jobs in order, each with its result."""
    summary = {
        **{name: value for name, value in asdict(plan).items() if name != "jobs"},
        "written": datetime.now().astimezone().isoformat(timespec="seconds"),
        "runner": None if finished else _identity(os.getpid()),
        "python": platform.python_version(),
        "system": platform.platform(),
        "ok": sum(result.ok for result in results),
        "jobs": [
            asdict(job) | asdict(result) for job, result in zip(plan.jobs, results, strict=True)
        ],
    }
    write_atomically(
        folder / "summary.json", json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
    )


def running_process(folder: Path) -> int | None:
    """Return the id of the process that still works on this run, or None."""
    try:
        runner = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["runner"]
        return runner["pid"] if runner == _identity(runner["pid"]) else None
    except (FileNotFoundError, ValueError, KeyError, TypeError, psutil.Error):
        return None


def _identity(pid: int) -> dict:
    """Return what tells a process from a later one with the same id."""
    return {"pid": pid, "started": psutil.Process(pid).create_time()}


def read_results(folder: Path, jobs: list[Job]) -> list[Result]:
    """Return the results in summary.json, in the order of `jobs`; NOT_STARTED for those missing."""
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return [Result() for _ in jobs]
    names = Result.__dataclass_fields__
    found = {
        entry["folder"]: Result(**{name: entry[name] for name in names})
        for entry in summary["jobs"]
    }
    return [found.get(job.folder, Result()) for job in jobs]


def describe(name: str, value: object) -> str:
    """Return an exception in one line of a length that fits a table."""
    line = next(iter(str(value).strip().splitlines()), "")
    text = f"{name}: {line}" if line else name
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"
