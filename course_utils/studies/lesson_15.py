"""Study of lesson 15: two senses joined in several ways, and one of them missing.

The networks and their training are the lesson's own (`tests/lessons/test_lesson_15.py`).
"""

from __future__ import annotations

import numpy as np

from course_utils.studies import Study, Tuning

IMAGE_NOISE, SOUND_NOISE = 1.2, 0.8
FUSION_UPDATES, BATCH_SIZE, UNITS = 600, 128, 128
DROPPED = 0.25  # share of the pairs that lose one sense, for each of the two


def start(seed):
    """Start TensorFlow as the lessons do, once; return the generator of a seed."""
    from course_utils import environment

    environment.start()
    return environment.set_seed(seed)


def joined(pairs, senses):
    """Return the numbers of one sense or of both, side by side, (n, d)."""
    return np.concatenate([getattr(pairs, sense) for sense in senses], axis=1)


def drop_senses(pairs, share, rng):
    """Return pairs of which a share has no picture, and another such share no sound."""
    u = rng.random((len(pairs.digits), 1), dtype=np.float32)
    return pairs._replace(images=pairs.images * (u >= share), sounds=pairs.sounds * (u < 1 - share))


def train_network(senses, draw, updates, learning_rate, rng, dropped=0.0):
    """Return a network that answers from one sense, or from both; draw: (number, rng) → pairs."""
    import keras
    from keras import layers

    hidden = layers.Dense(UNITS * len(senses), "relu")
    model = keras.Sequential([hidden, layers.Dense(10, "softmax")])
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, updates)
    model.compile(keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy")
    for _ in range(updates // 50):
        pairs = drop_senses(draw(50 * BATCH_SIZE, rng), dropped, rng)
        model.fit(joined(pairs, senses), pairs.digits, BATCH_SIZE, verbose=0, shuffle=False)
    return model


def product_of(p, q):
    """Return the probabilities of two senses, (n, classes) each, multiplied and scaled to 1."""
    return p * q / np.sum(p * q, axis=1, keepdims=True)


def answers(fusion, models, pairs, missing):
    """Return probabilities (n, 10) for pairs of which one sense, or none, is missing ("")."""
    if fusion.startswith("late"):
        each = {
            sense: model.predict(getattr(pairs, sense), 1000, verbose=0)
            for sense, model in models.items()
            if sense != missing
        }
        if missing:
            return next(iter(each.values()))
        p, q = each.values()
        return product_of(p, q) if fusion == "late, product" else (p + q) / 2
    (senses,), (model,) = models, models.values()
    return model.predict(joined(pairs, senses), 1000, verbose=0)


def without(pairs, missing, put=0.0):
    """Return pairs in which every row of a sense is replaced, by zeros or by an average row."""
    if not missing:
        return pairs
    return pairs._replace(**{missing: np.zeros_like(getattr(pairs, missing)) + np.float32(put)})


def fusion_row(setting, seed):
    """Accuracy with both senses, and where one is silent or black, or replaced by an average."""
    rng = start(seed)

    from course_utils.senses import Senses

    fusion, noises = setting["fusion"], (IMAGE_NOISE, SOUND_NOISE)
    training, validation, test = (
        Senses(part, *noises) for part in ("training", "validation", "test")
    )
    options = FUSION_UPDATES, setting["learning_rate"], rng
    if fusion.startswith("late"):
        models = {s: train_network((s,), training.draw, *options) for s in ("images", "sounds")}
    else:
        senses = {"image": ("images",), "sound": ("sounds",)}.get(fusion, ("images", "sounds"))
        dropped = DROPPED if fusion == "early, dropout" else 0.0
        models = {senses: train_network(senses, training.draw, *options, dropped)}

    def accuracy(pairs, missing=""):
        return np.mean(answers(fusion, models, pairs, missing).argmax(axis=1) == pairs.digits)

    pairs, average = test.draw(10_000, rng), training.average
    return {
        "val_both": accuracy(validation.draw(10_000, rng)),
        "both": accuracy(pairs),
        "no_sound": accuracy(without(pairs, "sounds"), "sounds"),
        "no_image": accuracy(without(pairs, "images"), "images"),
        "average_sound": accuracy(without(pairs, "sounds", average.sounds), "sounds"),
        "average_image": accuracy(without(pairs, "images", average.images), "images"),
    }


FUSION = Study(
    name="15_fusion",
    question="How often is a digit right that was seen and heard, and when one sense is missing?",
    arms=[
        {"fusion": fusion}
        for fusion in ("image", "sound", "late, product", "late, mean", "early", "early, dropout")
    ],
    seeds=range(5),
    run_row=fusion_row,
    tolerance={
        "val_both": 0.02,
        "both": 0.02,
        "no_sound": 0.05,
        "no_image": 0.05,
        "average_sound": 0.05,
        "average_image": 0.05,
    },
    tuning=Tuning({"learning_rate": [0.0003, 0.001, 0.003, 0.01]}, seeds=[100], by="val_both"),
    smoke={"fusion": "early"},
)
STUDIES = [FUSION]
