"""TensorFlow Serving's REST contract: the forms of requests and replies, and of errors.

Source: https://www.tensorflow.org/tfx/serving/api_rest. A model has one input, `instances`, and one
output, `predictions`. What a prediction's body holds is read in `inputs`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

INPUT, OUTPUT = "instances", "predictions"  # the names of the tensors
LARGE = 2**16  # bytes of a body that is counted before it is parsed, and parsed in a thread


class ServiceError(Exception):
    """A request that is answered with an error; the message is the one sentence of the answer."""

    status = 500
    retry_after: float | None = None  # seconds after which to try again


class BadRequest(ServiceError):
    """The body cannot be used."""

    status = 400


class PredictRequest(BaseModel):
    """Body of `:predict`. `inputs.read_request` checks it; this class documents it."""

    instances: list[Any] = Field(
        description="the inputs as rows, each of the model's input shape, or each an object "
        '{"instances": input}; the metadata name shape and range: pixels of digits are 0 '
        "(background) to 255 (ink), not scaled"
    )
    signature_name: str = Field("serving_default", description="the only one there is")


class PredictReply(BaseModel):
    """Reply of `:predict`: one prediction for each instance, in their order.

    A body with `inputs` in place of `instances` (columns) gets `outputs` in place of `predictions`.
    """

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
    """Reply of `GET …/metadata`: name, version and the signature, with -1 for the batch size.

    `range` is an addition of this service: the smallest and the largest value that an input takes.
    """

    model_spec: dict[str, str]
    metadata: dict[str, Any]


def read_routing(body: bytes) -> Routing:
    """Return the routing in a request's body; raises BadRequest, naming the first wrong field."""
    try:
        return Routing.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = f"`{'.'.join(map(str, first['loc']))}`" if first["loc"] else "the body"
        raise BadRequest(f"In {where}: {first['msg']}.") from None
