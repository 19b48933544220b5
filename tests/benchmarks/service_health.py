"""How long /healthz waits while one valid key sends the worst bodies that it may.

    python3 tests/benchmarks/service_health.py [--seconds 10] [--senders 6] [--model FILE]

Each kind of body is sent over and over by some connections at once, with a key that may send as
much as it likes, while /healthz is asked fifty times a second, each time over a new connection.
The same is done to a plain FastAPI server with a compiled call; a server that leaves /healthz
without an answer for ten seconds is replaced before the next kind. Target for the course's service:
at most 100 ms at the 99th percentile, for every kind, on two cores that do nothing else.
"""

import argparse
import gzip
import http.client
import multiprocessing
import random
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from course_utils.setup import arguments, isolation  # noqa: E402

isolation.isolate_this_process()

import numpy as np  # noqa: E402

from tests.benchmarks.service_load import PREDICT, Server, commands, prepare  # noqa: E402

TARGET = 100  # milliseconds
PATIENCE = 10  # seconds; a request to /healthz that gets no answer counts as that
MOST = 4 * 2**20  # bytes of a body


def numbers(one) -> bytes:
    """Return a body with 256 images whose pixels `one()` writes, as many as fit into MOST."""
    row = lambda: f"[{','.join(one() for _ in range(28))}]"  # noqa: E731
    image = f"[{','.join(row() for _ in range(28))}]"
    return b'{"instances":[%b]}' % ",".join([image] * min(256, MOST // len(image) - 1)).encode()


def filled(start: bytes, piece: bytes, end: bytes) -> bytes:
    """Return a body of MOST bytes."""
    return start + piece * ((MOST - len(start) - len(end)) // len(piece)) + end


def kinds() -> dict[str, tuple[bytes, bytes]]:
    """Return headers and body, as they are sent, for each kind."""
    draw = random.Random(0)
    bodies = {
        "opening brackets": filled(b'{"instances":', b"[", b""),
        "empty lists": filled(b'{"instances":[', b"[],", b"[]]}"),
        "256 images": numbers(lambda: str(draw.randrange(256))),
        "256 images of long numbers": numbers(lambda: f"{255 * draw.random():.16f}"[:19]),
        "numbers of 770 digits": numbers(lambda: "1." + "".join(draw.choices("0123456789", k=770))),
        "a text": filled(b'{"instances":["', b"x", b'"]}'),
        "line breaks": filled(b'{"instances":[', b"\n", b"1]}"),
        "no JSON at the end": numbers(lambda: str(draw.randrange(256)))[:-1] + b" x",
    }
    found = {name: (b"Content-Length: %d" % len(body), body) for name, body in bodies.items()}
    packed = gzip.compress(bodies["256 images of long numbers"])
    found["gzip"] = (b"Content-Encoding: gzip\r\nContent-Length: %d" % len(packed), packed)
    bomb = gzip.compress(b" " * 400_000_000)
    found["gzip of 400 MB"] = (b"Content-Encoding: gzip\r\nContent-Length: %d" % len(bomb), bomb)
    piece = b"40\r\n" + b" " * 64 + b"\r\n"
    chunks = piece * (MOST // 64) + b"0\r\n\r\n"
    found["chunks of 64 bytes"] = (b"Transfer-Encoding: chunked", chunks)
    return found


def send_for_ever(port: int, key: str, headers: bytes, body: bytes) -> None:
    """Send the body over and over, and read the answers."""
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    head = f"{head}Authorization: Bearer {key}\r\n".encode() + headers + b"\r\n\r\n"
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                while True:
                    connection.sendall(head + body)
                    answer = http.client.HTTPResponse(connection)
                    answer.begin()
                    answer.read()
                    if answer.will_close:
                        break
        except (OSError, http.client.HTTPException):
            time.sleep(0.01)


def send(senders: int, *arguments) -> None:
    """Send over so many connections, in one process: it takes a core at most."""
    threads = [threading.Thread(target=send_for_ever, args=arguments) for _ in range(senders)]
    for thread in threads:
        thread.start()


def waits(port: int, seconds: float) -> list[float]:
    """Return the milliseconds that /healthz took, each time over a new connection."""
    found, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request("GET", "/healthz")
            assert connection.getresponse().read()
        except TimeoutError:
            return [*found, 1000 * PATIENCE]
        finally:
            connection.close()
        found.append(1000 * (time.perf_counter() - start))
        time.sleep(0.02)
    return found


def main() -> None:
    """Measure both servers and print a line for each kind of body."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=arguments.number(0, 3600, "seconds"), default=10)
    parser.add_argument("--senders", type=arguments.whole_number(1, 100), default=6)
    parser.add_argument("--model", type=Path, help="a model of digits (default: train one)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path, key = prepare(Path(folder), args.model)
        found = {}
        for name, command in commands(Path(folder), path).items():
            if name != "plain, eager call":
                found[name] = measure(name, command, key, args)
    worst = max(found["the course's service"].values())
    print(f"worst 99th percentile of the course's service: {worst:.0f} ms, target {TARGET} ms")
    sys.exit(int(worst > TARGET))


def measure(name: str, command: list, key: str, args: argparse.Namespace) -> dict[str, float]:
    """Return the 99th percentile for each kind of body, in milliseconds."""
    found, server = {}, Server(*command)
    try:
        for kind, (headers, body) in {"nothing": (b"", b""), **kinds()}.items():
            what = (args.senders if body else 0, server.port, key, headers, body)
            sender = multiprocessing.Process(target=send, args=what, daemon=True)
            sender.start()
            time.sleep(0.5)
            times = waits(server.port, args.seconds)
            sender.kill()
            sender.join()
            p50, found[kind] = np.percentile(times, (50, 99))
            print(
                f"{name:<24} {kind:<28} /healthz p50 {p50:>7.1f}  p99 {found[kind]:>7.1f}  "
                f"longest {max(times):>7.1f} ms",
                flush=True,
            )
            if max(times) >= 1000 * PATIENCE:
                server.stop(signal.SIGKILL)
                server = Server(*command)
    finally:
        server.stop(signal.SIGKILL)
    return found


if __name__ == "__main__":
    main()
