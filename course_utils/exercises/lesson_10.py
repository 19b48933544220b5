"""Exercises of lesson 10: coming back after a refusal, the size of a canary, a p99 from buckets."""

import math

import numpy as np

from course_utils.exercises import Exercise, NotYet, expect_close


def _verify_retry(answer) -> None:
    for attempt, retry_after in ((0, 1.0), (3, 1.0), (5, 0.0), (12, 2.0)):
        rng = np.random.default_rng(attempt)
        waits = np.array([float(answer(attempt, retry_after, rng)) for _ in range(2000)])
        what = f"attempt={attempt}, retry_after={retry_after:g}, 2,000 draws"
        high = min(10.0, 0.1 * 2**attempt)
        if np.ptp(waits) == 0:
            raise NotYet(f"{what}: all wait {waits[0]:g} s; clients would come back at once")
        if waits.min() < retry_after:
            raise NotYet(
                f"{what}: the shortest is {waits.min():.3g} s, sooner than the service allows"
            )
        if waits.max() > retry_after + high:
            raise NotYet(
                f"{what}: the longest is {waits.max():.3g} s, expected at most "
                f"{retry_after + high:g}"
            )
        expect_close(f"{what}: mean wait", waits.mean(), retry_after + high / 2, 0.03 * high)


def _verify_canary(answer) -> None:
    for p, d, s, z in ((0.02, 0.01, 0.1, 3), (0.1, 0.02, 0.5, 2), (0.0, 0.05, 1.0, 4)):
        worse = p + d
        expected = z**2 * worse * (1 - worse) / d**2 / s
        found = answer(p, d, s, z)
        expect_close(f"requests for p={p}, d={d}, s={s}, z={z}", found, expected, 0.01 * expected)


def _quantile(bounds, counts, q) -> float:
    rank, low, below = q * counts[-1], 0.0, 0
    for bound, count in zip(bounds, counts, strict=True):
        if count >= rank:
            return (
                low if math.isinf(bound) else low + (bound - low) * (rank - below) / (count - below)
            )
        low, below = bound, count
    raise AssertionError("unreachable: the last count is the largest")


def _verify_histogram(answer) -> None:
    inf = math.inf
    cases = [
        ([0.01, 0.1, inf], [50, 100, 100], 0.75),
        ([0.01, 0.1, inf], [80, 100, 100], 0.5),  # in the first bucket, which begins at 0
        ([0.01, 0.1, 1.0, inf], [10, 10, 90, 100], 0.5),  # past an empty bucket
        ([0.01, 0.1, inf], [50, 90, 100], 0.99),  # in the bucket without an end
    ]
    for bounds, counts, q in cases:
        what = f"bounds={bounds}, counts={counts}, q={q}"
        expect_close(what, answer(bounds, counts, q), _quantile(bounds, counts, q))


