"""The routes: TensorFlow Serving's contract, refusals before work, one line of log for each."""

import asyncio
import gzip
import json
import threading

import pytest

from course_utils.service import limits, predict
from course_utils.service.keys import KeyStore
from course_utils.service.models import Predictor
from tests import HANG
from tests.service.parts import ONE, SHAPE, answer_of, put_model, run, running


def scenario(folder, *requests, **options):
    """Return the answers to requests (method, path, body), and the log."""

    async def ask():
        async with running(folder, **options) as client:
            answers = []
            for method, path, body in requests:
                content = json.dumps(body) if isinstance(body, dict) else body
                answers.append(await client.request(method, path, content=content))
            return answers, client.log

    return run(ask())


@pytest.fixture
def folder(tmp_path):
    put_model(tmp_path)
    return tmp_path


PREDICT = "/v1/models/sums:predict"


def test_predictions_have_the_form_of_tensorflow_serving(folder):
    body = {"instances": [ONE, [[0, 0, 0], [0, 0, 1]]]}
    (plain, versioned), log = scenario(
        folder, ("POST", PREDICT, body), ("POST", "/v1/models/sums/versions/1:predict", body)
    )
    assert plain.status_code == 200
    assert plain.headers["content-type"] == "application/json"
    assert plain.json() == {"predictions": [[21, 1], [1, 1]], "version": 1} == versioned.json()
    line = dict(log[0])
    assert isinstance(line.pop("ms"), float)
    assert line == {
        **{"action": "predict", "model": "sums", "version": 1, "key": "test"},
        **{"instances": 2, "status": 200, "client": "127.0.0.1"},
    }


def test_status_and_metadata(folder):
    (status, version, metadata), _ = scenario(
        folder,
        ("GET", "/v1/models/sums", None),
        ("GET", "/v1/models/sums/versions/1", None),
        ("GET", "/v1/models/sums/metadata", None),
    )
    available = {
        **{"version": "1", "state": "AVAILABLE"},
        "status": {"error_code": "OK", "error_message": ""},
    }
    assert status.json()["model_version_status"] == [available]
    assert status.json()["routing"] == {"default": 1, "canary": None, "share": 0}
    assert version.json() == status.json()
    answer = metadata.json()
    assert answer["model_spec"] == {"name": "sums", "signature_name": "", "version": "1"}
    signature = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
    sizes = signature["inputs"]["instances"]["tensor_shape"]["dim"]
    assert [size["size"] for size in sizes] == ["-1", "2", "3"]
    assert signature["method_name"] == "tensorflow/serving/predict"


@pytest.mark.parametrize(
    ("method", "path", "status", "sentence"),
    [
        ("POST", "/v1/models/other:predict", 404, "There is no model 'other'."),
        ("POST", "/v1/models/sums/versions/2:predict", 404, "Version 2 of 'sums' is not loaded"),
        ("GET", "/v1/models/other", 404, "There is no model 'other'."),
        ("GET", "/v1/models/other/metadata", 404, "There is no model 'other'."),
        ("GET", "/v1/models/sums/versions/2", 404, "Version 2 of 'sums' is not loaded"),
        ("PUT", "/v1/models/other/routing", 404, "There is no model 'other'."),
        ("POST", "/v1/models/sums/versions/2:load", 404, "There is no file for version 2"),
        ("POST", "/v1/models/sums/versions/2:unload", 404, "Version 2 of 'sums' is not loaded"),
        ("POST", "/v1/models/sums/versions/1:unload", 409, "Version 1 of 'sums' answers requests"),
        ("PUT", "/v1/models/sums/routing", 400, "In the body: "),
        ("GET", "/v1/models/..%2f..%2fetc:predict", 404, "is not a route"),
        ("POST", "/v1/models/sums/versions/0:predict", 404, "is not a route"),
        ("POST", "/v1/models/sums/versions/" + "9" * 5000 + ":predict", 404, "is not a route"),
        ("GET", "/v1/models/sums:predict", 405, "GET /v1/models/sums:predict is not a route"),
        ("DELETE", "/", 405, "DELETE / is not a route"),
        ("GET", "/nothing", 404, "GET /nothing is not a route; /docs lists all."),
        ("GET", "/page.css.map", 404, "is not a route"),
        ("GET", "/../keys.json", 404, "is not a route"),
    ],
)
def test_a_refusal_has_one_form_and_is_logged(folder, method, path, status, sentence):
    (answer,), log = scenario(folder, (method, path, b""))
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert sentence in answer.json()["error"]
    assert [line["status"] for line in log] == [status]


