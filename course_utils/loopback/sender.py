"""The program that sends a load (see `loopback`): a request is bytes, written to a socket."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time


async def exchange(reader, writer, path: str, body: bytes) -> tuple[int, str]:
    """Send one POST request on an open connection; return status and body of the answer."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.partition("content-length:")[2].split()[0])
    return int(head.split()[1]), (await reader.readexactly(length)).decode()


async def send(
    port: int,
    path: str,
    bodies: list[bytes],
    seconds: float | None = None,
    clients: int | None = None,
    rate: float | None = None,
) -> list[tuple]:
    """Send bodies in turn; return rows (sent, answered, status, index of the body, answer).

    clients: a closed loop, in which each client asks again as soon as it is answered, for
        `seconds`, or without them until standard input closes; each asks at least once.
    rate: an open loop, so many requests a second for `seconds`, whether answered or not, a
        connection each. All are sent, later where the machine is busy.
    """
    rows = []

    async def ask(i, reader, writer):
        sent = time.perf_counter()
        status, answer = await exchange(reader, writer, path, bodies[i % len(bodies)])
        rows.append((sent, time.perf_counter(), status, i % len(bodies), answer))

    async def closed_loop(i, is_over):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while True:
            await ask(i, reader, writer)
            if is_over():
                break
            i += clients
        writer.close()

    async def open_loop(i):
        await asyncio.sleep(i / rate)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await ask(i, reader, writer)
        writer.close()

    if rate:
        await asyncio.gather(*map(open_loop, range(int(rate * seconds))))
    else:
        is_over = _input_closed() if seconds is None else _after(seconds)
        await asyncio.gather(*(closed_loop(i, is_over) for i in range(clients)))
    return rows


def _after(seconds):
    end = time.perf_counter() + seconds
    return lambda: time.perf_counter() >= end


def _input_closed():
    waiting = threading.Thread(target=os.read, args=(sys.stdin.fileno(), 1), daemon=True)
    waiting.start()
    return lambda: not waiting.is_alive()


if __name__ == "__main__":
    options = json.loads(sys.stdin.readline())
    options["bodies"] = [body.encode() for body in options["bodies"]]
    print(json.dumps(asyncio.run(send(**options))))
