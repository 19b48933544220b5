"""Exercises of lesson 16: a range in a byte, a zero point in a bias, a pull, a mask."""

import numpy as np

from course_utils.exercises import Exercise, NotYet, expect_close


def _verify_range(answer) -> None:
    for low, high in ((0.0, 2.55), (-1.0, 1.55), (-6.0, 0.0), (-0.7, 6.1), (-3.0, 2.0)):
        what = f"low={low:g}, high={high:g}"
        found = answer(low, high)
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise NotYet(f"{what}: found {found!r}, expected a pair: scale, zero point")
        scale, zero = found
        expected = (high - low) / 255
        expect_close(f"{what}: scale", scale, expected)
        if float(zero) != round(float(zero)):
            raise NotYet(f"{what}: the zero point is {float(zero):.4g}, expected a whole number")
        expect_close(f"{what}: zero point", zero, np.rint(-128 - low / expected))


def _verify_folded(answer) -> None:
    rng = np.random.default_rng(0)
    for outputs, inputs, zero in ((1, 2, -128), (3, 5, 7), (4, 300, -128), (2, 4, 0)):
        weights = rng.integers(-127, 128, (outputs, inputs)).astype(np.int8)
        bias = rng.integers(-1000, 1000, outputs).astype(np.int32)
        q = rng.integers(-128, 128, inputs)
        what = f"{outputs} neurons with {inputs} inputs, zero_point={zero}"
        found = np.asarray(answer(weights, bias, zero))
        if found.shape != (outputs,):
            raise NotYet(f"{what}: found shape {found.shape}, expected one number for each neuron")
        whole = weights.astype(int)
        expect_close(f"{what}: the sums", whole @ q + found, whole @ (q - zero) + bias)


def _verify_pull(answer) -> None:
    rng = np.random.default_rng(1)
    for temperature in (1.0, 3.0, 10.0):
        teacher, pupil = rng.normal(size=(2, 5)) * 3
        soft = [np.exp(z / temperature) for z in (pupil, teacher)]
        ours, target = (each / each.sum() for each in soft)
        what = f"five classes, temperature={temperature:g}: the gradient"
        expect_close(what, answer(teacher, pupil, temperature), temperature * (ours - target))


