"""Who may do what: the refusals, what is stored of an API key, and the rate limit.

A key is `lms_<id>_<secret>`. The id (8 hexadecimal digits) is public and stands in the audit log;
the secret (256 random bits) is shown once and kept nowhere. Because nobody can guess 256 bits, one
SHA-256 with a salt is enough; the slow hashes made for passwords would only slow the service.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import re
import secrets

PRESENTED = re.compile(r"lms_([0-9a-f]{8})_([0-9a-f]{64})")


class AccessRefused(Exception):
    """A request may not go on. `status` is the HTTP status, `key_id` the key if it is proven."""

    status = 401

    def __init__(self, sentence: str, key_id: str | None = None) -> None:
        """Keep the sentence for the client and the id for the audit log."""
        super().__init__(sentence)
        self.key_id = key_id


class KeyMissing(AccessRefused):
    """The request shows no key."""


class KeyWrong(AccessRefused):
    """The text is not a key of this service."""


class KeyExpired(AccessRefused):
    """The key was right until its expiry or until it was revoked."""


class KeyTooNarrow(AccessRefused):
    """The key is right, but none of its scopes covers this action on this model."""

    status = 403


class RateExceeded(AccessRefused):
    """The key has used up its requests; `retry_after` (whole seconds, at least 1) says how long."""

    status = 429

    def __init__(self, sentence: str, key_id: str, retry_after: int) -> None:
        """Keep the sentence, the id and the seconds until the next request is allowed."""
        super().__init__(sentence, key_id)
        self.retry_after = retry_after


@dataclasses.dataclass(frozen=True)
class Key:
    """What the file holds of one key; times are UTC seconds since 1970, `per_minute` requests."""

    id: str
    owner: str
    scopes: tuple[str, ...]
    expires: float
    per_minute: int
    salt: str = dataclasses.field(repr=False)
    hash: str = dataclasses.field(repr=False)

    def covers(self, action: str, model: str | None) -> bool:
        """Say whether a scope allows `action` on `model` (None: an action that has no model)."""
        wanted = {f"{action}:*", action} if model is None else {f"{action}:*", f"{action}:{model}"}
        return not wanted.isdisjoint(self.scopes)


def hash_secret(secret: str, salt: str) -> str:
    """Return SHA-256 of salt and secret, as 64 hexadecimal digits."""
    return hashlib.sha256(f"{salt}:{secret}".encode()).hexdigest()


# An unknown id is compared with this, which no secret fits: the same work as for a wrong secret.
NOBODY = Key("", "", (), math.inf, 1, salt=secrets.token_hex(16), hash=secrets.token_hex(32))


class TokenBucket:
    """A rate limit: `per_minute` tokens that refill evenly; each request takes one."""

    def __init__(self, per_minute: int, now: float) -> None:
        """Start full, so that a client may send a burst of `per_minute` requests."""
        self.per_minute, self.tokens, self.last = per_minute, float(per_minute), now

    def take(self, now: float, amount: float = 1.0) -> float:
        """Take tokens and return 0, or return the seconds until there is one.

        Where there is one, more than there are may be taken: the next caller waits for them.
        """
        refilled = self.tokens + max(0.0, now - self.last) * self.per_minute / 60
        self.tokens, self.last = min(self.per_minute, refilled), now
        if self.tokens < 1:
            return (1 - self.tokens) * 60 / self.per_minute
        self.tokens -= amount
        return 0.0


def bearer(header: bytes | None) -> str | None:
    """Return the key in the header `Authorization: Bearer KEY`, None if there is none."""
    scheme, _, key = (header or b"").decode("latin-1").partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None


def admit(keys, record: dict, presented: str | None, action: str, model: str | None) -> None:
    """Let a request pass whose key allows `action` on `model`; raises AccessRefused.

    `record`, for the audit log, gets the id of the key; of one that is not proven to be right the
    id stands under `claimed`.
    """
    try:
        record["key"] = keys.check(presented, action, model).id
    except AccessRefused as error:
        record["key"] = error.key_id
        form = PRESENTED.fullmatch(presented or "")
        if form and error.key_id is None:
            record["claimed"] = form[1]
        raise
