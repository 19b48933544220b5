"""The synthesiser sounds the right note, as long as it lasts, and its file can be read again."""

import io
import wave

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_utils import sound

TUNE = np.array([[69, 48], [0, 24], [60, 96]])  # a quarter bar of A4, a rest, C4


def test_a_note_has_its_frequency_and_its_length():
    samples = sound.synthesise(TUNE)
    assert len(samples) == (48 + 24 + 96) / sound.TICKS_A_SECOND * sound.RATE
    assert np.abs(samples).max() <= 1
    for part, frequency in ((samples[:8000], 440), (samples[12000:], 261.63)):
        spectrum = np.abs(np.fft.rfft(part))
        assert np.argmax(spectrum) * sound.RATE / len(part) == pytest.approx(frequency, abs=1)
    assert not samples[8000:12000].any()


def test_the_file_holds_the_sound():
    samples = sound.synthesise(TUNE)
    with wave.open(io.BytesIO(sound.to_wav(samples))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 1, 8000)
        found = np.frombuffer(file.readframes(file.getnframes()), np.uint8) / 127.5 - 1
    np.testing.assert_allclose(found, samples, atol=0.005)


def test_a_player_is_short():
    assert len(sound.player(np.tile(TUNE, (50, 1)), seconds=2).data) == 2 * sound.RATE + 44


def test_a_piano_roll_has_a_bar_for_each_sounding_note():
    figure, panel = plt.subplots()
    sound.piano_roll(panel, TUNE, "two notes")
    bars = [(bar.get_x(), bar.get_width(), bar.get_y() + 0.5) for bar in panel.patches]
    assert bars == [(0, 4, pytest.approx(69)), (6, 8, pytest.approx(60))]
    assert next(label.get_text() for label in panel.get_yticklabels()) == "C4"
    plt.close(figure)
