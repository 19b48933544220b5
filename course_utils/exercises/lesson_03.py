"""Exercises of lesson 03: the Huber loss's derivative, a log-sigmoid, label smoothing."""

import numpy as np

from course_utils.exercises import Exercise, NotYet, expect_close


def _verify_huber(answer) -> None:
    residual = np.array([-7.0, -2.0, -0.5, 0.0, 0.3, 1.9, 4.0])
    original = residual.copy()
    for delta in (2.0, 0.5):
        what = f"derivative for residual={residual.tolist()}, delta={delta:g}"
        expect_close(what, answer(residual, delta), np.clip(original, -delta, delta))
        if not np.array_equal(residual, original):
            raise NotYet("the input: expected it unchanged after the call, found other residuals")

    def loss(residual, delta):
        size = np.abs(residual)
        return np.where(size <= delta, size**2 / 2, delta * (size - delta / 2))

    residual = np.linspace(-3, 3, 13) + 0.01
    slope = (loss(residual + 1e-6, 1.0) - loss(residual - 1e-6, 1.0)) / 2e-6
    what = "derivative for delta=1, against finite differences"
    expect_close(what, answer(residual, 1.0), slope, 1e-5)


def _verify_log_sigmoid(answer) -> None:
    z = np.array([-3.0, -1.0, 0.0, 0.5, 2.0])
    exact = -np.log(1 + np.exp(-z))
    expect_close(f"ln sigmoid(z) for z={z.tolist()}", _quietly(answer, z), exact, 1e-12)
    for kind in (np.float64, np.float32):
        z = np.array([-1000.0, -100.0, -40.0, 40.0, 100.0, 1000.0], dtype=kind)
        found = np.asarray(_quietly(answer, z))
        if found.dtype != kind:
            raise NotYet(f"dtype: expected {kind.__name__} as z has, found {found.dtype}")
        for value, each in zip(z, found, strict=True):
            if not np.isfinite(each):
                what = f"ln sigmoid({value:g}) in {kind.__name__}"
                raise NotYet(f"{what}: expected a finite number, found {each}")
        what = f"ln sigmoid(z) for z=-1000, -100, -40, 40, 100, 1000 in {kind.__name__}"
        expect_close(what, found, [-1000, -100, -40, 0, 0, 0], 1e-4)
    z = np.array([20.0, 30.0])
    ratio = np.asarray(_quietly(answer, z)) / -np.exp(-z)
    what = "ln sigmoid(z) for z=20, 30, divided by -exp(-z), which it nearly equals"
    expect_close(what, ratio, [1.0, 1.0], 1e-6)


def _quietly(answer, z):
    with np.errstate(all="ignore"):  # an overflow shows in the value
        return answer(z)


def _verify_smoothing(answer) -> None:
    rng = np.random.default_rng(3)
    for n, num_classes, share in ((3, 4, 0.0), (2, 5, 0.1), (4, 3, 0.5)):
        logits, labels = rng.normal(size=(n, num_classes)), rng.integers(num_classes, size=n)
        e = np.exp(logits)
        smooth = (1 - share) * np.eye(num_classes)[labels] + share / num_classes
        expected = (e / e.sum(axis=1, keepdims=True) - smooth) / n
        found = answer(logits.copy(), labels, share)
        what = f"gradient for n={n}, K={num_classes}, share={share:g}"
        expect_close(what, np.asarray(found).shape, expected.shape)
        expect_close(f"sum of each row, {what}", np.sum(found, axis=1), np.zeros(n), 1e-9)
        expect_close(what, found, expected, 1e-9)


