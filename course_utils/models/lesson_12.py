"""Models of lesson 12: the judge that reads digits, and the painter that draws them.

The painter is what the page teaches: a variational autoencoder and a flow among its codes. The
page's own versions are proved equal to these in `tests/lessons/test_lesson_12.py`.
"""

from __future__ import annotations

import numpy as np

from course_utils.data import load_mnist
from course_utils.judging import judge_network, judged
from course_utils.models import Recipe

TRAINING_IMAGES = 55_000  # the other 5,000 are for validation, as in lesson 06


def digits(part: str):
    """Return pixels (n, 784), ink 1 and paper 0, and labels (n,): "train", "val" or "test"."""
    (images, labels), (test_images, test_labels) = load_mnist()
    if part == "test":
        images, labels = test_images, test_labels
    else:
        rows = slice(TRAINING_IMAGES) if part == "train" else slice(TRAINING_IMAGES, None)
        images, labels = images[rows], labels[rows]
    return images.reshape(-1, 784).astype("float32") / 255, labels.astype(int)


def train_judge(parameters: dict, seed: int) -> dict[str, np.ndarray]:
    """Return the weights of a trained `judge_network`, by place."""
    import keras

    from course_utils import environment

    environment.start()
    environment.set_seed(seed)
    x, y = digits("train")
    x, y = x[: parameters["images"]].reshape(-1, 28, 28, 1), y[: parameters["images"]]
    network = judge_network()
    reader = keras.Model(network.inputs, network.outputs[1])
    updates = parameters["epochs"] * -(-len(x) // 128)
    warm_up = min(100, updates // 5)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, updates - warm_up, warmup_target=4e-3, warmup_steps=warm_up
    )
    reader.compile(
        keras.optimizers.Adam(schedule),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    reader.fit(x, y, batch_size=128, epochs=parameters["epochs"], verbose=0)
    return {f"w{i:02d}": np.asarray(w, np.float32) for i, w in enumerate(network.get_weights())}


def judge_of(weights: dict[str, np.ndarray]):
    """Return the judge with these weights, a Keras model."""
    network = judge_network()
    network.set_weights([weights[name] for name in sorted(weights)])
    return network


def evaluate_judge(weights: dict, parameters: dict) -> dict[str, float]:
    """Return the share of the validation digits that the judge reads rightly."""
    x, y = digits("val")
    return {"val_accuracy": np.mean(judged(judge_of(weights), x).digits == y)}


JUDGE = Recipe(
    name="judge",
    purpose="reads digits and compares sets of pictures in lesson 12",
    train=train_judge,
    evaluate=evaluate_judge,
    parameters={"images": TRAINING_IMAGES, "epochs": 6},
    seed=0,
    again={"images": 5000, "epochs": 2},
    tolerance={"val_accuracy": 0.02},
)
RECIPES = [JUDGE]
