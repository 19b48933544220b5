"""The audit log: who asked what and when, one JSON line each, written before the answer.

How the lines are chained, what `verify` finds and what it cannot find is in `chain`.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

from course_utils.service.chain import (
    BEFORE_FIRST,
    REPAIR,
    Anchor,
    AuditError,
    Report,
    anchor_path,
    log_key,
    older_path,
    read_anchor,
    sign,
    verify,
)
from course_utils.service.locks import lock

__all__ = ["AuditError", "AuditLog", "Report", "anchor_path", "verify"]

ADDED = {"line", "time", "previous", "mac"}  # the fields that the log itself fills in
LARGEST = 64 * 2**20  # bytes of the file; then it is put aside, and the log goes on in a new one
LONGEST = 200  # characters of a text field: names come from addresses that anybody can send


class AuditLog:
    """The log at `path`, open for adding lines; one process at a time, many threads.

    An end torn by a kill is cut off and recorded in a line of its own (action `repair`), which
    `verify` shows: no answer was ever given for the torn line. Raises AuditError when another
    process has the log, when it cannot be written, or when it is not intact.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        secret: bytes,
        keep_inputs: bool = False,
        largest: int = LARGEST,
    ) -> None:
        """Open or begin the log; `keep_inputs` lets the field `inputs` be written.

        Of a log in several files only the newest, at most `largest` bytes, is verified here.
        """
        self.path, self.keep_inputs, self.largest = Path(path), keep_inputs, largest
        self._key, self._lock, self._torn = log_key(secret), threading.Lock(), False
        self._anchor = self._log = None  # descriptors
        try:
            self._open(secret)
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise AuditError(f"{self.path} cannot be opened: {error.strerror}") from error
            raise

    def _open(self, secret: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._anchor = self._file(anchor_path(self.path), os.O_RDWR)
        try:
            lock(self._anchor, wait=False)
        except OSError:
            raise AuditError(
                f"another process writes to {self.path}; stop it or use another folder"
            ) from None
        self._log = self._file(self.path, os.O_WRONLY | os.O_APPEND)
        self._size, self._end = os.fstat(self._log).st_size, Anchor(0, BEFORE_FIRST)
        if self._size == os.fstat(self._anchor).st_size == 0:
            self._write_anchor()  # a new log
        report = verify(self.path, secret, whole=False)
        if not report.ok:
            raise AuditError(
                f"{self.path} is {report} Nothing is added to it: keep it and its anchor as "
                "evidence in another folder, and a new log begins at the next start"
            )
        self._size -= len(report.torn)
        before, hash_before = read_anchor(self.path, self._key)[0].start(self.path)
        self._end = Anchor(report.lines, report.last, before + 1, hash_before)
        self._torn = bool(report.torn)
        self._write_anchor()  # a kill may have come between a line and its anchor
        if report.torn:
            text = report.torn.decode("utf-8", "replace")
            self.append(action=REPAIR, torn_bytes=len(report.torn), torn=text)

    def _file(self, path: Path, flags: int) -> int:
        flags |= os.O_CREAT | getattr(os, "O_BINARY", 0)  # Windows would turn \n into \r\n
        return os.open(path, flags, 0o600)

    def append(self, **fields) -> int:
        """Add one line with these JSON values and return its number, counted from 1.

        The usual fields: key (its id), action, model, version, instances, status, ms. Long texts
        are cut to 200 characters; `inputs` is dropped unless the log keeps inputs. Raises
        AuditError when the line cannot be written (it then is not in the log, unless only the
        anchor failed), ValueError for a field that the log fills in itself.
        """
        if ADDED & fields.keys():
            raise ValueError(f"the log itself fills in {', '.join(sorted(ADDED & fields.keys()))}")
        if not self.keep_inputs:
            fields.pop("inputs", None)
        with self._lock:
            if self._size >= self.largest:
                self._put_aside()
            number = self._end.lines + 1
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            record = {"line": number, "time": now, **_short(fields), "previous": self._end.last}
            line = sign(record, self._key)
            self._write(line)
            self._end.lines, self._end.last = number, hashlib.sha256(line).hexdigest()
            self._write_anchor()
            return number

    def _put_aside(self) -> None:
        """Give the file another name, so that a new one begins; or let the log go on in it.

        A kill at any point leaves a log that opens: see `Anchor.start`.
        """
        if self._log is None or self._torn:
            return
        try:
            os.fsync(self._log)
            os.close(self._log)  # Windows renames no open file
            self._log = None
            os.rename(self.path, older_path(self.path, self._end.lines))
        except OSError:
            return
        self._size = 0
        self._end.first, self._end.before = self._end.lines + 1, self._end.last

    def _write(self, line: bytes) -> None:
        """Write the line with one call; a line that does not fit whole is taken back."""
        try:
            if self._anchor is None:
                raise OSError(errno.EBADF, "the log is closed")
            if self._log is None:  # the last file was put aside
                self._log = self._file(self.path, os.O_WRONLY | os.O_APPEND)
            if self._torn:
                os.ftruncate(self._log, self._size)
            self._torn = True
            if os.write(self._log, line) != len(line):
                raise OSError(errno.ENOSPC, "no space left on the disk")
        except OSError as error:
            with contextlib.suppress(OSError, TypeError):  # the next call repeats it if needed
                os.ftruncate(self._log, self._size)
            raise AuditError(
                f"{self.path} cannot be written: {error.strerror}; the request must not be "
                "answered. Free space or allow writing, then repeat it"
            ) from error
        self._size, self._torn = self._size + len(line), False

    def _write_anchor(self) -> None:
        """Overwrite the anchor in place: within one page, so that no kill can leave half of it."""
        try:
            os.lseek(self._anchor, 0, os.SEEK_SET)
            os.write(self._anchor, sign(self._end.record(), self._key))
        except OSError as error:
            raise AuditError(
                f"{anchor_path(self.path)} cannot be written: {error.strerror}"
            ) from error

    def close(self) -> None:
        """Close both files, after what was written has reached the disk; a second call is fine."""
        with self._lock:
            files, self._anchor, self._log = (self._log, self._anchor), None, None
            for descriptor in files:
                if descriptor is not None:
                    with contextlib.suppress(OSError):
                        os.fsync(descriptor)
                    os.close(descriptor)


def _short(fields: dict) -> dict:
    return {
        name: f"{value[:LONGEST]}…" if isinstance(value, str) and len(value) > LONGEST else value
        for name, value in fields.items()
        if name != "inputs"
    } | {name: value for name, value in fields.items() if name == "inputs"}
