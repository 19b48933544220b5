"""Exercises of lesson 01: tied embeddings, days of training, a client that fails well."""

import json

from course_utils.exercises import Exercise, NotYet, expect_close


def _verify_count(answer) -> None:
    import keras
    from keras import layers

    for L, d, V, s, tied in ((1, 8, 50, 4, True), (1, 8, 50, 4, False), (3, 16, 40, 30, False)):
        text = keras.Input((s, d))
        x = layers.LayerNormalization()(text)
        x = layers.MultiHeadAttention(2, d // 2)(x, x)
        x = layers.Dense(d)(layers.Dense(4 * d)(layers.LayerNormalization()(x)))
        block = keras.Model(text, x).count_params()
        expected = L * block + (V + s) * d + 2 * d + (0 if tied else V * d)
        what = f"parameters for L={L}, d={d}, V={V}, s={s}, tied={tied}"
        expect_close(what, answer(L, d, V, s, tied), expected)


def _verify_days(answer) -> None:
    cases = [
        ((1e9, 1e9, 1, 6e18 / 86_400, 1.0), 1.0),
        ((1e9, 1e9, 4, 6e18 / 86_400, 1.0), 0.25),
        ((1e9, 1e9, 1, 6e18 / 86_400, 0.5), 2.0),
        ((65.2e9, 1.4e12, 2048, 312e12, 0.5), 6 * 65.2e9 * 1.4e12 / (2048 * 156e12) / 86_400),
    ]
    for (N, D, processors, peak, utilization), expected in cases:
        what = (
            f"days for N={N:g}, D={D:g}, processors={processors}, peak={peak:.4g}, "
            f"utilization={utilization:g}"
        )
        expect_close(what, answer(N, D, processors, peak, utilization), expected)


def _reply(*rows: int) -> bytes:
    """A reply whose most probable digits are `rows`."""
    p = [[0.73 if i == row else 0.03 for i in range(10)] for row in rows]
    return json.dumps({"predictions": p, "version": 2}).encode()


def _verify_client(answer) -> None:
    for digits in ([7], [0, 9, 4]):
        found = answer(200, _reply(*digits))
        if not isinstance(found, list):
            raise NotYet(f"status 200: expected a list of digits, found {type(found).__name__}")
        expect_close(f"digits of a reply with {len(digits)} predictions", found, digits)
    sentence = "instances: expected a list of images, 28 by 28 numbers each"
    for status in (400, 404, 499):
        error = _raised(answer, status, json.dumps({"error": sentence}).encode())
        if not isinstance(error, ValueError) or isinstance(error, json.JSONDecodeError):
            raise NotYet(f"status {status}: expected a ValueError, found {_name(error)}")
        if sentence not in str(error):
            raise NotYet(
                f"status {status}: expected the sentence of the service in the message, "
                f"found {str(error)!r}"
            )
    for status, body in ((500, b"<html>Internal error</html>"), (503, b""), (302, _reply(1))):
        error = _raised(answer, status, body)
        if not isinstance(error, RuntimeError):
            raise NotYet(
                f"status {status} with the body {body[:14]!r}: expected a RuntimeError, "
                f"found {_name(error)}"
            )


def _raised(answer, status: int, body: bytes) -> BaseException | None:
    """What the call raises."""
    try:
        answer(status, body)
    except Exception as error:
        return error
    return None


def _name(error: BaseException | None) -> str:
    return "no error" if error is None else type(error).__name__


EXERCISES = [
    Exercise(
        id="01.1",
        title="parameters with and without tied tables",
        solution="""
def answer(L, d, V, s, tied):
    tables = V * d + s * d
    blocks = L * (12 * d**2 + 13 * d)
    output = 0 if tied else V * d
    return tables + blocks + 2 * d + output
""",
        hints=[
            "Add five things: two tables, the blocks, the last normalisation, the output layer.",
            "A table of V vectors of width d holds V · d numbers, and so does an output layer "
            "without biases from d to V.",
            "A block holds 12 d² + 13 d. Tied, the output layer adds nothing.",
        ],
        verify=_verify_count,
        right=[
            "def answer(L, d, V, s, tied):\n"
            "    block = 4 * (d + 1) * d + (d + 1) * 4 * d + (4 * d + 1) * d + 4 * d\n"
            "    return L * block + d * (V * (1 if tied else 2) + s + 2)"
        ],
        wrong=[
            (
                "def answer(L, d, V, s, tied):\n"
                "    return L * (12 * d**2 + 13 * d) + (V + s + 2) * d",
                "L=1, d=8, V=50, s=4, tied=False: expected 1720, found 1320",
            ),
            (
                "def answer(L, d, V, s, tied):\n"
                "    return L * (12 * d**2 + 13 * d) + d * (V * (1 if tied else 2) + 2)",
                "tied=True: expected 1320, found 1288",
            ),
            (
                "def answer(L, d, V, s, tied):\n"
                "    return L * 12 * d**2 + d * (V * (1 if tied else 2) + s + 2)",
                "tied=True: expected 1320, found 1216",
            ),
            (
                "def answer(L, d, V, s, tied):\n"
                "    return L * (12 * d**2 + 13 * d) + d * (V * (2 if tied else 1) + s + 2)",
                "tied=True: expected 1320, found 1720",
            ),
            (
                "def answer(L, d, V, s, tied):\n"
                "    return L * (12 * d**2 + 13 * d + 2 * d) + d * (V * (1 if tied else 2) + s)",
                "L=3, d=16, V=40, s=30, tied=False: expected 11632, found 11696",
            ),
        ],
    ),
    Exercise(
        id="01.2",
        title="days of a training",
        solution="""
def answer(N, D, processors, peak, utilization):
    operations = 6 * N * D
    seconds = operations / (processors * peak * utilization)
    return seconds / 86_400
""",
        hints=[
            "How many operations does the training take in all, and how many are done in a second?",
            "All processors together do processors · peak · utilization operations a second.",
            "A day has 86,400 seconds.",
        ],
        verify=_verify_days,
        right=[
            "def answer(N, D, processors, peak, utilization):\n"
            "    return N * D / 14_400 / peak / processors / utilization"
        ],
        wrong=[
            (
                "def answer(N, D, processors, peak, utilization):\n"
                "    return 2 * N * D / (processors * peak * utilization) / 86_400",
                "utilization=1: expected 1, found 0.333333",
            ),
            (
                "def answer(N, D, processors, peak, utilization):\n"
                "    return 6 * N * D / (processors * peak * utilization) / 3600",
                "utilization=1: expected 1, found 24",
            ),
            (
                "def answer(N, D, processors, peak, utilization):\n"
                "    return 6 * N * D / (processors * peak) * utilization / 86_400",
                "utilization=0.5: expected 2, found 0.5",
            ),
            (
                "def answer(N, D, processors, peak, utilization):\n"
                "    return 6 * N * D / (peak * utilization) / 86_400",
                "processors=4, peak=6.944e+13, utilization=1: expected 0.25, found 1",
            ),
        ],
    ),
    Exercise(
        id="01.3",
        title="a client that fails well",
        solution="""
def answer(status, body):
    if 400 <= status < 500:
        raise ValueError(json.loads(body)["error"])
    if status != 200:
        raise RuntimeError(f"the service answered with status {status}")
    return [p.index(max(p)) for p in json.loads(body)["predictions"]]
""",
        hints=[
            "Look at the status before you look at the body: only a reply of 200 is sure to hold "
            "predictions.",
            'json.loads(body) gives a dict; a fault of the caller has its sentence under "error".',
            "The digit of one prediction p, a list of ten probabilities, is p.index(max(p)).",
        ],
        verify=_verify_client,
        right=[
            "def answer(status, body):\n"
            "    if status == 200:\n"
            '        return np.argmax(json.loads(body)["predictions"], axis=1).tolist()\n'
            "    if status // 100 == 4:\n"
            '        raise ValueError("refused: " + json.loads(body)["error"])\n'
            '    raise RuntimeError("no answer")'
        ],
        wrong=[
            (
                "def answer(status, body):\n"
                '    return [p.index(max(p)) for p in json.loads(body)["predictions"]]',
                "status 400: expected a ValueError, found KeyError",
            ),
            (
                "def answer(status, body):\n"
                "    if status != 200:\n"
                '        raise ValueError(json.loads(body)["error"])\n'
                '    return [p.index(max(p)) for p in json.loads(body)["predictions"]]',
                "status 500 with the body b'<html>Internal': expected a RuntimeError, "
                "found JSONDecodeError",
            ),
            (
                "def answer(status, body):\n"
                "    if status >= 500:\n"
                '        raise RuntimeError("no answer")\n'
                "    if status >= 400:\n"
                '        raise ValueError("bad request")\n'
                '    return [p.index(max(p)) for p in json.loads(body)["predictions"]]',
                "expected the sentence of the service in the message, found 'bad request'",
            ),
            (
                "def answer(status, body):\n"
                "    if status >= 500:\n"
                '        raise RuntimeError("no answer")\n'
                "    if status >= 400:\n"
                '        raise ValueError(json.loads(body)["error"])\n'
                '    return [p.index(max(p)) for p in json.loads(body)["predictions"]]',
                "status 302",
            ),
            (
                "def answer(status, body):\n"
                "    if 400 <= status < 500:\n"
                '        raise ValueError(json.loads(body)["error"])\n'
                "    if status != 200:\n"
                '        raise RuntimeError("no answer")\n'
                '    return np.argmax(json.loads(body)["predictions"], axis=1)',
                "status 200: expected a list of digits, found ndarray",
            ),
            (
                "def answer(status, body):\n"
                "    if 400 <= status < 500:\n"
                '        raise ValueError(json.loads(body)["error"])\n'
                "    if status != 200:\n"
                '        raise RuntimeError("no answer")\n'
                '    return json.loads(body)["predictions"][0]',
                "digits of a reply with 1 predictions: expected shape (1,), found shape (10,)",
            ),
        ],
    ),
]
