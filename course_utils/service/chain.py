"""The chain of the audit log: how a line is signed, and how a log is verified.

Every line holds its number, the hash of the line before and, last, an HMAC-SHA256 over all of it.
Beside the log lies an anchor (`audit.log.anchor`), rewritten after each line: the number of lines
and the last hash, with an HMAC too. Without the secret nobody can alter, insert, remove or move a
line, or cut lines off the end, without `verify` finding it.

A log that has grown large is put aside as `audit.log.N`, N being the number of its last line in
twelve digits, and goes on in a new file: numbers and chain run through all of them, and the anchor
then also says with which line the newest begins. To save room, older files may be moved elsewhere;
for `verify` they must be back.

What stays possible: who holds the secret can write a new log; who puts back older copies of the log
AND of its anchor, or removes both, undoes the lines since. Against that, keep the number of lines
and the last hash, which `verify` reports, at another place. Lines are handed to the operating
system one by one and survive the death of the process; a power failure may take the last ones.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

BEFORE_FIRST = "0" * 64  # stands for the hash of the line before the first
REPAIR = "repair"  # the action of the line that records a torn end


class AuditError(RuntimeError):
    """The log cannot be opened or written; what it should have recorded must not be answered."""


class BadLine(Exception):
    """The sentence says what is wrong with a line of the log or with its anchor."""


@dataclass
class Report:
    """What `verify` found: the good lines from the first on, and the first bad one, if any."""

    lines: int = 0  # good lines
    last: str = BEFORE_FIRST  # hash of the last good line
    repairs: list[int] = field(default_factory=list)  # the lines that record a torn end
    torn: bytes = b""  # an unfinished line at the end: its writer is at work, or was killed
    bad_line: int | None = None  # None with a problem: the anchor is bad, not a line
    problem: str | None = None

    @property
    def ok(self) -> bool:
        """Say whether nothing is wrong; an unfinished end is not, the next opening repairs it."""
        return self.problem is None

    def __str__(self) -> str:
        """Return the finding in one sentence or two."""
        if not self.ok:
            return f"not intact: {self.problem}. Good lines from the first on: {self.lines}."
        text = f"intact: {self.lines} lines, last hash {self.last}"
        if self.repairs:
            text += f"; torn ends repaired in line {', '.join(map(str, self.repairs))}"
        if self.torn:
            text += f"; after them {len(self.torn)} bytes of an unfinished line"
        return f"{text}."


def log_key(secret: bytes) -> bytes:
    """Return the log's own key, made from `secret`, which may so serve other purposes too."""
    return hmac.digest(secret, b"audit log", "sha256")


def sign(record: dict, key: bytes) -> bytes:
    """Return `record` as a line of JSON whose last field, `mac`, is the HMAC of all before it."""
    body = json.dumps(record, allow_nan=False, separators=(",", ":")).encode()[:-1]
    return body + b',"mac":"' + hmac.digest(key, body, "sha256").hex().encode() + b'"}\n'


def opened(line: bytes, key: bytes) -> dict:
    """Return the record of a line that `sign` made; raise BadLine if a single byte differs."""
    body = line.rpartition(b',"mac":"')[0]
    mac = hmac.digest(key, body, "sha256").hex().encode()
    if not hmac.compare_digest(line, body + b',"mac":"' + mac + b'"}\n'):
        raise BadLine("does not fit its code: altered, inserted, or written with another secret")
    return json.loads(line)


def check_line(line: bytes, number: int, previous: str, key: bytes) -> dict:
    """Return the record of line `number`, which must follow the line with the hash `previous`."""
    record = opened(line, key)
    found = record.get("line")
    if found != number:
        raise BadLine(f"carries the number {found}: lines were removed, moved or repeated here")
    if record.get("previous") != previous:
        raise BadLine("does not continue the line before it: it comes from another log")
    return record


def verify(path: str | os.PathLike, secret: bytes, whole: bool = True) -> Report:
    """Check the log at `path` from its first line to its anchor.

    With `whole` False the files that were put aside are taken for granted. A service may be writing
    to it. Raises AuditError when there is no log or it cannot be read.
    """
    path, key = Path(path), log_key(secret)
    for _ in range(3):  # the newest file may be put aside while the older ones are being read
        files = older_files(path) if whole else []
        report = _verify(path, key, files, whole)
        if report.ok or not whole or files == older_files(path):
            break
    return report


