"""The store of API keys: salted hashes in one file, checked before any work is done.

The form of a key, the refusals and the rate limit are in `access`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hmac
import json
import math
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from course_utils.files import write_atomically
from course_utils.service.access import (
    NOBODY,
    PRESENTED,
    AccessRefused,
    Key,
    KeyExpired,
    KeyMissing,
    KeyTooNarrow,
    KeyWrong,
    RateExceeded,
    TokenBucket,
    hash_secret,
)
from course_utils.service.locks import lock

__all__ = [
    "AccessRefused",
    "Key",
    "KeyExpired",
    "KeyFileError",
    "KeyMissing",
    "KeyStore",
    "KeyTooNarrow",
    "KeyWrong",
    "RateExceeded",
]

SCOPE = re.compile(r"(predict|read|admin):(\*|[A-Za-z0-9_-]{1,64})|metrics")
BYTES = 2**17  # of bodies, for each request that a key may send in a minute


class KeyFileError(RuntimeError):
    """The file of keys cannot be read or written; no key is accepted until that is repaired."""


class KeyStore:
    """The keys in one JSON file (mode 0600); several processes may change it.

    `check` reads the file again when it has changed, so that a key added or revoked by the command
    line counts at once in a running service. `clock` returns UTC seconds since 1970.
    """

    def __init__(self, path: str | os.PathLike, clock: Callable[[], float] = time.time) -> None:
        """Read the keys of `path`; a missing file is an empty store. Raises KeyFileError."""
        self.path, self._clock = Path(path), clock
        self._lock = threading.Lock()  # `check` may run in many threads
        self._keys: dict[str, Key] = {}
        self._requests: dict[str, TokenBucket] = {}
        self._bodies: dict[str, TokenBucket] = {}  # a token is BYTES
        self._seen: tuple | None = None  # identifies the state of the file that `_keys` holds
        self._read()

    def add(self, owner: str, scopes: Iterable[str], days: float, per_minute: int) -> str:
        """Store a new key and return its text, which cannot be shown again.

        `days` is the time until it expires, `per_minute` the requests it may send. Raises
        ValueError for an argument that makes no sense, KeyFileError when the file cannot be
        written.
        """
        scopes = _checked(owner, scopes, days, per_minute)
        key_id, secret, salt = secrets.token_hex(4), secrets.token_hex(32), secrets.token_hex(16)
        expires = self._clock() + days * 86400
        key = Key(key_id, owner, scopes, expires, per_minute, salt, hash_secret(secret, salt))
        with self._changing():
            self._keys[key_id] = key
        return f"lms_{key_id}_{secret}"

    def revoke(self, key_id: str) -> None:
        """Let the key expire now. Its entry stays: the audit log names the id, this its owner.

        Raises ValueError when there is no such key, KeyFileError when the file cannot be written.
        """
        with self._changing():
            if key_id not in self._keys:
                raise ValueError(f"no key has the id {key_id!r}; `keys list` shows all")
            key = self._keys[key_id]
            expires = min(key.expires, self._clock())
            self._keys[key_id] = dataclasses.replace(key, expires=expires)

    def all(self) -> list[Key]:
        """Return every key, expired ones included, in the order in which they were added."""
        with self._lock:
            self._read()
            return list(self._keys.values())

    def check(self, presented: str | None, action: str, model: str | None = None) -> Key:
        """Return the key that `presented` is, if it allows `action` on `model` now.

        Raises KeyMissing, KeyWrong, KeyExpired, KeyTooNarrow or RateExceeded, in this order, and
        KeyFileError when the file of keys cannot be read. Only a request that passes counts for
        the rate.
        """
        if not presented:
            raise KeyMissing("This request needs an API key: send `Authorization: Bearer lms_…`.")
        with self._lock:
            self._read()
            key, now = self._find(presented), self._clock()
            if now >= key.expires:
                when = datetime.fromtimestamp(key.expires, UTC).strftime("%Y-%m-%d %H:%M")
                raise KeyExpired(
                    f"API key {key.id} expired on {when} UTC; ask for a new one.", key.id
                )
            if not key.covers(action, model):
                wanted = action if model is None else f"{action}:{model}"
                raise KeyTooNarrow(
                    f"API key {key.id} may not do `{wanted}`; its scopes: {', '.join(key.scopes)}.",
                    key.id,
                )
            wait = self._bucket(self._requests, key, now).take(now)
        if wait:
            raise _too_often(key, wait, f"{key.per_minute} requests a minute")
        return key

    def charge(self, key_id: str, size: int) -> None:
        """Let the key that `check` returned pay for `size` bytes of a body.

        For each request that it may send in a minute it may send BYTES; a body may go beyond, and
        the next ones must wait. Raises RateExceeded.
        """
        with self._lock:
            key, now = self._keys.get(key_id), self._clock()
            wait = key and self._bucket(self._bodies, key, now).take(now, size / BYTES)
        if wait:
            size = f"{key.per_minute * BYTES:,} bytes of bodies"
            raise _too_often(key, wait, f"{size} a minute")

    def _bucket(self, buckets: dict, key: Key, now: float) -> TokenBucket:
        if key.id not in buckets:
            buckets[key.id] = TokenBucket(key.per_minute, now)
        return buckets[key.id]

    def _find(self, presented: str) -> Key:
        """Return the key with this text; the comparison takes as long for any wrong text."""
        form = PRESENTED.fullmatch(presented)
        key_id, secret = form.groups() if form else ("", "")
        key = self._keys.get(key_id, NOBODY)
        if not hmac.compare_digest(hash_secret(secret, key.salt), key.hash):
            raise KeyWrong("This API key is not known here; check that it was copied whole.")
        return key

    @contextlib.contextmanager
    def _changing(self):
        """Hold the file against other processes, read it, let the caller change it, write it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._lock, open(f"{self.path}.lock", "w") as other:
                lock(other.fileno(), wait=True)
                self._read()
                before = dict(self._keys)
                try:
                    yield
                    entries = [dataclasses.asdict(key) for key in self._keys.values()]
                    text = json.dumps({"keys": entries}, indent=1)
                    write_atomically(self.path, f"{text}\n", mode=0o600)
                except BaseException:
                    self._keys = before
                    raise
        except OSError as error:
            raise KeyFileError(
                f"{self.path} cannot be written: {error.strerror or error}; nothing was changed. "
                "Free space or allow writing in this folder, then repeat the command"
            ) from error

    def _read(self) -> None:
        """Bring `_keys` up to date with the file."""
        try:
            state = self.path.stat()
            seen = (state.st_mtime_ns, state.st_size, state.st_ino)
            if seen != self._seen:
                self._keys = _parse(self.path.read_text(encoding="utf-8"))
                self._seen = seen
        except FileNotFoundError:
            self._keys, self._seen = {}, None
        except OSError as error:
            raise KeyFileError(f"{self.path} cannot be read: {error.strerror}") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise KeyFileError(
                f"{self.path} is not a file of keys ({error}): restore a copy, or move it away and "
                "make new keys with `python3 -m course_utils keys add`"
            ) from error