EXERCISES = [
    Exercise(
        id="10.1",
        title="waiting after a refusal",
        solution="""
def answer(attempt, retry_after, rng):
    return retry_after + rng.uniform(0, min(10, 0.1 * 2**attempt))
""",
        hints=[
            "Two parts are added: what the service asked for, and a draw.",
            "The upper end of the draw is 0.1, 0.2, 0.4, … and then 10.",
            "min(10, 0.1 * 2**attempt) is that end; rng.uniform(low, high) draws.",
        ],
        verify=_verify_retry,
        right=[
            "def answer(attempt, retry_after, rng):\n"
            "    return retry_after + rng.random() * min(10, 0.1 * 2**attempt)"
        ],
        wrong=[
            (
                "def answer(attempt, retry_after, rng):\n"
                "    return retry_after + min(10, 0.1 * 2**attempt)",
                "clients would come back at once",
            ),
            (
                "def answer(attempt, retry_after, rng):\n"
                "    return rng.uniform(0, min(10, 0.1 * 2**attempt))",
                "sooner than the service allows",
            ),
            (
                "def answer(attempt, retry_after, rng):\n"
                "    return retry_after + rng.uniform(0, 0.1 * 2**attempt)",
                "expected at most 12",
            ),
            (
                "def answer(attempt, retry_after, rng):\n"
                "    return retry_after + rng.uniform(0, 0.1 * (attempt + 1))",
                "attempt=3, retry_after=1, 2,000 draws: mean wait",
            ),
        ],
    ),
    Exercise(
        id="10.2",
        title="requests until a worse canary shows",
        solution="""
def answer(p, d, s, z):
    worse = p + d
    n = z**2 * worse * (1 - worse) / d**2
    return n / s
""",
        hints=[
            "What is the standard deviation of the share of wrong answers among n answers?",
            "The canary is wrong with probability p + d; set d equal to z times that deviation.",
            "That gives the canary's own requests. All requests are 1 / s times as many.",
        ],
        verify=_verify_canary,
        right=[
            "def answer(p, d, s, z):\n"
            "    return int(np.ceil((z / d) ** 2 * (p + d) * (1 - p - d) / s))"
        ],
        wrong=[
            (
                "def answer(p, d, s, z):\n    return z**2 * (p + d) * (1 - p - d) / d**2",
                "p=0.02, d=0.01, s=0.1, z=3: expected 26190, found 2619",
            ),
            (
                "def answer(p, d, s, z):\n    return z**2 * p * (1 - p) / d**2 / s",
                "expected 26190, found 17640",
            ),
            (
                "def answer(p, d, s, z):\n    return z * ((p + d) * (1 - p - d)) ** 0.5 / d / s",
                "expected 26190, found 511.7",
            ),
            (
                "def answer(p, d, s, z):\n    return z**2 / (4 * d**2) / s",
                "expected 26190, found 225000",
            ),
        ],
    ),
    Exercise(
        id="10.3",
        title="a percentile from buckets",
        solution="""
def answer(bounds, counts, q):
    rank, low, below = q * counts[-1], 0.0, 0
    for bound, count in zip(bounds, counts):
        if count >= rank:
            break
        low, below = bound, count
    if bound == float("inf"):
        return low
    return low + (bound - low) * (rank - below) / (count - below)
""",
        hints=[
            "Which rank does the quantile have among all latencies, and in which bucket is it?",
            "It is the first bucket whose count reaches q * counts[-1].",
            "In it, go the share (rank - count before) / (count - count before) of the way from "
            "the lower to the upper bound.",
        ],
        verify=_verify_histogram,
        right=[
            "def answer(bounds, counts, q):\n"
            "    i = int(np.searchsorted(counts, q * counts[-1]))\n"
            "    edges, below = [0.0, *bounds], [0, *counts]\n"
            "    if np.isinf(bounds[i]):\n"
            "        return edges[i]\n"
            "    part = (q * counts[-1] - below[i]) / (counts[i] - below[i])\n"
            "    return edges[i] + part * (bounds[i] - edges[i])"
        ],
        wrong=[
            (
                "def answer(bounds, counts, q):\n"
                "    return bounds[int(np.searchsorted(counts, q * counts[-1]))]",
                "q=0.75: expected 0.055, found 0.1",
            ),
            (
                "def answer(bounds, counts, q):\n"
                "    return float(np.interp(q * counts[-1], counts, bounds))",
                "counts=[80, 100, 100], q=0.5: expected 0.00625, found 0.01",
            ),
            (
                "def answer(bounds, counts, q):\n"
                "    i = int(np.searchsorted(counts, q * counts[-1]))\n"
                "    edges, below = [0.0, *bounds], [0, *counts]\n"
                "    part = (q * counts[-1] - below[i]) / (counts[i] - below[i])\n"
                "    return edges[i] + part * (bounds[i] - edges[i])",
                "q=0.99: expected 0.1, found inf",
            ),
            (
                "def answer(bounds, counts, q):\n"
                "    total = np.cumsum(counts)\n"
                "    i = int(np.searchsorted(total, q * total[-1]))\n"
                "    return bounds[i]",
                "q=0.75: expected 0.055, found inf",
            ),
        ],
    ),
]
