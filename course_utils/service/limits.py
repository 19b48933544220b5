"""Limits of size and time for the bodies of requests."""

from __future__ import annotations

import asyncio
import contextlib

from course_utils.service.contract import ServiceError

MAX_BODY = 4 * 2**20  # bytes
BODY_SECONDS = 10.0
DRAINED = 2**16  # bytes that are read of a body that nobody wants
LINGER = 2.0  # seconds for which a connection stays open after a refusal, so that it can be read


class BodyTooLarge(ServiceError):
    """More bytes than the limit."""

    status = 413


class BodyTooSlow(ServiceError):
    """The body was not complete in time."""

    status = 408


class ClientGone(ServiceError):
    """The client hung up before its body was complete; nobody reads the answer."""

    status = 499


class BodyLimits:
    """ASGI middleware: bodies have a size, a time and a price, see LimitedBody."""

    def __init__(self, app, keys, max_bytes: int = MAX_BODY, seconds: float = BODY_SECONDS):
        """Wrap `app`; the key of a request pays in `keys` for the bytes."""
        self.app, self.keys, self.max_bytes, self.seconds = app, keys, max_bytes, seconds

    async def __call__(self, scope, receive, send):
        """Pass the request on with guarded `receive` and `send`."""
        if scope["type"] == "http":
            body = LimitedBody(scope, receive, send, self)
            receive, send = body.receive, body.send
        await self.app(scope, receive, send)


class LimitedBody:
    """The body of one request: refused in the handler that asks for it, when too large or slow.

    The clock starts when the handler first asks, so after the key was checked. Of what a handler
    leaves unread a little is thrown away at the end of its answer: if the connection closed with
    bytes unread, the client's system would report a reset and drop the answer. If more is to come,
    the answer says that the connection closes, and it closes a moment later.
    """

    def __init__(self, scope, receive, send, limits: BodyLimits):
        """Read from `receive`, answer through `send`."""
        self.announced, chunked = 0, False
        for name, value in scope["headers"]:
            if name == b"content-length":
                self.announced = int(value[:20])  # a parser has checked that it is a number
            elif name == b"transfer-encoding":
                chunked = True
        self.complete = not (self.announced or chunked)
        self.count, self.limits = 0, limits
        self._state, self._record = scope["state"], scope["state"]["record"]
        self._receive, self._send, self._deadline = receive, send, None
        self._drained = 0  # bytes that may be read for the sake of the answer

    async def receive(self) -> dict:
        """Return the next part; raises BodyTooLarge, BodyTooSlow, ClientGone or RateExceeded."""
        if self.complete:  # only the news of a disconnection can come; it has no time limit
            return await self._receive()
        max_bytes = self.limits.max_bytes
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + self.limits.seconds
            self._pay(min(self.announced, max_bytes))
        message = {}
        if self.announced <= max_bytes:
            try:
                message = await self._next()
            except TimeoutError:
                raise BodyTooSlow(f"The body took longer than {self.limits.seconds:g} s.") from None
            if message["type"] == "http.disconnect":
                raise ClientGone("The client hung up in the middle of the body.")
            if not self.announced:
                self._pay(len(message["body"]))
        if max(self.announced, self.count) > max_bytes:
            raise BodyTooLarge(
                f"The body is larger than {max_bytes:,} bytes; send fewer instances."
            )
        return message

    async def send(self, message: dict) -> None:
        """Send a part of the answer; before its end, read a little more of the body."""
        if not self.complete:
            if message["type"] == "http.response.start":
                # Who has a key, and sent too much, may send on a while to read why.
                known = message["status"] == BodyTooLarge.status and self._record.get("key")
                self._drained = self.limits.max_bytes if known else DRAINED
                slow = message["status"] == BodyTooSlow.status
                if slow or not 0 < self.announced - self.count <= self._drained:
                    headers = [*message["headers"], (b"connection", b"close")]
                    message = message | {"headers": headers}
            elif not message.get("more_body"):
                await self._send(message | {"more_body": True})
                await self._drain()
                message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _drain(self) -> None:
        """Throw away what still comes, for a moment and up to the limit."""
        end = asyncio.get_running_loop().time() + LINGER
        limit, self._deadline = self.count + self._drained, end
        with contextlib.suppress(TimeoutError):
            while not self.complete and self.count < limit:
                await self._next()
        if not self.complete:  # the rest is left where it is; the client may read meanwhile
            await asyncio.sleep(end - asyncio.get_running_loop().time())

    async def _next(self) -> dict:
        """Return the next part; raises TimeoutError when the body's time is over."""
        if self._state.get("whole"):  # `connections` says that all of it is here
            message = await self._receive()
        else:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        self.complete = not message.get("more_body", False)  # a disconnection ends it, too
        self.count += len(message.get("body", b""))
        return message

    def _pay(self, size: int) -> None:
        if self._record.get("key"):
            self.limits.keys.charge(self._record["key"], size)
