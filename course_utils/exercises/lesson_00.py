"""Exercises of lesson 00: reading an accuracy, top-2 accuracy."""

import numpy as np

from course_utils.exercises import Exercise, NotYet, expect_close


def _verify_errors(answer) -> None:
    if isinstance(answer, (int, float)) and 0 < answer < 1:
        raise NotYet(f"the answer is a number of images, not a share: found {answer}")
    if answer == 9750:
        raise NotYet("9,750 images are right; the question asks for those that are wrong")
    expect_close("wrong images of 10,000 at an accuracy of 97.5 %", answer, 250)


def _verify_top_two(answer) -> None:
    scores = np.array([[0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [0.2, 0.3, 0.5]])
    first = "top-2 accuracy, true label has the"
    expect_close(f"{first} largest score (y = [0])", answer(np.array([0]), scores[:1]), 1)
    expect_close(f"{first} second largest score (y = [1])", answer(np.array([1]), scores[:1]), 1)
    expect_close(f"{first} smallest score (y = [2])", answer(np.array([2]), scores[:1]), 0)
    y = np.array([0, 1, 2, 1])
    expect_close("top-2 accuracy of four examples, three of them right", answer(y, scores), 0.75)
    logits = np.array([[-5.0, -1.0, -3.0]])
    expect_close("top-2 accuracy with negative scores (y = [2])", answer(np.array([2]), logits), 1)


EXERCISES = [
    Exercise(
        id="00.1",
        title="250 of 10,000",
        solution="answer = round((1 - 0.975) * 10_000)",
        hints=[
            "97.5 % are right. What share is wrong?",
            "2.5 % of 10,000 images are wrong.",
        ],
        verify=_verify_errors,
        right=["answer = 250.0"],
        wrong=[
            ("answer = 0.025", "not a share: found 0.025"),
            ("answer = 9750", "asks for those that are wrong"),
            ("answer = 25", "expected 250, found 25"),
            ("answer = 2500", "expected 250, found 2500"),
        ],
    ),
    Exercise(
        id="00.2",
        title="top-2 accuracy",
        solution="""
def answer(y, scores):
    top_two = np.argsort(scores, axis=1)[:, -2:]
    return np.mean(np.any(top_two == y[:, np.newaxis], axis=1))
""",
        hints=[
            "np.argsort(scores, axis=1) puts the classes in order of score, the largest last.",
            "Compare both of the last two columns with y[:, np.newaxis].",
            "An example is right if either comparison is true: np.any(…, axis=1). Then the mean.",
        ],
        verify=_verify_top_two,
        right=[
            "def answer(y, scores):\n"
            "    own = scores[np.arange(len(y)), y]\n"
            "    return np.mean(np.sum(scores > own[:, None], axis=1) < 2)"
        ],
        wrong=[
            (
                "def answer(y, scores):\n    return np.mean(np.argmax(scores, axis=1) == y)",
                "second largest score (y = [1]): expected 1, found 0",
            ),
            (
                "def answer(y, scores):\n"
                "    top_two = np.argsort(scores, axis=1)[:, :2]\n"
                "    return np.mean(np.any(top_two == y[:, None], axis=1))",
                "largest score (y = [0]): expected 1, found 0",
            ),
            (
                "def answer(y, scores):\n"
                "    top_two = np.argsort(scores, axis=1)[:, -2:]\n"
                "    return np.sum(np.any(top_two == y[:, None], axis=1))",
                "three of them right: expected 0.75, found 3",
            ),
            (
                "def answer(y, scores):\n"
                "    own = scores[np.arange(len(y)), y]\n"
                "    return np.mean(own >= 0.3)",
                "negative scores (y = [2]): expected 1, found 0",
            ),
        ],
    ),
]