def _verify_mask(answer) -> None:
    rng = np.random.default_rng(2)
    for number, share in ((16, 0.5), (1000, 0.9), (13, 0.0), (1001, 1.0)):
        weights = rng.integers(1, 128, number).astype(np.int8)
        weights[: round(share * number)] = 0
        weights = rng.permutation(weights)
        what = f"{number} weights, {share:.0%} of them zero: bytes"
        expect_close(what, answer(weights), -(-number // 8) + np.sum(weights != 0))


EXERCISES = [
    Exercise(
        id="16.1",
        title="a range in a byte",
        solution="""
def answer(low, high):
    scale = (high - low) / 255
    return scale, round(-128 - low / scale)
""",
        hints=[
            "256 bytes have 255 steps between them; how long is a step if they reach from low to "
            "high?",
            "low becomes the byte -128. By how many steps does zero lie above low?",
            "The zero point is a byte itself, so it is rounded to a whole number.",
        ],
        verify=_verify_range,
        right=[
            "def answer(low, high):\n"
            "    steps = np.linspace(low, high, 256)\n"
            "    scale = steps[1] - steps[0]\n"
            "    return scale, int(np.rint(127 - high / scale))"
        ],
        wrong=[
            (
                "def answer(low, high):\n"
                "    scale = (high - low) / 256\n"
                "    return scale, round(-128 - low / scale)",
                "low=0, high=2.55: scale",
            ),
            (
                "def answer(low, high):\n"
                "    scale = (high - low) / 255\n"
                "    return scale, -128 - low / scale",
                "expected a whole number",
            ),
            (
                "def answer(low, high):\n    return (high - low) / 255, -128",
                "low=-1, high=1.55: zero point",
            ),
            (
                "def answer(low, high):\n    return max(-low, high) / 127, 0",
                "low=0, high=2.55: scale",
            ),
        ],
    ),
    Exercise(
        id="16.2",
        title="the zero point goes into the bias",
        solution="""
def answer(weights, bias, zero_point):
    return bias - zero_point * weights.astype(int).sum(axis=1)
""",
        hints=[
            "Multiply out: weight * (q - zero_point) is weight * q - weight * zero_point.",
            "The second part does not depend on the image. Add it up over the inputs of a neuron.",
            "An int8 times an int8 may not fit into an int8: convert the weights first.",
        ],
        verify=_verify_folded,
        right=[
            "def answer(weights, bias, zero_point):\n"
            "    zeros = np.full(weights.shape[1], zero_point)\n"
            "    return bias - weights.astype(np.int64) @ zeros"
        ],
        wrong=[
            (
                "def answer(weights, bias, zero_point):\n"
                "    return bias + zero_point * weights.astype(int).sum(axis=1)",
                "1 neurons with 2 inputs, zero_point=-128: the sums",
            ),
            (
                "def answer(weights, bias, zero_point):\n"
                "    return bias - zero_point * weights.astype(int)",
                "expected one number for each neuron",
            ),
            (
                "def answer(weights, bias, zero_point):\n"
                "    return bias - zero_point * weights.astype(int).sum()",
                "3 neurons with 5 inputs, zero_point=7: the sums",
            ),
            (
                "def answer(weights, bias, zero_point):\n"
                "    return bias - zero_point * weights.shape[1]",
                "1 neurons with 2 inputs, zero_point=-128: the sums",
            ),
        ],
    ),
    Exercise(
        id="16.3",
        title="the pull of a softened teacher",
        solution="""
def answer(teacher, pupil, temperature):
    def soft(z):
        odds = np.exp(z / temperature)
        return odds / odds.sum()

    return temperature * (soft(pupil) - soft(teacher))
""",
        hints=[
            "At temperature 1 it is the pupil's probabilities minus the teacher's.",
            "The logits are divided by the temperature, so the chain rule gives a factor of "
            "1/temperature.",
            "And the loss is multiplied by the square of the temperature.",
        ],
        verify=_verify_pull,
        right=[
            "def answer(teacher, pupil, temperature):\n"
            "    def loss(z):\n"
            "        t, p = teacher / temperature, z / temperature\n"
            "        target = np.exp(t) / np.exp(t).sum()\n"
            "        return -(temperature**2) * np.sum(target * (p - np.log(np.exp(p).sum())))\n"
            "    steps = 1e-5 * np.eye(len(pupil))\n"
            "    return np.array([(loss(pupil + s) - loss(pupil - s)) / 2e-5 for s in steps])"
        ],
        wrong=[
            (
                "def answer(teacher, pupil, temperature):\n"
                "    def soft(z):\n"
                "        return np.exp(z / temperature) / np.exp(z / temperature).sum()\n"
                "    return soft(pupil) - soft(teacher)",
                "temperature=3: the gradient",
            ),
            (
                "def answer(teacher, pupil, temperature):\n"
                "    def soft(z):\n"
                "        return np.exp(z / temperature) / np.exp(z / temperature).sum()\n"
                "    return temperature * (soft(teacher) - soft(pupil))",
                "temperature=1: the gradient",
            ),
            (
                "def answer(teacher, pupil, temperature):\n"
                "    def soft(z):\n"
                "        return np.exp(z) / np.exp(z).sum()\n"
                "    return temperature * (soft(pupil) - soft(teacher))",
                "temperature=3: the gradient",
            ),
            (
                "def answer(teacher, pupil, temperature):\n    return pupil - teacher",
                "temperature=1: the gradient",
            ),
        ],
    ),
    Exercise(
        id="16.4",
        title="bytes of a layer with many zeros",
        solution="""
def answer(weights):
    mask = -(-len(weights) // 8)
    return mask + np.count_nonzero(weights)
""",
        hints=[
            "There are two parts: the mask, and the weights that are not zero.",
            "The mask has one bit for each weight. Eight bits are one byte.",
            "Part of a byte costs a whole byte: round up.",
        ],
        verify=_verify_mask,
        right=[
            "def answer(weights):\n"
            "    zero = weights == 0\n"
            "    return len(np.packbits(zero)) + int(np.sum(~zero))"
        ],
        wrong=[
            (
                "def answer(weights):\n    return np.count_nonzero(weights)",
                "16 weights, 50% of them zero: bytes",
            ),
            (
                "def answer(weights):\n    return len(weights) + np.count_nonzero(weights)",
                "16 weights, 50% of them zero: bytes",
            ),
            (
                "def answer(weights):\n    return len(weights) // 8 + np.count_nonzero(weights)",
                "13 weights, 0% of them zero: bytes",
            ),
            (
                "def answer(weights):\n    return -(-len(weights) // 8) + np.sum(weights == 0)",
                "1000 weights, 90% of them zero: bytes",
            ),
        ],
    ),
]
