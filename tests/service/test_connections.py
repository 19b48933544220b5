"""Clients that are slow, many or without measure, over a real socket, with both parsers of HTTP.

No test waits: the clock of the event loop is put forward. The limits are an hour, so that a busy
machine cannot reach one by itself.
"""

import asyncio
import contextlib
import json
import socket

import pytest

from course_utils.service import connections, limits
from course_utils.service.app import create_app
from course_utils.service.connections import TimedH11, TimedProtocol
from course_utils.service.keys import KeyStore
from course_utils.service.models import ModelStore
from course_utils.service.server import Server, listen
from tests.service.parts import ListLog, OpenKeys, open_fake, put_model

HEAD = b"POST /v1/models/sums:predict HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n"
BODY = json.dumps({"instances": [[[1, 2, 3], [4, 5, 6]]]}).encode()
GOOD = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
NOTHING = b"POST /nothing HTTP/1.1\r\nHost: x\r\n"
LIMIT = 3600  # seconds
PARSERS = {"httptools": TimedProtocol, "h11": TimedH11}


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock can be put forward."""

    ahead = 0.0

    def time(self):
        return super().time() + self.ahead


@pytest.fixture(params=PARSERS)
def parser(request):
    return PARSERS[request.param]


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


class Place:
    """A running server: open another connection, or look at its log."""

    def __init__(self, listener, log, server):
        self.address, self.log, self.server = listener.getsockname(), log, server
        self._writers = []

    async def connect(self):
        reader, writer = await asyncio.open_connection(*self.address)
        self._writers.append(writer)
        await asyncio.sleep(0.01)
        return reader, writer

    async def until(self, condition):
        """Wait for what the server will do by itself."""
        while not condition():
            await asyncio.sleep(0.001)

    def close(self):
        for writer in self._writers:
            writer.transport.abort()


def talk(folder, conversation, parser=TimedProtocol, keys=None, **limits_of_protocol):
    """Serve with limits of an hour and let `conversation(reader, writer, place)` talk to it."""

    async def scenario():
        put_model(folder)
        store, log = ModelStore(folder, open_fake), ListLog()
        app = create_app(store, keys or OpenKeys(), log, body_seconds=LIMIT)
        await store.load_all()
        listener = listen("127.0.0.1", 0)
        hours = {"head_seconds": LIMIT, "write_seconds": LIMIT}
        protocol = type("Patient", (parser,), hours | limits_of_protocol)
        server = Server(app, http=protocol, timeout_keep_alive=10 * LIMIT, log_level="critical")
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        place = Place(listener, log, server)
        await place.until(lambda: server.started)
        try:
            await conversation(*await place.connect(), place)
        finally:
            place.close()
            server.should_exit = True
            await serving

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(scenario())


@pytest.mark.parametrize("first", [b"", GOOD], ids=["first request", "second request"])
def test_a_head_that_never_ends_is_cut_off(tmp_path, parser, first):
    async def conversation(reader, writer, _):
        if first:
            writer.write(first)
            assert (await read_answer(reader))[0] == 200
        answer, sent = await drip(writer, HEAD, last_answer(reader))
        assert answer == (408, {"error": "No complete request within 3600 s."})
        assert sent >= 10

    talk(tmp_path, conversation, parser)


def test_a_silent_connection_is_closed(tmp_path, parser):
    async def conversation(reader, writer, _):
        await forward(LIMIT)
        assert (await last_answer(reader))[0] == 408

    talk(tmp_path, conversation, parser)


def test_a_body_that_never_ends_is_cut_off(tmp_path, parser):
    async def conversation(reader, writer, _):
        writer.write(HEAD + b"Content-Length: 1000000\r\n\r\n")
        answer, sent = await drip(writer, b" " * 30, last_answer(reader))
        assert answer == (408, {"error": "The body took longer than 3600 s."})
        assert sent >= 10

    talk(tmp_path, conversation, parser)


def test_the_rest_of_a_refused_body_cannot_hold_the_connection(tmp_path, parser):
    async def conversation(reader, writer, _):
        writer.write(NOTHING + b"Content-Length: 1000000\r\n\r\n")
        assert (await read_answer(reader))[0] == 404
        rest, _ = await drip(writer, b" " * 30, reader.read())
        assert rest == b""  # closed, after the time of a body and of a head, although bytes come

    talk(tmp_path, conversation, parser)


def test_a_client_that_is_quick_enough_is_left_alone(tmp_path, parser):
    """Each request takes nine tenths of the time that it may; the next has its own."""

    async def conversation(reader, writer, _):
        for _ in range(3):
            for part in (GOOD[:40], GOOD[40:-20]):
                writer.write(part)
                await forward(0.45 * LIMIT)
            writer.write(GOOD[-20:])
            assert (await read_answer(reader))[0] == 200
        writer.write(GOOD + GOOD)  # pipelined
        assert [(await read_answer(reader))[0] for _ in range(2)] == [200, 200]

    talk(tmp_path, conversation, parser)


def test_an_answer_without_a_body_is_sent(tmp_path, parser):
    async def conversation(reader, writer, place):
        for _ in range(2):
            writer.write(HEALTH.replace(b"GET", b"HEAD"))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
        writer.write(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(BODY)
        assert (await read_answer(reader))[0] == 200

    talk(tmp_path, conversation, parser)


# Many, or more than anybody needs.


def test_when_there_are_too_many_connections_the_oldest_without_a_key_makes_room(tmp_path, parser):
    async def conversation(reader, writer, place):
        others = [await place.connect() for _ in range(5)]  # five may be open; now there are six
        assert await reader.read() == b""  # closed, although its hour is not over
        others[-1][1].write(HEALTH)
        assert await read_answer(others[-1][0]) == (200, {"status": "ok"})
        others[0][1].write(HEALTH)
        assert (await read_answer(others[0][0]))[0] == 200  # still there

    talk(tmp_path, conversation, parser, most=5)


def test_whoever_has_a_key_is_not_cut_off_for_others(tmp_path, parser):
    async def conversation(reader, writer, place):
        (other, to_other) = await place.connect()
        for each in (writer, to_other):
            each.write(GOOD[:-10])  # the head has come: with OpenKeys the key is right
        await place.until(lambda: len(place.server.server_state.tasks) == 2)
        await asyncio.sleep(0.01)
        third, _ = await place.connect()
        answer = await last_answer(third)
        assert answer == (503, {"error": "Too many connections; come back later."})
        for answers, each in ((reader, writer), (other, to_other)):
            each.write(GOOD[-10:])
            assert (await read_answer(answers))[0] == 200

    talk(tmp_path, conversation, parser, most=2)


def test_a_client_that_does_not_read_its_answers_is_cut_off(tmp_path, parser):
    """It asks for the document of all routes until nothing more fits into its connection."""
    ask = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"

    async def conversation(reader, writer, place):
        reader._transport.pause_reading()
        for _ in range(1000):
            writer.write(ask)
            await asyncio.sleep(0)
        (connection,) = place.server.server_state.connections
        await place.until(lambda: connection._full)
        await forward(LIMIT)
        await place.until(lambda: not place.server.server_state.connections)

    talk(tmp_path, conversation, parser)


def test_a_connection_that_is_told_to_close_and_does_not_is_cut_off(tmp_path, parser):
    async def conversation(reader, writer, place):
        reader._transport.pause_reading()
        for _ in range(1000):
            writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
            await asyncio.sleep(0)
        (connection,) = place.server.server_state.connections
        await place.until(lambda: connection._full)
        connection.transport.close()  # what it has not read keeps it open
        await forward(LIMIT)
        await place.until(lambda: not place.server.server_state.connections)

    talk(tmp_path, conversation, parser)


def refused_bytes(data, status):
    """Return a conversation in which these bytes are answered by an error and the end."""

    async def conversation(reader, writer, place):
        with contextlib.suppress(ConnectionError):
            writer.write(data)
            await writer.drain()
        found, answer = await last_answer(reader)
        assert (found, list(answer)) == (status, ["error"])
        assert place.log == []

    return conversation


def test_a_head_of_any_length_is_refused(tmp_path, parser):
    status = 431 if parser is TimedProtocol else 400  # h11 has a limit of its own
    head = NOTHING + b"X: " + b"x" * (connections.MAX_HEAD + 1)
    talk(tmp_path, refused_bytes(head, status), parser)


SMALL_AND_MANY = {
    "header lines": NOTHING + b"a:b\r\n" * (connections.MAX_HEADERS + 1),
    "chunks of one byte": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 200,
    "no HTTP": b"\x16\x03\x01 hello\r\n\r\n",
    "no chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "two lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "length and chunks": HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
}


@pytest.mark.parametrize("kind", SMALL_AND_MANY)
def test_what_costs_much_or_means_two_things_is_no_request(tmp_path, kind):
    async def conversation(reader, writer, place):
        writer.write(SMALL_AND_MANY[kind])
        assert await last_answer(reader) == (400, {"error": "The request is not valid HTTP."})

    talk(tmp_path, conversation)


def test_requests_far_ahead_of_their_answers_are_refused(tmp_path):
    async def conversation(reader, writer, place):
        writer.write(HEALTH * 1000)
        content = await reader.read()
        assert content.count(b"HTTP/1.1 200") <= connections.MAX_PIPELINE + 1
        assert b"HTTP/1.1 400" in content

    talk(tmp_path, conversation)


@pytest.mark.parametrize("coding", [b"Content-Length: 100000000", b"Transfer-Encoding: chunked"])
def test_little_is_read_of_a_body_that_nobody_wants(tmp_path, monkeypatch, parser, coding):
    """The answer comes at once, says that the connection closes, and it does."""
    monkeypatch.setattr(limits, "LINGER", LIMIT)

    async def conversation(reader, writer, place):
        writer.transport.set_write_buffer_limits(0)
        writer.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, 2**16
        )
        writer.write(NOTHING + coding + b"\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 404 ")
        assert b"connection: close\r\n" in head.lower()
        await reader.readexactly(int(head.lower().split(b"length: ")[1].split(b"\r\n")[0]))
        piece = b"10000\r\n" + b" " * 2**16 + b"\r\n" if b"chunked" in coding else b" " * 2**16
        writer.write(piece * 500)  # 33 MB
        done = asyncio.create_task(writer.drain())
        for _ in range(20):
            await asyncio.sleep(0.01)
        assert not done.done()
        assert writer.transport.get_write_buffer_size() > 20 * 2**20  # the rest was not taken
        await forward(LIMIT)
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        with contextlib.suppress(ConnectionError):
            await done

    talk(tmp_path, conversation, parser)


def test_a_client_that_hangs_up_in_a_body_is_no_fault_of_the_service(tmp_path, parser):
    async def conversation(reader, writer, place):
        writer.write(HEAD + b"Content-Length: 1000000\r\n\r\n{")
        await place.until(lambda: place.server.server_state.tasks)
        await asyncio.sleep(0.01)
        writer.transport.abort()
        await place.until(lambda: place.log)
        (line,) = place.log
        assert (line["status"], line["action"], line["client"]) == (499, "predict", "127.0.0.1")

    talk(tmp_path, conversation, parser)


def test_a_key_pays_for_its_bytes(tmp_path):
    """It may send two requests a minute: 256 KiB of bodies, and beyond it waits."""
    keys = KeyStore(tmp_path / "keys.json", clock=lambda: 0.0)
    text = keys.add("test", ["predict:*"], days=1, per_minute=4).encode()
    head = HEAD.replace(b"Bearer x", b"Bearer " + text)
    body = BODY + b" " * (400_000 - len(BODY))
    chunks = b"".join(b"%x\r\n%b\r\n" % (50_000, b" " * 50_000) for _ in range(8)) + b"0\r\n\r\n"

    async def conversation(reader, writer, place):
        writer.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert (await read_answer(reader))[0] == 200
        writer.write(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
        status, answer = await last_answer(reader)
        assert (status, "524,288 bytes of bodies a minute" in answer["error"]) == (429, True)
        assert place.log[-1]["status"] == 429

    talk(tmp_path, conversation, keys=keys)
