"""A running `lab` or Jupyter server is seen; what a dead one left behind is not taken for one."""

import json
import os
import subprocess
import sys
import time

import psutil
import pytest

from course_utils.reading import ReadingError, servers
from course_utils.reading.servers import Lock, running_server

posix = pytest.mark.skipif(os.name == "nt", reason="locks of Windows cannot be shared")
URL = "http://localhost:8888/"


@pytest.fixture
def record(monkeypatch, tmp_path):
    """Write the record of a server, as Jupyter does: `record(root_dir=…, pid=…)`."""
    folder = tmp_path / "runtime"
    folder.mkdir()
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(folder))

    def write(pid=None, age=0, text=None, **values):
        pid = os.getpid() if pid is None else pid
        path = folder / f"jpserver-{pid}.json"
        values = {"pid": pid, "url": URL, "root_dir": str(tmp_path)} | values
        path.write_text(json.dumps(values) if text is None else text)
        os.utime(path, (time.time() - age,) * 2)

    return write


@pytest.fixture
def work(tmp_path):
    (tmp_path / "course" / "work").mkdir(parents=True)
    return tmp_path / "course" / "work"


@pytest.mark.parametrize("root", ["", "course", "course/work", "course/notebooks/.."])
def test_a_server_that_reaches_the_folder_is_found(record, work, tmp_path, root):
    record(root_dir=str(tmp_path / root))
    assert running_server(work) == URL


def test_a_link_to_the_folder_is_followed(record, work, tmp_path):
    (tmp_path / "link").symlink_to(work)
    record(root_dir=str(work))
    assert running_server(tmp_path / "link") == URL


@pytest.mark.parametrize("root", ["other", "course/notebooks", "course/work/mine"])
def test_a_server_elsewhere_is_none(record, work, tmp_path, root):
    record(root_dir=str(tmp_path / root))
    assert running_server(work) is None


def ended():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def age_of_this_process():
    return time.time() - psutil.Process().create_time()


@pytest.mark.parametrize(
    "stale",
    [
        lambda: {"pid": ended()},
        lambda: {"age": age_of_this_process() + 3600},  # this process has the dead one's id
        lambda: {"text": '{"pid": 1'},
        lambda: {"text": ""},
        lambda: {"text": "[]"},
        lambda: {"root_dir": None},
        lambda: {"pid": "12"},
    ],
    ids=["dead", "id given again", "half written", "empty", "a list", "no root", "a text"],
)
def test_a_stale_record_is_no_server(record, work, stale):
    record(**stale())
    assert running_server(work) is None


def test_without_a_folder_of_records_there_is_no_server(monkeypatch, work, tmp_path):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "none"))
    assert running_server(work) is None


@posix
def test_the_lock_is_alone_until_it_is_shared(work, monkeypatch):
    first = Lock(work)
    assert first.alone
    monkeypatch.setattr(servers, "SECONDS", 0.1)
    with pytest.raises(ReadingError, match="another `lab` has been making its copies there"):
        Lock(work)
    first.share()
    second = Lock(work)
    assert not second.alone
    first.release()
    assert not Lock(work).alone
    second.release()


@posix
def test_the_lock_stays_with_what_the_process_becomes_until_that_is_killed(work):
    program = (
        "import os, sys, pathlib; from course_utils.reading.servers import Lock;"
        "Lock(pathlib.Path(sys.argv[1])).share();"
        "os.execv(sys.executable, [sys.executable, '-c', 'print(1, flush=True); input()'])"
    )
    command = [sys.executable, "-c", program, str(work)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        try:
            assert process.stdout.readline() == b"1\n"  # it has become the other program
            lock = Lock(work)
            assert not lock.alone
            lock.release()
        finally:
            process.kill()
    lock = Lock(work)
    assert lock.alone
    lock.release()


@posix
def test_where_there_are_no_locks_the_copies_are_made_all_the_same(work, monkeypatch):
    import fcntl

    def none(*arguments):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    lock = Lock(work)
    assert lock.alone
    lock.share()
    lock.release()
