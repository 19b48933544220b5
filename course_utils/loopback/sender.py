"""The program that sends a load (see `loopback`): a request is bytes, written to a socket."""

from __future__ import annotations

import asyncio
import json
import sys
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
    seconds: float,
    clients: int | None = None,
    rate: float | None = None,
) -> list[tuple]:
    """Send bodies in turn; return rows (sent, answered, status, index of the body, answer).

    clients: a closed loop, in which each client asks again as soon as it is answered.
    rate: an open loop, so many requests a second whether answered or not, a connection each.
    """
    rows, start = [], time.perf_counter()

    async def client(i):
        await asyncio.sleep(i / rate if rate else 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (sent := time.perf_counter()) < start + seconds:
            status, answer = await exchange(reader, writer, path, bodies[i % len(bodies)])
            rows.append((sent, time.perf_counter(), status, i % len(bodies), answer))
            if rate:
                break
            i += clients
        writer.close()

    await asyncio.gather(*(client(i) for i in range(clients or int(rate * seconds))))
    return rows


if __name__ == "__main__":
    options = json.load(sys.stdin)
    options["bodies"] = [body.encode() for body in options["bodies"]]
    print(json.dumps(asyncio.run(send(**options))))
