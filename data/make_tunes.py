"""Make tunes.npz again from the ABC files of the PyPI package `music21` 10.5.1.

    pip download --no-deps music21==10.5.1
    python3 data/make_tunes.py music21-10.5.1-py3-none-any.whl tunes.npz

Needs NumPy. The tunes are those of the package's folder oneills1850: Francis O'Neill, "Music of
Ireland" (1903). Only pitches and durations are taken. The lessons do not use this script:
data/tunes.npz comes with the course.
"""

import io
import re
import sys
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np
from making import main, split

FOLDER = "music21/corpus/oneills1850/"
TICKS = 96  # in a whole note: 12 are an eighth, 8 an eighth of a triplet
LONGEST = 96
FEWEST_NOTES = 24
SHARED = 14  # tunes that share so many intervals in a row lie on one side of the split
REST = 0

SHARPS = {"C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5, "F#": 6, "F": -1, "Bb": -2, "Eb": -3}
MODES = {"": 0, "maj": 0, "mix": -1, "dor": -2, "m": -3, "min": -3, "aeo": -3, "phr": -4, "lyd": 1}
SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SHIFTS = {"^^": 2, "^": 1, "": None, "=": 0, "_": -1, "__": -2}
TUPLETS = {2: 3, 3: 2, 4: 3, 6: 2}  # p notes in the time of q
SILENT = re.compile(  # strings, chord names, grace notes, decorations, inline fields but the key
    r'"[^"]*"|\{[^}]*\}|![^!]*!|\[[A-JL-Z]:[^\]]*\]|%.*'
)
ELEMENT = re.compile(
    r"\[K:(?P<key>[^\]]*)\]|(?P<bar>\||:)|\((?P<tuplet>[2346])(?::\d*)*|(?P<tie>-)|(?P<broken>[<>]+)"
    r"|\[(?P<chord>[^\]|:]+)\](?P<chord_length>\d*/*\d*)"
    r"|(?P<shift>\^\^|\^|=|__|_|)(?P<note>[A-Ga-gzx])(?P<octave>[,']*)(?P<length>\d*/*\d*)"
)


def key_signature(text: str) -> dict[str, int]:
    """Return the semitones by which a key moves each letter; KeyError for an unknown key."""
    found = re.match(r"\s*([A-G][#b]?)\s*([A-Za-z]*)", text)
    count = SHARPS[found[1]] + MODES[found[2].lower()[:3]]
    order = "FCGDAEB"
    return dict.fromkeys(order[: max(count, 0)], 1) | dict.fromkeys(order[7 + min(count, 0) :], -1)


def length_of(text: str) -> Fraction:
    """Return the factor that a length such as 3/2, / or // means."""
    if "/" not in text:
        return Fraction(int(text or 1))
    above, below = text.split("/", 1)
    return Fraction(int(above or 1), int(below.strip("/") or 2 ** (below.count("/") + 1)))


def read_body(body: str, key: str, unit: Fraction) -> list[list]:
    """Return `[pitch, duration]` of each note of a tune, 0 for a rest, ties joined.

    pitch: MIDI number, 60 is the middle C; duration: in whole notes.
    """
    signature, in_bar, notes = key_signature(key), {}, []
    left, ratio, factor, tied = 0, Fraction(1), Fraction(1), False
    for found in ELEMENT.finditer(SILENT.sub("", body)):
        if found["key"]:
            signature = key_signature(found["key"])
        elif found["bar"]:
            in_bar = {}
        elif found["tuplet"]:
            left = int(found["tuplet"])
            ratio = Fraction(TUPLETS[left], left)
        elif found["tie"]:
            tied = True
        elif found["broken"] and notes:
            change = Fraction(1, 2 ** len(found["broken"]))
            longer, shorter = 2 - change, change
            first, factor = (longer, shorter) if ">" in found["broken"] else (shorter, longer)
            notes[-1][1] *= first
        elif found["chord"] or found["note"]:
            head = found
            length = found["length"]
            if found["chord"]:  # its first note, in a fiddle's chord the tune's
                head = next(part for part in ELEMENT.finditer(found["chord"]) if part["note"])
                length = found["chord_length"] or head["length"]
            pitch = pitch_of(head, signature, in_bar)
            duration = length_of(length) * unit * factor * (ratio if left else 1)
            left, factor = max(left - 1, 0), Fraction(1)
            if tied and notes and notes[-1][0] == pitch != REST:
                notes[-1][1] += duration
            else:
                notes.append([pitch, duration])
            tied = False
    return notes


def pitch_of(found: re.Match, signature: dict, in_bar: dict) -> int:
    """Return the MIDI number of a note; an accidental holds to the end of its bar."""
    letter = found["note"].upper()
    if letter in "ZX":
        return REST
    octave = found["octave"].count("'") - found["octave"].count(",") + found["note"].islower()
    shift = SHIFTS[found["shift"]]
    if shift is not None:
        in_bar[letter] = shift
    return 60 + 12 * octave + SEMITONES[letter] + in_bar.get(letter, signature.get(letter, 0))


def read_tunes(package: Path) -> dict[int, list[tuple[int, int]]]:
    """Return pitch and ticks of each note of the tunes, by their number in the book.

    Tunes that change metre in a way this reader does not know, have a note that is no whole number
    of ticks or longer than a whole note, or fewer than 24 notes, are left out.
    """
    with zipfile.ZipFile(package) as archive:
        names = sorted(n for n in archive.namelist() if n.startswith(FOLDER) and n.endswith("abc"))
        text = "\n".join(archive.read(name).decode("latin-1") for name in names)
    tunes = {}
    for part in re.split(r"^X:", text.replace("\r", ""), flags=re.MULTILINE)[1:]:
        fields, body = {}, []
        for line in part.split("\n")[1:]:
            field = re.match(r"([A-Za-z]):(.*)", line)
            if field and not ("K" in fields and field[1] not in "K"):
                fields.setdefault(field[1], field[2])
                if field[1] == "K" and body:
                    body.append(f"[K:{field[2]}]")
            elif "K" in fields and not field:
                body.append(line.rstrip("\\"))
        number = int(re.match(r"\s*(\d+)", part)[1])
        try:
            metre = re.search(r"(\d+)/(\d+)", fields.get("M", "4/4"))
            size = Fraction(int(metre[1]), int(metre[2])) if metre else Fraction(1)
            default = "1/8" if size >= Fraction(3, 4) else "1/16"
            unit = Fraction(fields.get("L", default).split()[0])
            notes = read_body(" ".join(body), fields["K"], unit)
        except (KeyError, ValueError, TypeError, StopIteration):
            continue
        ticks = [(pitch, duration * TICKS) for pitch, duration in notes]
        whole = all(t.denominator == 1 and 0 < t <= LONGEST for _, t in ticks)
        if whole and len(ticks) >= FEWEST_NOTES and number not in tunes:
            tunes[number] = [(pitch, int(t)) for pitch, t in ticks]
    return tunes


def marks(tune: list[tuple[int, int]]) -> set[bytes]:
    """Return each run of 14 intervals of a tune, in whatever key it stands."""
    pitches = np.array([pitch for pitch, _ in tune if pitch != REST], dtype=np.int8)
    steps = np.diff(pitches).tobytes()
    return {steps[i : i + SHARED] for i in range(len(steps) - SHARED + 1)}


def make(package: Path) -> bytes:
    """Return the archive."""
    tunes = read_tunes(package)
    parts = split([marks(tune) for tune in tunes.values()])
    archive = io.BytesIO()
    np.savez_compressed(
        archive,
        number=np.array(list(tunes), dtype=np.int16),
        part=np.array(parts, dtype=np.uint8),
        length=np.array([len(tune) for tune in tunes.values()], dtype=np.int16),
        pitch=np.array([p for tune in tunes.values() for p, _ in tune], dtype=np.uint8),
        duration=np.array([t for tune in tunes.values() for _, t in tune], dtype=np.uint8),
    )
    return archive.getvalue()


if __name__ == "__main__":
    sys.exit(main(__doc__, "tunes.npz", make))
