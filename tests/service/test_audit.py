"""The audit log: whatever is done to it without the secret is found, and a kill does no harm."""

import json
import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from course_utils.service.audit import AuditError, AuditLog, anchor_path, verify
from course_utils.service.chain import BEFORE_FIRST, log_key, older_files, opened, sign

ROOT = Path(__file__).resolve().parents[2]
SECRET = bytes(range(32))
FIELDS = {"key": "1a2b3c4d", "action": "predict", "model": "digits", "version": 1, "status": 200}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "audit.log"


def write(path, count, secret=SECRET, **fields):
    log = AuditLog(path, secret)
    for number in range(count):
        log.append(**FIELDS, instances=number + 1, ms=0.5, **fields)
    log.close()


def lines_of(path):
    return path.read_bytes().splitlines(keepends=True)


def test_a_line_holds_what_was_given_and_what_chains_it(path):
    write(path, 2)
    first, second = map(json.loads, lines_of(path))
    assert list(first) == [
        *("line", "time", "key", "action", "model", "version", "status", "instances", "ms"),
        *("previous", "mac"),
    ]
    assert first.items() >= (FIELDS | {"line": 1, "instances": 1, "previous": BEFORE_FIRST}).items()
    assert second["line"] == 2
    assert first["time"].endswith("+00:00")
    report = verify(path, SECRET)
    assert report.ok
    assert (report.lines, report.repairs, report.torn) == (2, [], b"")
    assert str(report) == f"intact: 2 lines, last hash {report.last}."


def test_append_returns_the_number_and_a_new_log_goes_on(path):
    write(path, 3)
    log = AuditLog(path, SECRET)
    assert log.append(**FIELDS) == 4
    log.close()
    assert verify(path, SECRET).lines == 4


def test_an_empty_log_is_intact(path):
    write(path, 0)
    assert verify(path, SECRET).ok
    write(path, 1)
    assert verify(path, SECRET).lines == 1


def test_no_input_is_kept_unless_asked(path):
    write(path, 1, inputs=[[0.25]])
    assert b"inputs" not in path.read_bytes()
    with_inputs = path.with_name("inputs.log")
    log = AuditLog(with_inputs, SECRET, keep_inputs=True)
    log.append(**FIELDS, inputs=[[0.25]])
    log.close()
    assert json.loads(with_inputs.read_bytes())["inputs"] == [[0.25]]


def test_text_from_a_client_stays_on_its_line_and_short(path):
    log = AuditLog(path, SECRET)
    log.append(action="predict", model='x"}\n{"line":2' + "é" * 300)
    log.close()
    (line,) = lines_of(path)
    assert json.loads(line)["model"] == 'x"}\n{"line":2' + "é" * 187 + "…"
    assert verify(path, SECRET).ok


@pytest.mark.parametrize("name", ["line", "time", "previous", "mac"])
def test_the_fields_of_the_chain_cannot_be_given(path, name):
    log = AuditLog(path, SECRET)
    with pytest.raises(ValueError, match=f"the log itself fills in {name}"):
        log.append(**{name: "x"})
    with pytest.raises(ValueError, match="JSON"):
        log.append(ms=float("nan"))
    log.close()
    assert verify(path, SECRET).lines == 0


