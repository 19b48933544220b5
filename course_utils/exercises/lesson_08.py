"""Exercises of lesson 08: a separable convolution, a padding mask, an LSTM step."""

import numpy as np

from course_utils.exercises import Exercise, NotYet, expect_close


def _verify_separable(answer) -> None:
    import keras

    for k, c_in, c_out in ((3, 4, 8), (5, 1, 6), (2, 7, 3)):
        layer = keras.layers.SeparableConv2D(c_out, k)
        layer.build((None, 8, 8, c_in))
        what = f"parameters for k={k}, c_in={c_in}, c_out={c_out}, as Keras counts"
        expect_close(what, answer(k, c_in, c_out), layer.count_params())


def _verify_padding(answer) -> None:
    rng = np.random.default_rng(8)
    scores, lengths = rng.normal(size=(3, 2, 5)), np.array([5, 3, 1])
    given = scores.copy()
    weights = np.asarray(answer(scores, lengths), dtype=float)
    if not np.array_equal(scores, given):
        raise NotYet("the input: expected scores unchanged after the call, found other numbers")
    if weights.shape != scores.shape:
        raise NotYet(f"the weights: expected shape {scores.shape}, found {weights.shape}")
    hidden = np.arange(5) >= lengths[:, None, None]
    leaked = float(np.abs(weights * hidden).max())
    if not leaked == 0:
        raise NotYet(f"keys past the length: expected weight 0, found up to {leaked:.3g}")
    expect_close("sum of the weights of each query", weights.sum(axis=-1), np.ones((3, 2)))
    for i, length in enumerate(lengths):
        exponentials = np.exp(scores[i, :, :length])
        expected = exponentials / exponentials.sum(axis=-1, keepdims=True)
        what = f"weights of the first {length} keys, lengths {lengths.tolist()}"
        expect_close(what, weights[i, :, :length], expected)
    with np.errstate(all="ignore"):
        large = answer(np.array([[[1000.0, 999.0, 2000.0]]]), np.array([2]))
    expected = [[[1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1)), 0]]]
    expect_close("weights for scores [1000, 999, 2000], length 2", large, expected)


def _verify_lstm(answer) -> None:
    import keras

    rng = np.random.default_rng(8)
    n, d, units = 4, 3, 5
    cell = keras.layers.LSTMCell(units)
    cell.build((n, d))
    W, U, b = (rng.normal(size=w.shape) for w in cell.get_weights())
    cell.set_weights([W, U, b])
    x, h, c = rng.normal(size=(n, d)), rng.normal(size=(n, units)), rng.normal(size=(n, units))
    _, (h_new, c_new) = cell(x.astype("float32"), [h.astype("float32"), c.astype("float32")])
    found = answer(x, h, c, W, U, b)
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise NotYet(f"the result: expected a pair (state, cell), found {type(found).__name__}")
    expect_close("the new cell, as Keras's LSTMCell computes it", found[1], c_new, tolerance=1e-5)
    expect_close("the new state, as Keras's LSTMCell computes it", found[0], h_new, tolerance=1e-5)


_SIGMOID = "def sigmoid(v):\n    return 1 / (1 + np.exp(-v))\n\n"

