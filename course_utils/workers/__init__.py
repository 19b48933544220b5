"""For lesson 14: worker processes on this machine that train one model together.

    team = run([make_step, work], number=2, arrays={"batches": batches}, steps=60)
    team.results[0]["table"]; team.seconds[0]

Each process is worker `index` of `number` in a cluster of tf.distribute on loopback. It runs the
notebook cells (or files) that define the given functions, in this order, and calls the last one:

    work(strategy, index, number, report, **arrays, **options) -> dict of arrays

which calls report(t) after each step t. The processes end with this one, whatever happens.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_utils.loopback import cell_of
from course_utils.setup import isolation

SECONDS = 600.0  # for one run; a busy machine may need a minute to start TensorFlow twice
GRACE = 5.0  # seconds that the others have after one has ended early
ATTEMPTS = 3  # another program may take a free port before the worker does
LOG = re.compile(r"[IWE]\d{4} |WARNING: All log messages before absl")
LOOK = 0.05  # seconds between two looks at the processes


class WorkersError(RuntimeError):
    """Workers that nobody killed did not finish; the text holds what they said."""


@dataclass(frozen=True)
class Team:
    """What the workers of one run left, by index.

    results: the arrays that a worker returned, by name, or None; seconds: an array of seconds from
    each report to the next; ended: "finished", "killed after step 30", "broke off with
    UnavailableError" (or another error), or "stopped" by us.
    """

    results: list
    seconds: list
    ended: list


def run(
    functions: Sequence[Callable],
    number: int = 2,
    *,
    arrays: Mapping[str, np.ndarray],
    kill: tuple[int, int] | None = None,
    threads: int = 1,
    seconds: float = SECONDS,
    **options,
) -> Team:
    """Let so many workers run the last of the functions, and wait until they have ended.

    Args:
        functions: what the cells to be run define, see above; they may use np, os and tf.
        number: of workers.
        arrays: given to each worker.
        kill: (index, step): that worker is killed by the system right after it reports that step.
            The others cannot go on without it: they break off, or are stopped after a while.
        threads: of each worker, within one operation.
        seconds: the longest that a run may take.
        options: further arguments, values of JSON.

    Raises:
        WorkersError: a worker failed, or the time was over.
    """
    job = {"kill": kill, "threads": threads, "options": options}
    job["sources"] = list(dict.fromkeys(cell_of(function) for function in functions))
    job["function"] = functions[-1].__name__
    for attempt in range(ATTEMPTS):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            np.savez(Path(folder, "arrays.npz"), **arrays)
            Path(folder, "job.json").write_text(json.dumps(job), encoding="utf-8")
            ended, said = _run_processes(Path(folder), number, kill, seconds)
            if "failed" not in ended:
                return _collect(Path(folder), ended)
        if "ddress already in use" not in said or attempt == ATTEMPTS - 1:
            raise WorkersError(f"the workers ended so: {', '.join(ended)}. They said:\n{said}")


def free_ports(number: int) -> list[int]:
    """Return ports of 127.0.0.1 that nobody uses now, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def worker_environment(ports: Sequence[int], index: int) -> dict:
    """Return the variables of worker `index`: the course's own, the cluster, and no proxy."""
    own = isolation.environment()
    own = {name: value for name, value in own.items() if not name.lower().endswith("_proxy")}
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    task = {"type": "worker", "index": index}
    return own | {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})}


def _run_processes(folder: Path, number: int, kill, seconds: float) -> tuple[list, str]:
    """Start the processes and end them all; return how each ended, and what they wrote."""
    ports, processes = free_ports(number), []
    with contextlib.ExitStack() as stack:
        said = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(number)]
        for index in range(number):
            command = [sys.executable, "-m", "course_utils.workers.process", str(folder)]
            process = subprocess.Popen(
                [*command, str(index)],
                env=worker_environment(ports, index),
                stdin=subprocess.PIPE,  # a worker ends when it closes: so with this process, too
                stdout=said[index],
                stderr=said[index],
                start_new_session=True,  # an interrupt of the kernel is ours alone
            )
            processes.append(process)
            atexit.register(process.kill)
        try:
            _wait(processes, time.monotonic() + seconds)
        finally:
            for process in processes:
                process.kill()  # one that has ended is left alone
                process.wait()
                process.stdin.close()
                atexit.unregister(process.kill)
        return [
            _how(index, process.returncode, folder, kill) for index, process in enumerate(processes)
        ], "\n".join(_last_words(file) for file in said)


def _wait(processes, end: float) -> None:
    """Wait until all have ended, or one has failed and GRACE is over, or the time is."""
    while True:
        codes = [process.poll() for process in processes]
        if any(code not in (None, 0) for code in codes):
            end = min(end, time.monotonic() + GRACE)
        if None not in codes or time.monotonic() > end:
            return
        time.sleep(LOOK)


def _how(index: int, code: int, folder: Path, kill) -> str:
    if code == 0 and (folder / f"result_{index}.npz").exists():
        return "finished"
    if kill is None or not (folder / "killed").exists():
        return "failed"
    if index == kill[0]:
        return f"killed after step {kill[1]}"
    error = folder / f"error_{index}"
    return f"broke off with {error.read_text()}" if error.exists() else "stopped"


def _collect(folder: Path, ended: list) -> Team:
    results, seconds = [], []
    for index, how in enumerate(ended):
        kept = {}
        if how == "finished":
            with np.load(folder / f"result_{index}.npz") as file:
                kept = dict(file)
        seconds.append(kept.pop("seconds of steps", np.array([])))
        results.append(kept or None)
    return Team(results, seconds, ended)


def _last_words(file) -> str:
    """What a worker wrote, without the log of TensorFlow's start."""
    file.seek(0)
    lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(line for line in lines if not LOG.match(line))[-3000:]
