"""Limits of size and time: bodies that are too large or too slow, heads that never end."""

from __future__ import annotations

import asyncio
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
    """ASGI middleware: `receive` raises BodyTooLarge or BodyTooSlow inside the handler.

    The body's clock starts when the handler first asks for it, after the key was checked.
    """

    def __init__(self, app, max_bytes: int = MAX_BODY, seconds: float = BODY_SECONDS):
        """Wrap `app`."""
        self.app, self.max_bytes, self.seconds = app, max_bytes, seconds

    async def __call__(self, scope, receive, send):
        """Pass the request on with a guarded `receive`."""
        if scope["type"] == "http":
            receive = self._guard(scope, receive)
        await self.app(scope, receive, send)

    def _guard(self, scope, receive):
        # h11 has checked that the header is a whole number.
        announced = int(dict(scope["headers"]).get(b"content-length", 0))
        count, complete, deadline = 0, False, None
        too_large = f"The body is larger than {self.max_bytes:,} bytes; send fewer instances."

        async def guarded():
            nonlocal count, complete, deadline
            if complete:  # only the news of a disconnection can come; it has no time limit
                return await receive()
            if announced > self.max_bytes:
                raise BodyTooLarge(too_large)
            deadline = deadline or asyncio.get_running_loop().time() + self.seconds
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise BodyTooSlow(f"The body took longer than {self.seconds:g} s.") from None
            count += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if count > self.max_bytes:
                raise BodyTooLarge(too_large)
            return message

        return guarded


class TimedProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol with a time limit outside of answers, and errors as JSON.

    From the start of a connection, or from an answer, at most HEAD_SECONDS may pass until the
    next request's head is complete. uvicorn itself only closes a connection that is silent, so
    that a client could hold one for ever with a byte now and then.
    """

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
            sentence = f"No complete request within {HEAD_SECONDS:g} s."
            self._late = self.loop.call_later(HEAD_SECONDS, self._refuse, 408, sentence)

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
