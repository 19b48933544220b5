"""The course's service beside other Python model servers, in one rotation on one machine.

    python3 tests/benchmarks/service_peers.py [--seconds 5] [--rounds 3] [--folder FOLDER]

Every server has the same model, compiled, and TensorFlow with two threads. In each round each
server is started, gets 64 keep-alive clients with one image a request, then one client, and is
stopped; the table shows medians over the rounds. Every answer is compared with the model's own.
The peers are no part of the course: each is installed, once, into an environment of its own under
--folder (a gigabyte and a half each). --before CHECKOUT adds the service of another checkout, and
--ray the course's with one replica on Ray Serve. Figures include the client, which takes part of
one of the cores. About 20 s for each server and round, with the defaults.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from course_utils.setup import arguments, isolation  # noqa: E402

isolation.isolate_this_process()

import numpy as np  # noqa: E402

from tests.benchmarks.closed_loop import Load, request  # noqa: E402
from tests.benchmarks.service_load import PREDICT, commands, prepare  # noqa: E402

PEERS = Path(__file__).parent / "peers"
MODEL_PACKAGES = ("tensorflow==2.21.0", "keras==3.15.1")
PATIENCE = 180  # seconds until a server must answer


def rows(image: np.ndarray) -> dict:
    """Return the content of a request to most servers."""
    return {"instances": [image.tolist()]}


def tensor(image: np.ndarray) -> dict:
    """Return the content of a request of the Open Inference Protocol (MLServer)."""
    data = {"name": "x", "shape": [1, 28, 28], "datatype": "FP32", "data": image.ravel().tolist()}
    return {"inputs": [data]}


@dataclass
class Contender:
    """A server: how it is started on a port, how it is asked, where its answer stands."""

    name: str
    command: Callable[[int], list[str]]
    path: str = PREDICT
    content: Callable[[np.ndarray], dict] = rows
    list_of: Callable = lambda answer: answer["predictions"]
    key: str | None = None
    cwd: Path = ROOT
    judged: bool = True  # whether its answers are those of the model
    rates: list[float] = field(default_factory=list)
    percentiles: list = field(default_factory=list)  # p50 and p99 with many clients, p50 alone


def contenders(args: argparse.Namespace, path: Path, key: str) -> list[Contender]:
    """Return all servers, with the peers installed."""
    of_course = commands(path.parents[3], path)
    ours = of_course["the course's service"][:-1]
    plain = of_course["plain, compiled call"]
    found = [
        Contender("the course's service", lambda port: [*ours, str(port)], key=key),
        Contender("plain, compiled call", lambda port: [*plain, "--port", str(port)]),
    ]
    if args.before:
        before = Contender("the service before", lambda port: [*ours, str(port)], key=key)
        before.cwd = args.before
        found.append(before)
    if args.ray:
        command = lambda port: [*ours, str(port), "--ray", "--replicas", "1"]  # noqa: E731
        found.append(Contender("the service on Ray, 1", command, key=key))
    if not args.only_ours:
        found += peers(args.folder)
    return found


def peers(folder: Path) -> list[Contender]:
    """Return the peers; the first time they are installed."""
    python = {
        spec: installed(folder / spec.partition("==")[0], spec)
        for spec in ("bentoml==1.4.40", "litserve==0.2.19", "mlserver==1.7.1", "mosec==0.9.8")
    }
    bento, lit, ml, mosec = python.values()
    first = lambda answer: answer  # noqa: E731
    v2 = lambda answer: np.reshape(answer["outputs"][0]["data"], (1, 10))  # noqa: E731
    bare = str(PEERS / "peer_uvicorn.py")
    bento_command = ["-m", "bentoml", "serve", "peer_bentoml:Digits", "--host", "127.0.0.1"]
    return [
        Contender(
            "bentoml 1.4.40",
            lambda port: [bento, *bento_command, "--port", str(port)],
            path="/predict",
            list_of=first,
            cwd=PEERS,
        ),
        Contender(
            "litserve 0.2.19",
            lambda port: [lit, "peer_litserve.py", str(port)],
            path="/predict",
            cwd=PEERS,
        ),
        Contender(
            "mlserver 1.7.1",
            lambda port: [*mlserver(ml, folder, port)],
            path="/v2/models/digits/infer",
            content=tensor,
            list_of=v2,
            cwd=PEERS,
        ),
        Contender(
            "mosec 0.9.8",
            lambda port: [mosec, "peer_mosec.py", "--address", "127.0.0.1", "--port", str(port)],
            path="/inference",
            cwd=PEERS,
        ),
        Contender(
            "uvicorn alone, h11",
            lambda port: [sys.executable, bare, str(port), "h11", "asyncio"],
            judged=False,
        ),
        Contender(
            "uvicorn alone, httptools",
            lambda port: [sys.executable, bare, str(port), "httptools", "uvloop"],
            judged=False,
        ),
    ]


def installed(folder: Path, spec: str) -> str:
    """Return the Python of an environment with this peer, TensorFlow and Keras."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = folder / "installed"
    if not done.exists():
        print(f"installing {spec} into {folder}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", spec, *MODEL_PACKAGES]
        subprocess.run(pip, check=True)
        done.touch()
    return str(python)


