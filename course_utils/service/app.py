"""The application: the routes, the page, errors in one form, and what surrounds every request."""

from __future__ import annotations

import contextlib
from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.exceptions import RequestValidationError

from course_utils.service import docs
from course_utils.service.audit import AuditError
from course_utils.service.errors import FAILURES, error_reply
from course_utils.service.limits import BODY_SECONDS, MAX_BODY, BodyLimits
from course_utils.service.models import ModelStore
from course_utils.service.observe import Metrics, Recorder, Refusals
from course_utils.service.predict import Predict
from course_utils.service.routes import router

PAGE = Path(__file__).parent / "page"
MAX_INSTANCES = 256  # of one request; 256 images as JSON fit into MAX_BODY
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


class Service(FastAPI):
    """FastAPI's application inside of what surrounds every request."""

    def surround(self, keys, audit, metrics, refusals, max_instances, max_body, seconds) -> None:
        """Set up the layers; from the inside out: the busy route, bodies, records, headers."""
        layer = Predict(super().__call__, self.state, max_instances, max_body)
        layer = BodyLimits(layer, keys, max_body, seconds)
        self._layers = Recorder(layer, audit, metrics, refusals, HEADERS)

    async def __call__(self, scope, receive, send):
        """Answer a request."""
        await self._layers(scope, receive, send)


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

    refusals = Refusals(audit)

    @contextlib.asynccontextmanager
    async def lifespan(app):
        yield
        await store.close()
        with contextlib.suppress(AuditError):
            refusals.write_sums()

    options = {"lifespan": lifespan, "redirect_slashes": False, **docs.NO_CDN}
    app = Service(title="The course's prediction service", **options)
    app.state.store, app.state.keys, app.state.audit = store, keys, audit
    app.state.metrics = Metrics()
    store.batching.setdefault("observe", app.state.metrics.batches.observe)
    app.include_router(router)
    for name, content in {**_page(), **(files or {})}.items():
        _add_file(app, "/" if name == "index.html" else f"/{name}", name, content)
    for kind in (*FAILURES, RequestValidationError, Exception):
        app.add_exception_handler(kind, error_reply)
    metrics = app.state.metrics
    app.surround(keys, audit, metrics, refusals, max_instances, max_body, body_seconds)
    return app


def _page() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in PAGE.iterdir() if path.is_file()}


def _add_file(app: FastAPI, path: str, name: str, content: bytes) -> None:
    """Serve one file from memory: a route each, so that no other file can be reached."""
    kind = KINDS[Path(name).suffix]

    async def file():
        return Response(content, media_type=kind, headers={"Cache-Control": "no-cache"})

    app.add_api_route(path, file, methods=["GET", "HEAD"], include_in_schema=False)
