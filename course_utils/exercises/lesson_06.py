"""Exercises of lesson 06: counting parameters, scaling pixels, early stopping."""

import itertools

import numpy as np

from course_utils.exercises import Exercise, NotYet, expect_close


def _verify_count(answer) -> None:
    import keras

    for k, c_in, c_out, bias in ((3, 1, 4, True), (5, 3, 8, False), (2, 6, 5, True)):
        layer = keras.layers.Conv2D(c_out, k, use_bias=bias)
        layer.build((None, 8, 8, c_in))
        what = f"parameters for k={k}, c_in={c_in}, c_out={c_out}, bias={bias}, as Keras counts"
        expect_close(what, answer(k, c_in, c_out, bias), layer.count_params())


def _verify_scale(answer) -> None:
    images = np.arange(0, 256, 5, dtype=np.uint8).reshape(1, 4, 13)
    original = images.copy()
    found = answer(images)
    if not np.array_equal(images, original):
        raise NotYet("the input: expected it unchanged after the call, found other pixels in it")
    if not hasattr(found, "dtype"):
        raise NotYet(f"the result: expected an array, found {type(found).__name__}")
    if found.dtype != np.float32 and np.issubdtype(found.dtype, np.floating):
        raise NotYet(f"dtype: expected float32, found {found.dtype}, which is twice the memory")
    if found.dtype != np.float32:
        raise NotYet(f"dtype: expected float32, found {found.dtype}; whole numbers cannot hold 0.5")
    if found.shape == images.shape and np.max(found) > 1:
        raise NotYet(f"range: expected values from 0 to 1, found a largest value {np.max(found):g}")
    expect_close("pixels 0, 5, …, 255 divided by 255", found, original / 255)


def _early_stopping(val_losses, patience) -> int:
    best, waited = 0, 0
    for epoch in range(1, len(val_losses)):
        waited = 0 if val_losses[epoch] < val_losses[best] else waited + 1
        best = epoch if waited == 0 else best
        if waited == patience:
            break
    return best


def _verify_stop(answer) -> None:
    cases = [
        ([0.5, 0.4, 0.3, 0.35, 0.36], 2),
        ([0.5, 0.4, 0.3], 2),  # still improving at the end
        ([0.5, 0.3, 0.4, 0.4, 0.2, 0.4, 0.4, 0.4, 0.1], 2),  # lower losses after the stop
        ([0.5, 0.3, 0.4, 0.4, 0.2, 0.4, 0.4, 0.4, 0.1], 3),  # with more patience one is seen
        ([0.3, 0.3, 0.3, 0.1], 2),  # an equal loss is no improvement
    ]
    cases += [(list(p), 1) for p in itertools.permutations([0.1, 0.2, 0.3, 0.4])]
    for val_losses, patience in cases:
        what = f"epoch kept for val_losses={val_losses}, patience={patience}"
        expect_close(what, answer(val_losses, patience), _early_stopping(val_losses, patience))


