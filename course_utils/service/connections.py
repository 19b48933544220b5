"""The HTTP connections: how many there may be, and how a client may not keep one busy.

uvicorn has two parsers of HTTP/1.1, httptools (in C) and h11. The limits of `Guarded` live above
both. uvicorn itself only closes a connection that is silent, so that a client could hold one for
ever with a byte now and then, or by not reading its answers.
"""

from __future__ import annotations

import http
import json
import os

import httptools
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0  # from the start of a connection, or an answer, to the next complete head
WRITE_SECONDS = 10.0  # until a client must have read what fills its connection
MAX_HEAD = 2**16  # bytes
MAX_HEADERS = 100  # header lines of a request
MAX_PIPELINE = 16  # requests that a client may send ahead of the answers
SMALL_PIECES, PIECE = 100, 64  # after so many pieces of a body, their mean must be so many bytes


def most_connections() -> int:
    """Return half of the descriptors that this process may have; the rest is for everything else.

    Windows has no such limit; 1024 there.
    """
    if os.name == "nt":
        return 1024
    import resource

    return max(1, min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2))


class OneWrite:
    """A transport that sends the head of an answer with its body: one system call for two."""

    def __init__(self, transport):
        """Write to `transport`, which has all other methods and is used for them."""
        self._transport, self._head = transport, b""

    def __getattr__(self, name):
        """Return what the transport has under this name, and keep it here."""
        found = getattr(self._transport, name)
        setattr(self, name, found)
        return found

    def write(self, data: bytes) -> None:
        """Send `data`, unless it is the head of an answer."""
        if data.startswith(b"HTTP/1.1 ") and data.endswith(b"\r\n\r\n") and data[9:10] != b"1":
            self._head += data
        else:
            self._transport.write(self._head + data if self._head else data)
            self._head = b""

    def flush(self) -> None:
        """Send a head without a body."""
        if self._head:
            self.write(b"")

    def close(self) -> None:
        """Send what is kept, and close."""
        self.flush()
        self._transport.close()


class Guarded:
    """Mixin of a protocol of uvicorn: limits outside of what the application sees.

    A connection without a complete head in time gets 408 and is closed. One that does not take its
    answers, or does not close when told to, is cut off. When there are too many, the one that has
    been without a valid key for longest makes room; if all have one, the new one gets 503.
    """

    head_seconds, write_seconds = HEAD_SECONDS, WRITE_SECONDS
    most = most_connections()
    _state, _timer, _since, _head, _full = "", None, 0.0, 0, False

    def connection_made(self, transport):
        """Start the clock, and make room if there are too many."""
        super().connection_made(OneWrite(transport))
        self._since = self.loop.time()
        if len(self.connections) > self.most:
            self._make_room()
        self._watch()

    def data_received(self, data):
        """Stop the clock if this completes a head."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._answering():
            self._head = 0
            self.cycle.scope["state"]["whole"] = not self.cycle.more_body
        else:
            self._head += len(data)
            if self._head > MAX_HEAD:
                self._refuse(431, f"The head of the request is longer than {MAX_HEAD:,} bytes.")
        self._watch()

    def on_response_complete(self):
        """Start the clock again."""
        self.transport.flush()
        self._since, self._head = self.loop.time(), 0
        super().on_response_complete()
        self._watch()

    def pause_writing(self):
        """Start the clock of a client that does not read."""
        super().pause_writing()
        self._full = True
        self._watch()

    def resume_writing(self):
        """Stop it: the client has read."""
        super().resume_writing()
        self._full = False
        self._watch()

    def connection_lost(self, exc):
        """Forget the clock."""
        super().connection_lost(exc)
        self._state = "lost"
        self._stop()

    def send_400_response(self, msg):
        """Answer bytes that are not HTTP, in the form of every other error."""
        self._refuse(400, "The request is not valid HTTP.")

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _watch(self) -> None:
        """Let the clock run that fits what the connection is doing."""
        if self._state == "lost":
            return
        if self.transport.is_closing():
            state = "closing"
        elif self._full:
            state = "writing"
        else:
            state = "answering" if self._answering() else "head"
        if state == self._state:
            return
        self._stop()
        self._state = state
        if state == "head":
            self._timer = self.loop.call_later(self.head_seconds, self._late)
        elif state != "answering":
            self._timer = self.loop.call_later(self.write_seconds, self.transport.abort)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._refuse(408, f"No complete request within {self.head_seconds:g} s.")

    def _make_room(self) -> None:
        guests = [c for c in self.connections if c is not self and not c._has_a_key()]
        if guests:
            min(guests, key=lambda guest: guest._since).transport.abort()
        else:
            self._refuse(503, "Too many connections; come back later.")

    def _has_a_key(self) -> bool:
        """Whether a request with a valid key is being answered."""
        return self._answering() and bool(self.cycle.scope["state"].get("record", {}).get("key"))

    def _refuse(self, status: int, sentence: str) -> None:
        """Send an error if none of an answer was sent yet, and close the connection."""
        if not (self._answering() and self.cycle.response_started):
            body = json.dumps({"error": sentence}).encode()
            head = (
                f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\n"
                f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
                "connection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self.transport.close()
        self._watch()


class TimedH11(Guarded, H11Protocol):
    """With the parser in Python."""


class TimedProtocol(Guarded, HttpToolsProtocol):
    """With the parser in C, which has no limits of its own: what is small and many is refused."""

    _pieces = _bytes = 0

    def on_message_begin(self):
        """Begin a request; a client may not send hundreds ahead."""
        if len(self.pipeline) >= MAX_PIPELINE:
            raise httptools.HttpParserError("too many requests ahead of their answers")
        self._pieces = self._bytes = 0
        super().on_message_begin()

    def on_header(self, name, value):
        """Keep a header line."""
        if len(self.headers) >= MAX_HEADERS:
            raise httptools.HttpParserError("too many header lines")
        super().on_header(name, value)

    def on_body(self, body):
        """Keep a piece of a body; millions of single bytes would cost the service too much."""
        self._pieces, self._bytes = self._pieces + 1, self._bytes + len(body)
        if self._pieces > SMALL_PIECES and self._bytes < PIECE * self._pieces:
            raise httptools.HttpParserError("a body in too many small pieces")
        super().on_body(body)