def test_many_threads_append(path):
    log = AuditLog(path, SECRET)
    numbers = []

    def work(who):
        for number in range(50):
            numbers.append(log.append(**FIELDS, who=who, number=number))

    threads = [threading.Thread(target=work, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert sorted(numbers) == list(range(1, 401))
    report = verify(path, SECRET)
    assert (report.ok, report.lines) == (True, 400)
    written = {(record["who"], record["number"]) for record in map(json.loads, lines_of(path))}
    assert written == {(who, number) for who in range(8) for number in range(50)}


# -- tampering -------------------------------------------------------------------------------------


def found(path, bad_line, words, secret=SECRET):
    """Check that `verify` names the line and that a service does not go on with such a log."""
    report = verify(path, secret)
    assert not report.ok
    assert report.bad_line == bad_line, report
    assert words in str(report)
    before = path.read_bytes() if path.exists() else b""
    with pytest.raises(AuditError, match=r"not intact.* evidence in another folder"):
        AuditLog(path, secret)
    assert path.read_bytes() == before, "the evidence was changed"


@pytest.mark.parametrize("number", [1, 3, 5])
def test_every_altered_byte_is_found(path, number):
    write(path, 5)
    lines = lines_of(path)
    line = lines[number - 1]
    for position in range(len(line)):
        changed = bytearray(line)
        changed[position] ^= 1
        path.write_bytes(b"".join([*lines[: number - 1], changed, *lines[number:]]))
        report = verify(path, SECRET)
        assert not report.ok, position
        assert report.bad_line == number, (position, report)
        assert (report.lines, f"line {number} of {path} " in report.problem) == (number - 1, True)


def test_an_altered_value_is_found(path):
    write(path, 5)
    path.write_bytes(path.read_bytes().replace(b'"instances":3', b'"instances":9'))
    found(path, 3, f"line 3 of {path} does not fit its code: altered, inserted, or written with")


@pytest.mark.parametrize(("removed", "carried"), [(1, 2), (3, 4), (4, 5)])
def test_a_removed_line_is_found(path, removed, carried):
    write(path, 5)
    lines = lines_of(path)
    path.write_bytes(b"".join(lines[: removed - 1] + lines[removed:]))
    found(path, removed, f"carries the number {carried}: lines were removed, moved or repeated")


@pytest.mark.parametrize("left", [4, 2, 0])
def test_lines_removed_from_the_end_are_found(path, left):
    write(path, 5)
    path.write_bytes(b"".join(lines_of(path)[:left]))
    words = f"is missing: the anchor counts 5 lines, so the last {5 - left} were removed"
    found(path, left + 1, words)


def test_a_removed_log_is_found(path):
    write(path, 5)
    path.unlink()
    report = verify(path, SECRET)
    assert report.bad_line == 1
    assert "the last 5 were removed" in str(report)
    with pytest.raises(AuditError, match="the last 5 were removed"):
        AuditLog(path, SECRET)


@pytest.mark.parametrize("order", [[1, 0, 2, 3], [0, 2, 1, 3], [0, 1, 3, 2]])
def test_reordered_lines_are_found(path, order):
    write(path, 4)
    lines = lines_of(path)
    path.write_bytes(b"".join(lines[index] for index in order))
    first = next(index for index in range(4) if order[index] != index)
    found(path, first + 1, f"carries the number {order[first] + 1}")


@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_repeated_or_forged_line_is_found(path, place):
    write(path, 4)
    lines = lines_of(path)
    path.write_bytes(b"".join([*lines[:place], lines[1], *lines[place:]]))
    found(path, place + 1, "carries the number 2")
    forged = sign({"line": place + 1, "previous": verify(path, SECRET).last}, log_key(b"guess"))
    path.write_bytes(b"".join([*lines[:place], forged, *lines[place:]]))
    found(path, place + 1, "does not fit its code")


def test_a_line_of_another_log_with_the_same_secret_is_found(path):
    write(path, 4)
    other = path.with_name("other.log")
    write(other, 4, who="other")
    lines = lines_of(path)
    path.write_bytes(b"".join([*lines[:2], lines_of(other)[2], *lines[3:]]))
    found(path, 3, "does not continue the line before it: it comes from another log")
    path.write_bytes(other.read_bytes())
    found(path, 4, "is not the line that its anchor names")


def test_another_secret_is_found(path):
    write(path, 2)
    found(path, 1, "written with another secret", secret=bytes(32))


def test_an_altered_or_missing_anchor_is_found(path):
    write(path, 3)
    anchor = anchor_path(path)
    good = anchor.read_bytes()
    for position in range(len(good)):
        changed = bytearray(good)
        changed[position] ^= 1
        anchor.write_bytes(changed)
        report = verify(path, SECRET)
        assert not report.ok, position
    assert f"its anchor {anchor} does not fit its code" in str(report)
    anchor.write_bytes(lines_of(path)[2])
    assert "is no anchor but a line of a log" in str(verify(path, SECRET))
    anchor.unlink()
    assert f"its anchor {anchor} is missing" in str(verify(path, SECRET))
    with pytest.raises(AuditError, match="not intact"):
        AuditLog(path, SECRET)


def test_what_stays_possible_is_as_documented(path):
    """An old copy of log and anchor together passes: the last hash must be kept elsewhere."""
    write(path, 3)
    old = path.read_bytes(), anchor_path(path).read_bytes()
    known = verify(path, SECRET)
    write(path, 2)
    path.write_bytes(old[0])
    anchor_path(path).write_bytes(old[1])
    report = verify(path, SECRET)
    assert report.ok
    assert report == known, "but it differs from what was noted after line 5"


def test_signed_records_open_only_with_their_key():
    line = sign({"a": 1}, log_key(SECRET))
    assert opened(line, log_key(SECRET))["a"] == 1
    assert log_key(SECRET) != SECRET


# -- kills -----------------------------------------------------------------------------------------


def test_a_line_torn_at_any_byte_is_repaired_and_shown(path):
    write(path, 3)
    anchor = anchor_path(path).read_bytes()
    start = path.stat().st_size
    write(path, 1)
    whole = path.read_bytes()
    for end in range(start, len(whole)):
        path.write_bytes(whole[:end])  # as a kill leaves it: a part of line 4, the anchor of 3
        anchor_path(path).write_bytes(anchor)
        torn = verify(path, SECRET)
        assert (torn.ok, torn.lines, torn.torn) == (True, 3, whole[start:end])
        write(path, 1)
        report = verify(path, SECRET)
        assert report.ok, (end, report)
        if end == start:
            assert (report.lines, report.repairs) == (4, [])
            continue
        assert (report.lines, report.repairs) == (5, [4])
        repair = json.loads(lines_of(path)[3])
        assert (repair["action"], repair["torn_bytes"]) == ("repair", end - start)
        assert repair["torn"].rstrip("…") == whole[start:end].decode()[:200]
        assert "torn ends repaired in line 4" in str(report)


def test_a_whole_line_without_its_anchor_is_kept(path):
    write(path, 3)
    anchor = anchor_path(path).read_bytes()
    write(path, 1)
    anchor_path(path).write_bytes(anchor)  # killed after the line, before the anchor
    assert verify(path, SECRET).lines == 4
    write(path, 1)
    report = verify(path, SECRET)
    assert (report.ok, report.lines, report.repairs) == (True, 5, [])


def test_opening_brings_the_anchor_up_to_date(path):
    write(path, 3)
    anchor = anchor_path(path).read_bytes()
    write(path, 1)
    anchor_path(path).write_bytes(anchor)
    AuditLog(path, SECRET).close()
    path.write_bytes(b"".join(lines_of(path)[:3]))
    found(path, 4, "the last 1 were removed")


def test_an_anchor_met_while_it_is_overwritten_is_read_again(path, monkeypatch):
    write(path, 2)
    whole, reads = anchor_path(path).read_bytes(), []

    def half_at_first(self):
        reads.append(self)
        return whole[:40] if len(reads) == 1 else whole

    monkeypatch.setattr(Path, "read_bytes", half_at_first)
    assert verify(path, SECRET).ok
    assert len(reads) == 2


def test_cutting_a_line_that_its_anchor_counts_is_no_kill(path):
    write(path, 3)
    whole = path.read_bytes()
    for end in (len(whole) - 1, len(whole) - 20, len(b"".join(lines_of(path)[:2])) + 1):
        path.write_bytes(whole[:end])
        found(path, 3, "the last 1 were removed")


WRITER = """
import os, signal, sys
from course_utils.service.audit import AuditLog
path, at, torn = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
log, lines, write = AuditLog(path, bytes(range(32))), 0, os.write
def kill_in_the_middle(descriptor, data):
    global lines
    if descriptor == log._log:
        lines += 1
        if lines == at:
            write(descriptor, data[:torn])
            os.kill(os.getpid(), signal.SIGKILL)
    return write(descriptor, data)
os.write = kill_in_the_middle
while True:
    write(1, b"%d\\n" % log.append(key="1a2b3c4d", action="predict", instances=1, ms=0.5))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("torn", [0, 1, 100])
def test_a_process_killed_in_the_middle_of_a_line(path, torn):
    command = [sys.executable, "-c", WRITER, str(path), "20", str(torn)]
    for start in (0, 1):  # the second run repairs the first, and is killed too
        done = subprocess.run(command, cwd=ROOT, capture_output=True)
        assert done.returncode == -signal.SIGKILL, done.stderr
        answered = int(done.stdout.split()[-1])
        report = verify(path, SECRET)
        assert report.ok, report
        assert len(report.torn) == torn
        assert report.lines == answered
        assert report.repairs == ([20] if start and torn else [])
    write(path, 1)
    report = verify(path, SECRET)
    assert (report.ok, report.torn) == (True, b"")
    assert len(report.repairs) == (2 if torn else 0)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_process_killed_at_any_time_loses_no_answered_line(path):
    chance = random.Random(0)
    for _ in range(4):
        command = [sys.executable, "-c", WRITER, str(path), "-1", "0"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(chance.random() / 50)
            process.kill()
            rest = process.stdout.read().split(b"\n")
        answered = int(rest[-2]) if len(rest) > 1 else 1
        report = verify(path, SECRET)
        assert report.ok, report
        assert report.lines >= answered


def test_verify_reads_a_log_that_is_being_written(path):
    log = AuditLog(path, SECRET)
    wanted, stop, reports = threading.Semaphore(0), threading.Event(), []

    def work():
        while wanted.acquire() and not stop.is_set():
            log.append(**FIELDS)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(20):
            wanted.release(100)  # lines that may be written meanwhile
            reports.append(verify(path, SECRET))
    finally:
        stop.set()
        wanted.release()
        thread.join()
        log.close()
    assert all(report.ok for report in reports), next(r for r in reports if not r.ok)
    assert verify(path, SECRET).lines >= reports[-1].lines


# -- what the system refuses -----------------------------------------------------------------------


def test_a_second_writer_is_refused(path):
    log = AuditLog(path, SECRET)
    with pytest.raises(AuditError, match=r"another process writes to .*audit\.log; stop it or"):
        AuditLog(path, SECRET)
    log.append(**FIELDS)
    log.close()
    write(path, 1)
    assert verify(path, SECRET).lines == 2


@pytest.mark.parametrize("fits", [0, 1, 50])
def test_a_line_that_does_not_fit_on_the_disk_is_taken_back(path, monkeypatch, fits):
    log = AuditLog(path, SECRET)
    log.append(**FIELDS)
    before, write_some = path.read_bytes(), os.write

    def full(descriptor, data):
        if not fits:
            raise OSError(28, "No space left on device")
        return write_some(descriptor, data[:fits])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        message = r"audit\.log cannot be written: (?i:no space left).* must not be answered\. Free"
        with pytest.raises(AuditError, match=message):
            log.append(**FIELDS)
    assert path.read_bytes() == before
    assert log.append(**FIELDS) == 2
    log.close()
    report = verify(path, SECRET)
    assert (report.ok, report.lines, report.repairs) == (True, 2, [])


def test_a_line_that_cannot_be_taken_back_at_once_is_later(path, monkeypatch):
    log = AuditLog(path, SECRET)
    write_some = os.write

    def refuse(*_):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, data: write_some(descriptor, data[:9]))
        patch.setattr(os, "ftruncate", refuse)
        with pytest.raises(AuditError):
            log.append(**FIELDS)
        assert path.stat().st_size == 9
        with pytest.raises(AuditError, match="Input/output error"):
            log.append(**FIELDS)
        assert path.stat().st_size == 9, "nothing may follow a torn line"
    assert log.append(**FIELDS) == 1
    log.close()
    assert verify(path, SECRET).lines == 1


def test_an_anchor_that_cannot_be_written_is_named_and_made_good(path, monkeypatch):
    log = AuditLog(path, SECRET)
    write_some = os.write

    def refuse_anchor(descriptor, data):
        if descriptor == log._anchor:
            raise OSError(5, "Input/output error")
        return write_some(descriptor, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", refuse_anchor)
        with pytest.raises(AuditError, match=r"audit\.log\.anchor cannot be written: Input/output"):
            log.append(**FIELDS)
    assert verify(path, SECRET).lines == 1, "the line itself is there"
    assert log.append(**FIELDS) == 2
    log.close()
    path.write_bytes(lines_of(path)[0])
    found(path, 2, "the last 1 were removed")


def test_a_place_that_cannot_be_opened_is_named(tmp_path, path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(AuditError, match=r"file/audit\.log cannot be opened: (Not a dir|File ex)"):
        AuditLog(tmp_path / "file" / "audit.log", SECRET)

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(AuditError, match=r"audit\.log cannot be opened: Permission denied"):
            AuditLog(path, SECRET)
    with pytest.raises(AuditError, match="there is no audit log at"):
        verify(path, SECRET)
    path.mkdir()
    with pytest.raises(AuditError, match=r"audit\.log cannot be read: Is a directory"):
        verify(path, SECRET)


def test_a_closed_log_says_so(path):
    log = AuditLog(path, SECRET)
    log.close()
    log.close()
    with pytest.raises(AuditError, match="the log is closed"):
        log.append(**FIELDS)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_only_the_owner_may_read_it(path):
    write(path, 1)
    for file in (path, anchor_path(path)):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


# -- several files ---------------------------------------------------------------------------------


def fill(path, count, largest=1500):
    """Add lines to a log whose files hold about four; return the log, open."""
    log = AuditLog(path, SECRET, largest=largest)
    for number in range(count):
        log.append(**FIELDS, instances=number + 1, ms=0.5)
    return log


def put_aside(path):
    return [file.name for file in older_files(path)]


def test_a_large_file_is_put_aside_and_the_chain_goes_on(path):
    fill(path, 10).close()
    first = put_aside(path)
    assert len(first) >= 1
    fill(path, 10).close()
    assert len(put_aside(path)) > len(first)
    report = verify(path, SECRET)
    assert (report.ok, report.lines) == (True, 20)
    numbers = [json.loads(line)["line"] for file in older_files(path) for line in lines_of(file)]
    numbers += [json.loads(line)["line"] for line in lines_of(path)] if path.exists() else []
    assert numbers == list(range(1, 21))


def test_only_the_newest_file_is_read_at_the_start(path):
    fill(path, 20).close()
    for file in older_files(path):
        file.unlink()
    assert fill(path, 1).append(**FIELDS) == 22
    report = verify(path, SECRET)
    assert report.bad_line == 1
    assert "were put aside, put their files back beside it" in str(report)


@pytest.mark.parametrize("which", [0, 1, -1])
@pytest.mark.parametrize("damage", ["altered", "removed", "cut", "swapped"])
def test_damage_in_a_file_that_was_put_aside_is_found(path, which, damage):
    fill(path, 20).close()
    files = older_files(path)
    content = files[which].read_bytes()
    if damage == "altered":
        files[which].write_bytes(content.replace(b'"status":200', b'"status":201', 1))
    elif damage == "removed":
        files[which].unlink()
    elif damage == "cut":
        files[which].write_bytes(content[:-100])
    else:
        files[which].write_bytes(files[which - 1].read_bytes())
    assert not verify(path, SECRET).ok


@pytest.mark.parametrize("step", ["fsync", "close", "rename", "open"])
def test_a_log_that_cannot_be_put_aside_or_begun_anew_loses_no_line(path, monkeypatch, step):
    log = fill(path, 1, largest=1)

    def refuse(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, step, refuse)
        if step == "open":  # the new file: nothing may be answered without its line
            for _ in range(2):
                with pytest.raises(AuditError, match="No space left on device"):
                    log.append(**FIELDS)
        else:
            assert log.append(**FIELDS) == 2
    last = log.append(**FIELDS)
    log.close()
    report = verify(path, SECRET)
    assert (report.ok, report.lines) == (True, last)
    assert fill(path, 1, largest=1).append(**FIELDS) == last + 2


@pytest.mark.parametrize("left", ["no new file", "an empty one", "its first line"])
def test_a_kill_while_a_file_is_put_aside_does_no_harm(path, left):
    fill(path, 3, largest=10**6).close()
    anchor = anchor_path(path).read_bytes()
    fill(path, 1, largest=1).close()  # puts three lines aside and begins anew
    assert put_aside(path) == ["audit.log.000000000003"]
    anchor_path(path).write_bytes(anchor)  # killed before the anchor was written
    if left == "no new file":
        path.unlink()
    elif left == "an empty one":
        path.write_bytes(b"")
    kept = 4 if left == "its first line" else 3
    assert (verify(path, SECRET).ok, verify(path, SECRET).lines) == (True, kept)
    fill(path, 1, largest=10**6).close()
    report = verify(path, SECRET)
    assert (report.ok, report.lines, report.repairs) == (True, kept + 1, [])
