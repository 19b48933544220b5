"""Exercises of lesson 13: bits per byte, encoding a word, temperature, top-p.

13.2 and 13.4 stand in Deeper sections, after the others.
"""

import numpy as np

from course_utils.exercises import Exercise, NotYet, expect_close


def _verify_bits(answer) -> None:
    cases = [
        (["the", " cat"], [0.5, 0.25], 3 / 7),
        (["a", "b", "c", "d"], [0.5, 0.5, 0.5, 1.0], 3 / 4),
        (["春", "風"], [0.25, 0.25], 4 / 6),  # three bytes each
    ]
    for pieces, p, expected in cases:
        found = answer(list(pieces), np.array(p))
        expect_close(f"bits per byte of {pieces} with the probabilities {p}", found, expected)


def _join(word, pair, new):
    joined = []
    for token in word:
        if joined and (joined[-1], token) == pair:
            joined[-1] = new
        else:
            joined.append(token)
    return tuple(joined)


def _verify_encode(answer) -> None:
    a, b, c = b"abc"
    cases = [
        ("no pair occurs", b"cba", [(a, b)], [c, b, a]),
        ("one merge", b"abcab", [(a, b)], [256, c, 256]),
        # In the order of the list: bc is joined first, although ab stands earlier in the word.
        ("the earlier merge wins", b"abc", [(b, c), (a, b)], [a, 256]),
        ("a merge of a merge", b"abcabc", [(a, b), (256, c), (257, 257)], [258]),
    ]
    for name, word, merges, expected in cases:
        found = answer(word, list(merges), _join)
        what = f"{name}: {word} with the merges {merges}"
        try:
            found = [int(token) for token in found]
        except (TypeError, ValueError):
            raise NotYet(f"{what}: expected a list of numbers, found {found!r}") from None
        if found != expected:
            raise NotYet(f"{what}: expected {expected}, found {found}")


def _verify_temperature(answer) -> None:
    cases = [
        ([0.5, 0.25, 0.25], 0.5, [2 / 3, 1 / 6, 1 / 6]),
        ([0.5, 0.25, 0.25], 1.0, [0.5, 0.25, 0.25]),
        ([0.81, 0.09, 0.1, 0.0], 2.0, None),
    ]
    for p, T, expected in cases:
        p = np.array(p)
        if expected is None:
            expected = np.sqrt(p) / np.sqrt(p).sum()
        found = answer(p.copy(), T)
        expect_close(f"probabilities {p.tolist()} at the temperature {T}", found, expected)


def _verify_top_p(answer) -> None:
    cases = [
        ([0.5, 0.3, 0.15, 0.05], 0.6, [0.625, 0.375, 0, 0]),
        ([0.05, 0.15, 0.3, 0.5], 0.4, [0, 0, 0, 1]),  # the largest alone is enough
        ([0.25, 0.05, 0.5, 0.2], 0.9, [0.25 / 0.95, 0, 0.5 / 0.95, 0.2 / 0.95]),
        ([0.1, 0.6, 0.3], 1.0, [0.1, 0.6, 0.3]),
    ]
    for q, p, expected in cases:
        expect_close(f"top-p of {q} with p = {p}", answer(np.array(q), p), expected)


