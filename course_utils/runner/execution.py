"""Executing one lesson with papermill: each failure is noted in one form, nothing is lost."""

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook, remove_error_markers

from course_utils.files import write_atomically
from course_utils.metrics import VARIABLE
from course_utils.runner import results
from course_utils.runner.results import describe

ENGINE = "course"
# Seconds in which a kernel must be ready, and in which the outputs of a finished cell must have
# arrived. Both take moments: only what hangs takes so long, however busy the machine.
START_TIMEOUT = OUTPUT_TIMEOUT = 1800


@dataclass
class Execution:
    """One execution of one lesson: what is asked for, and what has happened so far."""

    source: Path  # the lesson; its folder is the kernel's working folder
    target: Path  # where the executed notebook is saved
    given: dict  # parameter values to inject
    timeout: float | None  # seconds for the whole lesson
    report: object  # called with {"step": id, "place": i, "of": n} when a code cell starts
    stop: threading.Event = field(default_factory=threading.Event)  # set it to stop early
    status: str = results.OK
    message: str = ""  # of the first failure: the cell and what happened
    failed_cell: nbformat.NotebookNode | None = None
    notebook: nbformat.NotebookNode | None = None
    seconds: float = 0.0

    def run(self) -> None:
        """Execute the lesson; `status` and `message` say how it ended.

        A failing cell, a time-out, a kernel that died and a stop end the lesson and are noted.
        Raises what is no matter of the lesson: OSError, or RuntimeError if no kernel starts.
        """
        papermill_engines.register(ENGINE, LessonEngine)
        os.environ[VARIABLE] = str(self.target.parent / "metrics.json")
        self._started = time.monotonic()
        try:
            execute_notebook(
                # papermill formats the path: a brace in a folder's name must be doubled
                str(self.source).replace("{", "{{").replace("}", "}}"),
                None,  # saved by `save`, after every cell, whole or not at all
                parameters=self.given,
                engine_name=ENGINE,
                kernel_name="python3",
                language="python",
                progress_bar=False,
                cwd=str(self.source.parent),
                execution=self,
            )
        except PapermillExecutionError as error:
            if self.status == results.OK:  # an error that a tag of its cell allowed
                cell = next(c for c in self.notebook.cells if c.source == error.source)
                self.fail(results.CELL_FAILED, cell, describe(error.ename, error.evalue))
        finally:
            self.seconds = time.monotonic() - self._started
            if self.notebook is not None:
                remove_error_markers(self.notebook)
                self.save()

    def save(self) -> None:
        """Save the notebook as it stands."""
        write_atomically(self.target, nbformat.writes(self.notebook))

    def seconds_left(self, _cell: object = None) -> float | None:
        """Return what is left of the lesson's time; never 0, which nbclient takes for no limit."""
        if self.timeout is None:
            return None
        return max(0.001, self._started + self.timeout - time.monotonic())

    def fail(self, status: str, cell: nbformat.NotebookNode, what: str) -> None:
        """Note how and in which cell the lesson ended."""
        cells = [c for c in self.notebook.cells if runs(c)]
        place = next(i for i, c in enumerate(cells, start=1) if c is cell)
        self.status, self.failed_cell = status, cell
        self.message = f"cell {place} of {len(cells)}, {cell.id}: {what}"


class LessonClient(PapermillNotebookClient):
    """Papermill's client, which reports each cell, saves after it, and can be stopped."""

    def __init__(self, nb_man, execution: Execution):
        """Prepare to execute the notebook of `nb_man` in a new kernel."""
        super().__init__(
            nb_man,
            kernel_name="python3",
            timeout_func=execution.seconds_left,
            startup_timeout=START_TIMEOUT,
            iopub_timeout=OUTPUT_TIMEOUT,
            coalesce_streams=True,
            record_timing=False,
            store_widget_state=False,
        )
        self.execution = execution

    def execute_cell(self, cell, cell_index, *args, **options):
        """Execute one cell; what ends the lesson here is noted."""
        execution = self.execution
        if not runs(cell):
            return super().execute_cell(cell, cell_index, *args, **options)
        place = sum(map(runs, self.nb.cells[: cell_index + 1]))
        execution.report({"step": cell.id, "place": place, "of": sum(map(runs, self.nb.cells))})
        try:
            if execution.stop.is_set():
                raise DeadKernelError
            return super().execute_cell(cell, cell_index, *args, **options)
        except CellExecutionError as error:
            execution.fail(results.CELL_FAILED, cell, describe(error.ename, error.evalue))
            raise
        except CellTimeoutError as error:
            what = str(error).splitlines()[0]
            if execution.timeout is not None and execution.seconds_left() < 1:
                what = f"still running after {execution.timeout:g} s"
            execution.fail(results.TIMED_OUT, cell, what)
            raise
        except DeadKernelError:
            if execution.stop.is_set():
                execution.fail(results.INTERRUPTED, cell, "stopped here")
            else:
                what = "the kernel process ended by itself; was the memory exhausted?"
                execution.fail(results.KERNEL_DIED, cell, what)
            raise
        finally:
            execution.save()

    async def _async_check_alive(self) -> None:
        """Take a requested stop for a dead kernel; nbclient asks this every second."""
        if self.execution.stop.is_set():
            raise DeadKernelError
        await super()._async_check_alive()


class LessonEngine(NBClientEngine):
    """Papermill's engine with LessonClient."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, *, execution, **_options):
        """Execute the notebook; a time-out, a dead kernel and a stop leave an error in the cell."""
        execution.notebook = nb_man.nb
        for cell in nb_man.nb.cells:
            if "injected-parameters" in cell.metadata.get("tags", []):
                cell.id = "injected-parameters"  # papermill gives a random one
        execution.save()
        try:
            LessonClient(nb_man, execution).execute()
        except (CellTimeoutError, DeadKernelError):
            cell = execution.failed_cell
            if cell is None:  # not in a cell: while the kernel started or ended
                raise
            text = f"{execution.status}: {execution.message}"
            name = execution.status.title().replace(" ", "")
            cell.outputs.append(
                nbformat.v4.new_output(
                    "error", ename=name, evalue=execution.message, traceback=[text]
                )
            )
            nb_man.cell_exception(cell)


def runs(cell: nbformat.NotebookNode) -> bool:
    """Whether the kernel gets this cell."""
    return cell.cell_type == "code" and bool(cell.source.strip())
