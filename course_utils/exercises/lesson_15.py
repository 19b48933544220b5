"""Exercises of lesson 15: ranks of a search, unequal classes, missing senses, the push of the loss.

15.4 stands in a Deeper section, after the others.
"""

import numpy as np

from course_utils.exercises import Exercise, expect_close


def _verify_rank(answer) -> None:
    cases = [
        ([[0.9, 0.1, 0.3], [0.5, 0.4, 0.2], [0.6, 0.7, 0.5]], [1, 2, 3]),
        ([[0.1, 0.4], [0.3, -0.2]], [2, 2]),
        ([[-3.0, -4.0, -2.0, -1.0]] * 4, [3, 4, 2, 1]),
    ]
    for similar, expected in cases:
        found = answer(np.array(similar))
        expect_close(f"ranks for the similarities {similar}", found, expected)


def _verify_prior(answer) -> None:
    cases = [
        ([0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [0.5, 0.5]),
        ([0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1]),  # two senses that tell nothing new
        ([0.4, 0.4, 0.2], [0.2, 0.4, 0.4], [0.25, 0.5, 0.25], [1 / 3, 1 / 3, 1 / 3]),
    ]
    for p, q, prior, expected in cases:
        found = answer(np.array(p), np.array(q), np.array(prior))
        expect_close(f"p = {p}, q = {q}, prior = {prior}", found, expected)


def _verify_senses(answer) -> None:
    eye, ear, nose = np.array([0.4, 0.4, 0.2]), np.array([0.2, 0.4, 0.4]), np.array([0.1, 0.8, 0.1])
    cases = [
        ("eye and ear", [eye, ear], [0.25, 0.5, 0.25]),
        ("the ear is missing", [eye, None], [0.4, 0.4, 0.2]),
        ("the eye is missing", [None, ear], [0.2, 0.4, 0.4]),
        ("three senses", [eye, ear, nose], [1 / 18, 16 / 18, 1 / 18]),
        ("no sense is left", [None, None], [1 / 3, 1 / 3, 1 / 3]),
    ]
    for name, senses, expected in cases:
        copies = [None if each is None else each.copy() for each in senses]
        expect_close(name, answer(copies, 3), expected)


def _verify_push(answer) -> None:
    first = np.log([[4.0, 2, 2], [1, 2, 1], [1, 4, 1]])
    rows = np.array([[4, 2, 2], [1, 2, 1], [1, 4, 1]]) / np.array([[8], [4], [6]])
    columns = np.array([[4, 2, 2], [1, 2, 1], [1, 4, 1]]) / np.array([6, 8, 4])
    cases = [
        ("two pairs, all logits 0", np.zeros((2, 2)), [[-0.25, 0.25], [0.25, -0.25]]),
        ("the table of the lesson", first, (rows + columns - 2 * np.eye(3)) / 6),
    ]
    for name, z, expected in cases:
        expect_close(name, answer(z.copy()), expected)


EXERCISES = [
    Exercise(
        id="15.1",
        title="the rank of the right answer",
        solution="""
def answer(similar):
    return 1 + np.sum(similar > np.diag(similar)[:, None], axis=1)
""",
        hints=[
            "The rank of a number is one more than how many numbers of its row are larger.",
            "np.diag(similar)[:, None] is a column: compared with the table, each row meets its "
            "own entry of the diagonal.",
        ],
        verify=_verify_rank,
        right=[
            "def answer(similar):\n"
            "    order = np.argsort(-similar, axis=1)\n"
            "    own = np.arange(len(similar))[:, None]\n"
            "    return np.argmax(order == own, axis=1) + 1",
        ],
        wrong=[
            (  # counts from 0
                "def answer(similar):\n"
                "    return np.sum(similar > np.diag(similar)[:, None], axis=1)",
                "expected [1., 2., 3.], found [0., 1., 2.]",
            ),
            (  # down the columns: of the captions
                "def answer(similar):\n    return 1 + np.sum(similar > np.diag(similar), axis=0)",
                "[0.6, 0.7, 0.5]]: expected [1., 2., 3.], found [1., 2., 1.]",
            ),
            (  # which caption is first, not where the own one is
                "def answer(similar):\n    return 1 + np.argmax(similar, axis=1)",
                "expected [1., 2., 3.], found [1., 1., 2.]",
            ),
        ],
    ),
    Exercise(
        id="15.2",
        title="classes that are not equally frequent",
        solution="""
def answer(p, q, prior):
    combined = p * q / prior
    return combined / combined.sum()
""",
        hints=[
            "Each of p and q contains the prior once. The result should contain it once.",
            "Divide the product by the prior, and then by the sum.",
        ],
        verify=_verify_prior,
        right=[
            "def answer(p, q, prior):\n"
            "    logs = np.log(p) + np.log(q) - np.log(prior)\n"
            "    powers = np.exp(logs - logs.max())\n"
            "    return powers / np.sum(powers)",
        ],
        wrong=[
            (  # the prior is forgotten
                "def answer(p, q, prior):\n    return p * q / np.sum(p * q)",
                "prior = [0.9, 0.1]: expected [0.9, 0.1], found [0.987805, 0.012195]",
            ),
            (  # multiplied
                "def answer(p, q, prior):\n"
                "    combined = p * q * prior\n"
                "    return combined / combined.sum()",
                "prior = [0.9, 0.1]: expected [0.9, 0.1]",
            ),
            (  # not scaled
                "def answer(p, q, prior):\n    return p * q / prior",
                "prior = [0.25, 0.5, 0.25]: expected",
            ),
        ],
    ),
    Exercise(
        id="15.3",
        title="any number of senses",
        solution="""
def answer(answers, num_classes):
    product = np.ones(num_classes)
    for p in answers:
        if p is not None:
            product = product * p
    return product / product.sum()
""",
        hints=[
            "Begin with ones, and multiply by the answer of each sense that is there.",
            "At the end divide by the sum; without any sense that gives equal probabilities.",
        ],
        verify=_verify_senses,
        right=[
            "def answer(answers, num_classes):\n"
            "    there = [p for p in answers if p is not None]\n"
            "    product = np.prod([np.ones(num_classes), *there], axis=0)\n"
            "    return product / np.sum(product)",
        ],
        wrong=[
            (  # zeros for a missing sense
                "def answer(answers, num_classes):\n"
                "    product = np.ones(num_classes)\n"
                "    for p in answers:\n"
                "        product = product * (np.zeros(num_classes) if p is None else p)\n"
                "    return product / max(product.sum(), 1e-9)",
                "the ear is missing: expected [0.4, 0.4, 0.2], found [0., 0., 0.]",
            ),
            (  # the mean
                "def answer(answers, num_classes):\n"
                "    there = [p for p in answers if p is not None]\n"
                "    return np.mean(there or [np.full(num_classes, 1 / num_classes)], axis=0)",
                "eye and ear: expected [0.25, 0.5 , 0.25], found [0.3, 0.4, 0.3]",
            ),
            (  # not scaled
                "def answer(answers, num_classes):\n"
                "    product = np.ones(num_classes)\n"
                "    for p in answers:\n"
                "        product = product if p is None else product * p\n"
                "    return product",
                "eye and ear: expected [0.25, 0.5 , 0.25], found [0.08, 0.16, 0.08]",
            ),
        ],
    ),
    Exercise(
        id="15.4",
        title="the push in code",
        solution="""
def answer(z):
    powers = np.exp(z - z.max())
    of_rows = powers / powers.sum(axis=1, keepdims=True)
    of_columns = powers / powers.sum(axis=0, keepdims=True)
    return (of_rows + of_columns - 2 * np.eye(len(z))) / (2 * len(z))
""",
        hints=[
            "Make two tables from np.exp(z): each row divided by its sum, each column by its sum.",
            "Add them, subtract 2 on the diagonal, and divide by 2 B.",
        ],
        verify=_verify_push,
        right=[
            "def answer(z):\n"
            "    B, e = len(z), np.exp(z)\n"
            "    push = np.zeros((B, B))\n"
            "    for i in range(B):\n"
            "        for j in range(B):\n"
            "            both = e[i, j] / e[i].sum() + e[i, j] / e[:, j].sum()\n"
            "            push[i, j] = both - 2 * (i == j)\n"
            "    return push / (2 * B)",
        ],
        wrong=[
            (  # one direction only
                "def answer(z):\n"
                "    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)\n"
                "    return (p - np.eye(len(z))) / len(z)",
                "the table of the lesson: expected",
            ),
            (  # the true pairs are pushed once
                "def answer(z):\n"
                "    e = np.exp(z)\n"
                "    p = e / e.sum(axis=1, keepdims=True) + e / e.sum(axis=0, keepdims=True)\n"
                "    return (p - np.eye(len(z))) / (2 * len(z))",
                "expected [[-0.25, 0.25], [ 0.25, -0.25]], found [[0. , 0.25], [0.25, 0. ]]",
            ),
            (  # the sign
                "def answer(z):\n"
                "    e = np.exp(z)\n"
                "    p = e / e.sum(axis=1, keepdims=True) + e / e.sum(axis=0, keepdims=True)\n"
                "    return (2 * np.eye(len(z)) - p) / (2 * len(z))",
                "expected [[-0.25, 0.25], [ 0.25, -0.25]], found [[ 0.25, -0.25], [-0.25, 0.25]]",
            ),
        ],
    ),
]
