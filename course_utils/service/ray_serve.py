"""The same application on Ray Serve (optional extra `ray`), for `serve --ray`.

This process has the server, the routes, keys, rate limits, the batches and the audit log, whose
chain allows one writer: all of it as without Ray. Each version of a model is a Ray application of
its own with N replicas, processes that open the model's file themselves. One call of Ray's carries
a whole batch: a call costs milliseconds of processor on both sides, whatever it carries. Nothing
else imports this module.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
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

from course_utils.service.batching import MicroBatcher
from course_utils.service.models import Predictor, open_keras
from course_utils.service.vault import read_secret

# No cores are reserved: with more replicas than cores Ray would wait for ever. It ends a process
# that has nothing to do within 0.1 s, and one that has within 30 s.
OPTIONS = {
    "ray_actor_options": {"num_cpus": 0},
    "graceful_shutdown_wait_loop_s": 0.1,
    "graceful_shutdown_timeout_s": 30,
    "max_constructor_retry_count": 3,
}
EACH = 2  # batches that a replica may have: one is computed while the next is on its way


class Replica:
    """One copy of a version: opens the file in its own process and answers batches."""

    def __init__(self, path: Path, name: str, version: int, secret: Path):
        """Open and compile the model; `secret` is the path of the service's secret."""
        # Bind the port for other machines that Ray opens in this process to 127.0.0.1. Ray 2.60 has
        # no setting for it; nothing here uses that port.
        add_port = replica.add_port_to_grpc_server
        replica.add_port_to_grpc_server = lambda server, _: add_port(server, "127.0.0.1:0")
        self.model = open_keras(path, name, version, read_secret(secret))

    async def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the predictions for a batch."""
        return await asyncio.to_thread(self.model.predict, x)


class RayBatcher(MicroBatcher):
    """Sends its batches to the replicas behind `handle`, EACH to every one of them at a time."""

    def __init__(self, handle, replicas: int, **batching):
        """Collect batches as MicroBatcher does, with the same arguments."""
        super().__init__(handle.remote, at_once=EACH * replicas, **batching)
        self.app_name = handle.app_name

    async def _call(self, x: np.ndarray) -> np.ndarray:
        return await self.predict(x)

    async def close(self) -> None:
        """Refuse new requests and end the replicas when all accepted ones are answered."""
        await super().close()
        await asyncio.to_thread(serve.delete, self.app_name)


def deploy(path: Path, name: str, version: int, secret: Path, replicas: int) -> Predictor:
    """Start a version's replicas; return its shapes, and as `predict` the handle of the replicas.

    The file is opened here first, so that a bad one is refused as without Ray, with the same error.
    """
    checked = open_keras(path, name, version, read_secret(secret))
    deployment = serve.deployment(
        Replica, num_replicas=replicas, max_ongoing_requests=EACH, **OPTIONS
    )
    app = deployment.bind(path.resolve(), name, version, secret.resolve())
    return checked._replace(predict=serve.run(app, name=f"{name}-{version}", route_prefix=None))


def store_options(folder: Path, replicas: int) -> dict:
    """Return the arguments of a ModelStore whose versions are on Ray."""
    opener = partial(deploy, secret=folder / "secret.key", replicas=replicas)
    return {"open_model": opener, "make_batcher": partial(RayBatcher, replicas=replicas)}


def run(replicas: int, serve_until_signal: Callable) -> None:
    """Start Ray on this machine, call `serve_until_signal`, and end Ray."""
    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": logging.ERROR}
    with ray.init("local", **quiet) as cluster:
        logging.getLogger("ray.serve").setLevel(logging.ERROR)
        serve.start(proxy_location="Disabled")  # HTTP is ours
        print(f"Ray     {replicas} replicas a version; logs in {cluster['session_dir']}/logs")
        serve_until_signal()
