"""The application: the routes, the page, errors in one form, and what surrounds every request."""

from __future__ import annotations

import contextlib
import json
import math
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from course_utils.service import docs
from course_utils.service.contract import ServiceError
from course_utils.service.keys import AccessRefused
from course_utils.service.limits import BODY_SECONDS, MAX_BODY, BodyLimits
from course_utils.service.models import ModelStore
from course_utils.service.observe import Metrics, Recorder
from course_utils.service.routes import router

PAGE = Path(__file__).parent / "page"
MAX_INSTANCES = 256  # of one request; 256 images as JSON fit into MAX_BODY
FAILURES = (ServiceError, AccessRefused, HTTPException, RequestValidationError, Exception)
# Fixed, since Windows may take a script for text/plain, which browsers then refuse (nosniff).
KINDS = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
HEADERS = [
    (b"content-security-policy", b"default-src 'self'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]


def error_reply(request: Request, error: Exception) -> Response:
    """Return any error in TensorFlow Serving's form, `{"error": "one sentence"}`."""
    invalid = 422 if isinstance(error, RequestValidationError) else 500
    status = getattr(error, "status", None) or getattr(error, "status_code", invalid)
    sentence = str(getattr(error, "detail", error))
    if status == 500:
        sentence = "The service failed at this request; its own log says why."
    elif isinstance(error, RequestValidationError):  # no route of today comes here
        first = error.errors()[0]
        sentence = f"In {'.'.join(map(str, first['loc']))}: {first['msg']}."
    elif isinstance(error, HTTPException) and status in (404, 405):
        sentence = f"{request.method} {request.url.path[:100]} is not a route; /docs lists all."
    body = json.dumps({"error": sentence}, ensure_ascii=False)
    reply = Response(body, status, media_type="application/json")
    reply.headers.update(getattr(error, "headers", None) or {})
    if getattr(error, "retry_after", None):
        reply.headers["Retry-After"] = str(math.ceil(error.retry_after))
    if status == 401:
        reply.headers["WWW-Authenticate"] = "Bearer"
    if status == 408:  # the rest of the body may still come
        reply.headers["Connection"] = "close"
    return reply


class SecurityHeaders:
    """ASGI middleware that adds HEADERS to every answer."""

    def __init__(self, app):
        """Wrap `app`."""
        self.app = app

    async def __call__(self, scope, receive, send):
        """Pass the request on and extend the head of its answer."""

        async def extended(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        await self.app(scope, receive, extended)


def create_app(
    store: ModelStore,
    keys,
    audit,
    *,
    files: dict[str, bytes] | None = None,
    max_instances: int = MAX_INSTANCES,
    max_body: int = MAX_BODY,
    body_seconds: float = BODY_SECONDS,
) -> FastAPI:
    """Return the application; `files` are served beside those of the folder `page/`.

    When the server ends, the store answers what it accepted and closes.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app):
        yield
        await store.close()

    app = FastAPI(title="The course's prediction service", lifespan=lifespan, **docs.NO_CDN)
    app.state.store, app.state.keys, app.state.audit = store, keys, audit
    app.state.max_instances = max_instances
    app.state.metrics = Metrics()
    store.batching.setdefault("observe", app.state.metrics.batches.observe)
    app.include_router(router)
    for name, content in {**_page(), **(files or {})}.items():
        _add_file(app, "/" if name == "index.html" else f"/{name}", name, content)
    for kind in FAILURES:
        app.add_exception_handler(kind, error_reply)
    app.add_middleware(BodyLimits, max_bytes=max_body, seconds=body_seconds)
    app.add_middleware(Recorder, audit=audit, metrics=app.state.metrics)
    app.add_middleware(SecurityHeaders)
    return app


def _page() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in PAGE.iterdir() if path.is_file()}


def _add_file(app: FastAPI, path: str, name: str, content: bytes) -> None:
    """Serve one file from memory: a route each, so that no other file can be reached."""
    kind = KINDS[Path(name).suffix]

    async def file():
        return Response(content, media_type=kind, headers={"Cache-Control": "no-cache"})

    app.add_api_route(path, file, methods=["GET", "HEAD"], include_in_schema=False)
