"""Micro-batching: shared calls, right answers, a bounded queue, an orderly end."""

import asyncio
import threading

import numpy as np
import pytest

from course_utils.service.batching import Closed, MicroBatcher, QueueFull
from tests import HANG
from tests.service.parts import run


class Model:
    """Doubles its input, notes the size of each call, and waits until it may go on."""

    def __init__(self, gate=True):
        self.sizes, self.gate = [], threading.Event()
        self.entered = threading.Event()
        if gate:
            self.gate.set()

    def __call__(self, x):
        self.sizes.append(len(x))
        self.entered.set()
        assert self.gate.wait(HANG)
        if np.isnan(x).any():
            raise ValueError("a NaN")
        return 2 * x


def rows(*values):
    return np.array(values, np.float32)[:, None]


async def entered(model):
    """Wait until the model is inside a call."""
    while not model.entered.is_set():
        await asyncio.sleep(0.001)


def test_requests_that_arrive_together_share_a_call():
    async def scenario():
        model = Model()
        batcher = MicroBatcher(model, max_batch=8, max_wait=0.05)
        answers = await asyncio.gather(*(batcher.submit(rows(i, -i)) for i in range(4)))
        await batcher.close()
        return model.sizes, answers

    sizes, answers = run(scenario())
    assert sizes == [8]
    for i, answer in enumerate(answers):
        np.testing.assert_array_equal(answer, rows(2 * i, -2 * i))


def test_a_batch_holds_no_more_than_its_limit_and_a_larger_request_goes_alone():
    async def scenario():
        model = Model()
        batcher = MicroBatcher(model, max_batch=4, max_wait=0.01)
        requests = [rows(*range(k)) for k in (3, 3, 9, 1, 1)]
        answers = await asyncio.gather(*map(batcher.submit, requests))
        await batcher.close()
        assert all(np.array_equal(a, 2 * x) for a, x in zip(answers, requests, strict=True))
        return model.sizes

    assert run(scenario()) == [3, 3, 9, 2]


def test_what_arrives_during_a_call_shares_the_next_one():
    async def scenario():
        model = Model(gate=False)
        batcher = MicroBatcher(model, max_batch=64, max_wait=0)
        first = asyncio.create_task(batcher.submit(rows(1)))
        await entered(model)
        others = [asyncio.create_task(batcher.submit(rows(i))) for i in range(10)]
        await asyncio.sleep(0)
        model.gate.set()
        await asyncio.gather(first, *others)
        await batcher.close()
        return model.sizes

    assert run(scenario()) == [1, 10]


def test_a_full_queue_refuses_and_recovers():
    async def scenario():
        model = Model(gate=False)
        batcher = MicroBatcher(model, max_batch=1, max_wait=0, queue_limit=3)
        tasks = [asyncio.create_task(batcher.submit(rows(0)))]
        await entered(model)
        tasks += [asyncio.create_task(batcher.submit(rows(i))) for i in (1, 2, 3)]
        await asyncio.sleep(0)
        assert batcher.waiting == 3
        with pytest.raises(QueueFull, match="3 instances wait, 3 may") as caught:
            await batcher.submit(rows(4))
        assert (caught.value.status, caught.value.retry_after) == (503, 1)
        model.gate.set()
        answers = await asyncio.gather(*tasks)
        assert batcher.waiting == 0
        np.testing.assert_array_equal(await batcher.submit(rows(4)), rows(8))
        await batcher.close()
        return answers

    assert [float(answer[0, 0]) for answer in run(scenario())] == [0, 2, 4, 6]


def test_a_caller_that_gave_up_costs_no_computation():
    async def scenario():
        model = Model(gate=False)
        batcher = MicroBatcher(model, max_batch=64, max_wait=0)
        first = asyncio.create_task(batcher.submit(rows(1)))
        await entered(model)
        gone, kept = (asyncio.create_task(batcher.submit(rows(i, i))) for i in (2, 3))
        await asyncio.sleep(0)
        gone.cancel()
        first.cancel()  # its computation runs; the answer goes nowhere
        model.gate.set()
        np.testing.assert_array_equal(await kept, rows(6, 6))
        await batcher.close()
        return model.sizes, batcher.waiting

    assert run(scenario()) == ([1, 2], 0)


def test_an_error_reaches_the_callers_of_its_batch_only():
    async def scenario():
        batcher = MicroBatcher(Model(), max_batch=2, max_wait=0.01)
        requests = [rows(1), rows(np.nan), rows(3), rows(4)]
        answers = await asyncio.gather(*map(batcher.submit, requests), return_exceptions=True)
        await batcher.close()
        return answers

    first, second, third, fourth = run(scenario())
    assert [str(error) for error in (first, second)] == ["a NaN", "a NaN"]
    assert [float(third[0, 0]), float(fourth[0, 0])] == [6, 8]


def test_a_model_that_answers_too_few_is_an_error():
    async def scenario():
        batcher = MicroBatcher(lambda x: x[:1], max_wait=0)
        with pytest.raises(ValueError, match="1 predictions for 2 instances"):
            await batcher.submit(rows(1, 2))
        await batcher.close()

    run(scenario())


def test_close_answers_what_was_accepted_and_refuses_the_rest():
    async def scenario():
        model = Model(gate=False)
        batcher = MicroBatcher(model, max_batch=2, max_wait=0)
        accepted = [asyncio.create_task(batcher.submit(rows(i))) for i in range(5)]
        await entered(model)
        closing = asyncio.create_task(batcher.close())
        await asyncio.sleep(0)
        with pytest.raises(Closed) as caught:
            await batcher.submit(rows(9))
        assert caught.value.status == 503
        assert not closing.done()
        model.gate.set()
        await closing
        await batcher.close()  # a second time changes nothing
        return [float(task.result()[0, 0]) for task in accepted]

    assert run(scenario()) == [0, 2, 4, 6, 8]


def test_an_unused_batcher_closes():
    async def scenario():
        batcher = MicroBatcher(Model())
        await asyncio.sleep(0)
        await batcher.close()

    run(scenario())