def test_a_wrong_body_is_a_400_that_the_model_never_sees(folder):
    seen = []

    def open_watched(path, name, version):
        return Predictor(lambda x: seen.append(len(x)) or answer_of(x, 1), SHAPE, (2,))

    wrong = [b"{", b'{"instances": []}', b'{"instances": [[[NaN,1,1],[1,1,1]]]}']
    requests = [("POST", PREDICT, body) for body in [*wrong, {"instances": [ONE] * 257}]]
    answers, log = scenario(folder, *requests, open_model=open_watched)
    assert [answer.status_code for answer in answers] == [400] * 4 == [x["status"] for x in log]
    assert seen == []


def test_the_limit_of_a_body(folder, monkeypatch):
    monkeypatch.setattr(limits, "LINGER", 0)
    body = json.dumps({"instances": [ONE]}).encode()

    async def parts():
        for _ in range(100):
            yield b" " * 50

    async def ask():
        async with running(folder, max_body=len(body)) as client:
            assert (await client.post(PREDICT, content=body)).status_code == 200
            for content in (body + b" ", parts()):  # announced, and without a length
                answer = await client.post(PREDICT, content=content)
                assert answer.status_code == 413
                assert f"larger than {len(body)} bytes" in answer.json()["error"]

    run(ask())


def test_a_slow_body_ends_in_a_408(folder):
    async def slow():
        yield b"{"
        await asyncio.sleep(HANG)

    async def ask():
        async with running(folder, body_seconds=0.05) as client:
            answer = await client.post(PREDICT, content=slow())
            assert (answer.status_code, answer.headers["connection"]) == (408, "close")
            assert "longer than 0.05 s" in answer.json()["error"]
            assert [line["status"] for line in client.log] == [408]

    run(ask())


def test_a_full_queue_is_a_503_with_retry_after(folder):
    gate, entered = threading.Event(), threading.Event()

    def open_gated(path, name, version):
        def predict(x):
            entered.set()
            assert gate.wait(HANG)
            return answer_of(x, version)

        return Predictor(predict, SHAPE, (2,))

    async def ask():
        batching = {"queue_limit": 4, "max_wait": 0, "max_batch": 1}
        async with running(folder, open_model=open_gated, batching=batching) as client:
            body = json.dumps({"instances": [ONE]})
            tasks = [asyncio.create_task(client.post(PREDICT, content=body))]
            while not entered.is_set():
                await asyncio.sleep(0.001)
            tasks += [asyncio.create_task(client.post(PREDICT, content=body)) for _ in range(50)]
            done, waiting = set(), tasks
            while len(done) < 46:  # all but the one in the model and the four in the queue
                done, waiting = await asyncio.wait(tasks, return_when="FIRST_COMPLETED")
                await asyncio.sleep(0)
            assert len(waiting) == 5
            assert {task.result().status_code for task in done} == {503}
            assert {task.result().headers["retry-after"] for task in done} == {"1"}
            gate.set()
            answers = await asyncio.gather(*waiting)
            assert {answer.status_code for answer in answers} == {200}
            assert (await client.post(PREDICT, content=body)).status_code == 200

    run(ask())


@pytest.mark.parametrize("value", [float("nan"), None])
def test_a_model_that_fails_is_a_500_and_the_next_request_is_answered(folder, value):
    def open_broken(path, name, version):
        def predict(x):
            if x[0, 0, 0] < 0:
                if value is None:
                    raise RuntimeError("secret detail")
                return answer_of(x, value)
            return answer_of(x, 1)

        return Predictor(predict, SHAPE, (2,))

    bad = {"instances": [[[-1, 0, 0], [0, 0, 0]]]}
    requests = [("POST", PREDICT, body) for body in (bad, {"instances": [ONE]})]
    (failed, good), log = scenario(folder, *requests, open_model=open_broken)
    assert failed.status_code == 500
    assert failed.json() == {"error": "The service failed at this request; its own log says why."}
    assert good.status_code == 200
    assert [line["status"] for line in log] == [500, 200]


def test_what_cannot_be_logged_is_not_answered(folder):
    async def ask():
        async with running(folder) as client:
            body = json.dumps({"instances": [ONE]})
            client.log.__class__ = type("Full", (list,), {"append": full, "keep_inputs": False})
            answer = await client.post(PREDICT, content=body)
            assert answer.status_code == 500
            assert "predictions" not in answer.text

    def full(self, **fields):
        raise OSError(28, "No space left on device")

    run(ask())