def _verify(path: Path, key: bytes, older: list[Path], whole: bool) -> Report:
    report = Report()
    anchor, anchor_problem = read_anchor(path, key)  # first: lines may be added meanwhile
    if anchor and not whole:
        report.lines, report.last = anchor.start(path)
    at_anchor = report.last if anchor and report.lines == anchor.lines else BEFORE_FIRST
    for file in [*older, path]:
        for line in _lines(file, anchor is not None):
            if file == path and not line.endswith(b"\n"):
                report.torn = line
                break
            number = report.lines + 1
            try:
                record = check_line(line, number, report.last, key)
            except BadLine as bad:
                advice = _missing(line, key) if whole and number == 1 else ""
                report.bad_line = number
                report.problem = f"line {number} of {file} {bad}{advice}"
                return report
            report.lines, report.last = number, hashlib.sha256(line).hexdigest()
            if anchor and number == anchor.lines:
                at_anchor = report.last
            if record.get("action") == REPAIR:
                report.repairs.append(number)
    report.problem = anchor_problem
    if anchor:
        _compare(report, path, anchor.lines, at_anchor == anchor.last)
    return report


def _missing(line: bytes, key: bytes) -> str:
    """Return the advice where a log begins in its middle: older files were moved, or removed."""
    try:
        before = int(opened(line, key)["line"]) - 1
    except (BadLine, KeyError, TypeError, ValueError):
        return ""
    return f"; if lines 1 to {before} were put aside, put their files back beside it"


def older_path(path: Path, last: int) -> Path:
    """Return the path under which the part of the log is put aside that ends with this line."""
    return path.with_name(f"{path.name}.{last:012d}")


def older_files(path: Path) -> list[Path]:
    """Return the parts of the log that were put aside, the oldest first."""
    return sorted(path.parent.glob(f"{path.name}.{'[0-9]' * 12}"))


def _compare(report: Report, path: Path, count: int, same: bool) -> None:
    """Note in `report` when the log ends before its anchor, or is another log."""
    if count > report.lines:
        report.bad_line = report.lines + 1
        report.problem = (
            f"line {report.bad_line} of {path} is missing: the anchor counts {count} lines, "
            f"so the last {count - report.lines} were removed"
        )
    elif not same:
        report.bad_line = max(count, 1)
        report.problem = f"line {report.bad_line} of {path} is not the line that its anchor names"


def _lines(path: Path, anchored: bool):
    try:
        with open(path, "rb") as log:
            yield from log
    except FileNotFoundError:
        if not anchored:  # with an anchor, the log was removed: no lines
            raise AuditError(f"there is no audit log at {path}; check the path") from None
    except OSError as error:
        raise AuditError(f"{path} cannot be read: {error.strerror}") from error


def anchor_path(path: str | os.PathLike) -> Path:
    """Return the path of the anchor that belongs to the log at `path`."""
    return Path(f"{path}.anchor")


@dataclass
class Anchor:
    """What the anchor says: the number of lines, the last hash, where the newest file begins."""

    lines: int
    last: str
    first: int = 1  # the number of the newest file's first line
    before: str = BEFORE_FIRST  # the hash of the line before it

    def start(self, path: Path) -> tuple[int, str]:
        """Return number and hash of the line after which the newest file begins."""
        if older_path(path, self.lines).exists():  # put aside, and killed before the next line
            return self.lines, self.last
        return self.first - 1, self.before

    def record(self) -> dict:
        """Return the content of the file."""
        found = {"lines": self.lines, "last": self.last}
        return found | ({"first": self.first, "before": self.before} if self.first > 1 else {})


def read_anchor(path: Path, key: bytes) -> tuple[Anchor | None, str | None]:
    """Return the anchor and None, or None and what is wrong with it."""
    anchor = anchor_path(path)
    for _ in range(3):  # a reader may meet the anchor while it is being overwritten
        try:
            record = opened(anchor.read_bytes(), key)
            del record["mac"]
            return Anchor(**record), None
        except FileNotFoundError:
            return None, f"its anchor {anchor} is missing, so lines may be missing at the end"
        except OSError as error:
            raise AuditError(f"{anchor} cannot be read: {error.strerror}") from error
        except BadLine as bad:
            problem = f"its anchor {anchor} {bad}"
        except (TypeError, KeyError):
            problem = f"its anchor {anchor} is no anchor but a line of a log"
    return None, problem
