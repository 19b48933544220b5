"""Studies of lesson 15: search of pictures with words, and two senses joined in several ways.

Encoders, loss, networks and trainings are the lesson's own (`tests/lessons/test_lesson_15.py`).
"""

from __future__ import annotations

import numpy as np

from course_utils.studies import Study, Tuning

WIDTH, PAIRS, SEARCH_UPDATES = 32, 64, 600  # numbers of an embedding, pairs of a batch
GALLERIES = 10  # sets of scenes that are searched
IMAGE_NOISE, SOUND_NOISE = 1.2, 0.8
FUSION_UPDATES, BATCH_SIZE, UNITS = 600, 128, 128
DROPPED = 0.25  # share of the pairs that lose one sense, for each of the two


def start(seed):
    """Start TensorFlow as the lessons do, once; return the generator of a seed."""
    from course_utils import environment

    environment.start()
    return environment.set_seed(seed)


def contrastive(u_image, u_text, temperature):
    """Return the contrastive loss of embeddings (B, width); row i of each is a pair."""
    import keras
    import tensorflow as tf

    z = u_image @ tf.transpose(u_text) / temperature
    pair = tf.range(tf.shape(z)[0])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return (loss(pair, z) + loss(pair, tf.transpose(z))) / 2


def make_encoders(text):
    """Return an encoder of scenes and one of captions; text: "bag" or "sequence" of words."""
    import keras
    from keras import layers

    from course_utils import scenes

    image_encoder = keras.Sequential(
        [
            layers.Conv2D(16, 5, strides=2, activation="relu"),
            layers.Conv2D(32, 3, strides=2, activation="relu"),
            layers.Flatten(),
            layers.Dense(128, "relu"),
            layers.Dense(WIDTH),
            layers.UnitNormalization(),
        ]
    )
    text_encoder = keras.Sequential(
        [
            layers.Embedding(len(scenes.WORDS), WIDTH),
            layers.Flatten() if text == "sequence" else layers.GlobalAveragePooling1D(),
            layers.Dense(128, "relu"),
            layers.Dense(WIDTH),
            layers.UnitNormalization(),
        ]
    )
    image_encoder.build((None, scenes.SIDE, scenes.SIDE, 1))
    text_encoder.build((None, scenes.NUM_TOKENS))
    return image_encoder, text_encoder


def draw_captions(batches, known, number, rng):
    """Return different captions for a batch.

    batches: "any" of those known; "never mirrored": no caption beside its own with the digits
    exchanged; "one order": only those with the smaller digit first.
    """
    from course_utils import scenes

    if batches == "any":
        return known[rng.choice(len(known), number, replace=False)]
    one_order = known[known[:, 0] < known[:, 2]]
    drawn = one_order[rng.choice(len(one_order), number, replace=False)]
    if batches == "one order":
        return drawn
    return np.where(rng.random((number, 1)) < 0.5, drawn, scenes.mirrored(drawn))


def train_search(encoders, updates, learning_rate, temperature, rng, batches="any"):
    """Train two encoders on scenes with captions; return the loss of each update."""
    import keras
    import tensorflow as tf

    from course_utils import scenes

    digits = scenes.Digits("training")
    known = scenes.CAPTIONS[~scenes.is_held_out(scenes.CAPTIONS)]
    image_encoder, text_encoder = encoders
    variables = image_encoder.trainable_variables + text_encoder.trainable_variables
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, updates)
    optimizer = keras.optimizers.Adam(schedule)
    optimizer.build(variables)

    @tf.function
    def update(pictures, words):
        with tf.GradientTape() as tape:
            J = contrastive(image_encoder(pictures), text_encoder(words), temperature)
        optimizer.apply(tape.gradient(J, variables), variables)
        return J

    losses = []
    for _ in range(updates):
        captions = draw_captions(batches, known, PAIRS, rng)
        pictures = tf.constant(digits.draw(captions, rng)[..., None])
        losses.append(float(update(pictures, tf.constant(scenes.to_tokens(captions)))))
    return np.array(losses)


def share_found(encoders, digits, captions, candidates, rng):
    """Return how often the caption of a scene, and the scene of a caption, comes first.

    captions: one scene is drawn of each; candidates: the captions among which each scene searches,
    first those of the scenes.
    """
    from course_utils import scenes

    image_encoder, text_encoder = encoders
    u_text, own, shares = text_encoder(scenes.to_tokens(candidates)), np.arange(len(captions)), []
    for _ in range(GALLERIES):
        similar = image_encoder(digits.draw(captions, rng)[..., None]) @ np.transpose(u_text)
        of_own = np.asarray(similar)[:, : len(captions)]
        shares.append([np.mean(np.argmax(similar, 1) == own), np.mean(np.argmax(of_own, 0) == own)])
    return np.mean(shares, axis=0)


def share_in_order(encoders, digits, captions, rng):
    """Return how often a scene is nearer to its caption than to the mirrored one; ties are half."""
    from course_utils import scenes

    image_encoder, text_encoder = encoders
    own, mirrored = (
        np.asarray(text_encoder(scenes.to_tokens(each)))
        for each in (captions, scenes.mirrored(captions))
    )
    shares = []
    for _ in range(GALLERIES):
        u_image = np.asarray(image_encoder(digits.draw(captions, rng)[..., None]))
        nearer = np.sum(u_image * (own - mirrored), axis=1)
        shares.append(np.mean(np.where(np.abs(nearer) < 1e-5, 0.5, nearer > 0)))
    return np.mean(shares)


def search_row(setting, seed):
    """Shares of searches whose first answer is right, and of captions told from mirrored ones."""
    rng = start(seed)

    from course_utils import scenes

    encoders = make_encoders(setting["text"])
    train_search(
        *(encoders, SEARCH_UPDATES, setting["learning_rate"], setting["temperature"], rng),
        setting["batches"],
    )
    held_out = scenes.is_held_out(scenes.CAPTIONS)
    known, new = scenes.CAPTIONS[~held_out], scenes.CAPTIONS[held_out]
    validation, test = scenes.Digits("validation"), scenes.Digits("test")
    to_text, to_picture = share_found(encoders, test, known, known, rng)
    return {
        "val_found": share_found(encoders, validation, known, known, rng).mean(),
        "picture_to_text": to_text,
        "text_to_picture": to_picture,
        "new_of_20": share_found(encoders, test, new, new, rng)[0],
        "new_of_180": share_found(encoders, test, new, np.concatenate([new, known]), rng)[0],
        "known_of_180": share_found(encoders, test, known, np.concatenate([known, new]), rng)[0],
        "in_order": share_in_order(encoders, test, known[known[:, 0] > known[:, 2]], rng),
    }


SEARCH = Study(
    name="15_search",
    question="What does a search with words find, and does it notice the order of the words?",
    arms=[
        {"text": "bag", "batches": "any"},
        {"text": "sequence", "batches": "any"},
        {"text": "sequence", "batches": "never mirrored"},
        {"text": "sequence", "batches": "one order"},
    ],
    seeds=range(5),
    run_row=search_row,
    tolerance={
        "val_found": 0.08,
        "picture_to_text": 0.08,
        "text_to_picture": 0.08,
        "new_of_20": 0.1,
        "new_of_180": 0.15,
        "known_of_180": 0.1,
        "in_order": 0.1,
    },
    tuning=Tuning(
        {"learning_rate": [0.001, 0.003, 0.01], "temperature": [0.05, 0.1, 0.2]},
        seeds=[100],
        by="val_found",
    ),
    smoke={"text": "sequence", "batches": "any"},
)


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
STUDIES = [SEARCH, FUSION]
