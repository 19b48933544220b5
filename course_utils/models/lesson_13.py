"""Models of lesson 13: a Transformer that writes plays by Shakespeare, and one that writes tunes.

`rebuild` makes the Keras model from the weights. Other lessons read the symbols of its tokens with
`course_utils.corpora`.
"""

from __future__ import annotations

import numpy as np

from course_utils.models import Recipe

VALIDATED = 2**16  # tokens of the validation data, from its start
BLOCK = [
    *("norm_1_scale", "norm_1_offset", "qkv_weights", "qkv_biases", "join_weights", "join_biases"),
    *("norm_2_scale", "norm_2_offset", "hidden_weights", "hidden_biases"),
    *("back_weights", "back_biases"),
]


def names(num_layers: int) -> list[str]:
    """Return the names of the arrays of a Transformer, in the order of Keras's weights."""
    blocks = [f"block_{i}_{name}" for i in range(1, num_layers + 1) for name in BLOCK]
    return [
        "token",
        "place",
        *blocks,
        "norm_scale",
        "norm_offset",
        "logits_weights",
        "logits_biases",
    ]


def build(parameters: dict):
    """Return the untrained Transformer of these parameters, and its corpus."""
    from course_utils.corpora import CORPORA
    from course_utils.text_models import transformer

    corpus = CORPORA[parameters["corpus"]]()
    shape = [parameters[name] for name in ("length", "width", "num_layers", "num_heads", "dropout")]
    return transformer(len(corpus.symbols), *shape), corpus


def rebuild(weights: dict, parameters: dict):
    """Return the trained Transformer, a Keras model, and its corpus."""
    model, corpus = build(parameters)
    model.set_weights(
        [weights[name].astype(np.float32) for name in names(parameters["num_layers"])]
    )
    return model, corpus


def train(parameters: dict, seed: int) -> dict:
    """Return the weights by name, in float16."""
    from course_utils import environment

    environment.start()

    from course_utils import text_models

    rng = environment.set_seed(seed)
    model, corpus = build(parameters)
    batch_size, number = parameters["batch_size"], parameters["batch_size"] * parameters["steps"]
    examples = text_models.pieces(corpus.training, parameters["length"], number, rng)
    text_models.train(model, examples, batch_size, parameters["learning_rate"])
    arrays = [np.asarray(array, np.float16) for array in model.get_weights()]
    return dict(zip(names(parameters["num_layers"]), arrays, strict=True))


def evaluate(weights: dict, parameters: dict) -> dict:
    """Return the bits for each token of the start of the validation data."""
    from course_utils import text_models

    model, corpus = rebuild(weights, parameters)
    length, tokens = parameters["length"], corpus.validation[:VALIDATED]
    return {"val_bits": text_models.bits(model, tokens, length, length // 2).mean()}


SHAKESPEARE = Recipe(
    name="shakespeare",
    purpose="the language model of lessons 13 and 20 to 22",
    train=train,
    evaluate=evaluate,
    parameters={
        "corpus": "plays",
        "length": 64,
        "width": 128,
        "num_layers": 4,
        "num_heads": 4,
        "dropout": 0.0,
        "batch_size": 32,
        "steps": 10000,
        "learning_rate": 0.003,
    },
    seed=0,
    again={"steps": 20},
    tolerance={"val_bits": 0.02},
)
TUNES = Recipe(
    name="tunes",
    purpose="the writer of tunes of lessons 13 and 22",
    train=train,
    evaluate=evaluate,
    parameters={
        "corpus": "tunes",
        "length": 64,
        "width": 128,
        "num_layers": 2,
        "num_heads": 4,
        "dropout": 0.2,
        "batch_size": 32,
        "steps": 1500,
        "learning_rate": 0.003,
    },
    seed=0,
    again={"steps": 20},
    tolerance={"val_bits": 0.05},
)
RECIPES = [SHAKESPEARE, TUNES]