def test_images_are_logged_only_when_asked(folder):
    async def ask(keep):
        async with running(folder) as client:
            client.log.keep_inputs = keep
            await client.post(PREDICT, content=json.dumps({"instances": [ONE]}))
            return client.log[0].get("inputs")

    assert run(ask(False)) is None
    assert run(ask(True)) == [ONE]


def test_versions_change_through_the_admin_routes(folder):
    put_model(folder, version=2)
    put_model(folder, version=3, fault="it has code in it")
    body = {"instances": [ONE]}

    async def ask():
        async with running(folder / "none") as client:  # an empty service: nothing is loaded
            client.store.folder = folder

            async def call(method, path, body=None, status=200):
                content = None if body is None else json.dumps(body)
                answer = await client.request(method, f"/v1/models/sums{path}", content=content)
                assert answer.status_code == status, answer.text
                return answer.json()

            await call("POST", ":predict", body, 404)
            await call("POST", "/versions/1:load")
            loaded = await call("POST", "/versions/2:load")
            assert [v["version"] for v in loaded["model_version_status"]] == ["1", "2"]
            assert loaded["routing"]["default"] == 1
            assert (await call("POST", ":predict", body))["version"] == 1
            refused = await call("POST", "/versions/3:load", status=422)
            assert refused["error"] == "Version 3 of 'sums' is refused: it has code in it"
            routing = {"default": 2, "canary": 1, "share": 0.0}
            assert (await call("PUT", "/routing", routing))["routing"] == routing
            assert (await call("POST", ":predict", body))["version"] == 2
            await call("POST", "/versions/1:unload", status=409)
            await call("PUT", "/routing", {"default": 2})
            await call("POST", "/versions/1:unload")
            await call("POST", "/versions/1:predict", body, 404)
            actions = [line["action"] for line in client.log]
            assert actions[1:3] == ["load", "load"]
            assert client.log[5] | routing == client.log[5]  # the log says what was chosen

    run(ask())


def test_readiness_ends_with_the_service(folder):
    async def ask():
        async with running(folder) as client:
            assert (await client.get("/healthz")).json() == {"status": "ok"}
            assert (await client.get("/readyz")).json() == {"status": "ready"}
            client.store.ready = False
            answer = await client.get("/readyz")
            assert (answer.status_code, list(answer.json())) == (503, ["error"])
            assert (await client.get("/healthz")).status_code == 200

    run(ask())


def test_metrics_count_requests_and_batches(folder):
    body = {"instances": [ONE] * 3}
    requests = [("POST", PREDICT, body), ("POST", PREDICT, b""), ("GET", "/metrics", None)]
    (*_, answer), _ = scenario(folder, *requests)
    assert answer.headers["content-type"].startswith("text/plain; version=")
    for line in (
        'service_requests_total{action="predict",status="200"} 1.0',
        'service_requests_total{action="predict",status="400"} 1.0',
        'service_request_seconds_count{action="predict"} 2.0',
        "service_batch_instances_sum 3.0",
        'service_waiting_instances{model="sums",version="1"} 0.0',
    ):
        assert line in answer.text.splitlines()


GUARDED = [
    ("POST", PREDICT, "predict:sums"),
    ("POST", "/v1/models/sums/versions/1:predict", "predict:sums"),
    ("GET", "/v1/models/sums", "read:sums"),
    ("GET", "/v1/models/sums/versions/1", "read:sums"),
    ("GET", "/v1/models/sums/metadata", "read:sums"),
    ("GET", "/v1/models/sums/versions/1/metadata", "read:sums"),
    ("POST", "/v1/models/sums/versions/1:load", "admin:sums"),
    ("POST", "/v1/models/sums/versions/1:unload", "admin:sums"),
    ("PUT", "/v1/models/sums/routing", "admin:sums"),
    ("GET", "/metrics", "metrics"),
]
SCOPES = ("predict:sums", "read:sums", "admin:sums", "metrics", "predict:other", "admin:other")


