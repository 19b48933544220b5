"""The one busy route, `POST …:predict`, answered before FastAPI's router looks at a request.

FastAPI's way from the path to the function costs more than a model call's share of one image. The
OpenAPI document and every other route are FastAPI's, see `routes`.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import orjson
from starlette.requests import Request

from course_utils.service.access import admit, bearer
from course_utils.service.contract import LARGE, BadRequest, ServiceError
from course_utils.service.errors import FAILURES, error_reply
from course_utils.service.inputs import Inputs, read_request
from course_utils.service.limits import BodyTooLarge
from course_utils.service.models import Version

PATH = re.compile(
    r"/v1/models/([A-Za-z0-9_-]{1,64})(?:/versions/([1-9][0-9]{0,8}))?:predict", re.ASCII
)
JSON = (b"content-type", b"application/json")
MOST_LARGE = 32  # bodies over LARGE that may be in memory at a time


class Busy(ServiceError):
    """Too many large bodies at once."""

    status = 503
    retry_after = 1.0


class Predict:
    """ASGI middleware that answers predictions and passes everything else on.

    Order: key, then model, then body. Nothing of a request without a valid key is read but its
    head. Large bodies are parsed in a thread, one at a time, so that others are answered meanwhile.
    """

    def __init__(self, app, state, max_instances: int, max_body: int):
        """Wrap `app`; `state` has the store, the keys and the audit log."""
        self.app, self.state = app, state
        self.max_instances, self.max_body = max_instances, max_body
        self._large = 0  # large bodies that are being read or parsed
        self._parser = ThreadPoolExecutor(1, thread_name_prefix="parse")

    async def __call__(self, scope, receive, send):
        """Answer a prediction, or pass the request on."""
        if scope["type"] == "http" and scope["method"] == "POST":
            found = PATH.fullmatch(scope["path"])
            if found:
                await self._respond(scope, receive, send, *found.groups())
                return
        await self.app(scope, receive, send)

    async def _respond(self, scope, receive, send, name: str, number: str | None) -> None:
        try:
            body = await self._answer(scope, receive, name, number and int(number))
        except FAILURES as error:
            await error_reply(Request(scope), error)(scope, receive, send)
            return
        headers = [JSON, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope, receive, name: str, number: int | None) -> bytes:
        state, record = self.state, scope["state"]["record"]
        record |= {"action": "predict", "model": name, "version": number}
        headers = dict(scope["headers"])
        admit(state.keys, record, bearer(headers.get(b"authorization")), "predict", name)
        state.store.find(name, number)  # an unknown model is refused before its body is read
        chosen, inputs = await self._read(headers, receive, name, number)
        record |= {"version": chosen.number, "instances": len(inputs.x)}
        if state.audit.keep_inputs:
            record["inputs"] = inputs.x.tolist()
        y = await chosen.batcher.submit(inputs.x)
        if not np.isfinite(y).all():
            raise ValueError(f"version {chosen.number} of {name!r} predicted NaN or infinity")
        y = np.ascontiguousarray(y)
        reply = {inputs.reply: y, "version": chosen.number}
        return orjson.dumps(reply, option=orjson.OPT_SERIALIZE_NUMPY)

    async def _read(self, headers: dict, receive, name, number) -> tuple[Version, Inputs]:
        """Return the version that answers and what it is asked; nothing is awaited after both."""
        announced = headers.get(b"content-length")
        coding = headers.get(b"content-encoding", b"identity").lower()
        if announced is not None and len(announced) < 6 and coding == b"identity":
            body = await read_body(receive)
            chosen = self.state.store.route(name, number)
            if len(body) <= LARGE:
                return chosen, self._parse(body, coding, chosen)
        else:
            body = None
        if self._large >= MOST_LARGE:
            raise Busy(f"{MOST_LARGE} large bodies are being read; send the request again later.")
        self._large += 1
        try:
            body = await read_body(receive) if body is None else body
            chosen = self.state.store.route(name, number)
            loop = asyncio.get_running_loop()
            while True:
                inputs = await loop.run_in_executor(self._parser, self._parse, body, coding, chosen)
                if chosen is self.state.store.find(name).versions.get(chosen.number):
                    return chosen, inputs
                chosen = self.state.store.route(name, number)  # it was unloaded meanwhile
        finally:
            self._large -= 1

    def _parse(self, body: bytes, coding: bytes, chosen: Version) -> Inputs:
        predictor = chosen.predictor
        body = body if coding == b"identity" else decoded(body, coding, self.max_body)
        return read_request(body, predictor.input_shape, self.max_instances, predictor.bounds)


async def read_body(receive) -> bytes:
    """Return a request's body; `receive` raises when it is too large, too slow or cut off."""
    message = await receive()
    if not message.get("more_body"):
        return message.get("body", b"")
    parts = [message["body"]]
    while message.get("more_body"):
        message = await receive()
        parts.append(message["body"])
    return b"".join(parts)


def decoded(body: bytes, coding: bytes, most: int) -> bytes:
    """Return a body that was compressed with gzip; raises BadRequest, BodyTooLarge."""
    if coding not in (b"gzip", b"x-gzip"):
        shown = coding[:40].decode("latin-1")
        raise BadRequest(f"The content coding {shown!r} is not supported; send gzip, or none.")
    decoder = zlib.decompressobj(wbits=31)  # 31: with the head and the tail of gzip
    try:
        content = decoder.decompress(body, most + 1)
    except zlib.error:
        raise BadRequest("The body is not gzip, although its content coding says so.") from None
    if len(content) > most:
        raise BodyTooLarge(f"The body is larger than {most:,} bytes; send fewer instances.")
    if not decoder.eof or decoder.unused_data:
        raise BadRequest("The body is not one whole gzip file.")
    return content
