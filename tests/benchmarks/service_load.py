"""Load on the service: answers a second, latencies, wrong and lost answers; then a kill.

    python3 tests/benchmarks/service_load.py [--seconds 30] [--clients 64]

Each of the clients sends one image after the other, over one connection, and compares every answer
with the model's own. Three servers take their turn: a plain one that calls the model eagerly for
each request, a plain one with a compiled call, and the course's service. Then the service is killed
under load (SIGKILL), started again, and its audit log verified: every answer that a client got must
have its line. Needs two cores: the servers and this process, which makes the load.
"""

import argparse
import asyncio
import atexit
import collections
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from course_utils.setup import arguments, isolation  # noqa: E402

isolation.isolate_this_process()

import numpy as np  # noqa: E402

COMMAND = [sys.executable, "-m", "course_utils"]


def plain_app(path: Path, compiled: bool):
    """Return the usual prediction server: Pydantic checks the body, each request calls the model.

    FastAPI runs a plain `def` in one of its threads.
    """
    import keras
    import tensorflow as tf
    from fastapi import FastAPI
    from pydantic import BaseModel

    class Request(BaseModel):
        instances: list[list[list[float]]]

    model = keras.models.load_model(path, compile=False)
    call = tf.function(lambda x: model(x, training=False)) if compiled else model
    app = FastAPI()

    @app.post("/v1/models/digits:predict")
    def predict(request: Request):
        x = tf.constant(np.array(request.instances, np.float32))
        return {"predictions": call(x).numpy().tolist(), "version": 1}

    return app


