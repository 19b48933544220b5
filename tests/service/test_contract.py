"""What a request must hold: every kind of wrong body gets its own sentence."""

import json

import numpy as np
import pytest

from course_utils.service import inputs
from course_utils.service.contract import BadRequest, read_routing
from course_utils.service.inputs import PIXELS, read_request

SHAPE = (2, 3)
ONE = [[1, 2.5, 3], [-4, 0, 6]]


def body(value) -> bytes:
    return json.dumps(value).encode()


def test_instances_become_one_float32_array():
    x = read_request(body({"instances": [ONE, ONE]}), SHAPE, 2).x
    assert (x.dtype, x.shape) == (np.float32, (2, *SHAPE))
    np.testing.assert_array_equal(x[1], ONE)


def test_instances_that_are_single_numbers():
    np.testing.assert_array_equal(read_request(b'{"instances": [1, 2]}', (), 2).x, [1, 2])


def test_the_signature_of_tensorflow_serving_is_accepted():
    request = {"signature_name": "serving_default", "instances": [ONE]}
    assert read_request(body(request), SHAPE, 1).x.shape == (1, *SHAPE)


def with_number(text: str) -> bytes:
    return b'{"instances": [[[1, 2, 3], [4, 5, %s]]]}' % text.encode()


WRONG = {
    "empty body": (b"", "The body is not JSON: Expecting value at character 0."),
    "broken JSON": (b'{"instances": [[1, 2', "The body is not JSON: Expecting ',' delimiter"),
    "text after it": (b'{"instances": []} x', "The body is not JSON: Extra data"),
    "not UTF-8": (b"\xff\xfe{}", "The body is not JSON: it is not text in UTF-8."),
    "a list": (body([ONE]), "Expected a JSON object with a list `instances`"),
    "a number": (b"1", "Expected a JSON object with a list `instances`"),
    "another field": (body({"images": [ONE]}), "Expected a JSON object with a list `instances`"),
    "rows and columns": (body({"instances": [ONE], "inputs": [ONE]}), "with a list `instances`"),
    "columns of another name": (body({"inputs": {"x": [ONE]}}), "with a list `instances`"),
    "a column and another": (body({"inputs": {"instances": [ONE], "x": []}}), "with a list"),
    "rows of another name": (body({"instances": [{"x": ONE}]}), "with `instances` alone."),
    "rows named and not": (body({"instances": [{"instances": ONE}, ONE]}), "each named row to be"),
    "instances is a text": (body({"instances": "x"}), "with a list `instances`"),
    "one field more": (
        body({"instances": [ONE], "instance": []}),
        "Expected `instances` alone, found also 'instance'.",
    ),
    "another signature": (
        body({"instances": [ONE], "signature_name": "train"}),
        "Expected the `signature_name` serving_default",
    ),
    "no instance": (body({"instances": []}), "Expected 1 to 4 instances, found 0."),
    "too many": (body({"instances": [ONE] * 5}), "Expected 1 to 4 instances, found 5."),
    "flat": (body({"instances": [[1] * 6]}), "of shape [2, 3], found [6]."),
    "transposed": (body({"instances": [[[1, 2]] * 3]}), "of shape [2, 3], found [3, 2]."),
    "a level too deep": (body({"instances": [[ONE]]}), "of shape [2, 3], found [1, 2, 3]."),
    "not nested": (body({"instances": [1]}), "of shape [2, 3], found a number."),
    "a text as instance": (body({"instances": ["x"]}), "of shape [2, 3], found text."),
    "an object as instance": (body({"instances": [{}]}), "each named row to be an object"),
    "second differs": (body({"instances": [ONE, [[1]]]}), "of shape [2, 3]; not all have it."),
    "second not nested": (body({"instances": [ONE, 1]}), "of shape [2, 3]; not all have it."),
    "a row too short": (body({"instances": [[[1, 2, 3], [4]]]}), "not all have it."),
    "a list for a number": (with_number("[6]"), "not all have it."),
    "a text for a list": (body({"instances": [ONE, ["abc", "def"]]}), "found text."),
    "a text for a number": (with_number('"6"'), "Expected numbers in `instances`, found text."),
    "null": (with_number("null"), "Expected numbers in `instances`, found null."),
    "true": (with_number("true"), "Expected numbers in `instances`, found true or false."),
    "NaN": (with_number("NaN"), "NaN is not a JSON number"),
    "Infinity": (with_number("-Infinity"), "-Infinity is not a JSON number"),
    "infinite after parsing": (with_number("1e999"), "found one too large for float32."),
    "infinite as float32": (with_number("1e39"), "found one too large for float32."),
    "400 digits": (with_number("9" * 400), "found one too large."),
    "5,000 digits": (with_number("9" * 5000), "a number too long."),
    "100,000 levels": (b'{"instances": ' + b"[" * 100_000, "lists nested too deep"),
    "60 levels": (b'{"instances": ' + b"[" * 60 + b"]" * 60 + b"}", "of shape [2, 3], found [1,"),
}


@pytest.mark.parametrize(("content", "sentence"), WRONG.values(), ids=list(WRONG))
def test_a_wrong_body_is_refused_with_a_sentence(content, sentence):
    with pytest.raises(BadRequest) as caught:
        read_request(content, SHAPE, 4)
    assert sentence in str(caught.value)
    assert caught.value.status == 400
    assert len(str(caught.value)) < 200


