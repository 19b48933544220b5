"""The model that is served first is lesson 06's flagship, with probabilities at its end."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from course_utils.data import load_mnist
from course_utils.service import digits
from course_utils.service.models import input_range
from course_utils.service.vault import load_keras

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "06_mnist_end_to_end.ipynb"


def cell(name: str) -> str:
    (source,) = (c["source"] for c in json.loads(NOTEBOOK.read_bytes())["cells"] if c["id"] == name)
    return "".join(source)


def described(model) -> list[tuple]:
    """Return kind and settings of each layer, without the names that Keras counts up."""
    return [
        (type(layer).__name__, {k: v for k, v in layer.get_config().items() if k != "name"})
        for layer in model.layers
    ]


def test_its_layers_are_those_of_the_lesson():
    lesson = {"keras": keras, "layers": layers}
    definition = cell("model-build").partition("environment.set_seed")[0]
    exec(definition, lesson)  # the function flagship, as the page shows it
    assert described(digits.flagship(5)) == described(lesson["flagship"](5))


def test_its_settings_are_those_of_the_lesson():
    parameters = {}
    exec(cell("parameters"), parameters)
    ours = (digits.FILTERS, digits.EPOCHS, digits.BATCH_SIZE, digits.LEARNING_RATE)
    names = ("filters", "epochs", "batch_size", "learning_rate")
    assert ours == tuple(parameters[name] for name in names)


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ([layers.Rescaling(1 / 255)], (0, 255)),
        ([layers.Rescaling(1 / 127.5, offset=-1)], (0, 255)),
        ([layers.Rescaling(2)], (0, 0.5)),
        ([], None),
    ],
)
def test_the_range_of_the_inputs_is_what_the_first_layer_makes_0_to_1(first, expected):
    model = keras.Sequential([keras.Input((28, 28)), *first, layers.Flatten()])
    assert input_range(model) == expected
    assert input_range(keras.Sequential([model, layers.Softmax()])) == expected


def test_training_leaves_a_file_that_answers_with_probabilities(tmp_path, capsys):
    path = tmp_path / "digits" / "1" / "model.keras"
    accuracy = digits.train(path, images=2560)
    assert [file.name for file in path.parent.iterdir()] == ["model.keras"]
    assert "training digits" in capsys.readouterr().out
    (_, _), (x_test, y_test) = load_mnist()
    p = load_keras(path).predict(x_test, batch_size=1000, verbose=0)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)
    assert (p >= 0).all()
    assert np.mean(p.argmax(axis=1) == y_test) == accuracy > 0.8
