"""Studies of lesson 14: one family of networks over sizes, over training lengths and over data.

What the lesson teaches as well is its own (`tests/lessons/test_lesson_14.py`).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from course_utils.studies import Study, Tuning, product

PLACES = 8  # characters that the network reads
BATCH_SIZE = 512


@cache
def plays():
    """The plays as tokens, with TensorFlow started as the lessons do."""
    from course_utils import corpora, environment

    environment.start()
    return corpora.plays()


def new_parameters(units, num_symbols, rng):
    """First values: table (8 V, units), W (units, V), b (V,)."""
    table = rng.normal(0, PLACES**-0.5, size=(PLACES * num_symbols, units))
    W = rng.normal(0, units**-0.5, size=(units, num_symbols))
    return [each.astype("float32") for each in (table, W, np.zeros(num_symbols))]


def logits(theta, codes):
    """Logits of the next character, (B, V), from the codes of eight, (B, 8)."""
    import tensorflow as tf

    table, W, b = theta
    first_rows = np.arange(PLACES) * b.shape[0]
    a = tf.nn.relu(tf.reduce_sum(tf.gather(table, codes + first_rows), axis=1))
    return a @ W + b


def objective(theta, windows):
    """Mean cross-entropy of the last of nine characters, windows of shape (B, 9)."""
    import tensorflow as tf

    z = logits(theta, windows[:, :PLACES])
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(windows[:, PLACES], z))


def train(units, steps, learning_rate, text, num_symbols, seed):
    """Train a network of the family on windows drawn from the text; return its parameters."""
    import keras
    import tensorflow as tf

    from course_utils import environment
    from course_utils.training import minimize

    rng = environment.set_seed(seed)
    theta = [keras.Variable(each) for each in new_parameters(units, num_symbols, rng)]
    text = tf.constant(text)

    def terms(starts):
        windows = tf.gather(text, starts[:, None] + np.arange(PLACES + 1, dtype="int32"))
        return {"J": objective(theta, windows)}

    starts = np.arange(len(text) - PLACES, dtype="int32")
    options = {"updates": steps, "batch_size": BATCH_SIZE, "learning_rate": learning_rate}
    minimize(terms, theta, [starts], **options)
    return theta


def bits(theta, text):
    """Mean bits of each character of a text after the first eight."""
    starts = np.arange(len(text) - PLACES)
    losses = []
    for part in np.array_split(starts, 32):
        windows = text[part[:, None] + np.arange(PLACES + 1)]
        losses.append(float(objective(theta, windows)) * len(part))
    return sum(losses) / len(starts) / np.log(2)


def row(setting, seed):
    """Bits of a character of the validation and of the test plays."""
    corpus = plays()
    text = corpus.training[: setting.get("characters")]
    theta = train(
        setting["units"],
        setting["steps"],
        setting["learning_rate"],
        text,
        len(corpus.symbols),
        seed,
    )
    return {"val_bits": bits(theta, corpus.validation), "test_bits": bits(theta, corpus.test)}


RATES = [0.01, 0.03, 0.09]
BITS = {"val_bits": 0.03, "test_bits": 0.03}
SIZES = Study(
    name="14_sizes",
    question="How many bits does a character cost, by units of the network and by steps?",
    arms=[
        *product(units=[2, 4, 8, 16, 32, 64, 128], steps=[1920]),
        *product(units=[16, 32, 64], steps=[480]),
        *product(units=[64, 128, 256], steps=[120]),
    ],
    seeds=range(5),
    run_row=row,
    tolerance=BITS,
    tuning=Tuning({"learning_rate": RATES}, seeds=[100, 101], by="val_bits", largest=False),
    smoke={"units": 64, "steps": 120},
)
# Run only after the lesson held the prediction that it tests.
LARGER = Study(
    name="14_larger",
    question="How many bits does a character cost with networks larger than those of the law?",
    arms=product(units=[256, 512], steps=[1920]),
    seeds=range(5),
    run_row=row,
    tolerance=BITS,
    tuning=Tuning({"learning_rate": RATES}, seeds=[100, 101], by="val_bits", largest=False),
)
DATA = Study(
    name="14_data",
    question="How many bits does a character cost, by characters of training text and by steps?",
    arms=product(
        units=[64],
        characters=[4096, 16384, 65536, 262144, 1048576, 4194304],
        steps=[40, 160, 640, 2560],
        learning_rate=[0.03],
    ),
    seeds=range(5),
    run_row=row,
    tolerance=BITS,
    smoke={"units": 64, "characters": 4096, "steps": 40, "learning_rate": 0.03},
)
STUDIES = [SIZES, LARGER, DATA]
