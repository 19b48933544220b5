"""Load on the service: answers a second, latencies, wrong and lost answers; then a kill.

    python3 tests/benchmarks/service_load.py [--seconds 30] [--clients 64]

Each of the clients sends one image after the other, over one connection, and every answer is
compared with the model's own; then one client is alone. Three servers take their turn: a plain one
that calls the model eagerly for each request, a plain one with a compiled call, and the course's
service. Then the service is killed under load (SIGKILL), started again, and its audit log verified:
every answer that a client got must have its line. Needs two cores: the servers and this process,
which makes the load.
"""

import argparse
import atexit
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from course_utils.setup import arguments, isolation  # noqa: E402

isolation.isolate_this_process()

import numpy as np  # noqa: E402

from tests.benchmarks.closed_loop import Load, request  # noqa: E402

PREDICT = "/v1/models/digits:predict"
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

    @app.get("/healthz")
    async def healthz():
        return {"status": "ok"}

    @app.post("/v1/models/digits:predict")
    def predict(request: Request):
        x = tf.constant(np.array(request.instances, np.float32))
        return {"predictions": call(x).numpy().tolist(), "version": 1}

    return app


def serve_plain(path: Path, compiled: bool, port: int) -> None:
    """Serve the plain app and print its address."""
    import uvicorn

    from course_utils.service.server import listen

    app = plain_app(path, compiled)
    listener = listen("127.0.0.1", port)
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


def main() -> None:
    """Run all of it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=arguments.number(0, 3600, "seconds"), default=30)
    parser.add_argument("--clients", type=arguments.whole_number(1, 1000), default=64)
    parser.add_argument("--model", type=Path, help="a model of digits (default: train one)")
    parser.add_argument("--plain", choices=("eager", "compiled"), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=arguments.FREE_PORT, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.plain:
        serve_plain(args.model, args.plain == "compiled", args.port)
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), args)


def prepare(folder: Path, model: Path | None) -> tuple[Path, str]:
    """Put a model (None: train one) into the service's folder; return its path, and a key."""
    from course_utils.service import digits
    from course_utils.service.keys import KeyStore

    path = folder / "models" / "digits" / "1" / "model.keras"
    path.parent.mkdir(parents=True)
    if model:
        path.write_bytes(model.read_bytes())
    else:
        digits.train(path)
    return path, KeyStore(folder / "keys.json").add("load", ["predict:*"], 1, per_minute=10**9)


def commands(folder: Path, path: Path) -> dict[str, list[str]]:
    """Return the commands that start the three servers."""
    plain = [sys.executable, str(ROOT / "tests/benchmarks/service_load.py"), "--model", str(path)]
    return {
        "plain, eager call": [*plain, "--plain", "eager"],
        "plain, compiled call": [*plain, "--plain", "compiled"],
        "the course's service": [*COMMAND, "serve", "--folder", str(folder), "--port", "0"],
    }


def measure(folder: Path, args: argparse.Namespace) -> None:
    """Measure the three servers, then kill the service under load and verify its log."""
    import keras

    from course_utils.data import load_mnist

    path, key = prepare(folder, args.model)
    images = load_mnist()[1][0][:2000]
    expected = keras.models.load_model(path, compile=False).predict(images, verbose=0)
    servers = commands(folder, path)
    expected = expected[:, None]  # each request has one image
    wrong = 0

    def load_on(port: int) -> Load:
        contents = ({"instances": [image.tolist()]} for image in images)
        return Load(port, [request(port, PREDICT, content, key) for content in contents])

    for name, command in servers.items():
        server = Server(*command)
        load_on(server.port).run(args.clients, 2)  # warm up
        for clients in (args.clients, 1):
            load = load_on(server.port)
            rate = load.run(clients, args.seconds)
            counts = load.counts(expected)
            print(load.report(f"{name}, {clients}", rate, counts), flush=True)
            wrong += sum(count for what, count in counts.items() if what != "right")
        code = server.stop()  # the plain ones die of the signal
        wrong += code if name == "the course's service" else 0
    wrong += kill(folder, servers["the course's service"], args, load_on, expected)
    sys.exit(1 if wrong else 0)


def kill(folder: Path, service: list[str], args: argparse.Namespace, load_on, expected) -> int:
    """Kill the service under load and start it again; return the number of things wrong."""
    log = folder / "audit.log"
    before = log.read_bytes().count(b'"status":200')
    server = Server(*service)
    load = load_on(server.port)
    load.run(args.clients, min(args.seconds, 6), server.process.kill)
    server.process.communicate()
    killed = load.counts(expected)
    logged = log.read_bytes().count(b'"status":200') - before
    print(f"killed under load: {killed}; lines of the log for them: {logged}")
    server = Server(*service)
    again = load_on(server.port)
    again.run(args.clients, 2)
    after = again.counts(expected)
    code = server.stop()
    print(f"started again: {after}, exit {code}")
    verify = [*COMMAND, "audit", "verify", "--folder", str(folder)]
    result = subprocess.run(verify, cwd=ROOT, capture_output=True, text=True)
    print(result.stdout + result.stderr, end="")
    wrong = sum(after.values()) - after.get("right", 0) + killed.get("wrong", 0)
    return wrong + max(0, killed.get("right", 0) - logged) + code + result.returncode


if __name__ == "__main__":
    main()
