"""The data sets that ship with the course: checked against their SHA-256, never downloaded."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import tomllib
from pathlib import Path
from typing import NamedTuple

import numpy as np

DATA_FOLDER = Path(__file__).resolve().parent.parent / "data"
CHECKSUMS = "checksums.toml"


class DataError(RuntimeError):
    """A data file is missing, truncated or altered."""


def read_checked(name: str, folder: Path = DATA_FOLDER) -> bytes:
    """Return the bytes of the data file `name` after checking its size and SHA-256.

    Raises:
        DataError: the file is missing, truncated or altered, or `checksums.toml` is; the message
            names the file, what was expected, what was found and how to restore it.
    """
    path = Path(folder) / name
    checksums = read_checksums(folder)
    if name not in checksums:
        known = ", ".join(sorted(checksums)) or "none"
        raise DataError(f"{path} has no entry in {CHECKSUMS}; known: {known}.")
    expected = checksums[name]
    restore = f"{_restore(name)} or copy it from another machine that has the course."
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(
            f"{path} is missing; expected a file of {expected['bytes']:,} bytes. {restore}"
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. {restore}") from error
    found = _sha256(content)
    if found == expected["sha256"]:
        return content
    if _sha256(content.replace(b"\r\n", b"\n")) == expected["sha256"]:
        raise DataError(
            f"{path} has line ends of Windows (CRLF), expected LF: git or an editor has changed "
            f"them. {restore}"
        )
    if len(content) != expected["bytes"]:
        kind = "truncated" if len(content) < expected["bytes"] else "too long"
        raise DataError(
            f"{path} is {kind}: expected {expected['bytes']:,} bytes, "
            f"found {len(content):,}. {restore}"
        )
    raise DataError(
        f"{path} was altered: expected SHA-256 {expected['sha256']}, found {found}. {restore}"
    )


def load_mnist(folder: Path = DATA_FOLDER):
    """Return MNIST as `(x_train, y_train), (x_test, y_test)`, like `keras.datasets`.

    Images have shape (60000, 28, 28) and (10000, 28, 28), labels (60000,) and (10000,), all
    uint8; 0 is background and 255 is ink. The arrays are read-only: arithmetic makes new ones.
    Origin and licence: `data/README.md`.

    Raises:
        DataError: see `read_checked`.
    """
    with np.load(io.BytesIO(read_checked("mnist.npz", folder)), allow_pickle=False) as arrays:
        names = ("x_train", "y_train", "x_test", "y_test")
        x_train, y_train, x_test, y_test = (arrays[name] for name in names)
    for array in (x_train, y_train, x_test, y_test):
        array.setflags(write=False)
    return (x_train, y_train), (x_test, y_test)


def load_ink_and_width(
    rows: int = 1, columns: int = 1, number: int = 4096, folder: Path = DATA_FOLDER
):
    """Return a small regression made from MNIST: how wide is a digit, by its ink?

    The first `number` training images. Their ink lies in the 20 × 20 pixels in the middle (MNIST
    centres each digit so); a grid of rows × columns cuts these into equal cells.

    Args:
        rows, columns: of the grid, each a divisor of 20.
        number: images, at most 60,000.
        folder: where mnist.npz is.

    Returns:
        ink: mean pixel value of each cell, 0 to 255, shape (number, rows * columns).
        width: pixel columns from the first to the last that holds a pixel above 127, (number,).
        digits: the labels, (number,).

    Raises:
        ValueError: 20 cannot be divided by rows and by columns.
        DataError: see `read_checked`.
    """
    if 20 % rows or 20 % columns:
        raise ValueError(f"grid: expected divisors of 20, found {rows} rows and {columns} columns")
    (images, digits), _ = load_mnist(folder)
    images, digits = images[:number], digits[:number]
    cells = images[:, 4:24, 4:24].reshape(len(images), rows, 20 // rows, columns, 20 // columns)
    dark = (images > 127).any(axis=1)  # (number, 28): the columns that hold dark ink
    width = 28.0 - dark.argmax(axis=1) - dark[:, ::-1].argmax(axis=1)
    return cells.mean(axis=(2, 4)).reshape(len(images), -1), width, digits


class Split(NamedTuple):
    """The three parts of a data set; no near copy of an item lies in another part."""

    training: list
    validation: list
    test: list


class Work(NamedTuple):
    """A play or a poem."""

    author: str
    title: str
    text: str


def load_plays(folder: Path = DATA_FOLDER) -> Split:
    """Return 38 plays by Shakespeare, a `Work` each: 34 for training, and two and two whole ones.

    A speech begins with its speaker, as `MACBETH:`; stage directions are left out. Origin and
    licence: `data/README.md`.

    Raises:
        DataError: see `read_checked`.
    """
    parts = Split([], [], [])
    text = gzip.decompress(read_checked("shakespeare.txt.gz", folder)).decode("ascii")
    for play in re.split(r"^# ", text, flags=re.MULTILINE)[1:]:
        head, body = play.split("\n", 1)
        parts[int(head[0])].append(Work("William Shakespeare", head[2:], body))
    return parts


def load_quatrains(folder: Path = DATA_FOLDER) -> Split:
    """Return 3,707 Chinese poems of four lines of five characters, a `Work` each.

    The text of each has 24 characters: the lines end in a comma, a full stop, a comma and a full
    stop. Poems with a line in common lie in one part. Origin and licence: `data/README.md`.

    Raises:
        DataError: see `read_checked`.
    """
    parts = Split([], [], [])
    rows = gzip.decompress(read_checked("quatrains.txt.gz", folder)).decode().splitlines()
    for row in rows:
        part, *work = row.split("\t")
        parts[int(part)].append(Work(*work))
    return parts


def load_tunes(folder: Path = DATA_FOLDER) -> Split:
    """Return 1,818 tunes, each an array of shape (notes, 2): pitch and duration of its notes.

    The pitch is a MIDI number (60 is the middle C, 0 a rest), the duration is in ticks, of which an
    eighth has 12. Variants of a tune lie in one part. Origin and licence: `data/README.md`.

    Raises:
        DataError: see `read_checked`.
    """
    parts = Split([], [], [])
    with np.load(io.BytesIO(read_checked("tunes.npz", folder)), allow_pickle=False) as arrays:
        notes = np.stack([arrays["pitch"], arrays["duration"]], axis=1).astype(int)
        ends = np.cumsum(arrays["length"], dtype=int)
        for part, tune in zip(arrays["part"], np.split(notes, ends[:-1]), strict=True):
            parts[part].append(tune)
    return parts


def load_ratings(folder: Path = DATA_FOLDER) -> dict[str, np.ndarray]:
    """Return 73,421 ratings of lecturers by students (InstEval), as arrays of equal length.

    Keys: "student" (0 to 2,971), "lecturer" (0 to 1,127), "student_age" and "lecture_age" (in
    semesters; the latter counts from the lecture to the survey), "service" (1 if the lecture was
    held for another department), "department" (1 to 15, of the lecturer) and "rating" (1 to 5, 5
    is best). Origin and licence: `data/README.md`.

    Raises:
        DataError: see `read_checked`.
    """
    text = gzip.decompress(read_checked("insteval.csv.gz", folder)).decode()
    names = text[: text.index("\n")].split(",")
    table = np.loadtxt(io.StringIO(text), dtype=np.int32, delimiter=",", skiprows=1)
    ratings = dict(zip(names, np.ascontiguousarray(table.T), strict=True))
    for name in ("student", "lecturer"):  # the numbers in the file have gaps
        ratings[name] = np.unique(ratings[name], return_inverse=True)[1].astype(np.int32)
    return ratings


def load_mortgages(folder: Path = DATA_FOLDER) -> dict[str, np.ndarray]:
    """Return 2,380 applications for a mortgage in Boston in 1990 (HMDA), as arrays of equal length.

    Keys: the columns that `data/README.md` explains, "denied" (1 if the bank denied the mortgage)
    and "black" (1 if the applicant is African-American) among them. Origin and licence are there.

    Raises:
        DataError: see `read_checked`.
    """
    text = gzip.decompress(read_checked("hmda.csv.gz", folder)).decode()
    names = text[: text.index("\n")].split(",")
    table = np.loadtxt(io.StringIO(text), delimiter=",", skiprows=1)
    return dict(zip(names, np.ascontiguousarray(table.T), strict=True))


class Clips(NamedTuple):
    """Spoken digits, one in each row of each array."""

    loudness: np.ndarray
    digits: np.ndarray
    speakers: np.ndarray


def load_speech(folder: Path = DATA_FOLDER) -> Split:
    """Return spoken digits made by a speech synthesiser, as `Clips` for each part.

    loudness: uint8, shape (clips, 20, 16): of 20 bands of frequencies, from 100 to 8,000 Hz, at 16
    steps of time; 255 is the loudest of the clip, and 0 is 60 dB below it. digits: 0 to 9;
    speakers: numbers, of which none lies in two parts. Origin and licence: `data/README.md`.

    Raises:
        DataError: see `read_checked`.
    """
    with np.load(io.BytesIO(read_checked("speech.npz", folder)), allow_pickle=False) as arrays:
        part = arrays["part"]
        columns = [arrays[name] for name in ("loudness", "digit", "speaker")]
    return Split(*(Clips(*(column[part == i] for column in columns)) for i in range(3)))


def load_spoken_five(folder: Path = DATA_FOLDER) -> np.ndarray:
    """Return the sound of one spoken digit, a five: 8,000 samples a second, between -1 and 1.

    Raises:
        DataError: see `read_checked`.
    """
    with np.load(io.BytesIO(read_checked("speech.npz", folder)), allow_pickle=False) as arrays:
        return arrays["heard"] / 127.5 - 1


def data_files(folder: Path = DATA_FOLDER) -> list[str]:
    """Return the names of all data files that have a checksum."""
    return sorted(read_checksums(folder))


def read_checksums(folder: Path = DATA_FOLDER) -> dict[str, dict]:
    """Return `{"bytes": int, "sha256": str}` for each data file, from `checksums.toml`.

    Raises:
        DataError: `checksums.toml` is missing, not TOML, or an entry lacks one of the two.
    """
    path = Path(folder) / CHECKSUMS
    try:
        # utf-8-sig: an editor on Windows may have put a byte order mark before the first line.
        checksums = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise DataError(
            f"{path} is missing; it lists size and SHA-256 of every data file. "
            f"{_restore(CHECKSUMS)}."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not valid TOML: {error}. {_restore(CHECKSUMS)}.") from None
    for name, entry in checksums.items():
        if not (
            isinstance(entry, dict)
            and isinstance(entry.get("bytes"), int)
            and isinstance(entry.get("sha256"), str)
        ):
            raise DataError(
                f"{path}, {name}: expected `bytes` (a whole number) and `sha256` (a text), "
                f"found {entry!r}. {_restore(CHECKSUMS)}."
            )
    return checksums


def _restore(name: str) -> str:
    # Git leaves a file as it is when nothing but its line ends differ, so it must be gone first.
    return (
        "Restore it from the course's repository (delete the file, then in the course's folder: "
        f"`git checkout -- data/{name}`)"
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
