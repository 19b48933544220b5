"""Tunes to hear and to see: a small synthesiser, a player, a piano roll.

A tune is an array of shape (notes, 2): pitch as a MIDI number (0 is a rest) and duration in ticks
(an eighth has 12), as `course_utils.data.load_tunes` gives it.
"""

from __future__ import annotations

import io
import wave

import numpy as np
from matplotlib.axes import Axes

from course_utils.style import COLORS

RATE = 8000  # samples a second; 8 bits each keep a page small
TICKS_A_SECOND = 48  # an eighth lasts a quarter of a second
HARMONICS = {1: 1.0, 2: 0.5, 3: 0.25, 4: 0.12}  # multiple of the frequency: loudness
NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "G♯", "A", "B♭", "B")


def synthesise(tune: np.ndarray, ticks_a_second: float = TICKS_A_SECOND) -> np.ndarray:
    """Return the sound of a tune, between −1 and 1, RATE samples a second.

    A note is a sum of sines at multiples of 440 · 2^((pitch − 69)/12) Hz that dies away.
    """
    parts = [np.zeros(0)]
    for pitch, ticks in np.asarray(tune, dtype=int):
        t = np.arange(round(ticks / ticks_a_second * RATE)) / RATE
        frequency = 440 * 2 ** ((pitch - 69) / 12)
        sound = sum(
            loud * np.sin(2 * np.pi * multiple * frequency * t)
            for multiple, loud in HARMONICS.items()
            if multiple * frequency < RATE / 2  # above that, a sample rate cannot hold it
        )
        fade = np.minimum(1, np.minimum(t, t[::-1]) * 200) if len(t) else t  # no click at the ends
        parts.append(sound * np.exp(-3 * t) * fade * (pitch > 0))
    return np.concatenate(parts) / sum(HARMONICS.values())


def to_wav(sound: np.ndarray) -> bytes:
    """Return a WAV file, mono, 8 bits, of a sound between −1 and 1."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(RATE)
        file.writeframes(np.round(127.5 + 127.5 * np.clip(sound, -1, 1)).astype(np.uint8).tobytes())
    return buffer.getvalue()


def player(tune: np.ndarray, seconds: float = 8.0):
    """Return a player of the first seconds of a tune, for JupyterLab and pages."""
    return clip_player(synthesise(tune)[: round(seconds * RATE)])


def clip_player(sound: np.ndarray):
    """Return a player of a sound between -1 and 1, RATE samples a second."""
    from IPython.display import Audio

    return Audio(data=to_wav(sound))


def piano_roll(panel: Axes, tune: np.ndarray, title: str, color: str = COLORS[0]) -> None:
    """Draw a tune: time to the right in eighths, pitch upwards, a bar for each note."""
    tune = np.asarray(tune, dtype=int)
    starts = np.append(0, np.cumsum(tune[:, 1]))[:-1] / 12
    sounding = tune[:, 0] > 0
    low, high = tune[sounding, 0].min(), tune[sounding, 0].max()
    panel.barh(
        *(tune[sounding, 0], tune[sounding, 1] / 12),
        **{
            "left": starts[sounding],
            "height": 1.0,
            "color": color,
            "edgecolor": "white",
            "lw": 0.6,
        },
    )
    marks = [
        pitch for pitch in range(low, high + 1) if "♯" not in name(pitch) and "♭" not in name(pitch)
    ]
    panel.set_yticks(marks[::2], [name(pitch) for pitch in marks[::2]])
    panel.set(title=title, xlabel="time in eighths", ylabel="pitch", ylim=(low - 1, high + 1))


def name(pitch: int) -> str:
    """Return the name of a pitch, such as C4 for the middle C, 60."""
    return f"{NAMES[pitch % 12]}{pitch // 12 - 1}"