def mlserver(python: str, folder: Path, port: int) -> list[str]:
    """Write MLServer's two files of settings and return the command."""
    place = folder / "mlserver-settings"
    place.mkdir(exist_ok=True)
    ports = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
    settings = ports | {"host": "127.0.0.1", "parallel_workers": 0, "debug": False}
    (place / "settings.json").write_text(json.dumps(settings))
    model = {"name": "digits", "implementation": "peer_mlserver.Digits"}
    model |= {"max_batch_size": 64, "max_batch_time": 0.002}
    (place / "model-settings.json").write_text(json.dumps(model))
    return [str(Path(python).with_name("mlserver")), "start", str(place)]


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextlib.contextmanager
def running(contender: Contender, model: Path, log: Path):
    """Start a server, give its port once it answers, and end it with all its processes."""
    port = free_port()
    command = contender.command(port)
    variables = os.environ | {"MODEL": str(model), "PYTHONPATH": str(contender.cwd)}
    variables |= {"TF_NUM_INTRAOP_THREADS": "2", "TF_NUM_INTEROP_THREADS": "2"}
    variables |= {"TF_CPP_MIN_LOG_LEVEL": "3", "BENTOML_DO_NOT_TRACK": "True"}
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command,
            cwd=contender.cwd,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait(contender, port, process, log)
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait(contender: Contender, port: int, process, log: Path) -> None:
    """Return when the server answers a request with 200; end this program if it never does."""
    zero = request(port, contender.path, contender.content(np.full((28, 28), 9)), contender.key)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        load = Load(port, [zero])
        with contextlib.suppress(OSError, ValueError):
            load.run(1, 0)
            if any(status == 200 for _, status, _ in load.answers):
                return
        time.sleep(0.2)
    sys.exit(f"{contender.name} does not answer:\n{log.read_text(errors='replace')[-3000:]}")


def turn(contender: Contender, model: Path, images, expected, args) -> int:
    """Measure a server once; return the number of answers that are wrong or lost."""
    wrong = 0
    with running(contender, model, args.folder / "server.log") as port:
        contents = (contender.content(image) for image in images)
        asked = [request(port, contender.path, content, contender.key) for content in contents]
        Load(port, asked).run(args.clients, 1)  # warm up
        found = []
        for clients in (args.clients, 1):
            load = Load(port, asked)
            rate = load.run(clients, args.seconds if clients > 1 else args.seconds / 2)
            found += [rate, *(1000 * np.percentile(load.seconds, (50, 99)))]
            if contender.judged:
                counts = load.counts(expected, contender.list_of)
                wrong += sum(count for what, count in counts.items() if what != "right")
                if set(counts) != {"right"}:
                    print(f"{contender.name}: {counts}")
    contender.rates.append(found[0])
    contender.percentiles.append((found[1], found[2], found[4]))
    return wrong


def table(found: list[Contender]) -> str:
    """Return the medians, one line a server."""
    lines = [f"{'server':<26}{'answers/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'p50 ms alone':>14}"]
    for one in found:
        p50, p99, alone = np.median(one.percentiles, axis=0)
        spread = f"{min(one.rates):.0f} to {max(one.rates):.0f}"
        rate = np.median(one.rates)
        line = f"{one.name:<26}{rate:>10,.0f}{p50:>9.1f}{p99:>9.1f}{alone:>14.2f}   ({spread})"
        lines.append(line)
    return "\n".join(lines)


def main() -> None:
    """Install, measure in rotation, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=arguments.number(0, 3600, "seconds"), default=5)
    parser.add_argument("--clients", type=arguments.whole_number(2, 1000), default=64)
    parser.add_argument("--rounds", type=arguments.whole_number(1, 100), default=3)
    parser.add_argument("--model", type=Path, help="a model of digits (default: train one)")
    default = Path(tempfile.gettempdir()) / "course-service-peers"
    parser.add_argument("--folder", type=Path, default=default, help=f"environments ({default})")
    parser.add_argument("--before", type=Path, help="another checkout, whose service is added")
    parser.add_argument("--ray", action="store_true", help="add the service on Ray, one replica")
    parser.add_argument("--only-ours", action="store_true", help="leave the peers out")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    state = Path(tempfile.mkdtemp())
    try:
        sys.exit(1 if measure(state, args) else 0)
    finally:
        shutil.rmtree(state, ignore_errors=True)


def measure(state: Path, args: argparse.Namespace) -> int:
    """Measure all servers; return the number of answers that are wrong or lost."""
    import keras

    from course_utils.data import load_mnist

    path, key = prepare(state, args.model)
    images = load_mnist()[1][0][:2000]
    model = keras.models.load_model(path, compile=False)
    expected, wrong = model.predict(images, verbose=0)[:, None], 0
    found = contenders(args, path, key)
    for number in range(args.rounds):
        for contender in found[number % len(found) :] + found[: number % len(found)]:
            wrong += turn(contender, path, images, expected, args)
            rate, (p50, p99, alone) = contender.rates[-1], contender.percentiles[-1]
            print(
                f"round {number + 1}  {contender.name:<26}{rate:>8.0f}/s  p50 {p50:.1f}  "
                f"p99 {p99:.1f}  alone {alone:.2f} ms",
                flush=True,
            )
    print(table(found))
    return wrong


if __name__ == "__main__":
    main()
