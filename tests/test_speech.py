"""The spoken digits of lesson 15, and the script that made their file."""

import importlib
import io
import sys
import wave

import numpy as np
import pytest

from course_utils import data

RATE = 22050


@pytest.fixture(scope="module")
def script():
    """The script in data/, which imports its neighbour."""
    sys.path.insert(0, str(data.DATA_FOLDER))
    yield importlib.import_module("make_speech")
    sys.path.remove(str(data.DATA_FOLDER))


def test_every_speaker_says_every_digit_and_lies_in_one_part(script):
    parts, seen = data.load_speech(), set()
    for part, names in zip(parts, script.SPEAKERS.values(), strict=True):
        said = len(script.ACCENTS) * len(script.WAYS)
        assert part.loudness.shape == (len(names) * said * 10, 20, 16)
        assert part.loudness.dtype == np.uint8
        pairs = np.stack([part.speakers, part.digits], axis=1)
        assert set(np.unique(pairs, axis=0, return_counts=True)[1]) == {said}
        assert len(np.unique(pairs, axis=0)) == 10 * len(names)
        assert not seen & set(part.speakers)
        seen |= set(part.speakers)
        assert (part.loudness.max(axis=(1, 2)) == 255).all()
    assert 0.2 < len(data.load_spoken_five()) / script.HEARD_RATE < 1.0


def test_a_tone_is_loudest_in_the_band_of_its_frequency_and_at_its_time(script):
    t = np.arange(RATE // 2) / RATE
    edges = np.linspace(script.mel(script.LOWEST), script.mel(script.HIGHEST), script.BANDS + 2)
    for band in (2, 11, 18):
        frequency = 700 * (10 ** (edges[band + 1] / 2595) - 1)
        found = script.log_mel(np.sin(2 * np.pi * frequency * t) * (t > 0.25), RATE)
        assert set(found[:, 9:].argmax(axis=0)) == {band}
        assert found.max() == 255 and found[:, :7].max() == 0


def test_the_script_asks_the_program_for_every_word(script, monkeypatch):
    asked = []

    def synthesise(command, check):
        _, _, voice, _, speed, _, pitch, _, file, word = command
        asked.append((voice, int(speed), int(pitch), word))
        tone = 9000 * np.cos(np.arange(4000) * 0.1 * (1 + script.WORDS.index(word)))
        with wave.open(str(file), "wb") as clip:
            clip.setparams((1, 2, RATE, 0, "NONE", ""))
            clip.writeframes(np.pad(tone, 3000).astype("<i2").tobytes())

    monkeypatch.setattr(script.subprocess, "run", synthesise)
    monkeypatch.setattr(script, "SPEAKERS", {0: ("a", "b"), 1: ("c",), 2: ("d",)})
    with np.load(io.BytesIO(script.make("espeak-ng"))) as arrays:
        assert arrays["part"].tolist() == [0] * 160 + [1] * 80 + [2] * 80
        assert arrays["digit"].tolist() == list(range(10)) * 32
        assert len(arrays["loudness"]) == 320
        loudest = arrays["loudness"][:10].max(axis=2).argmax(axis=1)
        assert (np.diff(loudest) >= 0).all() and loudest[0] < loudest[-1]
        assert len(arrays["heard"]) == 4000 * 8000 // RATE  # the silence is cut off
    assert asked[0] == ("en-gb+a", 150, 40, "zero") and len(set(asked[:-1])) == 320
    assert asked[-1] == ("en-gb+f4", 150, 40, "five")
