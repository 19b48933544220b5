"""What a request must hold: every kind of wrong body gets its own sentence."""

import json

import numpy as np
import pytest

from course_utils.service.contract import BadRequest, read_instances, read_routing

SHAPE = (2, 3)
ONE = [[1, 2.5, 3], [-4, 0, 6]]


def body(value) -> bytes:
    return json.dumps(value).encode()


def test_instances_become_one_float32_array():
    x = read_instances(body({"instances": [ONE, ONE]}), SHAPE, 2)
    assert (x.dtype, x.shape) == (np.float32, (2, *SHAPE))
    np.testing.assert_array_equal(x[1], ONE)


def test_instances_that_are_single_numbers():
    np.testing.assert_array_equal(read_instances(b'{"instances": [1, 2]}', (), 2), [1, 2])


def test_the_signature_of_tensorflow_serving_is_accepted():
    request = {"signature_name": "serving_default", "instances": [ONE]}
    assert read_instances(body(request), SHAPE, 1).shape == (1, *SHAPE)


def with_number(text: str) -> bytes:
    return b'{"instances": [[[1, 2, 3], [4, 5, %s]]]}' % text.encode()


WRONG = {
    "empty body": (b"", "The body is not JSON: Expecting value at character 0."),
    "broken JSON": (b'{"instances": [[1, 2', "The body is not JSON: Expecting ',' delimiter"),
    "text after it": (b'{"instances": []} x', "The body is not JSON: Extra data"),
    "not UTF-8": (b"\xff\xfe{}", "The body is not JSON: it is not text in UTF-8."),
    "a list": (body([ONE]), "Expected a JSON object with a list `instances`"),
    "a number": (b"1", "Expected a JSON object with a list `instances`"),
    "another field": (body({"inputs": [ONE]}), "Expected a JSON object with a list `instances`"),
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
    "an object as instance": (body({"instances": [{}]}), "of shape [2, 3], found an object."),
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
        read_instances(content, SHAPE, 4)
    assert sentence in str(caught.value)
    assert caught.value.status == 400
    assert len(str(caught.value)) < 200


def test_a_long_text_takes_no_memory():
    # NumPy's array of texts would give every element the length of the longest: 4 GB here
    content = body({"instances": [["x" * 1_000_000] + ["y"] * 999]})
    with pytest.raises(BadRequest, match="found text"):
        read_instances(content, (1000,), 4)


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
