"""Slow clients over a real socket: heads and bodies that do not end are cut off.

No test waits: the clock of the event loop is put forward. The limits are an hour, so that a busy
machine cannot reach one by itself.
"""

import asyncio
import json

import pytest
import uvicorn

from course_utils.service.app import create_app
from course_utils.service.limits import TimedProtocol
from course_utils.service.models import ModelStore
from course_utils.service.server import listen
from tests.service.parts import ListLog, OpenKeys, open_fake, put_model

HEAD = b"POST /v1/models/sums:predict HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n"
BODY = json.dumps({"instances": [[[1, 2, 3], [4, 5, 6]]]}).encode()
GOOD = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
LIMIT = 3600  # seconds


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock can be put forward."""

    ahead = 0.0

    def time(self):
        return super().time() + self.ahead


class Patient(TimedProtocol):
    """The protocol with an hour for a head."""

    head_seconds = LIMIT


async def forward(seconds: float) -> None:
    """Let what was sent arrive, then put the clock forward."""
    await asyncio.sleep(0.01)
    asyncio.get_running_loop().ahead += seconds


async def read_answer(reader) -> tuple[int, dict]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return int(head[9:12]), json.loads(await reader.readexactly(length))


async def last_answer(reader) -> tuple[int, dict]:
    """Read an answer after which the server closes the connection."""
    answer = await read_answer(reader)
    assert await reader.read() == b""
    return answer


async def drip(writer, data: bytes, ending) -> tuple[object, int]:
    """Send a byte every tenth of the limit; return the result of `ending`, and how many."""
    waiting = asyncio.create_task(ending)
    for sent, byte in enumerate(data[:30]):
        if waiting.done():
            return waiting.result(), sent
        writer.write(bytes([byte]))
        await forward(LIMIT / 10)
    waiting.cancel()
    pytest.fail("the connection was not closed after three times the limit")


def talk(folder, conversation):
    """Serve with limits of an hour and let `conversation(reader, writer)` talk to the server."""

    async def scenario():
        put_model(folder)
        store = ModelStore(folder, open_fake)
        app = create_app(store, OpenKeys(), ListLog(), body_seconds=LIMIT)
        await store.load_all()
        listener = listen("127.0.0.1", 0)
        quiet = {"log_level": "critical", "ws": "none", "timeout_keep_alive": 10 * LIMIT}
        server = uvicorn.Server(uvicorn.Config(app, http=Patient, **quiet))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        try:
            await conversation(reader, writer)
        finally:
            writer.close()
            server.should_exit = True
            await serving

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(scenario())


@pytest.mark.parametrize("first", [b"", GOOD], ids=["first request", "second request"])
def test_a_head_that_never_ends_is_cut_off(tmp_path, first):
    async def conversation(reader, writer):
        if first:
            writer.write(first)
            assert (await read_answer(reader))[0] == 200
        answer, sent = await drip(writer, HEAD, last_answer(reader))
        assert answer == (408, {"error": "No complete request within 3600 s."})
        assert sent >= 10

    talk(tmp_path, conversation)


def test_a_silent_connection_is_closed(tmp_path):
    async def conversation(reader, writer):
        await forward(LIMIT)
        assert (await last_answer(reader))[0] == 408

    talk(tmp_path, conversation)


def test_a_body_that_never_ends_is_cut_off(tmp_path):
    async def conversation(reader, writer):
        writer.write(HEAD + b"Content-Length: 1000000\r\n\r\n")
        answer, sent = await drip(writer, b" " * 30, last_answer(reader))
        assert answer == (408, {"error": "The body took longer than 3600 s."})
        assert sent >= 10

    talk(tmp_path, conversation)


def test_the_rest_of_a_refused_body_cannot_hold_the_connection(tmp_path):
    async def conversation(reader, writer):
        writer.write(b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        assert (await read_answer(reader))[0] == 404
        rest, _ = await drip(writer, b" " * 30, reader.read())
        assert rest == b""  # closed, after the time of a body and of a head, although bytes come

    talk(tmp_path, conversation)


def test_a_client_that_is_quick_enough_is_left_alone(tmp_path):
    """Each request takes nine tenths of the time that it may; the next has its own."""

    async def conversation(reader, writer):
        for _ in range(3):
            for part in (GOOD[:40], GOOD[40:-20]):
                writer.write(part)
                await forward(0.45 * LIMIT)
            writer.write(GOOD[-20:])
            assert (await read_answer(reader))[0] == 200
        writer.write(GOOD + GOOD)  # pipelined
        assert [(await read_answer(reader))[0] for _ in range(2)] == [200, 200]

    talk(tmp_path, conversation)