def _too_often(key: Key, wait: float, allowed: str) -> RateExceeded:
    seconds = math.ceil(wait)
    sentence = f"API key {key.id} may send {allowed}; try again in {seconds} s."
    return RateExceeded(sentence, key.id, seconds)


def _parse(text: str) -> dict[str, Key]:
    keys = [Key(**entry) for entry in json.loads(text)["keys"]]
    return {key.id: dataclasses.replace(key, scopes=tuple(key.scopes)) for key in keys}


def _checked(owner: str, scopes: Iterable[str], days: float, per_minute: int) -> tuple[str, ...]:
    """Return the scopes without doubles; raise ValueError for what makes no sense."""
    scopes = tuple(dict.fromkeys(scopes))
    bad = [scope for scope in scopes if not SCOPE.fullmatch(scope)]
    if not owner.strip() or not owner.isprintable():
        raise ValueError(f"the owner of a key is a name of printable characters, not {owner!r}")
    if bad or not scopes:
        raise ValueError(
            f"scopes are such as predict:digits, predict:*, read:*, admin:*, metrics; found "
            f"{', '.join(map(repr, bad)) or 'none'}"
        )
    if not 0 < days <= 3650:
        raise ValueError(f"a key is valid for more than 0 and at most 3650 days, not {days}")
    if not (isinstance(per_minute, int) and per_minute >= 1):
        raise ValueError(
            f"a key may send at least 1 request a minute, a whole number, not {per_minute}"
        )
    return scopes
