"""How long a batch waits for company, and that no fault ends the work of a MicroBatcher.

What lesson 10's queue must do as well is in `test_batching`.
"""

import asyncio

import numpy as np
import pytest

from course_utils.service.batching import MicroBatcher
from tests import HANG
from tests.service.parts import run
from tests.service.test_batching import Model, entered, rows


def test_a_client_that_is_alone_never_waits():
    async def scenario():
        batcher = MicroBatcher(Model(), max_wait=HANG)
        for i in range(20):
            np.testing.assert_array_equal(await batcher.submit(rows(i)), rows(2 * i))
        await batcher.close()

    run(scenario())


def test_two_clients_in_turn_never_wait():
    async def scenario():
        batcher = MicroBatcher(Model(), max_wait=HANG)

        async def client():
            for i in range(20):
                await batcher.submit(rows(i))

        await asyncio.gather(client(), client())
        await batcher.close()

    run(scenario())


async def crowd(batcher, model, count):
    """Let so many be under way at once, and be answered."""
    first = asyncio.create_task(batcher.submit(rows(0)))
    await entered(model)
    others = [asyncio.create_task(batcher.submit(rows(i))) for i in range(1, count)]
    await asyncio.sleep(0)
    model.gate.set()
    await asyncio.gather(first, *others)


def test_after_a_crowd_a_batch_waits_for_half_of_it():
    async def scenario():
        model = Model(gate=False)
        batcher = MicroBatcher(model, max_wait=HANG)
        await crowd(batcher, model, 20)
        assert model.sizes == [1, 19]
        tasks = [asyncio.create_task(batcher.submit(rows(0)))]
        await asyncio.sleep(0.01)
        assert model.sizes == [1, 19]  # it waits for company
        tasks += [asyncio.create_task(batcher.submit(rows(i))) for i in range(1, 10)]
        await asyncio.gather(*tasks)  # that came: nobody waits longer
        await batcher.close()
        return model.sizes

    assert run(scenario()) == [1, 19, 10]


def test_a_crowd_is_forgotten_within_some_calls():
    async def scenario():
        model = Model(gate=False)
        batcher = MicroBatcher(model, max_wait=0.001)
        await crowd(batcher, model, 64)
        for _ in range(25):
            await batcher.submit(rows(1))
        batcher.max_wait = HANG
        await batcher.submit(rows(1))  # does not wait any more
        await batcher.close()

    run(scenario())


def test_close_waits_for_nobody():
    async def scenario():
        model = Model(gate=False)
        batcher = MicroBatcher(model, max_wait=HANG)
        await crowd(batcher, model, 20)
        task = asyncio.create_task(batcher.submit(rows(3)))
        await asyncio.sleep(0.01)
        await batcher.close()
        np.testing.assert_array_equal(await task, rows(6))

    run(scenario())


class Once:
    """Raises what it was given at its first call, and then no more."""

    def __init__(self, error):
        self.errors = [error]

    def __call__(self, *_):
        if self.errors:
            raise self.errors.pop()


@pytest.mark.parametrize("error", [OSError("full"), StopIteration(), SystemExit(3), MemoryError()])
@pytest.mark.parametrize("place", ["predict", "observe"])
def test_whatever_goes_wrong_later_callers_are_answered(place, error):
    async def scenario():
        fault = Once(error)
        predict = (lambda x: fault() or 2 * x) if place == "predict" else lambda x: 2 * x
        observe = fault if place == "observe" else lambda size: None
        batcher = MicroBatcher(predict, observe=observe)
        with pytest.raises((OSError, MemoryError, RuntimeError)):
            await batcher.submit(rows(1))
        np.testing.assert_array_equal(await batcher.submit(rows(2)), rows(4))
        await batcher.close()

    run(scenario())


def test_inputs_that_do_not_fit_together_harm_only_their_batch():
    async def scenario():
        batcher = MicroBatcher(Model())
        odd = [batcher.submit(np.zeros((1, 2))), batcher.submit(np.zeros((1, 3)))]
        answers = await asyncio.gather(*odd, return_exceptions=True)
        assert [type(answer) for answer in answers] == [ValueError] * 2
        np.testing.assert_array_equal(await batcher.submit(rows(2)), rows(4))
        await batcher.close()

    run(scenario())
