"""The real server in a process of its own, over a folder with a small untrained model."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tests.started import Started

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "course_utils"]


def put_digits(folder: Path, version: int = 1) -> Path:
    """Save a small untrained network of digits as a version of `digits`."""
    import keras

    from course_utils.service.digits import flagship, save_atomically

    keras.utils.set_random_seed(version)
    model = keras.Sequential([flagship(2), keras.layers.Softmax()])
    path = folder / "models" / "digits" / str(version) / "model.keras"
    save_atomically(model, path)
    return path


class Server:
    """`serve` on a free port; `said` holds what it printed, `address` and `key` what it offers.

    As a context manager it is killed at the end, if it then still runs.
    """

    def __init__(
        self,
        folder: Path,
        *options: str,
        command: Sequence[str] = (*COMMAND, "serve"),
        variables: Mapping[str, str] = os.environ,
    ):
        self.process = Started(
            [*command, "--folder", str(folder), "--port", "0", *options],
            cwd=ROOT,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            # an ignored SIGINT would be inherited from a test run in background
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        try:
            self._read_what_it_says()
        except BaseException:
            self.process.end()
            raise

    def _read_what_it_says(self) -> None:
        self.said = ""
        for line in self.process.stdout:  # ends when the server does
            self.said += line
            if line.startswith("Stop"):
                break
        else:
            raise AssertionError(self.said + self.process.stderr.read())
        self.address = re.search(r"^Page +(https?://[^/]+)/", self.said, re.MULTILINE)[1]
        self.port = int(self.address.rpartition(":")[2])
        key = re.search(r"^Key +in (.+), for you alone", self.said, re.MULTILINE)
        self.key = key and Path(key[1]).read_text().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.end()
        self.stop()

    def ask(self, path: str, body: bytes | dict | None = None, key: str | None = None, method=None):
        """Return status and JSON of one request with the key."""
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        request = urllib.request.Request(self.address + path, data, method=method)
        request.add_header("Authorization", f"Bearer {key or self.key}")
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def stop(self, number=signal.SIGTERM) -> tuple[int, str, str]:
        """Send a signal; return the exit code and what is left of both outputs."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        if self.process.stdout.closed:  # stopped before
            return self.process.returncode, "", ""
        out, err = self.process.communicate()
        return self.process.returncode, out, err


def image(seed: int) -> list:
    """Return a random image as JSON takes it."""
    return np.random.default_rng(seed).integers(0, 256, (28, 28)).tolist()
