"""The page /docs: the OpenAPI document as plain HTML, since Swagger's own page needs a CDN."""

from __future__ import annotations

import json
from html import escape

from course_utils.service.contract import PredictRequest, Routing

NO_CDN = {"docs_url": None, "redoc_url": None}


def _body(model, example: dict) -> dict:
    """Describe a body that the handler reads itself."""
    content = {"schema": model.model_json_schema(), "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


PREDICT = _body(PredictRequest, {"instances": [[[0] * 28] * 28]})
ROUTING = _body(Routing, {"default": 1, "canary": 2, "share": 0.1})

VERSION = {
    "parameters": [
        {
            **{"name": "version", "in": "path", "required": True},
            "schema": {"type": "integer", "minimum": 1, "maximum": 999_999_999},
        }
    ]
}


def render(document: dict) -> str:
    """Return an OpenAPI document as a page without scripts."""
    parts = [
        f"<h1>{escape(document['info']['title'])}</h1>",
        '<p>The same as data: <a href="openapi.json">openapi.json</a>. Errors have the form '
        '<code>{"error": "one sentence"}</code>. Routes marked “key” need the header '
        "<code>Authorization: Bearer lms_…</code>.</p>",
    ]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts.append(_operation(path, method, operation))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Routes</title><main>{''.join(parts)}</main></html>"
    )


def _operation(path: str, method: str, operation: dict) -> str:
    key = " (key)" if operation.get("security") else ""
    text = f"<h2><code>{method.upper()} {escape(path)}</code>{key}</h2>"
    text += f"<p>{escape(operation.get('description', operation['summary']))}</p>"
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        example = json.dumps(content.get("example", {}))
        shown = example if len(example) < 200 else example[:40] + " … " + example[-8:]
        text += f"<p>Body, {escape(kind)}: <code>{escape(shown)}</code></p>"
    return text
