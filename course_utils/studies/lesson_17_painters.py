"""Another study of lesson 17: a painter of digits that is steered.

What the lesson teaches as well is its own (`tests/lessons/test_lesson_17.py`). Steered are test
pictures, which were not looked at before.
"""

from __future__ import annotations

import numpy as np

from course_utils.studies import Study

CODE_SIZE, KL_WEIGHT = 16, 0.1
NAMES, KINDS = ("thick", "slant"), ("change", "gauss", "codes")
PROBED, STEERED, RANDOM = 10_000, 1000, 10  # training pictures, test pictures, directions


def painter_row(setting: dict, seed: int) -> dict:
    """Train a painter of digits (a VAE) and steer it: to thick strokes, to slanted ones, at random.

    read_: R² of a linear probe on test pictures, from codes and from the outputs of an
    untrained encoder. change_: mean change in standard deviations of the data, first what is
    steered, then what is measured; gauss_ and codes_: the mean size of this change for random
    directions of the same length, drawn from the normal distribution or between two random codes.
    same_: share of the pictures that the judge reads as the digit of before.
    """
    from course_utils import environment

    environment.start()
    environment.set_seed(seed)
    import tensorflow as tf

    from course_utils import models, painting, steering, strokes
    from course_utils.judging import judged
    from course_utils.models.lesson_12 import digits, judge_of

    judge, rng = judge_of(models.load("judge").weights), np.random.default_rng(seed)
    (x, y), (x_test, _) = digits("train"), digits("test")
    encoder, decoder = painting.train_vae(x, CODE_SIZE, KL_WEIGHT, setting["updates"])
    x, y = x[:PROBED], y[:PROBED]
    fresh = painting.dense_network([784, *painting.HIDDEN, 2 * CODE_SIZE])
    measures = {"thick": strokes.thickness, "slant": strokes.slant}
    amounts = {name: measure(x) for name, measure in measures.items()}
    u, u_test = (painting.clouds(encoder, part)[0].numpy() for part in (x, x_test))
    features = {
        "codes": (u, u_test),
        "fresh": [painting.clouds(fresh, part)[0].numpy() for part in (x, x_test)],
    }
    row = {}
    for name, measure in measures.items():
        for source, (known, new) in features.items():
            read = steering.fit_probe(known, amounts[name])(new)
            row[f"read_{name}_{source}"] = steering.explained(measure(x_test), read)

    def draw(codes):
        return tf.sigmoid(decoder(codes.astype("float32"))).numpy()

    u_test = u_test[:STEERED]
    before = draw(u_test)
    digits_before = judged(judge, before).digits

    def effect(vector):
        after = draw(u_test + vector)
        changes = [np.mean(f(after) - f(before)) / amounts[n].std() for n, f in measures.items()]
        return *changes, np.mean(judged(judge, after).digits == digits_before)

    for name in measures:
        vector = steering.steering_vector(u, y, amounts[name])
        found = {"change": effect(vector)}
        drawn = {
            "gauss": rng.standard_normal((RANDOM, CODE_SIZE)),
            "codes": np.subtract(*u[rng.integers(len(u), size=(2, RANDOM))]),
        }
        for kind, rows in drawn.items():
            rows *= np.linalg.norm(vector) / np.linalg.norm(rows, axis=1, keepdims=True)
            found[kind] = np.mean([np.abs(effect(each)) for each in rows], axis=0)
        for kind, (thick, slant, same) in found.items():
            row[f"{kind}_{name}_thick"], row[f"{kind}_{name}_slant"] = thick, slant
            row[f"same_{kind}_{name}"] = same
    return row


TOLERANCES = {
    **{f"read_{name}_{source}": 0.05 for name in NAMES for source in ("codes", "fresh")},
    **{f"{kind}_{a}_{b}": 0.1 for kind in KINDS for a in NAMES for b in NAMES},
    **{f"same_{kind}_{name}": 0.08 for kind in KINDS for name in NAMES},
    "change_thick_thick": 0.25,
    "change_thick_slant": 0.05,
}
PAINTERS = Study(
    name="17_painters",
    question="Does a steering vector change what was meant, and little else?",
    arms=[{"updates": 600}, {"updates": 40}],
    seeds=range(5),
    run_row=painter_row,
    tolerance=TOLERANCES,
    smoke={"updates": 40},
)
STUDIES = [PAINTERS]
