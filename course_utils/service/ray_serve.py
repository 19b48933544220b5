"""The same application on Ray Serve (optional extra `ray`), for `serve --ray`.

One process, the ingress, has the routes, keys, rate limits and the audit log, whose chain allows
one writer. Each version of a model is a Ray application of its own with N replicas, processes that
open the model's file themselves and make the batches. Nothing else imports this module.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

# Ray reads these when it is imported: report nothing, listen on 127.0.0.1 only, and ask for a token
# of this start alone (Ray would write one to the home folder).
os.environ |= {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_enable_metrics_collection": "0",
    "RAY_AUTH_MODE": "token",
}
os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))

import ray
from ray import serve
from ray.serve._private import replica
from ray.serve.exceptions import BackPressureError

from course_utils.data import load_mnist
from course_utils.service.app import MAX_INSTANCES, create_app
from course_utils.service.audit import AuditLog
from course_utils.service.batching import Closed, QueueFull
from course_utils.service.keys import KeyStore
from course_utils.service.models import (
    Model,
    ModelError,
    ModelStore,
    Predictor,
    open_keras,
)
from course_utils.service.samples import samples_json
from course_utils.service.vault import read_secret

APP = "service"  # no model's application has this name: those end in -VERSION
# No cores are reserved: with more replicas than cores Ray would wait for ever. It ends a process
# that has nothing to do within 0.1 s, and one that has within 30 s.
OPTIONS = {
    "ray_actor_options": {"num_cpus": 0},
    "graceful_shutdown_wait_loop_s": 0.1,
    "graceful_shutdown_timeout_s": 30,
    "max_constructor_retry_count": 3,
}
MAX_WAIT = 0.002  # seconds that the first of a batch waits for others
# Requests that a replica holds (Ray wants room for a batch), and that wait beyond them for one.
ONGOING, QUEUED = MAX_INSTANCES, 1024
CONNECTED = 4096  # requests in the ingress, more than replicas and queue take: those refuse first


def _listen_here_only() -> None:
    """Bind the port for other machines that Ray opens in this process to 127.0.0.1.

    Ray 2.60 has no setting for it; nothing here uses that port.
    """
    add_port = replica.add_port_to_grpc_server
    replica.add_port_to_grpc_server = lambda server, _: add_port(server, "127.0.0.1:0")


class Replica:
    """One copy of a version: opens the file in its own process and answers batches."""

    def __init__(self, path: Path, name: str, version: int, secret: Path):
        """Open and compile the model; `secret` is the path of the service's secret."""
        _listen_here_only()
        self.model = open_keras(path, name, version, read_secret(secret))

    # A limit below the largest request would make Ray refuse that.
    @serve.batch(
        max_batch_size=MAX_INSTANCES,
        batch_wait_timeout_s=MAX_WAIT,
        batch_size_fn=lambda batch: sum(map(len, batch)),
    )
    async def __call__(self, batch: list[np.ndarray]) -> list[tuple[np.ndarray, int]]:
        """Return each request's predictions, and with the first of them the batch's size."""
        x = np.concatenate(batch)
        y = await asyncio.to_thread(self.model.predict, x)
        if len(y) != len(x):
            raise ValueError(f"the model gave {len(y)} predictions for {len(x)} instances")
        parts = np.split(y, np.cumsum([len(one) for one in batch])[:-1])
        return list(zip(parts, [len(x)] + [0] * (len(batch) - 1), strict=True))


