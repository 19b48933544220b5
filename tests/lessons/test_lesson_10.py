"""The service that lesson 10 writes and `course_utils/service/` behave alike.

The notebook's cells of definitions are run as they stand. The lesson's reader of requests and its
queue must pass the package's own tests, and the two applications give the same answers.
"""

import asyncio
import inspect
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import httpx
import nbformat
import numpy as np
import pytest

from course_utils.service import batching, contract, limits, models
from course_utils.service.contract import BadRequest
from course_utils.service.inputs import read_request
from tests import HANG
from tests.service import test_batching, test_contract
from tests.service.parts import ONE, SHAPE, answer_of, put_model, run, running

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "10_a_model_as_a_service.ipynb"
CELLS = (
    "imports",
    "contract-read-list",
    "contract-read-instances",
    "queue-batcher",
    "queue-work",
    "queue-answer",
    "service-store",
    "service-body",
    "service-routes",
    "service-operate",
)


@pytest.fixture(scope="module")
def lesson():
    """Return what the lesson defines; of a cell that also computes, its definitions alone."""
    cells = {cell.id: cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells}
    names = {"batching": batching, "contract": contract, "limits": limits, "models": models}
    names |= {"BadRequest": BadRequest, "sys": sys, "__name__": "lesson_10"}
    for id in CELLS:
        source = cells[id]
        if id == "imports":  # those of the standard library and NumPy
            source = source.partition("import keras\n")[0] + "import numpy as np\n"
        if id == "queue-answer":
            source = source.partition("\n\n\ncompiled = ")[0]
        exec(compile(source, f"<{id}>", "exec"), names)
    return SimpleNamespace(**{name: names[name] for name in names if name.isidentifier()})


@pytest.mark.parametrize("name", test_contract.WRONG)
def test_the_reader_refuses_what_the_package_refuses(lesson, name):
    body, _ = test_contract.WRONG[name]
    with pytest.raises(BadRequest) as caught:
        lesson.read_instances(body, test_contract.SHAPE, 4)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("request_", "shape"),
    [
        ({"instances": [[[1, 2.5, 3], [-4, 0, 6]]] * 2}, (2, 3)),
        ({"instances": [1, 2]}, ()),
        ({"signature_name": "serving_default", "instances": [[0.1] * 3]}, (3,)),
    ],
)
def test_the_reader_reads_what_the_package_reads(lesson, request_, shape):
    body = json.dumps(request_).encode()
    ours, package = lesson.read_instances(body, shape, 4), read_request(body, shape, 4).x
    assert ours.dtype == package.dtype == np.float32
    np.testing.assert_array_equal(ours, package)


QUEUE_TESTS = [name for name in dir(test_batching) if name.startswith("test_")]


@pytest.mark.parametrize("name", QUEUE_TESTS)
def test_the_queue_passes_the_tests_of_the_package(lesson, monkeypatch, name):
    monkeypatch.setattr(test_batching, "MicroBatcher", lesson.MicroBatcher)
    test = getattr(test_batching, name)
    assert not inspect.signature(test).parameters
    test()


def requests():
    """Each as method, path, content."""
    predict, good = "/v1/models/sums:predict", json.dumps({"instances": [ONE]})
    two = predict.replace(":", "/versions/2:")
    yield from [("POST", predict, good), ("POST", two, good), ("POST", predict, "{}")]
    yield from [("POST", predict.replace("sums", "other"), good), ("GET", "/else", None)]
    yield from [("POST", two.replace("2", "9"), good), ("DELETE", "/v1/models/sums", None)]
    yield from [("POST", two.replace("2", "x"), good), ("POST", predict, "x" * 5_000_000)]
    yield ("POST", predict, json.dumps({"instances": [ONE] * 257}))
    yield from [("POST", two.replace("2", "9" * 5000), good), ("GET", "/healthz", None)]
    yield ("POST", predict + "?version=abc", good)
    routing = "/v1/models/sums/routing"
    yield from [("PUT", routing, '{"default": 3}'), ("PUT", routing, '{"default": 2}')]
    yield ("POST", "/v1/models/sums/versions/2:unload", None)
    yield from [("POST", predict, good), ("POST", "/v1/models/sums/versions/1:unload", None)]
    yield from [("POST", two.replace("2", "1"), good), ("GET", "/readyz", None)]


async def answers(client):
    """Status, and the predictions and the version or whether there is an error."""
    found = []
    for method, path, content in requests():
        reply = await client.request(method, path, content=content)
        known = reply.json() if "predict" in path or reply.status_code >= 400 else {}
        if reply.status_code >= 400:
            assert set(known) == {"error"}
        found.append(
            (method, path, reply.status_code, known.get("predictions"), known.get("version"))
        )
    return found


def test_the_applications_give_the_same_answers(lesson, tmp_path):
    async def of_lesson():
        store = lesson.ModelStore()
        for version in (1, 2):
            queue = lesson.MicroBatcher(lambda x, version=version: answer_of(x, version))
            store.add("sums", version, queue)
        store.ready = True
        app = lesson.create_app(store, None, SHAPE)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            found = await answers(client)
        await asyncio.gather(*(queue.close() for queue in store.queues["sums"].values()))
        return found

    async def of_package():
        for version in (1, 2):
            put_model(tmp_path, version=version)
        async with running(tmp_path) as client:
            await client.store.load("sums", 1)  # at the start the newest one alone is loaded
            client.store.set_routing("sums", contract.Routing(default=1))
            return await answers(client)

    ours = run(of_lesson())
    assert ours == run(of_package())
    assert [status for _, _, status, *_ in ours].count(200) == 8


def test_a_body_that_never_ends_is_refused_by_the_lesson(lesson, monkeypatch):
    monkeypatch.setitem(lesson.read_body.__globals__, "MAX_SECONDS", 0.05)

    async def silence():
        yield b"{"
        await asyncio.sleep(HANG)

    request = SimpleNamespace(headers={}, stream=silence)
    with pytest.raises(limits.BodyTooSlow):
        run(lesson.read_body(request))


def test_a_body_in_pieces_is_refused_when_it_is_too_large(lesson):
    async def pieces():
        for _ in range(5):
            yield bytes(2**20)
        pytest.fail("all of the body was read")

    with pytest.raises(limits.BodyTooLarge):
        run(lesson.read_body(SimpleNamespace(headers={}, stream=pieces)))
