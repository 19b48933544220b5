"""Workers: one model, the same answer; a death is told; nothing stays behind."""

import contextlib
import os

import numpy as np
import psutil
import pytest

from course_utils import workers

STEP_OF_DEATH = 3


def add(strategy, index, number, report, values, steps):
    """Sum over the workers of each one's value, so many times."""
    total = tf.Variable(0.0)  # noqa: F821  a worker has np, os and tf

    def step():
        summed = tf.distribute.get_replica_context().all_reduce("sum", values[index])  # noqa: F821
        total.assign_add(summed)

    run_step = tf.function(lambda: strategy.run(step))  # noqa: F821
    for t in range(steps):
        run_step()
        report(t + 1)
    return {"total": total.numpy(), "place": np.array([index, number])}


def workers_alive():
    """Processes of workers that this one has started and that have not ended."""
    found = []
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.ZombieProcess, psutil.NoSuchProcess):
            if "course_utils.workers" in str(process.cmdline()):
                found.append(process)
    return found


def test_two_workers_add_up(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # nobody answers there
    values = np.array([1.5, 2.0], "float32")
    team = workers.run([add], 2, arrays={"values": values}, steps=4)
    assert team.ended == ["finished", "finished"]
    assert [each["total"].item() for each in team.results] == [14.0, 14.0]
    assert [each["place"].tolist() for each in team.results] == [[0, 2], [1, 2]]
    assert [len(each) for each in team.seconds] == [3, 3]
    assert workers_alive() == []


def test_a_killed_worker_ends_the_run():
    values = np.ones(2, "float32")
    arrays = {"values": values}
    team = workers.run([add], 2, arrays=arrays, kill=(1, STEP_OF_DEATH), steps=100_000)
    assert team.ended[1] == "killed after step 3"
    assert team.ended[0].startswith(("broke off with ", "stopped"))
    assert team.results == [None, None]
    assert workers_alive() == []


def test_a_fault_is_told_with_what_the_worker_said(monkeypatch, tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise ImportError('there is none')")
    real = workers.worker_environment

    def without_tensorflow(ports, index):
        own = real(ports, index)
        return own | {"PYTHONPATH": os.pathsep.join([str(tmp_path), own["PYTHONPATH"]])}

    monkeypatch.setattr(workers, "worker_environment", without_tensorflow)
    with pytest.raises(workers.WorkersError, match=r"(?s)failed, failed.*there is none"):
        workers.run([add], 2, arrays={"values": np.ones(2)}, steps=1)
    assert workers_alive() == []


def test_ports_are_free_and_different():
    ports = workers.free_ports(5)
    assert len(set(ports)) == 5
    assert all(0 < port < 65536 for port in ports)


def test_the_environment_has_the_cluster_and_no_proxy(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    found = workers.worker_environment([5, 6], 1)
    assert not any(name.lower().endswith("_proxy") for name in found)
    assert '"index": 1' in found["TF_CONFIG"] and "127.0.0.1:6" in found["TF_CONFIG"]
    assert os.environ["HTTPS_PROXY"]  # ours is as it was
