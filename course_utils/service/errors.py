"""Errors in one form, that of TensorFlow Serving: `{"error": "one sentence"}`."""

from __future__ import annotations

import json
import math

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from course_utils.service.contract import ServiceError
from course_utils.service.keys import AccessRefused

FAILURES = (ServiceError, AccessRefused, HTTPException)
# What TensorFlow Serving has and this service has not, by a part of the path.
UNSUPPORTED = {
    "/labels/": "Labels of versions are not supported: name a version by its number, or none",
    ":classify": "`:classify` is not supported: use `:predict`",
    ":regress": "`:regress` is not supported: use `:predict`",
}


def error_reply(request: Request, error: Exception) -> Response:
    """Return any error in the form of all errors."""
    invalid = 422 if isinstance(error, RequestValidationError) else 500
    status = getattr(error, "status", None) or getattr(error, "status_code", invalid)
    sentence = str(getattr(error, "detail", error))
    if status == 500:
        sentence = "The service failed at this request; its own log says why."
    elif isinstance(error, RequestValidationError):  # no route of today comes here
        first = error.errors()[0]
        sentence = f"In {'.'.join(map(str, first['loc']))}: {first['msg']}."
    elif isinstance(error, HTTPException) and status in (404, 405):
        sentence = no_route(request.method, request.url.path)
    reply = reply_with(status, sentence)
    reply.headers.update(getattr(error, "headers", None) or {})
    if getattr(error, "retry_after", None):
        reply.headers["Retry-After"] = str(math.ceil(error.retry_after))
    if status == 401:
        reply.headers["WWW-Authenticate"] = "Bearer"
    return reply


def reply_with(status: int, sentence: str) -> Response:
    """Return the reply that says this sentence."""
    body = json.dumps({"error": sentence}, ensure_ascii=False).encode(errors="replace")
    return Response(body, status, media_type="application/json")


def no_route(method: str, path: str) -> str:
    """Return the sentence for a path that nothing answers, or not with this method."""
    for part, sentence in UNSUPPORTED.items():
        if path.startswith("/v1/models/") and part in path:
            return f"{sentence}; /docs lists all routes."
    sentence = f"{method} {path[:100]} is not a route; /docs lists all."
    return f"{sentence} Leave out the slash at the end." if path[1:].endswith("/") else sentence
