"""schemathesis makes requests from the OpenAPI document: none may break the service."""

import asyncio
import collections
import contextlib
import threading

import hypothesis
import pytest
import schemathesis
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from course_utils.service.app import create_app
from course_utils.service.models import ModelStore
from course_utils.service.server import Server, listen
from tests.service.parts import ListLog, OpenKeys, open_fake, put_model

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The service over real HTTP in a thread, with a model that routes may change."""
    folder = tmp_path_factory.mktemp("models")
    for version in (1, 2):
        put_model(folder, version=version)
    listener = listen("127.0.0.1", 0)
    servers = []

    async def serve():
        store = ModelStore(folder, open_fake)
        app = create_app(store, OpenKeys(), ListLog())
        await store.load_all()
        servers.append(Server(app))
        await servers[0].serve(sockets=[listener])

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    servers[0].should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def document(address):
    return schemathesis.openapi.from_url(f"{address}/openapi.json")


def ask(operation, case) -> None:
    """Send one made-up request and check the answer against the document."""
    if "name" in case.path_parameters and len(case.path_parameters["name"]) % 2:
        case.path_parameters["name"] = "sums"  # half of them meet a model that exists
    case.call_and_validate(checks=CHECKS)


def try_operation(operation, mode, asked) -> None:
    """Send some dozens of requests to one operation; the same ones in every run."""

    @hypothesis.settings(
        max_examples=15,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def send(case):
        asked[operation.label] += 1
        ask(operation, case)

    send()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_no_request_breaks_the_service(document, mode, record_property):
    asked = collections.Counter()
    for result in document.get_all_operations():
        # Where every request is right (a route without parameters) no wrong one can be made.
        with contextlib.suppress(hypothesis.errors.Unsatisfiable):
            try_operation(result.ok(), mode, asked)
    record_property("requests", asked.total())
    assert len(asked) >= 10


def test_every_route_is_in_the_document(document):
    paths = {path for path, _ in document.raw_schema["paths"].items()}
    assert {"/v1/models/{name}:predict", "/v1/models/{name}/routing", "/metrics"} <= paths
    assert len(paths) == 12
