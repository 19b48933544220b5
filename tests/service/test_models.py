"""Models by version: loading, routing, canary, swaps under load without a lost request."""

import asyncio
import random
import time

import numpy as np
import pytest

from course_utils.service.contract import Routing
from course_utils.service.models import Conflict, ModelError, ModelStore, NotFound, Predictor
from tests.service.parts import SHAPE, answer_of, open_fake, put_model, run

X = np.ones((1, *SHAPE), np.float32)


async def answering(store, name="sums", version=None) -> int:
    """Return the version that answers one request."""
    answer = await store.route(name, version).batcher.submit(X)
    return int(answer[0, 1])


def test_all_versions_are_loaded_and_the_newest_answers(tmp_path):
    for version in (9, 10):
        put_model(tmp_path, version=version)
    (tmp_path / "sums" / "draft").mkdir()
    put_model(tmp_path, version="007")  # not a version: 7 would be written so

    async def scenario():
        store = ModelStore(tmp_path, open_fake)
        assert not store.ready
        await store.load_all()
        assert store.ready
        assert await answering(store) == 10
        assert await answering(store, version=9) == 9
        assert sorted(store.models["sums"].versions) == [9, 10]
        await store.close()
        assert not store.ready

    run(scenario())


def test_what_is_not_there_is_named(tmp_path):
    put_model(tmp_path)

    async def scenario():
        store = ModelStore(tmp_path, open_fake)
        await store.load_all()
        with pytest.raises(NotFound, match="There is no model 'other'"):
            store.route("other")
        with pytest.raises(NotFound, match="Version 2 of 'sums' is not loaded; loaded: 1"):
            store.route("sums", 2)
        for name, version in (("sums", 2), ("other", 1), ("..", 1)):
            with pytest.raises(NotFound, match="There is no file for version"):
                await store.load(name, version)
        with pytest.raises(NotFound, match="not loaded"):
            store.set_routing("sums", Routing(default=1, canary=2, share=0.5))
        assert store.models["sums"].routing == Routing(default=1)
        await store.close()

    run(scenario())


def test_a_file_that_cannot_be_used_is_refused_and_the_rest_serves(tmp_path):
    put_model(tmp_path)
    put_model(tmp_path, version=2, fault="it has code in it")

    async def scenario():
        store = ModelStore(tmp_path, open_fake)
        await store.load("sums", 1)
        with pytest.raises(ModelError, match="Version 2 of 'sums' is refused: it has code in it"):
            await store.load("sums", 2)
        assert await answering(store) == 1
        await store.close()

    run(scenario())


def test_the_canary_gets_its_share(tmp_path):
    for version in (1, 2):
        put_model(tmp_path, version=version)

    async def scenario():
        store = ModelStore(tmp_path, open_fake, draw=random.Random(0).random)
        await store.load_all()
        store.set_routing("sums", Routing(default=1, canary=2, share=0.1))
        versions = [store.route("sums").number for _ in range(5000)]
        assert 0.08 < versions.count(2) / 5000 < 0.12  # five standard deviations on each side
        store.set_routing("sums", Routing(default=1, canary=2, share=0.0))
        assert {store.route("sums").number for _ in range(100)} == {1}
        store.set_routing("sums", Routing(default=1, canary=2, share=1.0))
        assert {store.route("sums").number for _ in range(100)} == {2}
        assert store.route("sums", 1).number == 1
        await store.close()

    run(scenario())


def test_routing_survives_a_restart(tmp_path):
    for version in (1, 2):
        put_model(tmp_path, version=version)

    async def first():
        store = ModelStore(tmp_path, open_fake)
        await store.load_all()
        store.set_routing("sums", Routing(default=1))
        await store.close()

    async def second():
        store = ModelStore(tmp_path, open_fake)
        await store.load_all()
        assert await answering(store) == 1  # rolled back from 2, and it stays so
        await store.close()

    run(first())
    run(second())


def test_a_version_in_use_is_not_unloaded(tmp_path):
    for version in (1, 2, 3):
        put_model(tmp_path, version=version)

    async def scenario():
        store = ModelStore(tmp_path, open_fake)
        await store.load_all()
        store.set_routing("sums", Routing(default=1, canary=2, share=0.5))
        for version in (1, 2):
            with pytest.raises(Conflict, match=f"Version {version} of 'sums' answers requests"):
                await store.unload("sums", version)
        await store.unload("sums", 3)
        with pytest.raises(NotFound):
            await store.unload("sums", 3)
        assert sorted(store.models["sums"].versions) == [1, 2]
        await store.close()

    run(scenario())


def test_swaps_and_roll_backs_under_load_lose_no_request(tmp_path):
    put_model(tmp_path, version=1)
    put_model(tmp_path, version=2)

    def open_slow(path, name, version):
        def predict(x):
            time.sleep(0.001)
            return answer_of(x, version)

        time.sleep(0.005)
        return Predictor(predict, SHAPE, (2,))

    async def scenario():
        store, answers, running = ModelStore(tmp_path, open_slow), [], True
        await store.load("sums", 1)

        async def client(i):
            while running:
                x = np.full((1, *SHAPE), i, np.float32)
                total, version = (await store.route("sums").batcher.submit(x))[0]
                assert total == 6 * i
                answers.append(int(version))
                await asyncio.sleep(0)

        clients = [asyncio.create_task(client(i)) for i in range(32)]
        for _ in range(10):
            for new, old in ((2, 1), (1, 2)):
                await store.load("sums", new)
                store.set_routing("sums", Routing(default=new))
                done = len(answers)
                await store.unload("sums", old)
                while len(answers) < done + 100:
                    await asyncio.sleep(0.001)
        running = False
        await asyncio.gather(*clients)
        await store.close()
        return answers

    answers = run(scenario())
    assert set(answers) == {1, 2}
    assert len(answers) >= 2000
