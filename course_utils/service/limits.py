"""Limits of size and time: bodies that are too large or too slow, heads that never end."""

from __future__ import annotations

import asyncio
import contextlib
import json

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from course_utils.service.contract import ServiceError

MAX_BODY = 4 * 2**20  # bytes
BODY_SECONDS = 10.0
HEAD_SECONDS = 10.0


class BodyTooLarge(ServiceError):
    """More bytes than the limit."""

    status = 413


class BodyTooSlow(ServiceError):
    """The body was not complete in time."""

    status = 408


class BodyLimits:
    """ASGI middleware: bodies have a size and a time, see LimitedBody."""

    def __init__(self, app, max_bytes: int = MAX_BODY, seconds: float = BODY_SECONDS):
        """Wrap `app`."""
        self.app, self.max_bytes, self.seconds = app, max_bytes, seconds

    async def __call__(self, scope, receive, send):
        """Pass the request on with guarded `receive` and `send`."""
        if scope["type"] == "http":
            body = LimitedBody(scope, receive, send, self.max_bytes, self.seconds)
            receive, send = body.receive, body.send
        await self.app(scope, receive, send)


class LimitedBody:
    """The body of one request: refused in the handler that asks for it, when too large or slow.

    The clock starts when the handler first asks, so after the key was checked. What a handler
    leaves unread is thrown away at the end of its answer: if the connection closed with bytes
    unread, the client's system would report a reset and drop the answer.
    """

    def __init__(self, scope, receive, send, max_bytes: int, seconds: float):
        """Read from `receive`, answer through `send`."""
        headers = dict(scope["headers"])
        # h11 has checked that the header is a whole number of at most 20 digits.
        self.announced = int(headers.get(b"content-length", 0))
        self.complete = not (self.announced or b"transfer-encoding" in headers)
        self.count, self.max_bytes, self.seconds = 0, max_bytes, seconds
        self._receive, self._send, self._deadline = receive, send, None

    async def receive(self) -> dict:
        """Return the next part; raises BodyTooLarge or BodyTooSlow."""
        if self.complete:  # only the news of a disconnection can come; it has no time limit
            return await self._receive()
        if self.announced <= self.max_bytes:
            try:
                message = await self._next()
            except TimeoutError:
                raise BodyTooSlow(f"The body took longer than {self.seconds:g} s.") from None
            self.count += len(message.get("body", b""))
        if max(self.announced, self.count) > self.max_bytes:
            raise BodyTooLarge(
                f"The body is larger than {self.max_bytes:,} bytes; send fewer instances."
            )
        return message

    async def send(self, message: dict) -> None:
        """Send a part of the answer; before its end, read on to the end of the body."""
        last = message["type"] == "http.response.body" and not message.get("more_body")
        if last and not self.complete:
            await self._send({**message, "more_body": True})
            with contextlib.suppress(TimeoutError):
                while not self.complete:
                    await self._next()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _next(self) -> dict:
        """Return the next part; raises TimeoutError when the body's time is over."""
        self._deadline = self._deadline or asyncio.get_running_loop().time() + self.seconds
        async with asyncio.timeout_at(self._deadline):
            message = await self._receive()
        self.complete = not message.get("more_body", False)  # a disconnection ends it, too
        return message


class TimedProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol with a time limit outside of answers, and errors as JSON.

    From the start of a connection, or from an answer, at most `head_seconds` may pass until the
    next request's head is complete. uvicorn itself only closes a connection that is silent, so
    that a client could hold one for ever with a byte now and then.
    """

    head_seconds = HEAD_SECONDS
    _late = None

    def connection_made(self, transport):
        """Start the clock."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data):
        """Stop the clock if this completes a head."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self):
        """Start the clock again."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc):
        """Forget the clock."""
        super().connection_lost(exc)
        self._stop()

    def send_400_response(self, msg):
        """Answer bytes that are not HTTP, in the form of every other error."""
        self._refuse(400, "The request is not valid HTTP.")

    def _watch(self):
        if self.transport.is_closing() or (self.cycle and not self.cycle.response_complete):
            self._stop()
        elif self._late is None:
            sentence = f"No complete request within {self.head_seconds:g} s."
            self._late = self.loop.call_later(self.head_seconds, self._refuse, 408, sentence)

    def _stop(self):
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _refuse(self, status, sentence):
        """Send an error if none of an answer was sent yet, and close the connection."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = json.dumps({"error": sentence}).encode()
            headers = [("content-type", "application/json"), ("content-length", str(len(body)))]
            headers.append(("connection", "close"))
            for event in (
                h11.Response(status_code=status, headers=headers),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event))
        self.transport.close()
