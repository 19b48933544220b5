"""The program of one worker (see `course_utils.workers`): folder of the run, index."""

from __future__ import annotations

import json
import linecache
import os
import sys
import threading
import time
from pathlib import Path


def end_with_parent() -> None:
    """End this process as soon as the one that started it closes the pipe, or ends."""

    def wait():
        os.read(sys.stdin.fileno(), 1)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def start(threads: int):
    """Join the cluster of TF_CONFIG and return the strategy."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(2)
    tf.config.experimental.enable_op_determinism()
    return tf.distribute.MultiWorkerMirroredStrategy()


def main(folder: Path, index: int) -> None:
    """Run the job of the folder as worker `index`; write what its function returns."""
    import numpy as np
    import psutil
    import tensorflow as tf

    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    names = {"np": np, "os": os, "tf": tf, "__name__": "worker"}
    strategy = start(job["threads"])
    for number, source in enumerate(job["sources"]):
        name = f"<cell {number}>"  # in linecache, where tf.function and errors look for the source
        linecache.cache[name] = len(source), None, source.splitlines(True), name
        exec(compile(source, name, "exec"), names)
    with np.load(folder / "arrays.npz") as file:
        arrays = dict(file)
    reports = []

    def report(step: int) -> None:
        reports.append(time.perf_counter())
        if job["kill"] == [index, step]:
            (folder / "killed").touch()
            psutil.Process().kill()  # SIGKILL where there is one: no time for a last word

    work = names[job["function"]]
    number = strategy.num_replicas_in_sync
    try:
        result = work(strategy, index, number, report, **arrays, **job["options"])
    except Exception as error:
        (folder / f"error_{index}").write_text(type(error).__name__)
        raise
    # Written under another name first, so that a result is whole or not there.
    with open(folder / f"result_{index}.tmp", "wb") as file:
        np.savez(file, **result, **{"seconds of steps": np.diff(reports)})
    os.replace(file.name, folder / f"result_{index}.npz")
    # Who leaves first takes away what the others still read of the last sum.
    while not all((folder / f"result_{each}.npz").exists() for each in range(number)):
        time.sleep(0.02)
    os._exit(0)  # nothing is left to do, and the shutdown of the cluster may take long


if __name__ == "__main__":
    end_with_parent()
    main(Path(sys.argv[1]), int(sys.argv[2]))
