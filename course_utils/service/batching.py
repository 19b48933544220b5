"""Micro-batching: requests that arrive close together share one call of the model.

One call with 32 images costs far less than 32 calls with one image (Crankshaw et al., "Clipper",
NSDI 2017), and while a call runs the next batch collects by itself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from course_utils.service.contract import ServiceError


class QueueFull(ServiceError):
    """More instances wait than the queue may hold."""

    status = 429
    retry_after = 1.0


class Closed(ServiceError):
    """The model was unloaded or the service ends; nothing new is accepted."""

    status = 503


class MicroBatcher:
    """Collects what callers submit and calls `predict` once for many of them.

    predict: (n, …) float32 → (n, …); it runs in a thread, one call at a time.
    max_batch: instances that may share a call; a larger request has a call to itself.
    max_wait: seconds that the first of a batch waits for others.
    queue_limit: instances that may wait; beyond it `submit` raises QueueFull.

    Make it inside a running event loop, and call its methods from that loop only.
    """

    def __init__(
        self,
        predict: Callable[[np.ndarray], np.ndarray],
        max_batch: int = 64,
        max_wait: float = 0.002,
        queue_limit: int = 1024,
        observe: Callable[[int], None] = lambda size: None,
    ):
        """Start the task that answers; `observe` is told the size of every batch."""
        self.predict, self.observe = predict, observe
        self.max_batch, self.max_wait, self.queue_limit = max_batch, max_wait, queue_limit
        self.waiting = 0  # instances in the queue
        self._queue: deque[tuple[np.ndarray, asyncio.Future]] = deque()
        self._closed = False
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="predict")
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def submit(self, x: np.ndarray) -> np.ndarray:
        """Return the predictions for x, shape (k, …).

        Raises QueueFull, Closed, or whatever `predict` raised for the batch that held x. Nothing
        is awaited before x is in the queue.
        """
        if self._closed:
            raise Closed("This version is being unloaded; send the request again.")
        if self.waiting + len(x) > self.queue_limit:
            raise QueueFull(
                f"The queue is full: {self.waiting} instances wait, {self.queue_limit} may. "
                "Send the request again later."
            )
        answer = asyncio.get_running_loop().create_future()
        self._queue.append((x, answer))
        self.waiting += len(x)
        self._wake.set()
        return await answer

    async def close(self) -> None:
        """Refuse new requests and return when all accepted ones are answered."""
        self._closed = True
        self._wake.set()
        await asyncio.shield(self._task)
        self._thread.shutdown()

    async def _run(self) -> None:
        while not (self._closed and not self._queue):
            await self._wake.wait()
            if self.waiting < self.max_batch and not self._closed:
                await asyncio.sleep(self.max_wait)
            batch = self._take()
            if not self._queue and not self._closed:
                self._wake.clear()
            if batch:
                await self._answer(batch)

    def _take(self) -> list[tuple[np.ndarray, asyncio.Future]]:
        """Remove the next batch from the queue, without the callers that gave up."""
        batch, size = [], 0
        while self._queue and (not batch or size + len(self._queue[0][0]) <= self.max_batch):
            x, answer = self._queue.popleft()
            self.waiting -= len(x)
            if not answer.done():
                batch.append((x, answer))
                size += len(x)
        return batch

    async def _answer(self, batch: list[tuple[np.ndarray, asyncio.Future]]) -> None:
        x = np.concatenate([x for x, _ in batch])
        self.observe(len(x))
        try:
            y = await asyncio.get_running_loop().run_in_executor(self._thread, self.predict, x)
            if len(y) != len(x):
                raise ValueError(f"the model gave {len(y)} predictions for {len(x)} instances")
        except Exception as error:
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
            return
        start = 0
        for x, answer in batch:
            if not answer.done():
                answer.set_result(y[start : start + len(x)])
            start += len(x)
