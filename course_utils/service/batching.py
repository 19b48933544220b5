"""Micro-batching: requests that arrive close together share one call of the model.

One call with 32 images costs far less than 32 calls with one image (Crankshaw et al., "Clipper",
NSDI 2017), and while a call runs the next batch collects by itself. Beyond that a batch waits only
for company that is likely to come: for half of the instances that were under way of late (the
other half is then in the model). A client that is alone never waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from course_utils.service.contract import ServiceError

DECAY = 0.8  # of the memory of how many were under way, with each call


class QueueFull(ServiceError):
    """More instances wait than the queue may hold."""

    status = 503
    retry_after = 1.0


class Closed(ServiceError):
    """The model was unloaded or the service ends; nothing new is accepted."""

    status = 503
    retry_after = 1.0


class MicroBatcher:
    """Collects what callers submit and calls `predict` once for many of them.

    predict: (n, …) float32 → (n, …); it runs in a thread.
    max_batch: instances that may share a call; a larger request has a call to itself.
    max_wait: seconds that a batch waits at most for others, once the model is free.
    queue_limit: instances that may wait; beyond it `submit` raises QueueFull.
    at_once: calls of the model at a time.

    Make it inside a running event loop, and call its methods from that loop only.
    """

    def __init__(
        self,
        predict: Callable[[np.ndarray], np.ndarray],
        max_batch: int = 64,
        max_wait: float = 0.002,
        queue_limit: int = 1024,
        observe: Callable[[int], None] = lambda size: None,
        at_once: int = 1,
    ):
        """Call nothing yet; `observe` is told the size of every batch."""
        self.predict, self.observe = predict, observe
        self.max_batch, self.max_wait, self.queue_limit = max_batch, max_wait, queue_limit
        self.at_once = at_once
        self.waiting = 0  # instances in the queue
        self._under_way, self._usual = 0, 0.0  # instances not answered: now, and of late
        self._queue: deque[tuple[np.ndarray, asyncio.Future]] = deque()
        self._closed = False
        self._calls: set[asyncio.Task] = set()  # of the model, under way
        self._soon = False  # a look at the queue is due as soon as what is ready now has run
        self._timer: asyncio.TimerHandle | None = None  # the end of a batch's patience
        self._loop = asyncio.get_running_loop()
        self._idle = asyncio.Event()  # closed, and nothing left to answer
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="predict")

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
        answer = self._loop.create_future()
        self._queue.append((x, answer))
        self.waiting += len(x)
        self._under_way += len(x)
        self._usual = max(self._usual, self._under_way)
        if self._timer is None or self.waiting >= self._enough():
            self._look()
        try:
            return await answer
        finally:
            self._under_way -= len(x)

    async def close(self) -> None:
        """Refuse new requests and return when all accepted ones are answered."""
        self._closed = True
        self._look()
        await self._idle.wait()
        self._threads.shutdown()

    def _enough(self) -> float:
        """Return the instances for which it is worth calling the model at once."""
        return 1 if self._closed else min(self.max_batch, self._usual / (self.at_once + 1))

    def _look(self) -> None:
        """Look at the queue when others that are ready now have entered it, too."""
        if not self._soon and len(self._calls) < self.at_once:
            self._soon = True
            self._loop.call_soon(self._start)

    def _start(self, patient: bool = True) -> None:
        """Call the model for the next batch; or wait for more of it, if there is patience."""
        self._soon = False
        if len(self._calls) >= self.at_once:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if patient and 0 < self.waiting < self._enough():
            self._timer = self._loop.call_later(self.max_wait, self._start, False)
            return
        batch = self._take()
        if batch:
            call = self._loop.create_task(self._answer(batch))
            self._calls.add(call)
            call.add_done_callback(self._called)
            if self.waiting:
                self._look()
        elif self._closed and not self._calls:
            self._idle.set()

    def _called(self, call: asyncio.Task) -> None:
        """Go on when a call has ended, however it did."""
        self._calls.discard(call)
        self._usual = max(self._under_way, DECAY * self._usual)
        self._look()

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
        """Call the model for a batch; whatever goes wrong reaches its callers, and only them."""
        try:
            x = batch[0][0] if len(batch) == 1 else np.concatenate([x for x, _ in batch])
            self.observe(len(x))
            y = await self._call(x)
            if len(y) != len(x):
                raise ValueError(f"the model gave {len(y)} predictions for {len(x)} instances")
            start = 0
            for x, answer in batch:
                if not answer.done():
                    answer.set_result(y[start : start + len(x)])
                start += len(x)
        except BaseException as error:
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(_for_callers(error))
            if isinstance(error, asyncio.CancelledError):  # the loop is ending
                raise

    async def _call(self, x: np.ndarray) -> np.ndarray:
        return await self._loop.run_in_executor(self._threads, self._predict, x)

    def _predict(self, x: np.ndarray) -> np.ndarray:
        try:
            return self.predict(x)
        except BaseException as error:
            raise _for_callers(error) from error


def _for_callers(error: BaseException) -> Exception:
    """Return the error as one that ends a caller's request and nothing else.

    SystemExit would end the service, and a future that gets StopIteration is never done.
    """
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    return RuntimeError(f"the call of the model ended with {error!r}")