EXERCISES = [
    Exercise(
        id="08.1",
        title="parameters of a separable convolution",
        solution="""
def answer(k, c_in, c_out):
    return k * k * c_in + c_in * c_out + c_out
""",
        hints=[
            "Count the two steps apart. How many kernels has the first, and how many numbers each?",
            "The first step has c_in kernels of k · k numbers; each reads one channel only.",
            "The second step is a dense layer with c_in inputs, c_out units and biases.",
        ],
        verify=_verify_separable,
        right=["def answer(k, c_in, c_out):\n    return c_in * k**2 + (c_in + 1) * c_out"],
        wrong=[
            (
                "def answer(k, c_in, c_out):\n    return (k * k * c_in + 1) * c_out",
                "k=3, c_in=4, c_out=8, as Keras counts: expected 76, found 296",
            ),
            (
                "def answer(k, c_in, c_out):\n    return k * k * c_in + c_in * c_out",
                "expected 76, found 68",
            ),
            (
                "def answer(k, c_in, c_out):\n    return (k * k + 1) * c_in + (c_in + 1) * c_out",
                "expected 76, found 80",
            ),
            (
                "def answer(k, c_in, c_out):\n    return k * k + c_in * c_out + c_out",
                "expected 76, found 49",
            ),
        ],
    ),
    Exercise(
        id="08.2",
        title="attention that does not see the padding",
        solution="""
def answer(scores, lengths):
    allowed = np.arange(scores.shape[-1]) < lengths[:, None, None]
    scores = np.where(allowed, scores, -np.inf)
    A = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return A / A.sum(axis=-1, keepdims=True)
""",
        hints=[
            "Make a mask of shape (n, 1, keys): compare the numbers of the keys with lengths.",
            "A score of minus infinity gives a weight of exactly 0. Set it before the softmax.",
            "Subtract the largest allowed score of each query before exp; then divide by the sum.",
        ],
        verify=_verify_padding,
        right=[
            "def answer(scores, lengths):\n"
            "    allowed = np.arange(scores.shape[-1]) < np.reshape(lengths, (-1, 1, 1))\n"
            "    top = np.max(np.where(allowed, scores, -np.inf), axis=-1, keepdims=True)\n"
            "    A = np.where(allowed, np.exp(np.where(allowed, scores, top) - top), 0)\n"
            "    return A / A.sum(axis=-1, keepdims=True)"
        ],
        wrong=[
            (
                "def answer(scores, lengths):\n"
                "    A = np.exp(scores - scores.max(axis=-1, keepdims=True))\n"
                "    return A / A.sum(axis=-1, keepdims=True)",
                "keys past the length: expected weight 0",
            ),
            (
                "def answer(scores, lengths):\n"
                "    allowed = np.arange(scores.shape[-1]) < lengths[:, None, None]\n"
                "    A = np.exp(scores - scores.max(axis=-1, keepdims=True))\n"
                "    return allowed * A / A.sum(axis=-1, keepdims=True)",
                "sum of the weights of each query",
            ),
            (
                "def answer(scores, lengths):\n"
                "    allowed = np.arange(scores.shape[-1]) < lengths[:, None, None]\n"
                "    A = np.where(allowed, np.exp(scores), 0)\n"
                "    return A / A.sum(axis=-1, keepdims=True)",
                "weights for scores [1000, 999, 2000], length 2",
            ),
            (
                "def answer(scores, lengths):\n"
                "    for i, length in enumerate(lengths):\n"
                "        scores[i, :, length:] = -np.inf\n"
                "    A = np.exp(scores - scores.max(axis=-1, keepdims=True))\n"
                "    return A / A.sum(axis=-1, keepdims=True)",
                "expected scores unchanged",
            ),
        ],
    ),
    Exercise(
        id="08.3",
        title="one step of an LSTM",
        solution="""
def answer(x, h, c, W, U, b):
    i, f, g, o = np.split(x @ W + h @ U + b, 4, axis=-1)
    i, f, o = (1 / (1 + np.exp(-v)) for v in (i, f, o))
    c = f * c + i * np.tanh(g)
    return o * np.tanh(c), c
""",
        hints=[
            "np.split(z, 4, axis=-1) gives the four parts in order.",
            "Three of the parts go through the sigmoid, 1 / (1 + exp(-v)); g goes through tanh.",
            "The new state uses the new cell, not the old one.",
        ],
        verify=_verify_lstm,
        right=[
            _SIGMOID + "def answer(x, h, c, W, U, b):\n"
            "    z, u = x @ W + h @ U + b, h.shape[-1]\n"
            "    cell = sigmoid(z[:, u : 2 * u]) * c\n"
            "    cell = cell + sigmoid(z[:, :u]) * np.tanh(z[:, 2 * u : 3 * u])\n"
            "    return [sigmoid(z[:, 3 * u :]) * np.tanh(cell), cell]"
        ],
        wrong=[
            (
                _SIGMOID + "def answer(x, h, c, W, U, b):\n"
                "    i, f, g, o = np.split(x @ W + h @ U + b, 4, axis=-1)\n"
                "    new = sigmoid(f) * c + sigmoid(i) * np.tanh(g)\n"
                "    return sigmoid(o) * np.tanh(c), new",
                "the new state, as Keras's LSTMCell computes it",
            ),
            (
                _SIGMOID + "def answer(x, h, c, W, U, b):\n"
                "    f, i, g, o = np.split(x @ W + h @ U + b, 4, axis=-1)\n"
                "    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)\n"
                "    return sigmoid(o) * np.tanh(c), c",
                "the new cell, as Keras's LSTMCell computes it",
            ),
            (
                _SIGMOID + "def answer(x, h, c, W, U, b):\n"
                "    i, f, g, o = np.split(x @ W + h @ U + b, 4, axis=-1)\n"
                "    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)\n"
                "    return sigmoid(o) * np.tanh(c)",
                "expected a pair (state, cell), found ndarray",
            ),
        ],
    ),
]
