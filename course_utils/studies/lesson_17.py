"""Studies of lesson 17: attributions and attacks of networks, and a defence.

What the lesson teaches as well is its own (`tests/lessons/test_lesson_17.py`). All numbers but the
tuning's are of the first test pictures, which were not looked at before.
"""

from __future__ import annotations

import numpy as np

from course_utils.studies import Study, Tuning

UPDATES, LEARNING_RATE = 1200, 0.002
OTHER = 1000  # added to a seed: the other network of its pair
ATTACKED = 400  # test pictures, of a defended network
STEPS = 64  # of integrated gradients
DELETED = range(0, 41, 5)  # ink pixels
ATTACK_STEPS = 20
CHANGES = (0.05, 0.1, 0.2)
METHODS = ("occlusion", "gradient", "product", "integrated", "cam", "ink", "random")
LEARNT = ("occlusion", "gradient", "product", "integrated", "cam", "random")  # ink is always ink
TOTALS = ("occlusion", "product", "integrated")


def pictures(part: str):
    """Return pictures (n, 28, 28, 1), float32, and labels, int32: "train", "val" or "test"."""
    from course_utils.models.lesson_12 import digits

    x, y = digits(part)
    return x.reshape(-1, 28, 28, 1), y.astype("int32")


def network_of(seed: int, updates=UPDATES, learning_rate=LEARNING_RATE, disturb=None):
    """Return a network trained from this seed."""
    from course_utils import attributions, environment

    environment.set_seed(seed)
    return attributions.train_digits(*pictures("train"), updates, learning_rate, disturb)


def maps_of(network, x, k, rng) -> dict[str, np.ndarray]:
    """Return the attribution of each picture by each of METHODS."""
    from course_utils import attributions as a

    return {
        "occlusion": a.occlusion(network, x, k),
        "gradient": a.gradient(network, x, k),
        "product": a.gradient_times_input(network, x, k),
        "integrated": a.integrated_gradients(network, x, k, STEPS),
        "cam": a.grad_cam(network, x, k),
        "random": rng.random(x.shape),
        "ink": x + 1e-4 * rng.random(x.shape),  # grey levels are 1/255 apart: only ties are drawn
    }


def answers_row(setting: dict, seed: int) -> dict:
    """Train two networks; return how their attributions fare, and how attacks do.

    kept_, other_: mean share of answers that stay while ink pixels are deleted in the order of an
    attribution of the first network, by the first and by the other one. all_, ink_: mean rank
    correlation of the sizes with those of an untrained network, over all and over ink pixels;
    signed_: of the values, over ink pixels; pair_: of the values with those of the other network.
    fgsm_, pgd_, signs_, transfer_: accuracy on changed pictures, by the change in hundredths.
    """
    from course_utils import attributions, environment

    environment.start()
    pair = [network_of(each, setting["updates"]) for each in (seed, seed + OTHER)]
    network, (x_test, y_test) = pair[0], pictures("test")
    environment.set_seed(seed)
    rng, untrained, x = (
        np.random.default_rng(seed),
        attributions.digit_network(),
        x_test[: setting["pictures"]],
    )
    k = attributions.answers(network, x)
    own, fresh, others = (maps_of(each, x, k, rng) for each in (network, untrained, pair[1]))
    row, ink, everywhere = {}, x > 0, np.ones(x.shape, bool)
    rise = attributions.logit(network, x, k) - attributions.logit(network, 0 * x, k)
    for name in TOTALS:
        row[f"sum_{name}"] = np.mean(own[name].sum(axis=(1, 2, 3)) / rise)
    for name in METHODS:
        row[f"kept_{name}"], row[f"other_{name}"] = (
            attributions.kept(each, x, own[name], DELETED).mean() for each in pair
        )
    compare = attributions.rank_correlation
    for name in LEARNT:
        a, b, c = own[name], fresh[name], others[name]
        row[f"all_{name}"] = compare(np.abs(a), np.abs(b), everywhere).mean()
        row[f"ink_{name}"] = compare(np.abs(a), np.abs(b), ink).mean()
        row[f"signed_{name}"] = compare(a, b, ink).mean()
        row[f"pair_{name}"] = compare(a, c, ink).mean()
    a, b = (np.abs(x * rng.standard_normal(x.shape)) for _ in range(2))
    row["all_noise"] = compare(a, b, everywhere).mean()
    row["ink_noise"] = compare(a, b, ink).mean()
    return row | attacked(pair, x, y_test[: len(x)])


