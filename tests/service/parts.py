"""Parts of a small service for tests: a fake model, an open key store, an audit log in memory."""

from __future__ import annotations

import asyncio
import contextlib
from types import SimpleNamespace

import httpx
import numpy as np

from course_utils.service.app import create_app
from course_utils.service.models import ModelStore, Predictor
from tests import HANG

SHAPE = (2, 3)
ONE = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


def answer_of(x: np.ndarray, version: int) -> np.ndarray:
    """Return what the fake model answers: for each instance its sum, and the version."""
    return np.stack([x.sum(axis=(1, 2)), np.full(len(x), version, np.float32)], axis=1)


def open_fake(path, name, version) -> Predictor:
    """Stand in for a Keras file; a file that holds a text is refused with it."""
    if path.read_text():
        raise ValueError(path.read_text())
    return Predictor(lambda x: answer_of(x, version), SHAPE, (2,))


def put_model(folder, name="sums", version=1, fault=""):
    """Write a file that `open_fake` opens."""
    path = folder / name / str(version) / "model.keras"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(fault)
    return path


class OpenKeys:
    """Any key may do everything."""

    def check(self, presented, action, model=None):
        return SimpleNamespace(id="test")

    def charge(self, key_id, size):
        pass


class ListLog(list):
    """The audit log as a list of its lines."""

    keep_inputs = False

    def append(self, **fields):
        super().append(fields)


@contextlib.asynccontextmanager
async def running(folder, *, keys=None, open_model=open_fake, batching=None, log=None, **limits):
    """Give an HTTP client of a service over `folder` without a network; `client.log` is its log."""
    store = ModelStore(folder, open_model, **(batching or {}))
    log = ListLog() if log is None else log
    app = create_app(store, keys or OpenKeys(), log, **limits)
    await store.load_all()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        client.log, client.store = log, store
        yield client
        async with app.router.lifespan_context(app):  # as at the end of a server
            pass


def run(coroutine):
    """Run a coroutine to its end; a test that hangs fails."""
    return asyncio.run(asyncio.wait_for(coroutine, HANG))
