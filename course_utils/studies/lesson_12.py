"""Study of lesson 12: painters of digits, judged on validation digits, over seeds."""

from __future__ import annotations

import numpy as np

from course_utils.studies import Study

CODE_SIZE = 24
VAE_UPDATES, FLOW_UPDATES = 2400, 4000
GUIDANCE = [1.0, 1.25, 1.5, 2.0, 3.0]


def painter_row(setting, seed):
    """Train one painter; return how far its pictures are from real validation digits.

    Half A of these is compared with one picture for each label of half B, so that half B itself
    gives the floor. A `kl_weight` of 0 means an autoencoder without clouds, whose codes are divided
    by their size before the flow; `share` is the part of the updates that the page makes.
    """
    from course_utils import environment

    environment.start()
    environment.set_seed(seed)
    import tensorflow as tf

    from course_utils import models, painting
    from course_utils.judging import frechet_distance, judged, within_class_variance
    from course_utils.models.lesson_12 import digits, judge_of

    judge = judge_of(models.load("judge").weights)
    rng = np.random.default_rng([seed, 1])
    (x, y), (x_val, y_val) = digits("train"), digits("val")
    half_a, half_b = np.split(np.random.default_rng([seed, 2]).permutation(len(x_val)), 2)
    real_a, real_b = (judged(judge, x_val[half]).features for half in (half_a, half_b))
    x_b, y_b, one_hot = x_val[half_b], y_val[half_b], np.eye(10, dtype="float32")

    vae_updates, flow_updates = (
        round(setting["share"] * updates) for updates in (VAE_UPDATES, FLOW_UPDATES)
    )
    if setting["kl_weight"]:
        encoder, decoder = painting.train_vae(x, CODE_SIZE, setting["kl_weight"], vae_updates)
        mu, sigma = (part.numpy() for part in painting.clouds(encoder, x))
        codes_b, scale = painting.clouds(encoder, x_b)[0], 1.0
    else:
        encoder, decoder = painting.train_plain(x, CODE_SIZE, vae_updates)
        mu, codes_b = encoder(x).numpy(), encoder(x_b)
        scale = np.sqrt(np.mean(mu**2, axis=0))
        mu, sigma = mu / scale, np.zeros_like(mu)

    def see(codes):
        return judged(judge, tf.sigmoid(decoder(codes * scale)).numpy())

    def distance(seen):
        return frechet_distance(seen.features, real_a)

    def noise():
        return rng.standard_normal((len(x_b), CODE_SIZE)).astype("float32")

    spread = np.sqrt(np.var(mu, axis=0) + np.mean(sigma**2, axis=0))
    random = noise() if setting["kl_weight"] else mu.mean(axis=0) + spread * noise()
    numbers = {
        "val_floor": frechet_distance(real_b, real_a),
        "val_restored": distance(see(codes_b / scale)),
        "val_random": distance(see(random)),
    }
    flow = painting.train_flow(mu, sigma, one_hot[y], flow_updates)
    ways = {f"{round(100 * g)}": (g, painting.STEPS) for g in GUIDANCE} | {"one_step": (1.0, 1)}
    for name, (guidance, steps) in ways.items():
        seen = see(flow.draw(noise(), one_hot[y_b], guidance, steps))
        variance = within_class_variance(seen.features, y_b) / within_class_variance(real_b, y_b)
        numbers |= {
            f"val_distance_{name}": distance(seen),
            f"val_agreement_{name}": np.mean(seen.digits == y_b),
            f"val_variance_{name}": variance,
        }
    return numbers


CODES = Study(
    name="12_codes",
    question="How far from real digits are pictures drawn from codes, by what shaped the codes?",
    arms=[
        {"kl_weight": 0.03, "share": 1.0},
        {"kl_weight": 0.0, "share": 1.0},
        {"kl_weight": 0.03, "share": 0.1},
    ],
    seeds=range(5),
    run_row=painter_row,
    # The smoke arm is hardly trained, far from the others, and differs most between processors.
    tolerance={
        **{"val_floor": 0.1, "val_restored": 10.0, "val_random": 25.0},
        **{f"val_distance_{name}": 20.0 for name in ("100", "125", "150", "200", "300")},
        **{f"val_agreement_{name}": 0.1 for name in ("100", "125", "150", "200", "300")},
        **{"val_variance_100": 0.04},
        **{f"val_variance_{name}": 0.1 for name in ("125", "150", "200", "300")},
        **{"val_distance_one_step": 25.0, "val_agreement_one_step": 0.1},
        **{"val_variance_one_step": 0.1},
    },
    smoke={"kl_weight": 0.03, "share": 0.1},
)
STUDIES = [CODES]
