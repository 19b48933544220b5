"""For lessons: server programs, single requests and loads of requests, all on this machine.

Servers and loads run in processes of their own, which end with this one. The process that sends
a load uses the standard library alone, so that it takes little of the machine that it measures.
"""

from __future__ import annotations

import atexit
import http.client
import json
import linecache
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SENDER = Path(__file__).with_name("sender.py")


class Server:
    """A running server program and the port that it printed as its first line."""

    def __init__(self, source: str, *arguments: object):
        """Run `source` as a Python program; RuntimeError with its errors if it prints no port.

        The program must end when its standard input closes: so it also ends with this process.
        """
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  as long as the program
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self._errors}
        command = [sys.executable, "-c", source, *map(str, arguments)]
        # Its own session: an interrupt of the notebook's kernel does not end it.
        self.process = subprocess.Popen(command, start_new_session=True, **pipes)
        atexit.register(self.process.kill)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server did not start:\n{self.errors()}")
        self.port = int(line)

    def errors(self) -> str:
        """Return the last of what the program wrote to its standard error."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")[-2000:]

    def ask(self, method: str, path: str, body: bytes | None = None, announce: int | None = None):
        """Send one request; return status, headers and content of the answer (bytes).

        `announce` is a Content-Length other than that of the body. Raises OSError.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        try:
            headers = {} if announce is None else {"Content-Length": str(announce)}
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def close(self) -> int:
        """Close the program's standard input and return its exit code."""
        self.process.stdin.close()
        return self.process.wait()


@dataclass
class Load:
    """What a load found, one entry a request.

    sent and answered are seconds of `time.perf_counter`, index says which body was sent, answer
    is the reply's JSON.
    """

    sent: np.ndarray
    answered: np.ndarray
    status: np.ndarray
    index: np.ndarray
    answer: list

    @property
    def latency(self) -> np.ndarray:
        """Seconds from question to answer."""
        return self.answered - self.sent

    @property
    def throughput(self) -> float:
        """Answers a second."""
        return len(self.sent) / float(self.answered.max() - self.sent.min())


def cell_of(function: Callable) -> str:
    """Return the source of the whole notebook cell (or file) that defines a function."""
    return "".join(linecache.getlines(function.__code__.co_filename))


def start_load(port: int, path: str, bodies: list[str], **options) -> subprocess.Popen:
    """Start sending `bodies` in turn; `options` are those of `sender.send`."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    process = subprocess.Popen([sys.executable, str(SENDER)], text=True, **pipes)
    atexit.register(process.kill)
    options |= {"port": port, "path": path, "bodies": bodies}
    process.stdin.write(json.dumps(options) + "\n")
    process.stdin.flush()
    return process


def finish_load(process: subprocess.Popen) -> Load:
    """Wait for a load, end it if it has no end of its own, and return it.

    RuntimeError if it broke off.
    """
    output, errors = process.communicate()  # closes its standard input
    if process.returncode != 0:
        raise RuntimeError(f"the load broke off:\n{errors[-2000:]}")
    *columns, answers = zip(*json.loads(output), strict=True)
    return Load(*map(np.array, columns), [json.loads(answer) for answer in answers])


def ask_on_ray(model: Path, replicas: int, body: bytes) -> bytes:
    """Start `serve --ray` with the file `model`, send one `:predict`, end it; return the answer.

    It takes about a minute. RuntimeError with what `serve` said if it did not start, for example
    because Ray, an optional extra, is not installed.
    """
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as errors:
        version = Path(folder, "models", "digits", "1")
        version.mkdir(parents=True)
        shutil.copy(model, version / "model.keras")
        command = [sys.executable, "-m", "course_utils", "serve", "--ray", "--port", "0"]
        command += ["--replicas", str(replicas), "--folder", folder]
        options = {"stdout": subprocess.PIPE, "stderr": errors, "text": True}
        root = SENDER.parents[2]
        with subprocess.Popen(command, start_new_session=True, cwd=root, **options) as process:
            try:
                said = []
                while (line := process.stdout.readline()) and not line.startswith("Stop"):
                    said.append(line)
                page = re.search(r"^Page +(http\S+)$", "".join(said), re.MULTILINE)
                if not line or not page:
                    errors.seek(0)
                    raise RuntimeError(f"serve --ray did not start:\n{errors.read()[-2000:]}")
                request = urllib.request.Request(page[1] + "v1/models/digits:predict", body)
                key = Path(folder, "first_key.txt").read_text().strip()
                request.add_header("Authorization", f"Bearer {key}")
                direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                with direct.open(request) as reply:
                    return reply.read()
            finally:
                process.terminate()
                process.communicate()  # it says goodbye; a closed pipe would break that