class RayBatcher:
    """Stands where MicroBatcher does and leaves the batches to the replicas behind `handle`."""

    def __init__(self, handle, observe: Callable[[int], None] = lambda size: None):
        """Submit to `handle`; `observe` is told the size of every batch."""
        self.handle, self.observe = handle, observe
        self.waiting = 0  # instances that are not answered yet
        self._closed = False

    async def submit(self, x: np.ndarray) -> np.ndarray:
        """Return the predictions for x, shape (k, …).

        Raises QueueFull, Closed, or what the replica raised.
        """
        if self._closed:
            raise Closed("This version is being unloaded; send the request again.")
        self.waiting += len(x)
        try:
            y, size = await self.handle.remote(x)
        except BackPressureError as error:
            raise QueueFull(
                f"The queue is full: {QUEUED} requests wait. Send the request again later."
            ) from error
        finally:
            self.waiting -= len(x)
        if size:
            self.observe(size)
        return y

    async def close(self) -> None:
        """Refuse new requests and end the replicas when all accepted ones are answered."""
        self._closed = True
        while self.waiting:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(serve.delete, self.handle.app_name)


def deploy(path: Path, name: str, version: int, secret: Path, replicas: int) -> Predictor:
    """Start a version's replicas; return its shapes, and as `predict` the handle of the replicas.

    The file is opened here first, so that a bad one is refused as without Ray, with the same error.
    """
    checked = open_keras(path, name, version, read_secret(secret))
    limits = {"max_ongoing_requests": ONGOING, "max_queued_requests": QUEUED}
    deployment = serve.deployment(Replica, num_replicas=replicas, **limits, **OPTIONS)
    app = deployment.bind(path, name, version, secret)
    return checked._replace(predict=serve.run(app, name=f"{name}-{version}", route_prefix=None))


class Ingress:
    """The process that has the application of `create_app`, with its keys and its audit log."""

    def __init__(self, folder: Path, replicas: int, keep_inputs: bool):
        """Open the log and the keys of `folder`; the models come with the application."""
        _listen_here_only()
        secret = folder / "secret.key"
        self.log = AuditLog(folder / "audit.log", read_secret(secret), keep_inputs)
        self.keys = KeyStore(folder / "keys.json")
        opener = partial(deploy, secret=secret, replicas=replicas)
        self.store = ModelStore(folder / "models", opener, make_batcher=RayBatcher)
        self.refusal = ""

    async def __serve_build_asgi_app__(self):
        """Return the application with its models loaded; Ray calls this in the new process."""
        samples = {"samples.json": samples_json(*load_mnist()[1])}
        app = create_app(self.store, self.keys, self.log, files=samples)
        try:
            await self.store.load_all()
        except Exception as error:  # `run` asks for it; Ray would only try again
            self.refusal = str(error)
        return app

    def loaded(self) -> tuple[dict[str, Model], str]:
        """Return the models, without what only this process can use, and why one is refused."""
        models = {
            name: Model(dict.fromkeys(model.versions), model.routing)
            for name, model in self.store.models.items()
        }
        return models, self.refusal

    def __del__(self):
        """Close the log; Ray calls this after the application's end."""
        self.log.close()


def run(folder: Path, replicas: int, keep_inputs: bool, http: dict, announce: Callable) -> None:
    """Serve the state in `folder` until Ctrl-C or SIGTERM, at host and port in `http`.

    `announce` is called with the models when they answer. Raises ModelError.
    """
    stop = threading.Event()
    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": logging.ERROR}
    with ray.init("local", **quiet) as cluster:
        logging.getLogger("ray.serve").setLevel(logging.ERROR)
        for number in (signal.SIGINT, signal.SIGTERM):  # after Ray, which sets its own
            signal.signal(number, lambda *_: stop.set())
        serve.start(proxy_location="HeadOnly", http_options=http)
        ingress = serve.ingress()(Ingress)
        ingress = serve.deployment(ingress, max_ongoing_requests=CONNECTED, **OPTIONS)
        handle = serve.run(ingress.bind(folder.resolve(), replicas, keep_inputs), name=APP)
        models, refusal = handle.loaded.remote().result()
        if refusal:
            raise ModelError(refusal)
        if not stop.is_set():
            print(f"Ray     {replicas} replicas a version; logs in {cluster['session_dir']}/logs")
            announce(models)
        stop.wait()
        serve.delete(APP)  # its models answer what it accepted; then the block ends Ray