@pytest.mark.parametrize(("method", "path", "scope"), GUARDED)
def test_a_key_opens_what_its_scope_names_and_its_body_is_not_read_before(
    tmp_path, method, path, scope
):
    put_model(tmp_path / "models")
    keys = KeyStore(tmp_path / "keys.json", clock=lambda: 0.0)
    texts = {name: keys.add("test", [name], days=1, per_minute=100) for name in SCOPES}
    expired = keys.add("test", [scope], days=1, per_minute=100)
    keys.revoke(expired.split("_")[1])
    unread = []  # for each request whose body was asked for: was its answer on the way by then?

    async def ask():
        async with running(tmp_path / "models", keys=keys) as client:

            async def body(lines):
                unread.append(len(client.log) > lines)
                yield b"{}"

            async def status(header):
                headers = {} if header is None else {"Authorization": header}
                content = body(len(client.log))
                answer = await client.request(method, path, content=content, headers=headers)
                if answer.status_code >= 400:
                    assert list(answer.json()) == ["error"]
                if answer.status_code == 401:
                    assert answer.headers["www-authenticate"] == "Bearer"
                return answer.status_code

            for header in (None, "", "Bearer", "Bearer x", f"Basic {texts[scope]}"):
                assert await status(header) == 401
            assert await status(f"Bearer {texts[scope][:-1]}0{'0'}") == 401
            assert await status(f"Bearer {expired}") == 401
            for name in set(SCOPES) - {scope}:
                assert await status(f"Bearer {texts[name]}") == 403
            assert all(unread)  # what the client sends is thrown away after the answer
            assert await status(f"Bearer {texts[scope]}") not in (401, 403)
            assert {line["key"] for line in client.log} >= {None, texts[scope].split("_")[1]}
            assert not [line for line in client.log if "lms_" in str(line)]

    run(ask())


def test_a_key_that_asks_too_often_gets_a_429(tmp_path):
    put_model(tmp_path / "models")
    keys = KeyStore(tmp_path / "keys.json", clock=lambda: 0.0)
    header = {"Authorization": "Bearer " + keys.add("test", ["read:*"], days=1, per_minute=2)}

    async def ask():
        async with running(tmp_path / "models", keys=keys) as client:
            answers = [await client.get("/v1/models/sums", headers=header) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [200, 200, 429]
            assert answers[2].headers["retry-after"] == "30"

    run(ask())


def test_pages_load_nothing_from_elsewhere(folder):
    requests = [("GET", path, None) for path in ("/", "/docs", "/page.js", "/page.css")]
    answers, log = scenario(folder, *requests, ("HEAD", "/", None))
    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["content-security-policy"].startswith("default-src 'self'")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "https://" not in answer.text.replace("https://www.w3.org", "")
    kinds = [answer.headers["content-type"].split(";")[0] for answer in answers]
    assert kinds[:2] == ["text/html", "text/html"]
    assert kinds[2:4] == ["text/javascript", "text/css"]
    assert "POST /v1/models/{name}:predict" in answers[1].text
    assert log == []


def test_files_beside_the_page(folder):
    (answer,), _ = scenario(folder, ("GET", "/samples.json", None), files={"samples.json": b"{}"})
    assert (answer.status_code, answer.json()) == (200, {})


def test_what_fastapi_itself_refuses_has_the_same_form(folder):
    async def typed(number: int):
        return number

    async def ask():
        async with running(folder) as client:
            client._transport.app.add_api_route("/typed", typed)
            answer = await client.get("/typed?number=x")
            assert answer.status_code == 422
            assert answer.json()["error"].startswith("In query.number: Input should be a valid int")

    run(ask())


def test_a_version_in_the_query_is_not_taken_for_one_in_the_path(folder):
    body = {"instances": [ONE]}
    (answer,), _ = scenario(folder, ("POST", PREDICT + "?version=7", body))
    assert answer.json()["version"] == 1


# What clients and monitors of TensorFlow Serving send.


@pytest.mark.parametrize(
    ("body", "reply"),
    [
        ({"instances": [{"instances": ONE}]}, {"predictions": [[21, 1]], "version": 1}),
        ({"inputs": [ONE]}, {"outputs": [[21, 1]], "version": 1}),
        ({"inputs": {"instances": [ONE]}}, {"outputs": [[21, 1]], "version": 1}),
    ],
)
def test_rows_with_names_and_columns(folder, body, reply):
    (answer,), _ = scenario(folder, ("POST", PREDICT, body))
    assert answer.json() == reply


def post(folder, content, **headers):
    async def ask():
        async with running(folder, max_body=10_000) as client:
            return await client.post(PREDICT, content=content, headers=headers)

    return run(ask())


def test_gzip(folder):
    packed = gzip.compress(json.dumps({"instances": [ONE]}).encode())
    for name in ("gzip", "x-gzip", "GZIP"):
        answer = post(folder, packed, **{"Content-Encoding": name})
        assert answer.json() == {"predictions": [[21, 1]], "version": 1}


@pytest.mark.parametrize(
    ("coding", "content", "status", "sentence"),
    [
        ("gzip", gzip.compress(b" " * 10_001, mtime=0), 413, "larger than 10,000 bytes"),
        ("gzip", gzip.compress(b" " * 10_000_000, mtime=0), 413, "larger than 10,000 bytes"),
        ("gzip", b"{}", 400, "The body is not gzip"),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-1], 400, "not one whole gzip file"),
        ("gzip", gzip.compress(b"{}", mtime=0) * 2, 400, "not one whole gzip file"),
        ("br", b"{}", 400, "The content coding 'br' is not supported; send gzip, or none."),
    ],
)
def test_what_is_packed_otherwise_or_too_large(folder, coding, content, status, sentence):
    answer = post(folder, content, **{"Content-Encoding": coding})
    assert (answer.status_code, sentence in answer.json()["error"]) == (status, True), answer.text


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/v1/models/sums/labels/stable:predict", "Labels of versions are not supported"),
        ("/v1/models/sums:classify", "`:classify` is not supported: use `:predict`"),
        ("/v1/models/sums/versions/1:regress", "`:regress` is not supported: use `:predict`"),
        ("/v1/models/sums/", "is not a route; /docs lists all. Leave out the slash at the end."),
        ("/v1/models/sums:predict/", "Leave out the slash at the end."),
    ],
)
def test_what_is_not_supported_is_named(folder, path, sentence):
    answers, _ = scenario(folder, ("POST", path, {"instances": [ONE]}), ("GET", path, None))
    for answer in answers:
        assert (answer.status_code, list(answer.json())) == (404, ["error"])
        assert sentence in answer.json()["error"]