def serve_plain(path: Path, compiled: bool) -> None:
    """Serve the plain app on a free port and print its address."""
    import uvicorn

    from course_utils.service.server import listen

    app = plain_app(path, compiled)
    listener = listen("127.0.0.1", 0)
    print(f"Page    http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
    config = uvicorn.Config(app, log_level="warning", access_log=False, http="h11", loop="asyncio")
    uvicorn.Server(config).run(sockets=[listener])


class Server:
    """A server in a process of its own; `port` once it has printed its address."""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        atexit.register(self.process.kill)
        for line in self.process.stdout:
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
            if line.startswith("Page") and found:
                self.port = int(found[1])
                break
        else:
            sys.exit(f"{command} ended:\n{self.process.stderr.read()}")

    def stop(self, number=signal.SIGTERM) -> int:
        """Send a signal, wait, return the exit code."""
        self.process.send_signal(number)
        self.process.communicate()
        return self.process.returncode


class Load:
    """Closed-loop clients; counts what they got."""

    def __init__(self, port: int, key: str, images: np.ndarray, expected: np.ndarray):
        self.port, self.expected = port, expected
        self.requests = [self._request(key, image) for image in images]
        self.seconds: list[float] = []
        self.counts: collections.Counter = collections.Counter()

    def _request(self, key: str, image: np.ndarray) -> bytes:
        body = json.dumps({"instances": [image.tolist()]}, separators=(",", ":")).encode()
        head = (
            f"POST /v1/models/digits:predict HTTP/1.1\r\nHost: localhost:{self.port}\r\n"
            f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def run(self, clients: int, seconds: float, on_half=None) -> float:
        """Send for some seconds and return the answers a second; `on_half` is called half-way."""
        end = time.perf_counter() + seconds
        if on_half:
            asyncio.get_running_loop().call_later(seconds / 2, on_half)
        start = time.perf_counter()
        await asyncio.gather(*(self._client(i, end) for i in range(clients)))
        return len(self.seconds) / (time.perf_counter() - start)

    async def _client(self, number: int, end: float) -> None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            while time.perf_counter() < end:
                number = (number + 64) % len(self.requests)
                start = time.perf_counter()
                writer.write(self.requests[number])
                status, body = await self._answer(reader)
                self.seconds.append(time.perf_counter() - start)
                self._count(number, status, body)
            writer.close()
        except (OSError, asyncio.IncompleteReadError):
            self.counts["lost"] += 1

    async def _answer(self, reader) -> tuple[int, bytes]:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(re.search(rb"content-length: (\d+)", head)[1])
        return int(head[9:12]), await reader.readexactly(length)

    def _count(self, number: int, status: int, body: bytes) -> None:
        if status != 200:
            self.counts[f"status {status}"] += 1
            return
        error = np.abs(json.loads(body)["predictions"][0] - self.expected[number]).max()
        self.counts["right" if error < 1e-4 else "wrong"] += 1

    def report(self, name: str, rate: float) -> str:
        """Return one line: answers a second, latencies in milliseconds, counts."""
        p50, p95, p99 = 1000 * np.percentile(self.seconds, (50, 95, 99))
        return (
            f"{name:<22} {rate:>7.0f} answers/s   p50 {p50:>6.1f}   p95 {p95:>6.1f}   "
            f"p99 {p99:>6.1f} ms   {dict(self.counts)}"
        )


def main() -> None:
    """Run all of it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=arguments.number(0, 3600, "seconds"), default=30)
    parser.add_argument("--clients", type=arguments.whole_number(1, 1000), default=64)
    parser.add_argument("--model", type=Path, help="a model of digits (default: train one)")
    parser.add_argument("--plain", choices=("eager", "compiled"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.plain:
        serve_plain(args.model, args.plain == "compiled")
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), args)


def measure(folder: Path, args: argparse.Namespace) -> None:
    """Measure the three servers, then kill the service under load and verify its log."""
    import keras

    from course_utils.data import load_mnist
    from course_utils.service import digits
    from course_utils.service.keys import KeyStore

    path = folder / "models" / "digits" / "1" / "model.keras"
    path.parent.mkdir(parents=True)
    if args.model:
        path.write_bytes(args.model.read_bytes())
    else:
        digits.train(path)
    images = load_mnist()[1][0][:2000]
    expected = keras.models.load_model(path, compile=False).predict(images, verbose=0)
    key = KeyStore(folder / "keys.json").add("load", ["predict:*"], days=1, per_minute=10**9)
    service = [*COMMAND, "serve", "--folder", str(folder), "--port", "0"]
    plain = [sys.executable, __file__, "--model", str(path), "--plain"]
    servers = {"plain, eager call": [*plain, "eager"], "plain, compiled call": [*plain, "compiled"]}
    servers["the course's service"] = service
    wrong = 0
    for name, command in servers.items():
        server = Server(*command)
        asyncio.run(Load(server.port, key, images, expected).run(args.clients, 2))  # warm up
        load = Load(server.port, key, images, expected)
        rate = asyncio.run(load.run(args.clients, args.seconds))
        print(load.report(name, rate), f"  exit {server.stop()}", flush=True)
        wrong += sum(count for what, count in load.counts.items() if what != "right")
    wrong += kill(folder, service, args, lambda port: Load(port, key, images, expected))
    sys.exit(1 if wrong else 0)


def kill(folder: Path, service: list[str], args: argparse.Namespace, make_load) -> int:
    """Kill the service under load and start it again; return the number of things wrong."""
    log = folder / "audit.log"
    before = log.read_bytes().count(b'"status":200')
    server = Server(*service)
    load = make_load(server.port)
    os_kill = lambda: os.kill(server.process.pid, signal.SIGKILL)  # noqa: E731
    asyncio.run(load.run(args.clients, min(args.seconds, 6), os_kill))
    server.process.communicate()
    logged = log.read_bytes().count(b'"status":200') - before
    answered = load.counts["right"]
    print(f"killed under load: {dict(load.counts)}; lines of the log for them: {logged}")
    server = Server(*service)
    again = make_load(server.port)
    asyncio.run(again.run(args.clients, 2))
    code = server.stop()
    print(f"started again: {dict(again.counts)}, exit {code}")
    verify = [*COMMAND, "audit", "verify", "--folder", str(folder)]
    result = subprocess.run(verify, cwd=ROOT, capture_output=True, text=True)
    print(result.stdout + result.stderr, end="")
    wrong = again.counts.total() - again.counts["right"] + load.counts["wrong"]
    return wrong + max(0, answered - logged) + code + result.returncode


if __name__ == "__main__":
    main()
