"""For tests of the page: the real service with a stand-in for the model, strokes, answers."""

import asyncio
import contextlib
import functools
import json
import socket
import threading
import time
from typing import NamedTuple

import numpy as np
from playwright.sync_api import expect

from course_utils.data import load_mnist
from course_utils.service.app import create_app
from course_utils.service.audit import AuditLog
from course_utils.service.keys import KeyStore
from course_utils.service.models import ModelStore, Predictor
from course_utils.service.samples import samples_json
from course_utils.service.server import Server

VERSION = 3
PREDICT = "**/v1/models/digits:predict"

# Strokes of each digit; a point is given in parts of the drawing area's side.
SHAPES = {
    0: [
        [(0.5, 0.15), (0.3, 0.3), (0.28, 0.6), (0.45, 0.85), (0.65, 0.75), (0.7, 0.4), (0.5, 0.15)]
    ],
    1: [[(0.52, 0.15), (0.48, 0.85)]],
    2: [[(0.3, 0.3), (0.45, 0.15), (0.65, 0.25), (0.6, 0.45), (0.3, 0.82), (0.72, 0.82)]],
    3: [
        [(0.32, 0.2), (0.55, 0.15), (0.65, 0.3), (0.48, 0.46)],
        [(0.48, 0.46), (0.68, 0.6), (0.6, 0.82), (0.3, 0.82)],
    ],
    4: [[(0.35, 0.15), (0.3, 0.5), (0.7, 0.5)], [(0.65, 0.2), (0.62, 0.85)]],
    5: [
        [(0.68, 0.17), (0.38, 0.17), (0.35, 0.45), (0.6, 0.5), (0.65, 0.7), (0.5, 0.85), (0.3, 0.8)]
    ],
    6: [[(0.6, 0.15), (0.4, 0.4), (0.35, 0.7), (0.5, 0.85), (0.64, 0.7), (0.5, 0.56), (0.37, 0.7)]],
    7: [[(0.28, 0.2), (0.7, 0.2), (0.45, 0.85)]],
    8: [
        [(0.62, 0.25), (0.45, 0.16), (0.38, 0.3), (0.6, 0.6), (0.55, 0.82), (0.38, 0.78)],
        [(0.38, 0.78), (0.36, 0.62), (0.6, 0.36), (0.62, 0.25)],
    ],
    9: [[(0.64, 0.3), (0.48, 0.18), (0.38, 0.34), (0.5, 0.48), (0.64, 0.3), (0.6, 0.85)]],
}


class Service(NamedTuple):
    """Where it listens, and a way to make keys: `new_key(scopes=(…), per_minute=…)`."""

    address: str
    new_key: object


@functools.cache
def mnist_test():
    """MNIST's test images and labels."""
    return load_mnist()[1]


def nearest_digits(images):
    """Ten probabilities for each image (n, 28, 28), by the nearest of 1,000 test images."""
    known, labels = (array[:1000] for array in mnist_test())
    answers = []
    for image in np.asarray(images, dtype=float):
        distances = (((known - image) / 255.0) ** 2).sum((1, 2))
        scores = -np.array([distances[labels == digit].min() for digit in range(10)])
        weights = np.exp((scores - scores.max()) / 5)
        answers.append(weights / weights.sum())
    return np.array(answers, dtype=np.float32)


@contextlib.contextmanager
def serving(folder):
    """Run the service in a thread, on a free port of this machine; gives a Service."""
    model = folder / "models" / "digits" / str(VERSION) / "model.keras"
    model.parent.mkdir(parents=True)
    model.touch()
    store = ModelStore(folder / "models", lambda *_: Predictor(nearest_digits, (28, 28), (10,)))
    keys = KeyStore(folder / "keys.json", clock=lambda: 0.0)  # no rate recovers, no key expires
    audit = AuditLog(folder / "audit.log", b"s" * 32)
    samples = {"samples.json": samples_json(*mnist_test())}
    app = create_app(store, keys, audit, files=samples)
    server = Server(app)

    async def run(listener):
        await store.load_all()
        await server.serve(sockets=[listener])

    def new_key(scopes=("predict:digits",), per_minute=1_000_000):
        return keys.add("a test", scopes, 1, per_minute)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(run(listener)))
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.01)
            yield Service(f"http://127.0.0.1:{listener.getsockname()[1]}/", new_key)
        finally:
            server.should_exit = True
            thread.join()
            audit.close()


def draw(page, points):
    """Draw one stroke with the mouse; points are parts of the area's side."""
    box = page.locator("#pad").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()


def answered(page):
    """Wait until the page has settled; the last image that was sent, (28, 28)."""
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "false")
    return page.sent[-1]


def centre_of_mass(image):
    rows, columns = np.indices(image.shape)
    return np.array([(rows * image).sum(), (columns * image).sum()]) / image.sum()


def text(page, selector):
    return page.locator(selector).inner_text()


def draw_digit(page, digit, size=1.0):
    for stroke in SHAPES[digit]:
        draw(page, [(x * size, y * size) for x, y in stroke])


def reply(page, status=200, body="", **headers):
    """Let the page get this answer in place of the service's."""
    content = body if isinstance(body, str) else json.dumps(body)
    page.unroute(PREDICT)
    page.route(PREDICT, lambda route: route.fulfill(status=status, body=content, headers=headers))


def predictions(**probabilities):
    """A reply with these probabilities, `d7=0.5` for the digit 7."""
    return {
        "predictions": [[probabilities.get(f"d{digit}", 0.0) for digit in range(10)]],
        "version": 12,
    }