def test_a_long_text_takes_no_memory():
    # NumPy's array of texts would give every element the length of the longest: 4 GB here
    content = body({"instances": [["x" * 1_000_000] + ["y"] * 999]})
    with pytest.raises(BadRequest, match="found text"):
        read_request(content, (1000,), 4)


def test_routing():
    routing = read_routing(b'{"default": 1, "canary": 2, "share": 0.25}')
    assert (routing.default, routing.canary, routing.share) == (1, 2, 0.25)
    assert read_routing(b'{"default": 3}').model_dump() == {
        "default": 3,
        "canary": None,
        "share": 0.0,
    }


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{", "In the body: Invalid JSON"),
        (b"[]", "In the body: "),
        (b"{}", "In `default`: Field required."),
        (b'{"default": "1"}', "In `default`: "),
        (b'{"default": 0}', "In `default`: "),
        (b'{"default": 1, "share": 1.5}', "In `share`: "),
        (b'{"default": 1, "share": NaN}', "In `share`: "),
        (b'{"default": 1, "shares": 0.5}', "In `shares`: "),
    ],
)
def test_wrong_routing_is_refused_with_a_sentence(content, sentence):
    with pytest.raises(BadRequest) as caught:
        read_routing(content)
    assert sentence in str(caught.value)


# What TensorFlow Serving takes as well.


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        ({"instances": [{"instances": ONE}, {"instances": ONE}]}, "predictions"),
        ({"inputs": [ONE, ONE]}, "outputs"),
        ({"inputs": {"instances": [ONE, ONE]}, "signature_name": "serving_default"}, "outputs"),
    ],
    ids=["named rows", "columns", "named columns"],
)
def test_other_formats_hold_the_same_inputs(request_, reply):
    x, name = read_request(body(request_), SHAPE, 2)
    np.testing.assert_array_equal(x, [ONE, ONE])
    assert name == reply


# The range of the values.


def pixels(value):
    return body({"instances": [[[0, 0, 0], [0, value, 0]], [[0, 9, 0], [0, 0, 0]]]})


@pytest.mark.parametrize("value", [0, 1.5, 255, 17])
def test_pixels_within_their_range_pass(value):
    assert read_request(pixels(value), SHAPE, 2, PIXELS).x[0, 1, 1] == value


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (-0.1, "Expected values from 0 to 255, found -0.1."),
        (256, "Expected values from 0 to 255, found 256."),
        (1, "do not divide by 255"),
        (0.98, "Expected pixels from 0 (background) to 255 (ink), found an image with none above"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(value, sentence):
    with pytest.raises(BadRequest) as caught:
        read_request(pixels(value), SHAPE, 2, PIXELS)
    assert sentence in str(caught.value)
    assert read_request(pixels(value), SHAPE, 2).x[0, 1, 1] == np.float32(value)  # no range known


# Large bodies: refused before they are parsed, where parsing would take long.


LARGE_ONES = {
    "empty lists": b'{"instances": [' + b"[]," * 1_300_000 + b"[]]}",
    "levels": b'{"instances": ' + b"[" * 4_000_000,
    "texts": b'{"instances": [' + b'"",' * 1_300_000 + b'""]}',
    "escapes": b'{"instances": ["' + b"\\n" * 2_000_000 + b'"]}',
    "objects": b'{"instances": [' + b"{}," * 1_300_000 + b"{}]}",
    "numbers": b'{"instances": [' + b"1," * 2_000_000 + b"1]}",
}


@pytest.mark.parametrize("kind", LARGE_ONES)
def test_a_large_body_that_cannot_be_right_is_not_parsed(monkeypatch, kind):
    monkeypatch.setattr(inputs, "_parsed", lambda body: pytest.fail("it was parsed"))
    with pytest.raises(BadRequest, match=r"holds more of `.` than 256 instances of shape \[28, 28"):
        read_request(LARGE_ONES[kind], (28, 28), 256)


def test_the_largest_honest_body_is_read():
    images = np.random.default_rng(0).integers(0, 256, (256, 28, 28))
    x = read_request(body({"instances": images.tolist()}), (28, 28), 256, PIXELS).x
    np.testing.assert_array_equal(x, images)
    rows = [{"instances": image} for image in (images / 2).tolist()]
    np.testing.assert_array_equal(read_request(body({"instances": rows}), (28, 28), 256).x, x / 2)


@pytest.mark.parametrize("content", [b"[" * 70_000, b'{"instances": [1' + b" " * 70_000, b"NaN"])
def test_a_large_body_that_is_not_json_has_a_sentence_too(content):
    with pytest.raises(BadRequest, match=r"not JSON|nested too deep|NaN is not"):
        read_request(content, SHAPE, 4)


def test_nothing_is_accepted_that_only_one_of_the_parsers_takes():
    """Python's parser, asked for a better sentence, reads texts that orjson refuses."""
    for text in (b'{"instances": [[[1,2,3],[4,5,6]]], "\\ud800": 1}', b'{"\\ud800": [1]}'):
        with pytest.raises(BadRequest) as caught:
            read_request(text, SHAPE, 4)
        str(caught.value).encode()
