"""Exercises of lesson 19: padding requests, a bucket that counts images."""

import json

from course_utils.exercises import Exercise, NotYet


def _verify_pad(answer) -> None:
    text = json.dumps({"instances": [[0, 12, 255]]}).encode()
    for body in (text, text[:-1] + b" " * 5 + b"}", b"{}", b"[" + b"1," * 40 + b"1]"):
        for block in (1, 8, len(body) - 1, len(body), len(body) + 1, 256):
            given = f"a body of {len(body)} bytes and block={block}"
            found = answer(body, block)
            if not isinstance(found, bytes):
                raise NotYet(f"the result for {given}: expected bytes, found {_kind(found)}")
            expected = -(-len(body) // block) * block
            if len(found) % block:
                raise NotYet(
                    f"length for {given}: expected a multiple of {block}, found {len(found)}"
                )
            if len(found) != expected:
                raise NotYet(
                    f"length for {given}: expected the least that fits, {expected}, "
                    f"found {len(found)}"
                )
            if not found.startswith(body):
                raise NotYet(f"content for {given}: expected the body unchanged at the start")
            if found[len(body) :].strip(b" "):
                raise NotYet(
                    f"padding for {given}: expected spaces only, found {found[len(body) :][:1]!r}, "
                    "which is not JSON"
                )


def _kind(value) -> str:
    return type(value).__name__


def _accepted(times, sizes, capacity, rate) -> list[bool]:
    tokens, last, result = capacity, 0.0, []
    for time, k in zip(times, sizes, strict=True):
        tokens, last = min(capacity, tokens + rate * (time - last)), time
        result.append(tokens >= k)
        tokens -= k if result[-1] else 0
    return result


BUCKETS = {
    "requests of one image": ([0, 0, 0, 1, 1], [1, 1, 1, 1, 1], 2, 1),
    "a large request that is refused": ([0, 1, 2], [5, 8, 5], 10, 1),
    "a pause longer than it takes to fill up": ([0, 100, 100], [4, 4, 4], 4, 1),
    "a request larger than the bucket": ([0, 50, 50], [11, 10, 1], 10, 1),
    "a first request after a while": ([30, 30], [10, 1], 10, 2),
    "refills smaller than a token": ([0, 0.5, 1, 1.5, 2], [1, 1, 1, 1, 1], 1, 0.5),
}


def _verify_bucket(answer) -> None:
    for what, case in BUCKETS.items():
        found = answer(*case)
        expected = _accepted(*case)
        given = "times={}, sizes={}, capacity={}, rate={}".format(*case)
        if not isinstance(found, list | tuple) or len(found) != len(expected):
            raise NotYet(
                f"the result for {given}: expected a list of {len(expected)}, found {found!r}"
            )
        if [bool(value) for value in found] != expected:
            raise NotYet(f"{what} ({given}): expected {expected}, found {list(found)}")


EXERCISES = [
    Exercise(
        id="19.1",
        title="padding a request",
        solution="""
def answer(body, block):
    return body + b" " * (-len(body) % block)
""",
        hints=[
            "How many bytes are missing to the next multiple? None, if the length is one already.",
            "In Python -n % block is what n lacks to the next multiple of block.",
        ],
        verify=_verify_pad,
        right=[
            "def answer(body, block):\n"
            "    size = (len(body) + block - 1) // block * block\n"
            "    return body.ljust(size)",
            "def answer(body, block):\n"
            "    while len(body) % block:\n"
            "        body = body + b' '\n"
            "    return body",
        ],
        wrong=[
            (
                "def answer(body, block):\n    return body + b' ' * (block - len(body) % block)",
                "expected the least that fits, 29, found 30",
            ),
            (
                "def answer(body, block):\n    return body + b'0' * (-len(body) % block)",
                "expected spaces only, found b'0', which is not JSON",
            ),
            (
                "def answer(body, block):\n    return body.ljust(block)",
                "expected a multiple of 8, found 29",
            ),
            (
                "def answer(body, block):\n    return body.rjust(-(-len(body) // block) * block)",
                "expected the body unchanged at the start",
            ),
            (
                "def answer(body, block):\n"
                "    return body.decode().ljust(-(-len(body) // block) * block)",
                "expected bytes, found str",
            ),
        ],
    ),
    Exercise(
        id="19.2",
        title="a bucket that counts images",
        solution="""
def answer(times, sizes, capacity, rate):
    tokens, last, accepted = capacity, 0, []
    for time, k in zip(times, sizes):
        tokens = min(capacity, tokens + rate * (time - last))
        last = time
        accepted.append(tokens >= k)
        if accepted[-1]:
            tokens -= k
    return accepted
""",
        hints=[
            "Remember two things between requests: the tokens, and the time when you counted them.",
            "First add what came in since the last request, but never above the capacity. Then "
            "compare with k.",
            "Take the k tokens only if the request is accepted.",
        ],
        verify=_verify_bucket,
        right=[
            "def answer(times, sizes, capacity, rate):\n"
            "    missing, last, result = 0, 0, []\n"
            "    for t, k in zip(times, sizes):\n"
            "        missing, last = max(0, missing - rate * (t - last)), t\n"
            "        ok = missing + k <= capacity\n"
            "        missing += k * ok\n"
            "        result.append(ok)\n"
            "    return tuple(result)"
        ],
        wrong=[
            (
                "def answer(times, sizes, capacity, rate):\n"
                "    tokens, last, result = capacity, 0, []\n"
                "    for t, k in zip(times, sizes):\n"
                "        tokens, last = min(capacity, tokens + rate * (t - last)), t\n"
                "        result.append(tokens >= 1)\n"
                "        tokens -= result[-1]\n"
                "    return result",
                "a large request that is refused",
            ),
            (
                "def answer(times, sizes, capacity, rate):\n"
                "    tokens, last, result = capacity, 0, []\n"
                "    for t, k in zip(times, sizes):\n"
                "        tokens, last = tokens + rate * (t - last), t\n"
                "        result.append(tokens >= k)\n"
                "        tokens -= k * result[-1]\n"
                "    return result",
                "a pause longer than it takes to fill up",
            ),
            (
                "def answer(times, sizes, capacity, rate):\n"
                "    tokens, last, result = capacity, 0, []\n"
                "    for t, k in zip(times, sizes):\n"
                "        tokens, last = min(capacity, tokens + rate * (t - last)) - k, t\n"
                "        result.append(tokens >= 0)\n"
                "    return result",
                "requests of one image",
            ),
            (
                "def answer(times, sizes, capacity, rate):\n"
                "    tokens, last, result = capacity, 0, []\n"
                "    for t, k in zip(times, sizes):\n"
                "        tokens, last = min(capacity, tokens + int(rate * (t - last))), t\n"
                "        result.append(tokens >= k)\n"
                "        tokens -= k * result[-1]\n"
                "    return result",
                "refills smaller than a token",
            ),
            (
                "def answer(times, sizes, capacity, rate):\n    return len(times)",
                "expected a list of 5, found 5",
            ),
        ],
    ),
]
