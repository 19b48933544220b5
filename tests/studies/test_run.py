"""The command `study`: what it writes, how it goes on, and each way to fail."""

import json
import re
import signal
import subprocess
import sys

import pytest

from course_utils.studies import read_study
from tests import HANG
from tests.runner.small_course import is_gone, wait_for
from tests.studies.toy import MODULE, NAME, ROOT, computed, start, study, write_toy

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
ARM = {2: "size=2__kind=a%2C%20b", 1: "size=1__kind=a%2C%20b"}  # folders of the arms


def stored(root):
    return root / "data" / "studies" / f"lesson_{NAME}.csv"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The toy study after one run with two arms at a time; and its output."""
    root = write_toy(tmp_path_factory.mktemp("a {brace} and a space"))
    with start(root, "90", "--jobs", "2") as process:
        out, _ = process.communicate(timeout=HANG)
    assert process.returncode == 0, out
    return root, out


def test_the_file_has_its_parameters_and_every_row_in_order(whole):
    root, _ = whole
    text = stored(root).read_text(encoding="utf-8")
    head, rows = re.split(r"(?=^phase)", text, flags=re.MULTILINE)
    values = dict(line.removeprefix("# ").split(": ", 1) for line in head.splitlines())
    assert re.fullmatch("[0-9a-f]{64}", values.pop("code"))
    assert re.fullmatch("[0-9a-f]{16}", values.pop("numbers"))
    assert re.fullmatch(r"python 3\.[\d.]+, numpy [\d.]+", values.pop("packages"))
    assert values == {
        "study": NAME,
        "question": "Does a size count?",
        "module": "lesson_90.py",
        "seeds": "[0, 1, 2, 3, 4]",
        "tuning": "rate of [0.5, 1.0, 2.0]; smallest mean val_loss over seeds [8, 9], for each arm",
        "rows": "22",
    }
    lines = rows.splitlines()
    assert lines[0] == "phase,size,kind,rate,seed,val_loss,test_loss,steps"
    assert lines[1:8] == [
        *(
            f'tuning,2,"a, b",{rate},{seed},{2 - rate:g},,'
            for rate in (0.5, 1.0)
            for seed in (8, 9)
        ),
        *(f'tuning,2,"a, b",2.0,{seed},0,,' for seed in (8, 9)),
        'final,2,"a, b",2.0,0,0,0.212320562,0',
    ]
    seeds = [line.split(",")[5] for line in lines if line.startswith("final")]
    assert seeds == [str(seed) for seed in range(5)] * 2
    assert {line.split(",")[1] for line in lines[12:]} == {"1"}


def test_each_arm_is_computed_with_what_its_tuning_chose(whole):
    root, _ = whole
    final = [row.split() for row in computed(root) if row[-1] in "01234"]
    assert {(size, rate) for size, rate, _ in final} == {("2", "2.0"), ("1", "0.5")}


def test_the_lesson_reads_arrays_that_are_paired_by_seed(whole):
    root, _ = whole
    table = read_study(NAME, root=root)
    two, one = table.where(size=2), table.where(size=1)
    assert two["seed"].tolist() == one["seed"].tolist() == [0, 1, 2, 3, 4]
    assert two["steps"].dtype.kind == "i"
    assert two["rate"].tolist() == [2.0] * 5
    assert table["kind"].tolist() == ["a, b"] * 10
    assert abs(two["test_loss"] - one["test_loss"]).max() == 0
    assert len(table.where(size=1, seed=3)) == 1
    assert len(table.tuning) == 12
    assert table.tuning.where(rate=1.0, size=1)["val_loss"].tolist() == [0.5, 0.5]
    with pytest.raises(KeyError, match="has no column 'loss'; it has size, kind, rate, seed"):
        table["loss"]
    with pytest.raises(KeyError, match=r"no row with .*; its values: {'size': \[1, 2\]}"):
        table.where(size=3)


def test_the_terminal_shows_arms_and_an_end_of_a_grid(whole):
    _, out = whole
    row = r" 90 size +size=2 +ok +\d+\.\d +\d+ +val_loss 0 +\n +kind=a, b +test_loss 0\.\d+"
    assert re.search(row, out)
    peak = int(re.search(r"ok +90 size size=2 kind=a, b  [\d.]+ s  (\d+) MB", out)[1])
    assert 5 < peak < 500, "the memory of the process that computes"
    assert "Look at the grid: size=2, kind=a, b: rate=2.0 is best, at the end of the grid." in out
    assert "rate=0.5" in out
    assert "22 rows." in out


def test_a_second_run_gives_the_same_bytes(whole, tmp_path):
    root, _ = whole
    other = write_toy(tmp_path)
    assert study(other, NAME) == 0
    assert stored(other).read_bytes() == stored(root).read_bytes()
    assert not list((other / "build" / "studies").iterdir())


@POSIX
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "killed"])
def test_what_was_stopped_goes_on_after_its_last_row(whole, tmp_path, sent, capsys):
    root = write_toy(tmp_path)
    (root / "wait").touch()
    note = root / "pid"
    with start(root, NAME) as process:
        pid = int(wait_for(lambda: note.exists() and note.read_text(), "row 2, 3"))
        assert study(root, NAME) == 2
        assert f"study {NAME} is being run (process {process.pid})" in capsys.readouterr().err
        process.send_signal(sent)
        out, _ = process.communicate(timeout=HANG)
    wait_for(lambda: is_gone(pid), "the end of the worker")
    if sent == signal.SIGINT:
        assert process.returncode == 130
        assert "interrupted" in out
        assert "stopped after 9 rows" in out
        assert f"Run again what has not succeeded: python3 -m course_utils study {NAME}\n" in out
        assert "Traceback" not in out
    assert not stored(root).exists()
    before = computed(root)
    assert before[-1] == "2 2.0 3"

    (root / "wait").unlink()
    assert study(root, NAME) == 0
    assert computed(root)[len(before)] == "2 2.0 3", "it went on with the row that was lost"
    assert len(computed(root)) == 22 + 1
    assert stored(root).read_bytes() == stored(whole[0]).read_bytes()


def test_a_row_that_fails_is_named_and_nothing_is_written(tmp_path, capsys):
    root = write_toy(tmp_path)
    (root / "fail").touch()
    assert study(root, "90") == 1
    out = capsys.readouterr().out
    assert "90 size size=1 kind=a, b: row failed\n" in out
    assert "  size=1, kind=a, b, rate=0.5, seed 2: ZeroDivisionError: first line\n" in out
    assert not stored(root).exists()
    log = (root / "build" / "studies" / NAME / ARM[1] / "log.txt").read_text(encoding="utf-8")
    assert "second line" in log
    (root / "fail").unlink()
    rows = len(computed(root))
    assert study(root, "90") == 0
    assert computed(root)[rows:] == ["1 0.5 2", "1 0.5 3", "1 0.5 4"]


def test_rows_of_other_code_are_not_used(tmp_path):
    root = write_toy(tmp_path)
    (root / "fail").touch()
    assert study(root, NAME) == 1
    rows = len(computed(root))
    (root / "fail").unlink()
    write_toy(root, MODULE.replace("noise / 3", "noise / 4"))
    assert study(root, NAME) == 0
    assert len(computed(root)) == rows + 22


def test_a_worker_refuses_code_that_changed_since_its_study_began(tmp_path):
    root = write_toy(tmp_path)
    job = {
        "study": NAME,
        "module": str(root / "course_utils" / "studies" / "lesson_90.py"),
        "root": str(root),
        "code": "0" * 64,
        "arm": {"size": 1, "kind": "a, b"},
        "output": str(tmp_path),
    }
    (tmp_path / "job.json").write_text(json.dumps(job))
    command = [sys.executable, "-m", "course_utils.studies.worker", str(tmp_path / "job.json")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:  # its input stays open
        result = json.loads(process.stdout.read())["result"]
    assert (result["status"], result["message"]) == (
        "row failed",
        "the code of the study was changed while it ran; start it again",
    )
    assert computed(root) == []


@pytest.mark.parametrize("word", ["91", "90_sizes", "9", "size"])
def test_what_is_no_study_is_refused(tmp_path, word, capsys):
    assert study(write_toy(tmp_path), "90", word) == 2
    error = capsys.readouterr().err
    assert error == f"course_utils study: there is no study {word}; there are: {NAME}\n"
    assert computed(tmp_path) == []