EXERCISES = [
    Exercise(
        id="06.1",
        title="parameters of a convolution",
        solution="""
def answer(k, c_in, c_out, bias):
    return (k * k * c_in + bias) * c_out
""",
        hints=[
            "One output channel has one kernel. How many numbers are in it, if it reads every "
            "input channel?",
            "A kernel has k · k · c_in numbers, and there is one for each output channel.",
            "A bias is one number for each output channel, whatever the kernel.",
        ],
        verify=_verify_count,
        right=[
            "def answer(k, c_in, c_out, bias):\n"
            "    return k**2 * c_in * c_out + (c_out if bias else 0)"
        ],
        wrong=[
            (
                "def answer(k, c_in, c_out, bias):\n    return k * k * c_in * c_out",
                "k=3, c_in=1, c_out=4, bias=True, as Keras counts: expected 40, found 36",
            ),
            (
                "def answer(k, c_in, c_out, bias):\n    return (k * k + bias) * c_out",
                "k=5, c_in=3, c_out=8, bias=False, as Keras counts: expected 600, found 200",
            ),
            (
                "def answer(k, c_in, c_out, bias):\n    return (k * c_in + bias) * c_out",
                "expected 40, found 16",
            ),
            (
                "def answer(k, c_in, c_out, bias):\n    return k * k * c_in * c_out + bias",
                "expected 40, found 37",
            ),
        ],
    ),
    Exercise(
        id="06.2",
        title="pixels as a network wants them",
        solution="""
def answer(images):
    return images.astype("float32") / 255
""",
        hints=[
            "Divide by the largest value that a byte can have.",
            "uint8 divided by a Python number becomes float64. Change the type before dividing.",
        ],
        verify=_verify_scale,
        right=[
            "def answer(images):\n    return images / np.float32(255)",
            'def answer(images):\n    return np.divide(images, 255, dtype="float32")',
        ],
        wrong=[
            ("def answer(images):\n    return images / 255", "found float64"),
            ("def answer(images):\n    return images // 255", "whole numbers cannot hold 0.5"),
            ('def answer(images):\n    return images.astype("float32")', "largest value 255"),
            (
                'def answer(images):\n    return images.astype("float32") / 256',
                "pixels 0, 5, …, 255 divided by 255",
            ),
            (
                "def answer(images):\n    images //= 255\n    return images.astype('float32')",
                "expected it unchanged",
            ),
        ],
    ),
    Exercise(
        id="06.3",
        title="the epoch that early stopping keeps",
        solution="""
def answer(val_losses, patience):
    best, waited = 0, 0
    for epoch in range(1, len(val_losses)):
        if val_losses[epoch] < val_losses[best]:
            best, waited = epoch, 0
        else:
            waited += 1
            if waited == patience:
                break
    return best
""",
        hints=[
            "Go through the epochs in order and remember two things: the best epoch so far, and "
            "how many epochs have passed since.",
            "A new lowest loss resets the count; anything else, an equal loss too, adds one.",
            "When the count reaches patience, leave the loop. Return the best epoch, not the last.",
        ],
        verify=_verify_stop,
        right=[
            "def answer(val_losses, patience):\n"
            "    best = 0\n"
            "    for epoch, loss in enumerate(val_losses):\n"
            "        if loss < val_losses[best]:\n"
            "            best = epoch\n"
            "        elif epoch - best >= patience:\n"
            "            return best\n"
            "    return best"
        ],
        wrong=[
            (
                "def answer(val_losses, patience):\n    return int(np.argmin(val_losses))",
                "0.1], patience=2: expected 1, found 8",
            ),
            (
                "def answer(val_losses, patience):\n"
                "    best = 0\n"
                "    for epoch, loss in enumerate(val_losses):\n"
                "        if loss < val_losses[best]:\n"
                "            best = epoch\n"
                "        elif epoch - best >= patience:\n"
                "            return epoch\n"
                "    return best",
                "[0.5, 0.4, 0.3, 0.35, 0.36], patience=2: expected 2, found 4",
            ),
            (
                "def answer(val_losses, patience):\n"
                "    best = 0\n"
                "    for epoch, loss in enumerate(val_losses):\n"
                "        if loss < val_losses[best]:\n"
                "            best = epoch\n"
                "        elif epoch - best > patience:\n"
                "            return best\n"
                "    return best",
                "0.1], patience=2: expected 1, found 4",
            ),
            (
                "def answer(val_losses, patience):\n"
                "    best = 0\n"
                "    for epoch, loss in enumerate(val_losses):\n"
                "        if loss <= val_losses[best]:\n"
                "            best = epoch\n"
                "        elif epoch - best >= patience:\n"
                "            return best\n"
                "    return best",
                "[0.3, 0.3, 0.3, 0.1], patience=2: expected 0, found 3",
            ),
        ],
    ),
]
