"""TensorFlow Serving's REST contract: what a request must hold, and the forms of the replies.

Source: https://www.tensorflow.org/tfx/serving/api_rest (row form, `instances`). The request's
pixels are not given to Pydantic: one image holds 784 of them, and a check of each in Python costs
more than the model. JSON is parsed once, and NumPy checks the whole array.
"""

from __future__ import annotations

import json
from itertools import chain
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

JSON_NAMES = {
    str: "text",
    bool: "true or false",
    type(None): "null",
    dict: "an object",
    list: "a list",
}


class ServiceError(Exception):
    """A request that is answered with an error; the message is the one sentence of the answer."""

    status = 500
    retry_after: float | None = None  # seconds after which to try again


class BadRequest(ServiceError):
    """The body cannot be used."""

    status = 400


class PredictRequest(BaseModel):
    """Body of `:predict`. `read_instances` checks it; this class documents it."""

    instances: list[Any] = Field(description="the inputs, each of the model's input shape")
    signature_name: str = Field("serving_default", description="the only one there is")


class PredictReply(BaseModel):
    """Reply of `:predict`: one prediction for each instance, in their order."""

    predictions: list[Any]
    version: int = Field(description="the version of the model that answered")


class ErrorReply(BaseModel):
    """Every reply with a status of 400 or more."""

    error: str = Field(description="one sentence: what was expected, what was found")


class Routing(BaseModel):
    """Which version answers a request that names none."""

    model_config = ConfigDict(strict=True, extra="forbid")
    default: Annotated[int, Field(ge=1)]
    canary: Annotated[int, Field(ge=1)] | None = None
    share: Annotated[float, Field(ge=0, le=1)] = 0.0  # of the requests, to the canary


class VersionStatus(BaseModel):
    """State of one loaded version."""

    version: str
    state: str = "AVAILABLE"
    status: dict[str, str] = {"error_code": "OK", "error_message": ""}


class ModelStatus(BaseModel):
    """Reply of `GET /v1/models/{name}`; `routing` is an addition of this service."""

    model_version_status: list[VersionStatus]
    routing: Routing


class Metadata(BaseModel):
    """Reply of `GET …/metadata`: name, version and the signature, with -1 for the batch size."""

    model_spec: dict[str, str]
    metadata: dict[str, Any]


def read_instances(body: bytes, shape: tuple[int, ...], limit: int) -> np.ndarray:
    """Return the `instances` of a request's body as a float32 array of shape (k, *shape).

    Raises BadRequest, with a sentence for the caller: the body is not JSON, has no `instances`,
    has none or more than `limit` of them, or they are not finite numbers of that shape.
    """
    instances = _read_list(body)
    if not 1 <= len(instances) <= limit:
        raise BadRequest(f"Expected 1 to {limit} instances, found {len(instances)}.")
    found = _shape(instances[0])
    if found != shape:
        found = list(found) or JSON_NAMES.get(type(instances[0]), "a number")
        raise BadRequest(f"Expected instances of shape {list(shape)}, found {found}.")
    # Kinds come before the array: NumPy would turn true into 1, and one long text among short
    # ones into an array where every element has the length of the longest.
    flat = instances
    for _ in shape:
        flat = chain.from_iterable(flat)
    try:
        wrong = set(map(type, flat)) - {int, float}
        if wrong - {list}:
            kinds = sorted(JSON_NAMES[kind] for kind in wrong - {list})
            raise BadRequest(f"Expected numbers in `instances`, found {', '.join(kinds)}.")
        with np.errstate(over="ignore"):
            array = np.asarray(instances, dtype=np.float32)
    except (ValueError, TypeError):  # NumPy: lists of unequal length; chain: a number for a list
        array = None
    except OverflowError:  # a whole number of more than 308 digits
        raise BadRequest("Expected finite numbers in `instances`, found one too large.") from None
    if array is None or array.shape[1:] != shape:
        raise BadRequest(f"Expected instances of shape {list(shape)}; not all have it.")
    if not np.isfinite(array).all():
        raise BadRequest("Expected finite numbers in `instances`, found one too large for float32.")
    return array


def read_routing(body: bytes) -> Routing:
    """Return the routing in a request's body; raises BadRequest, naming the first wrong field."""
    try:
        return Routing.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = f"`{'.'.join(map(str, first['loc']))}`" if first["loc"] else "the body"
        raise BadRequest(f"In {where}: {first['msg']}.") from None


def _read_list(body: bytes) -> list:
    try:
        request = DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadRequest("The body is not JSON: it is not text in UTF-8.") from None
    except json.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error.msg} at character {error.pos}.") from None
    except (RecursionError, ValueError):  # ValueError: a whole number of thousands of digits
        raise BadRequest("The body holds lists nested too deep or a number too long.") from None
    if not isinstance(request, dict) or not isinstance(request.get("instances"), list):
        raise BadRequest('Expected a JSON object with a list `instances`: {"instances": […]}.')
    unknown = sorted(set(request) - set(PredictRequest.model_fields))
    if unknown:
        raise BadRequest(f"Expected `instances` alone, found also {unknown[0][:50]!r}.")
    if request.get("signature_name", "serving_default") != "serving_default":
        raise BadRequest("Expected the `signature_name` serving_default, the only one there is.")
    return request["instances"]


def _refuse_constant(name: str) -> None:
    raise BadRequest(f"{name} is not a JSON number; expected finite numbers in `instances`.")


def _shape(instance: Any) -> tuple[int, ...]:
    """Return the lengths of nested lists, along the first element of each."""
    lengths: list[int] = []
    while isinstance(instance, list) and len(lengths) < 10:
        lengths.append(len(instance))
        instance = instance[0] if instance else None
    return tuple(lengths)


DECODER = json.JSONDecoder(parse_constant=_refuse_constant)  # refuses NaN and Infinity