def attacked(pair, x, y) -> dict[str, float]:
    """Return the accuracy of the first network on changed pictures, and on those for the other."""
    import tensorflow as tf

    from course_utils import attacks
    from course_utils.attributions import answers

    def accuracy(moved):
        return np.mean(answers(pair[0], moved) == y)

    x, row = tf.constant(x), {"clean": accuracy(x)}
    for change in CHANGES:
        signs = change * tf.sign(tf.random.normal(x.shape))
        moved = {
            "fgsm": attacks.fgsm(pair[0], x, y, change),
            "pgd": attacks.pgd(pair[0], x, y, change, ATTACK_STEPS),
            "signs": attacks.nearby(x + signs, x, change),
            "transfer": attacks.pgd(pair[1], x, y, change, ATTACK_STEPS),
        }
        row |= {f"{name}_{round(100 * change)}": accuracy(each) for name, each in moved.items()}
    return row


TOLERANCES = {  # smaller than the differences between the rows
    **{f"sum_{name}": each for name, each in zip(TOTALS, (0.1, 0.02, 0.0004), strict=True)},
    **{f"{kind}_{name}": 0.05 for kind in ("kept", "other") for name in METHODS},
    **{f"all_{name}": 0.0002 for name in ("occlusion", "product", "integrated")},
    **{"all_gradient": 0.1, "all_cam": 0.2, "all_random": 0.01, "all_noise": 0.0002},
    **{f"ink_{name}": 0.015 for name in ("occlusion", "product", "integrated", "noise")},
    **{"ink_gradient": 0.03, "ink_cam": 0.1, "ink_random": 0.03},
    **{f"{kind}_{name}": 0.04 for kind in ("signed", "pair") for name in LEARNT},
    **{"kept_ink": 0.02, "other_ink": 0.02, "kept_random": 0.02, "other_random": 0.03},
    "clean": 0.04,
    **{f"{name}_5": 0.1 for name in ("fgsm", "pgd", "transfer")},
    **{f"{name}_10": 0.1 for name in ("fgsm", "pgd", "transfer")},
    **{"signs_5": 0.04, "signs_10": 0.04, "signs_20": 0.1},
    **{"fgsm_20": 0.04, "pgd_20": 0.004, "transfer_20": 0.06},
}
ANSWERS = Study(
    name="17_answers",
    question="Which attribution finds what a network used, and how easily is it deceived?",
    arms=[{"updates": UPDATES, "pictures": 200}, {"updates": 100, "pictures": 20}],
    seeds=range(5),
    run_row=answers_row,
    tolerance=TOLERANCES,
    smoke={"updates": 100, "pictures": 20},
)


DEFENCE_STEPS = 2  # of PGD in each update: with the update itself, three gradients


def defence_row(setting: dict, seed: int) -> dict:
    """Train a network on attacked pictures (or, with max_change 0, on clean ones); attack it.

    val_own: accuracy on validation pictures that are attacked as in its training, by which the
    learning rate is chosen. clean: on all test pictures; fgsm_10, pgd_10, pgd_20: on the first 400
    under FGSM and PGD, by the change in hundredths.
    """
    import tensorflow as tf

    from course_utils import attacks, environment
    from course_utils.attributions import answers

    environment.start()
    change = setting["max_change"]

    def disturb(network, x, y):
        return attacks.pgd(network, x, y, change, DEFENCE_STEPS) if change else x

    network = network_of(seed, setting["updates"], setting["learning_rate"], disturb)

    def accuracy(part, number, attack):
        x, y = (each[:number] for each in pictures(part))
        return np.mean(answers(network, attack(network, tf.constant(x), y)) == y)

    def stronger(size):
        return lambda network, x, y: attacks.pgd(network, x, y, size, ATTACK_STEPS)

    return {
        "val_own": accuracy("val", 2000, disturb),
        "clean": accuracy("test", 10_000, lambda network, x, y: x),
        "fgsm_10": accuracy("test", ATTACKED, lambda *given: attacks.fgsm(*given, 0.1)),
        "pgd_10": accuracy("test", ATTACKED, stronger(0.1)),
        "pgd_20": accuracy("test", ATTACKED, stronger(0.2)),
    }


DEFENCES = Study(
    name="17_defences",
    question="What does training on attacked pictures buy, and what does it cost?",
    arms=[
        {"max_change": 0.0, "updates": 600},
        {"max_change": 0.0, "updates": 1800},
        {"max_change": 0.1, "updates": 600},
        {"max_change": 0.2, "updates": 600},
    ],
    seeds=range(5),
    run_row=defence_row,
    tolerance={"val_own": 0.02, "clean": 0.005, "fgsm_10": 0.15, "pgd_10": 0.15, "pgd_20": 0.1},
    tuning=Tuning({"learning_rate": [0.001, 0.002, 0.004]}, seeds=[100], by="val_own"),
)
STUDIES = [ANSWERS, DEFENCES]
