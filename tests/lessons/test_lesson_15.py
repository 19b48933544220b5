"""What lesson 15 writes out equals what its studies use; and scenes and pairs are as they say."""

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from course_utils import environment, scenes
from course_utils.senses import Pairs, Senses
from course_utils.studies import lesson_15 as study
from tests.lessons.taught import taught

CELLS = (
    *("space-code", "space-check", "space-encoders", "space-untrained", "search-train"),
    *("search-measure", "fuse-code", "fuse-train", "missing-early", "missing-drop", "match-draw"),
)


@pytest.fixture(scope="module")
def page():
    known = scenes.CAPTIONS[~scenes.is_held_out(scenes.CAPTIONS)]
    digits = {"training": scenes.Digits("training")}
    given = {"known": known, "digits": digits, "scenes": scenes, "np": np, "tf": tf, "noisy": {}}
    return taught("15", *CELLS, keras=keras, layers=layers, **given)


@pytest.fixture(scope="module")
def noisy():
    return Senses("training", study.IMAGE_NOISE, study.SOUND_NOISE)


def equal_weights(models):
    for ours, theirs in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_the_two_searches_are_trained_alike(page):
    rng = environment.set_seed(0)
    ours = page.make_encoders(layers.Flatten())
    losses = page.train_search(*ours, 3, 0.01, rng)
    rng = environment.set_seed(0)
    theirs = study.make_encoders("sequence")
    expected = study.train_search(theirs, 3, 0.01, page.TEMPERATURE, rng)
    np.testing.assert_allclose(losses, expected, atol=1e-6)
    equal_weights([ours[0], theirs[0]])
    equal_weights([ours[1], theirs[1]])


def test_the_networks_of_two_senses_are_trained_alike(page, noisy):
    def draw(number, rng):
        return noisy.draw(number // 50, rng)  # one batch, not fifty

    options = ("images", "sounds"), draw
    for dropped, updates in ((0.0, 50), (study.DROPPED, 100)):
        change = partial(page.drop_senses, share=dropped) if dropped else None
        ours = page.train_network(*options, updates, 0.01, environment.set_seed(0), change)
        theirs = study.train_network(*options, updates, 0.01, environment.set_seed(0), dropped)
        equal_weights([ours, theirs])
    p, q = np.random.default_rng(0).random((2, 5, 10))
    np.testing.assert_array_equal(page.product_of(p, q), study.product_of(p, q))


def test_batches_of_the_study_are_what_their_names_say():
    known = scenes.CAPTIONS[~scenes.is_held_out(scenes.CAPTIONS)]
    rng = np.random.default_rng(0)
    for batches in ("any", "never mirrored", "one order"):
        drawn = study.draw_captions(batches, known, 64, rng)
        alone, with_mirrored = (
            len(np.unique(each, axis=0)) for each in (drawn, [*drawn, *scenes.mirrored(drawn)])
        )
        assert alone == 64 and not scenes.is_held_out(drawn).any()
        assert (with_mirrored == 128) == (batches != "any")
        assert (drawn[:, 0] < drawn[:, 2]).all() == (batches == "one order")


def test_a_scene_shows_its_caption():
    assert len(np.unique(scenes.CAPTIONS, axis=0)) == 180
    texts = [scenes.to_text(caption) for caption in scenes.CAPTIONS]
    read = [
        " ".join(scenes.WORDS[i] for i in row).strip() for row in scenes.to_tokens(scenes.CAPTIONS)
    ]
    assert read == texts and "a 3 left of a 7" in texts and "a 0 above a 9" in texts
    assert scenes.is_held_out(scenes.CAPTIONS).sum() == 20
    digits, rng = scenes.Digits("test"), np.random.default_rng(0)
    (_, _), (images, labels) = scenes.load_mnist()
    small = images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).astype(np.uint8)
    for caption, scene in zip(scenes.CAPTIONS, digits.draw(scenes.CAPTIONS, rng), strict=True):
        first, relation, second = caption
        for label, half in ((first, slice(14)), (second, slice(14, 28))):
            part = scene[:, half] if relation == 0 else scene[half].T
            windows = [part[top : top + 14] for top in range(3, 12)]
            of_label = small[labels == label] / np.float32(255)
            if relation == 1:
                of_label = of_label.transpose(0, 2, 1)
            assert any((np.abs(of_label - w).max(axis=(1, 2)) < 1e-6).any() for w in windows)


def test_pairs_show_the_digit_that_they_name():
    clean = Senses("validation", 0, 0)

    def to_bytes(row):
        return np.round(row * 255).astype(np.uint8).tobytes()

    of_clip = {}
    for digit, group in enumerate(clean._clips_of):
        of_clip |= dict.fromkeys((clean._clips[i].tobytes() for i in group), digit)
    of_image = {
        image.tobytes(): label for image, label in zip(clean._images, clean._labels, strict=True)
    }
    pairs = clean.draw(500, np.random.default_rng(0))
    np.testing.assert_array_equal([of_image[to_bytes(row)] for row in pairs.images], pairs.digits)
    np.testing.assert_array_equal([of_clip[to_bytes(row)] for row in pairs.sounds], pairs.digits)
    again = Senses("validation", 1.2, 0.8).draw(500, np.random.default_rng(0))
    noise = again.images - clean.draw(500, np.random.default_rng(0)).images
    assert noise.std() == pytest.approx(1.2, rel=0.01)


def test_neither_sense_alone_tells_whether_both_show_one_digit(page):
    class Numbers:
        """Pairs whose picture and clip are their digit, which is often a 1 and rarely a 0."""

        def draw(self, number, rng):
            p = np.array([1, 19, *[10] * 8]) / 100
            digits = rng.choice(10, number, p=p).astype(np.int32)
            return Pairs(digits[:, None], digits[:, None], digits)

    page.noisy["training"] = Numbers()
    pairs = page.draw_match("training", 40_000, np.random.default_rng(0))
    np.testing.assert_array_equal(pairs.digits, (pairs.images == pairs.sounds)[:, 0])
    for sense in (pairs.images, pairs.sounds):
        for same in (0, 1):
            count = np.bincount(sense[pairs.digits == same, 0], minlength=10)
            np.testing.assert_allclose(count, 2000, atol=6 * np.sqrt(2000))
