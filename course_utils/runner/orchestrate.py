"""Runs the jobs of a plan, some at a time, and keeps their results as they come."""

import contextlib
import queue
import shlex
import shutil
import signal
import time
from pathlib import Path

from course_utils.runner import report
from course_utils.runner.display import Display
from course_utils.runner.plan import Job, LessonPlan, Plan
from course_utils.runner.process import Worker
from course_utils.runner.results import NOT_FINISHED, Result, write_summary

TICK = 0.5  # seconds between two looks at the memory
GRACE = 60  # seconds after Ctrl-C in which a worker may stop and save


class Run:
    """A run of a plan in its folder; `results` has one entry for each job of the plan."""

    kind: str  # what the jobs are, for the summary
    worker: str  # the module that executes a job in a process of its own
    counts_worker: bool  # whether the memory of that process is the job's
    overview: Path  # the file that shows the whole run
    again: str  # the command that runs what has not succeeded

    def __init__(self, plan: Plan, folder: Path, results: list[Result]):
        """Prepare to run the jobs whose result is not ok."""
        self.plan = plan
        self.folder = folder
        self.results = results
        self._events: queue.Queue = queue.Queue()
        self._running: dict[Worker, int] = {}  # worker → its place in the plan
        self._looked = 0.0  # when the memory was last looked at

    def describe(self, job: Job) -> dict:
        """Return what the worker must know of `job`, beside its folder, as JSON can hold it."""
        raise NotImplementedError

    def make_folder(self, folder: Path) -> None:
        """Make the folder of a job anew."""
        if folder.exists():
            shutil.rmtree(folder)  # what an earlier attempt left
        folder.mkdir()

    def execute(self, parallel: int, display: Display) -> bool:
        """Run the jobs, `parallel` at a time; return whether Ctrl-C stopped the run.

        Several at a time start with the longest, so that none runs on alone at the end, and the
        next one starts while the page of the last is written.
        The first Ctrl-C lets the workers save what they have; a second one kills them.
        Raises OSError if the results cannot be written; no process is left then either.
        """
        waiting = [i for i, result in enumerate(self.results) if not result.ok]
        if parallel > 1:
            waiting.sort(key=lambda place: -self.plan.jobs[place].expected)
        asked = None  # when the workers were asked to stop
        with _ctrl_c() as presses:
            try:
                while self._running or (waiting and not presses):
                    while waiting and not presses and self._executing() < parallel:
                        self._start(waiting.pop(0), display)
                    if presses and asked is None:
                        asked = time.monotonic()
                        display.note("stopping: what is running saves what it has")
                        for worker in self._running:
                            worker.ask_to_stop()
                    if len(presses) > 1 or (asked and time.monotonic() > asked + GRACE):
                        for worker in self._running:
                            worker.kill()
                    self._wait(display)
            finally:
                for worker in self._running:
                    worker.kill()
                    worker.result()
        self.save(finished=True)
        return bool(presses)

    def save(self, finished: bool = False) -> None:
        """Write summary.json."""
        write_summary(self.folder, self.plan, self.results, finished)

    def _executing(self) -> int:
        return sum(worker.executing for worker in self._running)

    def _start(self, place: int, display: Display) -> None:
        job = self.plan.jobs[place]
        folder = self.folder / job.folder
        self.make_folder(folder)
        self.results[place] = Result(NOT_FINISHED, "was running when this was written")
        self.save()
        description = self.describe(job) | {"output": str(folder)}
        worker = Worker(job, self.worker, description, self.counts_worker, self._events)
        self._running[worker] = place
        display.started(job)

    def _wait(self, display: Display) -> None:
        """Wait for the next report, at most one tick, and act on it."""
        worker, event = None, {}
        with contextlib.suppress(queue.Empty):
            worker, event = self._events.get(timeout=TICK)
        if time.monotonic() > self._looked + TICK:
            self._looked = time.monotonic()
            for running in self._running:
                running.sample_memory()
                display.memory(running.job, running.peak_memory)
        if event is None:
            place = self._running.pop(worker)
            self.results[place] = worker.result()
            self.save()
            display.finished(worker.job, self.results[place])
        elif "executed" in event:
            worker.executing = False
        elif "step" in event:
            display.progress(worker.job, event["step"], event["place"], event["of"])


class LessonRun(Run):
    """A run of lessons, in build/runs/NAME."""

    kind = "Lesson"
    worker = "course_utils.runner.worker"
    counts_worker = False  # papermill's memory is not the lesson's
    plan: LessonPlan

    def __init__(self, plan: LessonPlan, folder: Path, notebooks: Path, results: list[Result]):
        """Prepare to run the lessons of the folder `notebooks` whose result is not ok."""
        super().__init__(plan, folder, results)
        self.notebooks = notebooks
        self.overview = folder / "index.html"
        self.again = f"python3 -m course_utils run --resume {shlex.quote(plan.name)}"
        if folder.parent.parts[-2:] != ("build", "runs"):  # --folder named another
            self.again += f" --folder {shlex.quote(str(folder.parent))}"

    def describe(self, job: Job) -> dict:
        """Return what the worker must know of a lesson."""
        return {
            "run": self.plan.name,
            "number": job.number,
            "title": job.title,
            "stem": job.stem,
            "notebook": str(self.notebooks / job.file),
            "given": {name: job.parameters[name] for name in job.given},
            "timeout": self.plan.timeout,
        }

    def save(self, finished: bool = False) -> None:
        """Write summary.json and index.html."""
        super().save(finished)
        report.write_index(self.folder, self.plan, self.results)


@contextlib.contextmanager
def _ctrl_c():
    """Collect each Ctrl-C in a list instead of raising KeyboardInterrupt wherever it may hit."""
    presses: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: presses.append(number))
    try:
        yield presses
    finally:
        signal.signal(signal.SIGINT, before)