def test_monitors_may_ask_with_head(folder):
    requests = [("HEAD", path, None) for path in ("/healthz", "/readyz")]
    answers, log = scenario(folder, *requests)
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"")] * 2
    assert log == []


def test_metadata_name_what_is_accepted_and_its_range(folder):
    def open_digits(path, name, version):
        return Predictor(lambda x: answer_of(x, 1), SHAPE, (2,), (0.0, 255.0))

    async def ask():
        async with running(folder, open_model=open_digits) as client:
            metadata = (await client.get("/v1/models/sums/metadata")).json()["metadata"]
            signature = metadata["signature_def"]["signature_def"]["serving_default"]
            ((name, _),) = signature["inputs"].items()
            assert metadata["range"] == {name: [0, 255]}
            body = json.dumps({"inputs": {name: [ONE]}})
            assert (await client.post(PREDICT, content=body)).status_code == 200
            scaled = json.dumps({"instances": [[[0, 0.5, 1]] * 2]})
            answer = await client.post(PREDICT, content=scaled)
            assert (answer.status_code, "do not divide by 255" in answer.text) == (400, True)
            assert "0 (background)" in (await client.get("/openapi.json")).text

    run(ask())


def test_large_bodies_are_read_beside_small_ones_and_not_too_many(folder, monkeypatch):
    """A body whose parsing stands still holds up nobody else."""
    gate, entered = threading.Event(), threading.Event()

    def slow(body, *arguments):
        if len(body) > predict.LARGE:
            entered.set()
            assert gate.wait(HANG)
        return read(body, *arguments)

    read = predict.read_request
    monkeypatch.setattr(predict, "read_request", slow)
    monkeypatch.setattr(predict, "MOST_LARGE", 2)
    monkeypatch.setattr(limits, "LINGER", 0)
    small = json.dumps({"instances": [ONE]})
    large = small + " " * 200_000

    async def ask():
        async with running(folder) as client:
            waiting = [asyncio.create_task(client.post(PREDICT, content=large)) for _ in range(2)]
            while not entered.is_set():
                await asyncio.sleep(0.001)
            assert (await client.post(PREDICT, content=small)).status_code == 200
            refused = await client.post(PREDICT, content=large)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            gate.set()
            assert [(await task).status_code for task in waiting] == [200, 200]
            assert (await client.post(PREDICT, content=large)).status_code == 200

    run(ask())
