"""Model of lesson 16: the teacher, a wide network that small ones learn from."""

from __future__ import annotations

import numpy as np

from course_utils.models import Recipe


def train_teacher(parameters: dict, seed: int) -> dict[str, np.ndarray]:
    """Return the weights of a wide digit network, float16, by place.

    It is trained on the first images of the training part, shifted at random by up to two pixels.
    """
    from course_utils import edge, environment

    environment.start()
    environment.set_seed(seed)
    x, y = (array[: parameters["images"]] for array in edge.digits("train"))
    teacher = edge.digit_network(parameters["filters"], dropout=0.3)
    edge.train(edge.with_shifts(teacher), x, y, edge.label_loss(), parameters["epochs"], 8e-3)
    return {f"w{i:02d}": np.asarray(w, np.float16) for i, w in enumerate(teacher.get_weights())}


def teacher_of(weights: dict[str, np.ndarray]):
    """Return the teacher with these weights, a Keras model: images (n, 28, 28) to 10 logits."""
    from course_utils import edge

    arrays = [np.asarray(weights[name], np.float32) for name in sorted(weights)]
    teacher = edge.digit_network(arrays[0].shape[-1])
    teacher.set_weights(arrays)
    return teacher


def evaluate_teacher(weights: dict, parameters: dict) -> dict[str, float]:
    """Return the share of the validation digits that the teacher reads wrongly."""
    from course_utils import edge

    x, y = edge.digits("val")
    logits = teacher_of(weights).predict(x, batch_size=1000, verbose=0)
    return {"val_error": np.mean(logits.argmax(axis=1) != y)}


TEACHER = Recipe(
    name="teacher",
    purpose="the large network from which the small ones of lesson 16 learn",
    train=train_teacher,
    evaluate=evaluate_teacher,
    parameters={"filters": 32, "images": 55_000, "epochs": 8},
    seed=0,
    again={"images": 5000, "epochs": 1},
    tolerance={"val_error": 0.02},
)
RECIPES = [TEACHER]