EXERCISES = [
    Exercise(
        id="03.1",
        title="the derivative of the Huber loss",
        solution="""
def answer(residual, delta):
    return np.clip(residual, -delta, delta)
""",
        hints=[
            "Differentiate each piece by ŷ. The residual is ŷ − y, and its derivative by ŷ is 1.",
            "Inside, half the square gives the residual. Outside, delta · |residual| gives "
            "delta times the sign of the residual.",
            "Both together: the residual, but never larger than delta in size.",
        ],
        verify=_verify_huber,
        right=[
            "def answer(residual, delta):\n"
            "    inside = np.abs(residual) <= delta\n"
            "    return np.where(inside, residual, delta * np.sign(residual))",
            "def answer(residual, delta):\n"
            "    return np.maximum(-delta, np.minimum(delta, residual))",
        ],
        wrong=[
            (
                "def answer(residual, delta):\n"
                "    size = np.abs(residual)\n"
                "    return np.where(size <= delta, size**2 / 2, delta * (size - delta / 2))",
                "found [12. , 2. ,",
            ),
            ("def answer(residual, delta):\n    return residual", "found [-7. , -2. ,"),
            (
                "def answer(residual, delta):\n    return np.minimum(np.abs(residual), delta)",
                "found [2. , 2. ,",
            ),
            ("def answer(residual, delta):\n    return np.minimum(residual, delta)", "1.9, 2. ]"),
            (
                "def answer(residual, delta):\n"
                "    inside = np.abs(residual) <= delta\n"
                "    return np.where(inside, residual, np.sign(residual))",
                "found [-1. , -2. ,",
            ),
        ],
    ),
    Exercise(
        id="03.2",
        title="a log-sigmoid that cannot overflow",
        solution="""
def answer(z):
    return np.minimum(z, 0) - np.log1p(np.exp(-np.abs(z)))
""",
        hints=[
            "ln sigmoid(z) is minus the cross-entropy of the logit z with target 1.",
            "Take the formula from logits with y = 1; max(z, 0) − z is max(0, −z).",
            "exp may only see a negative number, and log1p keeps what 1 + x would round away.",
        ],
        verify=_verify_log_sigmoid,
        right=[
            "def answer(z):\n    return -np.logaddexp(0, -z)",
            "def answer(z):\n    return z - np.maximum(z, 0) - np.log1p(np.exp(-np.abs(z)))",
        ],
        wrong=[
            (
                "def answer(z):\n    return np.log(1 / (1 + np.exp(-z)))",
                "ln sigmoid(-1000) in float64: expected a finite number, found -inf",
            ),
            (
                "def answer(z):\n    return z - np.log1p(np.exp(z))",
                "ln sigmoid(1000) in float64: expected a finite number, found -inf",
            ),
            (
                "def answer(z):\n    return np.minimum(z, 0) - np.log(1 + np.exp(-np.abs(z)))",
                "divided by -exp(-z)",
            ),
            (
                "def answer(z):\n    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))",
                "expected [-3.048587",
            ),
            (
                "def answer(z):\n    return np.log(np.clip(1 / (1 + np.exp(-z)), 1e-300, 1))",
                "found [-690.775528,",
            ),
        ],
    ),
    Exercise(
        id="03.3",
        title="the gradient with smoothed labels",
        solution="""
def answer(logits, labels, share):
    n, num_classes = logits.shape
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    y_hat = e / e.sum(axis=1, keepdims=True)
    y = (1 - share) * np.eye(num_classes)[labels] + share / num_classes
    return (y_hat - y) / n
""",
        hints=[
            "The gradient by the logits is ŷ − y for any targets y that sum to 1.",
            "np.eye(num_classes)[labels] makes a row for each label. The softmax is taken along a "
            "row, with keepdims=True in its sum.",
            "The loss is a mean over n examples, so each row of its gradient is divided by n.",
        ],
        verify=_verify_smoothing,
        right=[
            "def answer(logits, labels, share):\n"
            "    y_hat = np.exp(logits)\n"
            "    y_hat /= y_hat.sum(axis=1, keepdims=True)\n"
            "    g = y_hat - share / logits.shape[1]\n"
            "    g[np.arange(len(labels)), labels] -= 1 - share\n"
            "    return g / len(labels)"
        ],
        wrong=[
            (
                "def answer(logits, labels, share):\n"
                "    e = np.exp(logits)\n"
                "    y = np.eye(logits.shape[1])[labels]\n"
                "    y = (1 - share) * y + share / logits.shape[1]\n"
                "    return e / e.sum(axis=1, keepdims=True) - y",
                "gradient for n=3, K=4, share=0: expected [[",
            ),
            (
                "def answer(logits, labels, share):\n"
                "    e = np.exp(logits)\n"
                "    y = np.eye(logits.shape[1])[labels]\n"
                "    return (e / e.sum(axis=1, keepdims=True) - y) / len(labels)",
                "gradient for n=2, K=5, share=0.1: expected [[",
            ),
            (
                "def answer(logits, labels, share):\n"
                "    e = np.exp(logits)\n"
                "    y = (1 - share) * np.eye(logits.shape[1])[labels] + share\n"
                "    return (e / e.sum(axis=1, keepdims=True) - y) / len(labels)",
                "sum of each row, gradient for n=2",
            ),
            (
                "def answer(logits, labels, share):\n"
                "    e = np.exp(logits)\n"
                "    y = np.eye(logits.shape[1])[labels]\n"
                "    y = (1 - share) * y + share / logits.shape[1]\n"
                "    return (e / e.sum() - y) / len(labels)",
                "sum of each row, gradient for n=3",
            ),
            (
                "def answer(logits, labels, share):\n"
                "    e = np.exp(logits)\n"
                "    y = np.eye(logits.shape[1])[labels]\n"
                "    y = (1 - share) * y + share / logits.shape[1]\n"
                "    return (y - e / e.sum(axis=1, keepdims=True)) / len(labels)",
                "gradient for n=3, K=4, share=0: expected [[",
            ),
        ],
    ),
]
