"""Study of lesson 13: what a small Transformer needs for plays, poems and tunes, over seeds.

The Transformer and its training are the lesson's own (`tests/lessons/test_lesson_13.py`).
"""

from __future__ import annotations

from course_utils.studies import Study

WIDTH, NUM_LAYERS, NUM_HEADS = 128, 2, 4
BATCH_SIZE, LEARNING_RATE = 32, 0.003
LENGTHS = {"plays": 64, "quatrains": 25, "tunes": 64}
DROPOUTS = {"plays": 0.0, "quatrains": 0.3, "tunes": 0.2}


def run_row(setting: dict, seed: int) -> dict:
    """Return the mean bits of a token in the validation and in the test part."""
    from course_utils import environment

    environment.start()

    from course_utils import text_models
    from course_utils.corpora import CORPORA

    name, rng = setting["corpus"], environment.set_seed(seed)
    corpus, length = CORPORA[name](), LENGTHS[name]
    every, step = (length, length) if name == "quatrains" else (1, length // 2)
    model = text_models.transformer(
        len(corpus.symbols), length, WIDTH, NUM_LAYERS, NUM_HEADS, DROPOUTS[name]
    )
    number = BATCH_SIZE * setting["steps"]
    examples = text_models.pieces(corpus.training, length, number, rng, every)
    text_models.train(model, examples, BATCH_SIZE, LEARNING_RATE)
    return {
        "val_bits": text_models.bits(model, corpus.validation, length, step).mean(),
        "test_bits": text_models.bits(model, corpus.test, length, step).mean(),
    }


WRITERS = Study(
    name="13_writers",
    question="How many bits does a token of a new play, poem or tune cost a small Transformer?",
    arms=[
        {"corpus": "plays", "steps": 600},
        {"corpus": "quatrains", "steps": 200},
        {"corpus": "tunes", "steps": 500},
    ],
    seeds=range(5),
    run_row=run_row,
    tolerance={"val_bits": 0.05, "test_bits": 0.05},
    smoke={"corpus": "quatrains", "steps": 200},
)
STUDIES = [WRITERS]
