"""One worker process as the runner sees it: its reports, its memory, its end."""

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

import course_utils
from course_utils.files import write_atomically
from course_utils.runner.plan import Job
from course_utils.runner.results import INTERRUPTED, NOT_FINISHED, Result

LOOK = 5.0  # seconds after which the shared memory is divided anew, whatever has grown
ROOT = Path(course_utils.__file__).resolve().parent.parent
# Ctrl-C in a terminal goes to the runner alone; it tells its workers.
if sys.platform == "win32":
    APART = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
else:
    APART = {"start_new_session": True}


def memory_of(process: psutil.Process) -> int:
    """Bytes in memory that a process holds.

    On Linux a page that several processes share, such as TensorFlow's library, is divided among
    them (proportional set size), so that a sum over processes counts it once; elsewhere it counts
    in each (resident set size).
    """
    return process.memory_full_info().pss if psutil.LINUX else process.memory_info().rss


class Worker:
    """A running worker process. Its reports go to `events` as (worker, report), at last None."""

    def __init__(
        self, job: Job, module: str, description: dict, counts_itself: bool, events: queue.Queue
    ):
        """Start the worker for `job`.

        module: the program, which gets `description` as a JSON file in the folder that
        description["output"] names and that exists; counts_itself: whether the memory of the
        worker is the job's, or only that of the processes it starts.
        """
        self.job = job
        self.started = time.monotonic()
        self.peak_memory = 0  # bytes
        self.executing = True  # not once it says that it only writes the page
        self.killed = False
        self._counts_itself = counts_itself
        self._seen: set[psutil.Process] = set()  # every descendant ever seen
        self._most_resident, self._looked = 0, 0.0  # bytes and time of the last careful look
        self._result: dict = {}
        self._events = events
        folder = Path(description["output"])
        write_atomically(folder / "job.json", json.dumps(description, indent=2) + "\n")
        with (folder / "log.txt").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(folder / "job.json")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                **APART,
            )
        self._tree = psutil.Process(self._process.pid)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stdout:
            report = json.loads(line)
            self._result = report.get("result", self._result)
            self._events.put((self, report))
        self._events.put((self, None))

    def sample_memory(self) -> None:
        """Look at the memory that the job holds now.

        To divide what is shared takes 13 ms of processor for a kernel with TensorFlow, so it is
        done when more is resident than before, and every few seconds.
        """
        children = []
        with contextlib.suppress(psutil.Error):
            children = self._tree.children(recursive=True)
        self._seen.update(children)
        processes = [self._tree, *children] if self._counts_itself else children
        resident = _total(lambda process: process.memory_info().rss, processes)
        if resident > 1.01 * self._most_resident or time.monotonic() > self._looked + LOOK:
            self._most_resident = max(self._most_resident, resident)
            self._looked = time.monotonic()
            self.peak_memory = max(self.peak_memory, _total(memory_of, processes))

    def ask_to_stop(self) -> None:
        """Let the worker save what it has, report, and end."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def kill(self) -> None:
        """End the worker and everything below it at once."""
        self.killed = True
        self.sample_memory()
        self._process.kill()
        self._kill_descendants()

    def result(self) -> Result:
        """Wait for the end of the worker and return what came of its job."""
        self.ask_to_stop()
        code = self._process.wait()
        self._process.stdout.close()
        self._kill_descendants()  # a kernel whose worker was killed, or what a lesson left behind
        if self._result:
            result = Result(**self._result)
        elif self.killed:
            result = Result(INTERRUPTED, "killed before it was done")
        else:
            message = f"the worker process ended without a result (exit code {code}; see log.txt)"
            result = Result(NOT_FINISHED, message)
        seconds = result.seconds or time.monotonic() - self.started
        result.seconds = round(seconds, 2)
        result.peak_memory_mb = round(self.peak_memory / 1e6, 1)
        return result

    def _kill_descendants(self) -> None:
        for process in self._seen:
            with contextlib.suppress(psutil.Error):  # is_running sees through a reused process id
                if process.is_running():
                    process.kill()


def _total(measure, processes: list[psutil.Process]) -> int:
    """Return the sum of a measure of processes, of those that are still there."""
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            total += measure(process)
    return total
