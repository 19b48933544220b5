"""Drawings and the images that they become: for the page's code and for lesson 10's.

`drawings.json` holds both, so that the two are held to the same. It is written by
`python3 -m tests.service.drawings` from the function in lesson 10, and only when what a drawing
should become is decided anew.
"""

import json
from pathlib import Path

import numpy as np

from tests.lessons.taught import taught

FILE = Path(__file__).with_suffix(".json")
# Rectangles of ink: top, left, bottom, right, value; later ones lie over earlier ones.
DRAWINGS = {
    "nothing": (112, []),
    "one pixel": (112, [(70, 3, 71, 4, 255)]),
    "one faint pixel far from the rest": (112, [(30, 40, 70, 50, 255), (100, 100, 101, 101, 1)]),
    "all ink": (112, [(0, 0, 112, 112, 255)]),
    "tall": (112, [(5, 60, 105, 66, 255)]),
    "wide": (112, [(50, 2, 57, 111, 200)]),
    "enlarged": (112, [(90, 90, 97, 93, 255), (93, 88, 95, 95, 120)]),
    "heavy at the top": (112, [(10, 20, 16, 90, 255), (16, 50, 100, 52, 30)]),
    "heavy at the bottom right": (112, [(10, 20, 100, 22, 10), (90, 20, 100, 95, 255)]),
    "a seven": (280, [(40, 90, 64, 200, 255), (64, 170, 150, 196, 255), (150, 140, 250, 166, 250)]),
    "in greys": (
        280,
        [(30 + 9 * i, 20 + 7 * i, 60 + 9 * i, 40 + 9 * i, 25 * i) for i in range(11)],
    ),
    "small and in a corner": (280, [(1, 1, 30, 9, 255), (1, 1, 8, 25, 130)]),
}


def drawn(size: int, boxes: list) -> np.ndarray:
    """Return a drawing of `size` by `size` bytes."""
    drawing = np.zeros((size, size), np.uint8)
    for top, left, bottom, right, value in boxes:
        drawing[top:bottom, left:right] = value
    return drawing


def prepare():
    """Return the function that lesson 10 teaches."""
    return taught("10", "picture-prepare", np=np).prepare


def vectors() -> dict:
    """Return what the file holds: a name, and the image of 28 by 28 that it becomes."""
    return json.loads(FILE.read_bytes())


if __name__ == "__main__":
    images = {name: prepare()(drawn(*drawing)) for name, drawing in DRAWINGS.items()}
    texts = [f"{json.dumps(name)}: {image.astype(int).tolist()}" for name, image in images.items()]
    FILE.write_text("{\n" + ",\n".join(texts) + "\n}\n")
