"""Make speech.npz again with the speech synthesiser espeak-ng 1.51 of Debian 12.

    apt-get install espeak-ng
    python3 data/make_speech.py /usr/bin/espeak-ng speech.npz

Needs NumPy. Every speaker (a variant of a voice) says the ten digits in each accent, slowly and
fast. What is kept of a clip is how loud each band of frequencies is at each step of time; one clip
is kept as sound, to be heard. The lessons do not use this script: data/speech.npz comes with the
course.
"""

import io
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np
from making import TEST, TRAINING, VALIDATION, main

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ACCENTS = ("en-gb", "en-us", "en-gb-scotland", "en-gb-x-rp")
WAYS = ((150, 40), (190, 60))  # words a minute, pitch from 0 to 99
SPEAKERS = {  # variants of espeak-ng, by the part of the data
    TRAINING: (
        *("m1", "m2", "m4", "m6", "m7", "f1", "f2", "f4", "croak", "Alex", "Andy", "Annie"),
        *("Denis", "Gene", "Jacky", "Lee", "Mario", "Michael", "robert", "steph"),
    ),
    VALIDATION: ("m3", "m8", "f5", "adam", "linda"),
    TEST: ("m5", "f3", "Alicia", "Andrea", "max"),
}
HEARD = ("en-gb", "f4", 150, 40, "five")  # the clip that is kept as sound
HEARD_RATE = 8000  # samples a second

BANDS, STEPS = 20, 16
LOWEST, HIGHEST = 100, 8000  # Hz
FLOOR = -60  # dB below the loudest band and step of the clip: 0 in the file, and the loudest is 255
SILENCE = 0.02  # of the largest sample: what lies below at both ends is cut off


def say(program: Path, accent: str, speaker: str, speed: int, pitch: int, word: str):
    """Return the sound of a word, floats without the silence at its ends, and samples a second."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "word.wav"
        voice = ["-v", f"{accent}+{speaker}", "-s", str(speed), "-p", str(pitch)]
        subprocess.run([program, *voice, "-w", file, word], check=True)
        with wave.open(str(file)) as clip:
            rate = clip.getframerate()
            samples = np.frombuffer(clip.readframes(clip.getnframes()), "<i2").astype(float)
    loud = np.flatnonzero(np.abs(samples) > SILENCE * np.abs(samples).max())
    return samples[loud[0] : loud[-1] + 1], rate


def mel(frequency):
    """Return how high a frequency in Hz sounds to people, in mel."""
    return 2595 * np.log10(1 + np.asarray(frequency) / 700)


def log_mel(sound: np.ndarray, rate: int) -> np.ndarray:
    """Return the loudness of each band and step, shape (BANDS, STEPS), uint8.

    The steps are windows that overlap by half and share the whole clip, however long it is. The
    bands are triangles of equal width in mel, each from the centre of the one below to that of the
    one above.
    """
    size = 2 * len(sound) // (STEPS + 1)
    starts = np.arange(STEPS) * (len(sound) - size) // (STEPS - 1)
    windows = sound[starts[:, None] + np.arange(size)] * np.hanning(size)
    power = np.abs(np.fft.rfft(windows)) ** 2
    edges = np.linspace(mel(LOWEST), mel(HIGHEST), BANDS + 2)
    place = (mel(np.fft.rfftfreq(size, 1 / rate)) - edges[1:-1, None]) / (edges[1] - edges[0])
    energy = np.maximum(1 - np.abs(place), 0) @ power.T
    decibels = 10 * np.log10(np.maximum(energy / energy.max(), 1e-12))
    return np.round(255 * np.clip(1 - decibels / FLOOR, 0, 1)).astype(np.uint8)


def to_heard(sound: np.ndarray, rate: int) -> np.ndarray:
    """Return the sound with HEARD_RATE samples a second, 8 bits each; 128 is silence."""
    number = len(sound) * HEARD_RATE // rate
    lower = np.fft.irfft(np.fft.rfft(sound)[: number // 2 + 1], number)
    return np.round(128 + 127 * lower / np.abs(lower).max()).astype(np.uint8)


def make(program: Path) -> bytes:
    """Return the archive."""
    speakers = [(part, name) for part, names in SPEAKERS.items() for name in names]
    columns = {"part": [], "speaker": [], "digit": [], "loudness": []}
    for number, (part, name) in enumerate(speakers):
        for accent in ACCENTS:
            for speed, pitch in WAYS:
                for digit, word in enumerate(WORDS):
                    sound = say(program, accent, name, speed, pitch, word)
                    row = part, number, digit, log_mel(*sound)
                    for column, value in zip(columns.values(), row, strict=True):
                        column.append(value)
    archive = io.BytesIO()
    arrays = {name: np.array(column, dtype=np.uint8) for name, column in columns.items()}
    np.savez_compressed(archive, **arrays, heard=to_heard(*say(program, *HEARD)))
    return archive.getvalue()


if __name__ == "__main__":
    sys.exit(main(__doc__, "speech.npz", make))
