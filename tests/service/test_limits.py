"""Slow clients over a real socket: heads and bodies that do not end are cut off."""

import asyncio
import json

import pytest
import uvicorn

from course_utils.service.app import create_app
from course_utils.service.limits import TimedProtocol
from course_utils.service.models import ModelStore
from course_utils.service.server import listen
from tests.service.parts import ListLog, OpenKeys, open_fake, put_model, run

HEAD = b"POST /v1/models/sums:predict HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n"
BODY = json.dumps({"instances": [[[1, 2, 3], [4, 5, 6]]]}).encode()
GOOD = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


class Impatient(TimedProtocol):
    """The protocol with a fifth of a second for a head."""

    head_seconds = 0.2


async def drip(writer, data: bytes) -> None:
    """Send a byte now and then until the server closes."""
    for byte in data:
        if writer.transport.is_closing():
            return
        writer.write(bytes([byte]))
        await asyncio.sleep(0.02)


async def read_answer(reader) -> tuple[int, dict]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return int(head[9:12]), json.loads(await reader.readexactly(length))


def talk(folder, conversation):
    """Serve with short limits and let `conversation(reader, writer)` talk to the server."""

    async def scenario():
        put_model(folder)
        store = ModelStore(folder, open_fake)
        app = create_app(store, OpenKeys(), ListLog(), body_seconds=0.2)
        await store.load_all()
        listener = listen("127.0.0.1", 0)
        config = uvicorn.Config(app, http=Impatient, log_level="critical", ws="none")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        try:
            await conversation(reader, writer)
        finally:
            writer.close()
            server.should_exit = True
            await serving

    run(scenario())


@pytest.mark.parametrize("first", [b"", GOOD], ids=["first request", "second request"])
def test_a_head_that_never_ends_is_cut_off(tmp_path, first):
    async def conversation(reader, writer):
        if first:
            writer.write(first)
            assert (await read_answer(reader))[0] == 200
        dripping = asyncio.create_task(drip(writer, HEAD * 100))
        status, answer = await read_answer(reader)
        assert (status, answer) == (408, {"error": "No complete request within 0.2 s."})
        assert await reader.read() == b""  # closed
        dripping.cancel()

    talk(tmp_path, conversation)


def test_a_silent_connection_is_closed(tmp_path):
    async def conversation(reader, writer):
        assert (await read_answer(reader))[0] == 408
        assert await reader.read() == b""

    talk(tmp_path, conversation)


def test_a_body_that_never_ends_is_cut_off(tmp_path):
    async def conversation(reader, writer):
        writer.write(HEAD + b"Content-Length: 1000000\r\n\r\n")
        dripping = asyncio.create_task(drip(writer, b" " * 1_000))
        status, answer = await read_answer(reader)
        assert (status, answer) == (408, {"error": "The body took longer than 0.2 s."})
        assert await reader.read() == b""
        dripping.cancel()

    talk(tmp_path, conversation)


def test_the_rest_of_a_refused_body_cannot_hold_the_connection(tmp_path):
    async def conversation(reader, writer):
        writer.write(b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        assert (await read_answer(reader))[0] == 404
        dripping = asyncio.create_task(drip(writer, b" " * 1_000))
        assert await reader.read() == b""  # closed, although bytes keep coming
        dripping.cancel()

    talk(tmp_path, conversation)


def test_a_client_that_is_quick_enough_is_left_alone(tmp_path):
    async def conversation(reader, writer):
        for _ in range(3):
            for part in (GOOD[:40], GOOD[40:-20], GOOD[-20:]):
                writer.write(part)
                await asyncio.sleep(0.01)
            assert (await read_answer(reader))[0] == 200
        writer.write(GOOD + GOOD)  # pipelined
        assert [(await read_answer(reader))[0] for _ in range(2)] == [200, 200]

    talk(tmp_path, conversation)
