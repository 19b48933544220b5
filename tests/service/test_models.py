"""Models by version: loading, routing, canary, swaps under load without a lost request."""

import asyncio
import random
import time

import numpy as np
import pytest

from course_utils.service import models
from course_utils.service.contract import Routing
from course_utils.service.models import (
    Conflict,
    ModelError,
    ModelStore,
    NotFound,
    NotStored,
    Predictor,
)
from tests.service.parts import SHAPE, answer_of, open_fake, put_model, run

X = np.ones((1, *SHAPE), np.float32)


async def load(store, *versions):
    for version in versions:
        await store.load("sums", version)


async def answering(store, name="sums", version=None) -> int:
    """Return the version that answers one request."""
    answer = await store.route(name, version).batcher.submit(X)
    return int(answer[0, 1])


def test_at_the_first_start_the_newest_version_answers_and_others_wait_to_be_loaded(tmp_path):
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
        assert sorted(store.models["sums"].versions) == [10]
        await store.load("sums", 9)
        assert await answering(store, version=9) == 9
        assert await answering(store) == 10
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
        await load(store, 1, 2)
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
        await load(store, 1, 2)
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
        await load(store, 1, 2, 3)
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


# What stands in the folder at the start.


def started(folder, **options) -> tuple[dict, list[str]]:
    """Return the loaded versions and the routing of each model after a start, and its reports."""
    reports = []

    async def scenario():
        store = ModelStore(folder, open_named, report=reports.append, **options)
        await store.load_all()
        await store.close()
        return {
            name: (sorted(model.versions), model.routing.model_dump(exclude_defaults=True))
            for name, model in store.models.items()
        }

    return run(scenario()), reports


def open_named(path, name, version):
    """Open a file of any kind; one that holds a text is refused with it."""
    if path.read_text():
        raise ValueError(path.read_text())
    assert path.name in ("model.keras", "model.keras.enc")
    return Predictor(lambda x: answer_of(x, path.suffix == ".enc"), SHAPE, (2,))


def route(folder, name="sums", file="routing.json", **routing):
    (folder / name / file).write_text(Routing(**routing).model_dump_json())


def put_sealed(folder, version=1, fault=""):
    path = put_model(folder, version=version, fault=fault)
    return path.rename(path.with_name("model.keras.enc"))


def test_a_planted_version_is_not_served_after_a_restart(tmp_path):
    put_model(tmp_path, version=1)
    assert started(tmp_path) == ({"sums": ([1], {"default": 1})}, [])
    put_model(tmp_path, version=999_999_999)
    assert started(tmp_path) == ({"sums": ([1], {"default": 1})}, [])


def test_a_plain_file_planted_beside_a_sealed_one_is_not_opened(tmp_path):
    put_sealed(tmp_path)
    put_model(tmp_path, fault="planted")
    assert started(tmp_path) == ({"sums": ([1], {"default": 1})}, [])


def test_a_plain_version_does_not_become_the_default_of_a_sealed_model(tmp_path):
    put_sealed(tmp_path)
    put_model(tmp_path, version=2)
    assert started(tmp_path)[0] == {"sums": ([1], {"default": 1})}


def test_where_sealed_files_are_required_a_plain_one_is_refused(tmp_path):
    put_model(tmp_path, version=2)
    put_model(tmp_path, "other")
    put_sealed(tmp_path)
    found, reports = started(tmp_path, require_sealed=True)
    assert found == {"sums": ([1], {"default": 1})}
    assert reports == ["warning: Version 1 of 'other' is refused: it is not sealed."]
    route(tmp_path, default=2)  # planted, too
    with pytest.raises(ModelError, match="Version 2 of 'sums' is refused: it is not sealed"):
        started(tmp_path, require_sealed=True)


def test_a_corrupt_version_that_nobody_is_routed_to_is_not_opened(tmp_path):
    put_model(tmp_path, version=1)
    put_model(tmp_path, version=2, fault="corrupt")
    route(tmp_path, default=1)
    assert started(tmp_path) == ({"sums": ([1], {"default": 1})}, [])


def test_a_corrupt_canary_or_model_is_reported_and_the_rest_serves(tmp_path):
    put_model(tmp_path, version=1)
    put_model(tmp_path, version=2, fault="corrupt")
    route(tmp_path, default=1, canary=2, share=0.5)
    put_model(tmp_path, "other", fault="torn")
    put_model(tmp_path, "third", version=7, fault="newest")
    put_model(tmp_path, "third", version=6)
    found, reports = started(tmp_path)
    assert found == {"sums": ([1], {"default": 1}), "third": ([6], {"default": 6})}
    assert sorted(reports) == [
        "warning: Version 1 of 'other' is refused: torn",
        "warning: Version 2 of 'sums' is refused: corrupt. It was the canary: 1 answers alone.",
        "warning: Version 7 of 'third' is refused: newest",
    ]


def test_without_any_model_that_can_be_used_the_start_fails(tmp_path):
    put_model(tmp_path, fault="corrupt")
    route(tmp_path, default=1)
    with pytest.raises(ModelError, match=r"1 of 'sums' is refused: corrupt\. The routing names it"):
        started(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b'{"default": 9', b"\xff", b'{"default": "1"}'])
def test_in_place_of_a_torn_routing_the_last_whole_one_holds(tmp_path, content):
    for version in (1, 2):
        put_model(tmp_path, version=version)

    async def first():
        store = ModelStore(tmp_path, open_named)
        await store.load("sums", 1)
        store.set_routing("sums", Routing(default=1))
        await store.close()

    run(first())
    (tmp_path / "sums" / "routing.json").write_bytes(content)
    found, reports = started(tmp_path)
    assert found == {"sums": ([1], {"default": 1})}
    (report,) = reports
    assert report.startswith(f"warning: {tmp_path}/sums/routing.json is passed over, since it is ")


@pytest.mark.parametrize("fails", ["routing.copy.json", "routing.json"])
def test_a_routing_that_cannot_be_stored_is_not_applied(tmp_path, monkeypatch, fails):
    for version in (1, 2):
        put_model(tmp_path, version=version)

    def full(path, content, mode=None):
        if path.name == fails:
            raise OSError(28, "No space left on device", str(path))
        write(path, content, mode)

    write = models.write_atomically

    async def scenario():
        store = ModelStore(tmp_path, open_named)
        await load(store, 1, 2)
        store.set_routing("sums", Routing(default=1))
        with monkeypatch.context() as patch:
            patch.setattr(models, "write_atomically", full)
            with pytest.raises(NotStored, match="cannot be stored: No space left on device"):
                store.set_routing("sums", Routing(default=2))
        assert store.models["sums"].routing == Routing(default=1)
        await store.close()

    run(scenario())
    assert started(tmp_path) == ({"sums": ([1], {"default": 1})}, [])
