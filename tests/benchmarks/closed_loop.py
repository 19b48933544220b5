"""A load of clients that each ask again as soon as they are answered, cheap enough to measure with.

One thread and the system's own selector: about 15 µs of processor for an answer. Requests are made
and answers judged outside of the measured time.
"""

import collections
import json
import selectors
import socket
import time
from collections.abc import Callable

import numpy as np

MOST = 65536  # bytes of an answer


class Load:
    """Closed-loop clients over keep-alive connections; counts what they got."""

    def __init__(self, port: int, requests: list[bytes]):
        """Send each of `requests` (whole HTTP requests) in turn to a port of this machine."""
        self.port, self.requests = port, requests
        self.seconds: list[float] = []  # of each answer
        self.answers: collections.Counter = collections.Counter()  # (request, status, body)
        self.lost = 0  # connections that broke

    def run(self, clients: int, seconds: float, half_way: Callable | None = None) -> float:
        """Ask for some seconds and return the answers a second."""
        selector = selectors.DefaultSelector()
        for number in range(clients):
            selector.register(self._connect(), selectors.EVENT_READ, Client(number))
        start = time.perf_counter()
        end, half = start + seconds, start + seconds / 2
        for key in list(selector.get_map().values()):
            self._ask(selector, key)
        while selector.get_map():
            for key, _ in selector.select(1):
                self._receive(selector, key, end)
            if half_way and time.perf_counter() > half:
                half_way = half_way()
        return len(self.seconds) / (time.perf_counter() - start)

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _ask(self, selector, key) -> None:
        client = key.data
        client.number = (client.number + 64) % len(self.requests)
        client.start, client.got = time.perf_counter(), b""
        try:
            key.fileobj.sendall(self.requests[client.number])
        except OSError:
            self._drop(selector, key)

    def _receive(self, selector, key, end: float) -> None:
        client = key.data
        try:
            data = key.fileobj.recv(MOST)
        except OSError:
            data = b""
        if not data:
            self._drop(selector, key)
            return
        client.got += data
        head, mark, body = client.got.partition(b"\r\n\r\n")
        if not mark or len(body) < length(head):
            return
        now = time.perf_counter()
        self.seconds.append(now - client.start)
        self.answers[client.number, int(head[9:12]), body] += 1
        if now < end:
            self._ask(selector, key)
        else:
            selector.unregister(key.fileobj)
            key.fileobj.close()

    def _drop(self, selector, key) -> None:
        self.lost += 1
        selector.unregister(key.fileobj)
        key.fileobj.close()

    def counts(self, expected: np.ndarray, list_of=lambda answer: answer["predictions"]) -> dict:
        """Return how many answers were right (within 1e-4), wrong, of another status, or lost."""
        counts = collections.Counter({"lost": self.lost} if self.lost else {})
        for (number, status, body), times in self.answers.items():
            if status == 200:
                error = np.abs(np.asarray(list_of(json.loads(body))) - expected[number]).max()
                counts["right" if error < 1e-4 else "wrong"] += times
            else:
                counts[f"status {status}"] += times
        return dict(counts)

    def report(self, name: str, rate: float, counts: dict) -> str:
        """Return one line: answers a second, latencies in milliseconds, counts."""
        p50, p95, p99 = 1000 * np.percentile(self.seconds, (50, 95, 99))
        return (
            f"{name:<24} {rate:>7.0f} answers/s   p50 {p50:>6.2f}   p95 {p95:>6.2f}   "
            f"p99 {p99:>6.2f} ms   {counts}"
        )


class Client:
    """One client: the request under way, when it was sent, what has come of its answer."""

    def __init__(self, number: int):
        self.number, self.start, self.got = number, 0.0, b""


def length(head: bytes) -> int:
    """Return the content length that the head of an answer announces."""
    place = head.find(b"ength: ")
    end = head.find(b"\r", place)
    return int(head[place + 7 : end if end > 0 else len(head)])


def request(port: int, path: str, content: object, key: str | None = None) -> bytes:
    """Return an HTTP request that posts `content` as JSON."""
    body = json.dumps(content, separators=(",", ":")).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    if key:
        head += f"Authorization: Bearer {key}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
