"""Studies of lesson 16: files of lesson 06's network, and pupils of a large teacher, over seeds.

What the lesson teaches as well is its own (`tests/lessons/test_lesson_16.py`).
"""

from __future__ import annotations

import zlib
from functools import cache

import numpy as np

from course_utils.studies import Study, Tuning, product

EPOCHS, LEARNING_RATE, REPRESENTATIVE = 4, 8e-3, 200
SPARSITIES = [0.8, 0.9]
BITS = [8, 4]
SCALES = {"layers": False, "channels": True}  # one scale for each
KINDS = {"float32": "float32", "dynamic range": "dynamic", "full int8": "int8"}
FILE_NAMES = [*KINDS.values(), *(f"pruned_{round(100 * share)}" for share in SPARSITIES)]


@cache
def parts():
    """The images of all parts; TensorFlow is started."""
    from course_utils import environment

    environment.start()
    from course_utils import edge

    return {part: edge.digits(part) for part in ("train", "val", "test")}


def errors(answer, name):
    """Return the shares of wrong validation and test images of a function to logits, by column."""
    return {
        f"{part}_{name}": np.mean(answer(parts()[part].x).argmax(axis=1) != parts()[part].y)
        for part in ("val", "test")
    }


def logits_of(model):
    """Return the function from images to the logits of a Keras model."""
    return lambda images: model.predict(images, batch_size=1000, verbose=0)


def file_numbers(model, kind, name):
    """Return bytes, zipped bytes and errors of one kind of file of a model, by column."""
    from course_utils import edge
    from course_utils.litert import LiteRTModel

    options = edge.litert_options(parts()["train"].x[:REPRESENTATIVE])[kind]
    content = edge.export(model, **options)
    sizes = {f"bytes_{name}": len(content), f"zipped_{name}": len(zlib.compress(content, 9))}
    return sizes | errors(LiteRTModel(content).logits, name)


def keep_largest(model, sparsity):
    """Set the smallest weights of all layers to zero, and keep them there in later training."""
    import tensorflow as tf

    kernels = [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]
    sizes = np.abs(np.concatenate([np.ravel(kernel) for kernel in kernels]))
    limit = np.quantile(sizes, sparsity)
    for kernel in kernels:
        mask = tf.constant(np.abs(kernel) > limit, tf.float32)
        kernel.assign(kernel * mask)
        kernel.constraint = lambda w, mask=mask: w * mask


def rounded(kernel, bits, per_channel):
    """Return weights rounded to whole multiples of a scale; the last axis is the channels."""
    axes = tuple(range(kernel.ndim - 1)) if per_channel else None
    largest = 2 ** (bits - 1) - 1
    scale = np.max(np.abs(kernel), axis=axes, keepdims=True) / largest
    return np.rint(kernel / scale) * scale


def files_row(setting, seed):
    """Bytes and errors of each file of lesson 06's network, and after pruning and coarse rounding.

    All files are of one training. Pruned networks are trained on for an epoch, each from the
    network as it was, and written as full int8.
    """
    from course_utils import edge, environment

    x, y = (array[: setting["images"]] for array in parts()["train"])
    environment.set_seed(seed)
    model = edge.digit_network(setting["filters"], dropout=0.3)
    edge.train(model, x, y, edge.label_loss(), EPOCHS, LEARNING_RATE)
    row = {}
    for kind, name in KINDS.items():
        row |= file_numbers(model, kind, name)
    plain = edge.without_normalisation(model)
    kernels = plain.get_weights()
    for bits in BITS:
        for scales, per_channel in SCALES.items():
            coarse = [rounded(w, bits, per_channel) if w.ndim > 1 else w for w in kernels]
            plain.set_weights(coarse)
            row |= errors(logits_of(plain), f"{bits}_bits_{scales}")
    trained = model.get_weights()
    for sparsity, name in zip(SPARSITIES, FILE_NAMES[len(KINDS) :], strict=True):
        pruned = edge.digit_network(setting["filters"], dropout=0.3)
        pruned.set_weights(trained)
        keep_largest(pruned, sparsity)
        environment.set_seed(1000 + seed)
        edge.train(pruned, x, y, edge.label_loss(), 1, LEARNING_RATE / 4)
        row |= file_numbers(pruned, "full int8", name)
    return row


FILES = Study(
    name="16_files",
    question="How many bytes does a file of lesson 06's network need, and how many errors has it?",
    arms=[{"filters": 16, "images": 55_000}, {"filters": 2, "images": 20_000}],
    seeds=range(5),
    run_row=files_row,
    # The smoke arm is hardly trained; pruned or with 4 bits it differs most between processors.
    tolerance={
        **{f"{size}_{name}": 1500 for name in FILE_NAMES for size in ("bytes", "zipped")},
        **{
            f"{part}_{name}": 0.15 if name.startswith("pruned") else 0.03
            for name in [*FILE_NAMES, *(f"{b}_bits_{s}" for b in BITS for s in SCALES)]
            for part in ("val", "test")
        },
    },
    smoke={"filters": 2, "images": 20_000},
)


@cache
def teacher_logits():
    """Return the teacher's logits of all training images, (n, 10)."""
    from course_utils import models
    from course_utils.models.lesson_16 import teacher_of

    images = parts()["train"].x
    return logits_of(teacher_of(models.load("teacher").weights))(images)


def distillation(temperature):
    """Return the loss of each image by logits of teacher and pupil, both of shape (B, 10)."""
    import keras

    def loss(teacher_logits, logits):
        target = keras.ops.softmax(teacher_logits / temperature)
        log_p = keras.ops.log_softmax(logits / temperature)
        return -(temperature**2) * keras.ops.sum(target * log_p, axis=-1)

    return loss


def pupil_row(setting, seed):
    """Errors of a small network that learnt from labels or from the teacher, and its int8 file.

    targets: "labels", also "on shifted images" as the teacher did; or "teacher, T = …".
    """
    from course_utils import edge, environment

    (x, labels), targets = parts()["train"], setting["targets"]
    if targets.startswith("teacher"):
        wanted, loss = teacher_logits(), distillation(float(targets.split("=")[1]))
    else:
        wanted, loss = labels, edge.label_loss()
    environment.set_seed(seed)
    pupil = edge.digit_network(setting["filters"])
    trained = edge.with_shifts(pupil) if targets.endswith("shifted images") else pupil
    edge.train(trained, x, wanted, loss, EPOCHS, setting["learning_rate"])
    return errors(logits_of(pupil), "error") | file_numbers(pupil, "full int8", "int8")


PUPILS = Study(
    name="16_pupils",
    question="Has a small network fewer errors if it learns from a large one and not from labels?",
    arms=[
        *product(filters=[2, 4, 8], targets=["labels", "teacher, T = 4"]),
        {"filters": 4, "targets": "teacher, T = 1"},
        {"filters": 4, "targets": "labels, on shifted images"},
    ],
    seeds=range(5),
    run_row=pupil_row,
    tolerance={
        **{"val_error": 0.01, "test_error": 0.01, "val_int8": 0.01, "test_int8": 0.01},
        **{"bytes_int8": 200, "zipped_int8": 200},
    },
    tuning=Tuning(
        {"learning_rate": [0.004, 0.008, 0.016, 0.032, 0.064]},
        seeds=[100],
        by="val_error",
        largest=False,
    ),
    smoke={"filters": 2, "targets": "labels"},
)
STUDIES = [FILES, PUPILS]
