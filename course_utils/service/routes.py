"""The routes: TensorFlow Serving's REST contract, an admin's, and those of operations.

Order in every guarded route: key, then model, then body. Nothing of a request without a valid key
is read but its head.
"""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException

from course_utils.service import contract, docs
from course_utils.service.access import admit
from course_utils.service.contract import (
    INPUT,
    LARGE,
    OUTPUT,
    BadRequest,
    ErrorReply,
    ModelStatus,
    VersionStatus,
)
from course_utils.service.models import ModelStore


class NameConvertor(Convertor[str]):
    """A model's name in a path: no colon, so that `digits:predict` is not taken for a name."""

    regex = "[A-Za-z0-9_-]{1,64}"

    def convert(self, value: str) -> str:
        """Return the text of the path."""
        return value

    def to_string(self, value: str) -> str:
        """Return the text for a path."""
        return value


class VersionConvertor(Convertor[int]):
    """A version in a path: 1 to 999,999,999."""

    regex = "[1-9][0-9]{0,8}"

    def convert(self, value: str) -> int:
        """Return the number."""
        return int(value)

    def to_string(self, value: int) -> str:
        """Return the text for a path."""
        return str(value)


register_url_convertor("name", NameConvertor())
register_url_convertor("version", VersionConvertor())
bearer = HTTPBearer(auto_error=False, description="an API key, `lms_…`")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
errors = {"4XX": {"model": ErrorReply}, "5XX": {"model": ErrorReply}}
router = APIRouter()
ONE, VERSIONED = "/v1/models/{name:name}", "/v1/models/{name:name}/versions/{version:version}"


def path_version(request: Request) -> int | None:
    """Return the version in the path, None where it has none (a default would allow `?version`)."""
    return request.path_params.get("version")


Name = Annotated[str, Path(pattern=f"^{NameConvertor.regex}$")]
Version = Annotated[int | None, Depends(path_version)]


def allow(action: str):
    """Return the dependency that lets a request pass only with a key for `action`."""

    async def check(request: Request, credentials: Bearer) -> None:
        name = request.path_params.get("name")
        record = request.state.record
        record |= {"action": request.scope["endpoint"].__name__, "model": name}
        record["version"] = request.path_params.get("version")
        presented = credentials.credentials if credentials else None
        admit(request.app.state.keys, record, presented, action, name)

    return Depends(check)


def route(method: str, path: str, action: str, reply=None, **options):
    """Return the decorator of a guarded route; `reply` documents its answer."""
    responses = {**errors, **({200: {"model": reply}} if reply else {})}
    if "{version" in path:
        options["openapi_extra"] = options.get("openapi_extra", {}) | docs.VERSION
    return router.api_route(
        path, methods=[method], dependencies=[allow(action)], responses=responses, **options
    )


def json_reply(content) -> Response:
    """Return JSON."""
    return Response(json.dumps(content, allow_nan=False), media_type="application/json")


@route("POST", VERSIONED + ":predict", "predict", contract.PredictReply, openapi_extra=docs.PREDICT)
@route("POST", ONE + ":predict", "predict", contract.PredictReply, openapi_extra=docs.PREDICT)
async def predict(name: Name, version: Version):
    """Predict; without a version the routing chooses one."""
    raise AssertionError("the middleware Predict answers before; this is for the document")


@route("GET", VERSIONED, "read", ModelStatus)
@route("GET", ONE, "read", ModelStatus)
async def status(request: Request, name: Name, version: Version):
    """Tell which versions are loaded, and the routing."""
    return json_reply(_status(request.app.state.store, name, version))


@route("GET", VERSIONED + "/metadata", "read", contract.Metadata)
@route("GET", ONE + "/metadata", "read", contract.Metadata)
async def metadata(request: Request, name: Name, version: Version):
    """Tell the shapes of inputs and outputs, as TensorFlow Serving does, and the inputs' range."""
    chosen = request.app.state.store.route(name, version)
    signature = {
        "inputs": {INPUT: _tensor(chosen.predictor.input_shape)},
        "outputs": {OUTPUT: _tensor(chosen.predictor.output_shape)},
        "method_name": "tensorflow/serving/predict",
    }
    spec = {"name": name, "signature_name": "", "version": str(chosen.number)}
    definition = {"signature_def": {"signature_def": {"serving_default": signature}}}
    if chosen.predictor.bounds is not None:
        definition["range"] = {INPUT: chosen.predictor.bounds}
    return json_reply({"model_spec": spec, "metadata": definition})


@route("POST", VERSIONED + ":load", "admin", ModelStatus)
async def load(request: Request, name: Name, version: Version):
    """Load a version from its file; it answers when the routing says so."""
    await request.app.state.store.load(name, version)
    return json_reply(_status(request.app.state.store, name))


@route("POST", VERSIONED + ":unload", "admin", ModelStatus)
async def unload(request: Request, name: Name, version: Version):
    """Forget a version that the routing does not use, after it has answered what it accepted."""
    await request.app.state.store.unload(name, version)
    return json_reply(_status(request.app.state.store, name))


@route("PUT", ONE + "/routing", "admin", ModelStatus, openapi_extra=docs.ROUTING)
async def set_routing(request: Request, name: Name):
    """Choose the default version and the canary with its share of the requests."""
    store = request.app.state.store
    store.find(name)
    body = await request.body()
    if len(body) > LARGE:
        raise BadRequest(f"Expected a routing of at most {LARGE:,} bytes.")
    routing = contract.read_routing(body)
    request.state.record |= routing.model_dump()
    store.set_routing(name, routing)
    return json_reply(_status(store, name))


@route("GET", "/metrics", "metrics", response_class=PlainTextResponse)
async def metrics(request: Request):
    """Give Prometheus its numbers."""
    text = request.app.state.metrics.text(request.app.state.store)
    return Response(text, media_type="text/plain; version=0.0.4")


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", responses=errors)
async def healthz():
    """Say that the process answers."""
    return json_reply({"status": "ok"})


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", responses=errors)
async def readyz(request: Request):
    """Say whether predictions are answered: 503 until the models are loaded, and at the end."""
    if not request.app.state.store.ready:
        raise HTTPException(503, "The models are not loaded, or the service is ending.")
    return json_reply({"status": "ready"})


@router.get("/docs", include_in_schema=False)
async def documentation(request: Request):
    """Show the OpenAPI document as a page that loads nothing from elsewhere."""
    return HTMLResponse(docs.render(request.app.openapi()))


def _status(store: ModelStore, name: str, version: int | None = None) -> dict:
    model = store.find(name, version)
    numbers = sorted(model.versions) if version is None else [version]
    versions = [VersionStatus(version=str(number)) for number in numbers]
    return ModelStatus(model_version_status=versions, routing=model.routing).model_dump()


def _tensor(shape: tuple[int, ...]) -> dict:
    sizes = [{"size": str(size), "name": ""} for size in (-1, *shape)]
    return {
        "dtype": "DT_FLOAT",
        "tensor_shape": {"dim": sizes, "unknown_rank": False},
        "name": "",
    }