EXERCISES = [
    Exercise(
        id="13.1",
        title="a fair comparison",
        solution="""
def answer(pieces, p):
    return np.sum(np.log2(1 / p)) / len("".join(pieces).encode())
""",
        hints=[
            "A token with the probability p costs log2(1/p) bits. Add the bits of all tokens.",
            "Divide by the number of bytes: len(text.encode()). A Chinese character has three.",
        ],
        verify=_verify_bits,
        right=[
            "def answer(pieces, p):\n"
            "    number = sum(len(piece.encode('utf-8')) for piece in pieces)\n"
            "    return -np.log2(p).sum() / number",
        ],
        wrong=[
            (  # per token
                "def answer(pieces, p):\n    return np.mean(np.log2(1 / p))",
                "[0.5, 0.25]: expected 0.428571, found 1.5",
            ),
            (  # nats
                "def answer(pieces, p):\n"
                "    return np.sum(np.log(1 / p)) / len(''.join(pieces).encode())",
                "[0.5, 0.25]: expected 0.428571, found 0.297063",
            ),
            (  # characters
                "def answer(pieces, p):\n    return np.sum(np.log2(1 / p)) / len(''.join(pieces))",
                "[0.25, 0.25]: expected 0.666667, found 2",
            ),
            (  # the sign
                "def answer(pieces, p):\n"
                "    return np.sum(np.log2(p)) / len(''.join(pieces).encode())",
                "found -0.428571",
            ),
        ],
    ),
    Exercise(
        id="13.3",
        title="a temperature without logits",
        solution="""
def answer(p, T):
    powers = p ** (1 / T)
    return powers / powers.sum()
""",
        hints=[
            "The logits are ln p, up to a constant that the softmax does not see.",
            "e to the power (ln p) / T is p to the power 1/T. Then make the sum 1 again.",
        ],
        verify=_verify_temperature,
        right=[
            "def answer(p, T):\n"
            "    z = np.array([np.log(each) / T if each > 0 else -np.inf for each in p])\n"
            "    e = np.exp(z - z.max())\n"
            "    return e / e.sum()",
        ],
        wrong=[
            (  # the power the wrong way round
                "def answer(p, T):\n    return p**T / np.sum(p**T)",
                "at the temperature 0.5: expected",
            ),
            (  # divided as if p were logits
                "def answer(p, T):\n    return np.exp(p / T) / np.sum(np.exp(p / T))",
                "at the temperature 0.5: expected",
            ),
            (  # not scaled
                "def answer(p, T):\n    return p ** (1 / T)",
                "at the temperature 0.5: expected",
            ),
        ],
    ),
    Exercise(
        id="13.2",
        title="cut a new word",
        solution="""
def answer(word, merges, join):
    tokens = tuple(word)
    for i, pair in enumerate(merges):
        tokens = join(tokens, pair, 256 + i)
    return list(tokens)
""",
        hints=[
            "tuple(word) gives the bytes as numbers. They are the first tokens.",
            "Walk through the merges in order; merge number i makes the token 256 + i.",
        ],
        verify=_verify_encode,
        right=[
            "def answer(word, merges, join):\n"
            "    tokens, new = tuple(word), 256\n"
            "    while merges:\n"
            "        tokens, merges, new = join(tokens, merges[0], new), merges[1:], new + 1\n"
            "    return tokens",
        ],
        wrong=[
            (  # from the last merge to the first
                "def answer(word, merges, join):\n"
                "    tokens = tuple(word)\n"
                "    for i, pair in reversed(list(enumerate(merges))):\n"
                "        tokens = join(tokens, pair, 256 + i)\n"
                "    return list(tokens)",
                "the earlier merge wins: b'abc' with the merges [(98, 99), (97, 98)]: "
                "expected [97, 256], found [257, 99]",
            ),
            (  # every merge makes the same token
                "def answer(word, merges, join):\n"
                "    tokens = tuple(word)\n"
                "    for pair in merges:\n"
                "        tokens = join(tokens, pair, 256)\n"
                "    return list(tokens)",
                "a merge of a merge",
            ),
            (  # the number of tokens
                "def answer(word, merges, join):\n"
                "    tokens = tuple(word)\n"
                "    for i, pair in enumerate(merges):\n"
                "        tokens = join(tokens, pair, 256 + i)\n"
                "    return len(tokens)",
                "expected a list of numbers, found 3",
            ),
        ],
    ),
    Exercise(
        id="13.4",
        title="top-p for one row",
        solution="""
def answer(q, p):
    order = np.argsort(-q)
    before = np.cumsum(q[order]) - q[order]
    kept = np.zeros_like(q)
    kept[order] = np.where(before < p, q[order], 0)
    return kept / kept.sum()
""",
        hints=[
            "Sort from the largest down, and add up. An entry is kept if the larger ones together "
            "have not yet reached p.",
            "np.cumsum(s) - s is, for each entry of the sorted s, the sum of those before it.",
        ],
        verify=_verify_top_p,
        right=[
            "def answer(q, p):\n"
            "    kept, total = np.zeros_like(q), 0\n"
            "    for i in np.argsort(q)[::-1]:\n"
            "        if total < p - 1e-12:\n"
            "            kept[i] = q[i]\n"
            "        total += q[i]\n"
            "    return kept / kept.sum()",
        ],
        wrong=[
            (  # stops one too early
                "def answer(q, p):\n"
                "    order = np.argsort(-q)\n"
                "    kept = np.zeros_like(q)\n"
                "    kept[order] = np.where(np.cumsum(q[order]) <= p, q[order], 0)\n"
                "    return kept / max(kept.sum(), 1e-9)",
                "with p = 0.6: expected [0.625, 0.375, 0. , 0. ], found [1., 0., 0., 0.]",
            ),
            (  # not scaled
                "def answer(q, p):\n"
                "    order = np.argsort(-q)\n"
                "    before = np.cumsum(q[order]) - q[order]\n"
                "    kept = np.zeros_like(q)\n"
                "    kept[order] = np.where(before < p, q[order], 0)\n"
                "    return kept",
                "with p = 0.6: expected [0.625, 0.375, 0. , 0. ], found [0.5, 0.3, 0. , 0. ]",
            ),
            (  # the order is forgotten
                "def answer(q, p):\n"
                "    kept = np.where(np.cumsum(q) - q < p, q, 0)\n"
                "    return kept / kept.sum()",
                "top-p of [0.05, 0.15, 0.3, 0.5] with p = 0.4",
            ),
        ],
    ),
]
