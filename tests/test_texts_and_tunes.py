"""The texts and tunes of lesson 13, and the scripts that made their files."""

import importlib
import sys
from fractions import Fraction

import pytest

from course_utils import data

THIRDS = Fraction(2, 3)


@pytest.fixture(scope="module")
def scripts():
    """The scripts in data/, which import each other."""
    sys.path.insert(0, str(data.DATA_FOLDER))
    yield {name: importlib.import_module(f"make_{name}") for name in ("shakespeare", "tunes")}
    sys.path.remove(str(data.DATA_FOLDER))


def test_whole_plays_are_held_out():
    plays = data.load_plays()
    assert [len(part) for part in plays] == [34, 2, 2]
    assert {play.title for play in plays.test} == {"Macbeth", "Twelfth Night"}
    text = "".join(play.text for part in plays for play in part)
    assert len(text) > 4_700_000 and text.isascii()
    assert not set("_*[]#\\") & set(text)
    assert "\n\nMACBETH:\nSo foul and fair a day I have not seen.\n" in plays.test[0].text


def test_every_quatrain_has_the_form_and_no_line_lies_in_two_parts():
    parts = data.load_quatrains()
    assert sum(map(len, parts)) == 3707
    lines = []
    for part in parts:
        assert {len(poem.text) for poem in part} == {24}
        assert {poem.text[5::6] for poem in part} == {"，。，。"}
        lines.append({line for poem in part for line in poem.text.replace("。", "，").split("，")})
    assert (
        lines[0] & lines[1] <= {""} and lines[0] & lines[2] <= {""} and lines[1] & lines[2] <= {""}
    )


def test_no_two_parts_share_fifteen_notes_of_a_tune(scripts):
    parts = data.load_tunes()
    assert sum(map(len, parts)) == 1818 and sum(len(tune) for p in parts for tune in p) == 195_132
    training, validation, test = (
        set().union(*(scripts["tunes"].marks(tune.tolist()) for tune in part)) for part in parts
    )
    assert not training & validation and not training & test and not validation & test


@pytest.mark.parametrize(
    ("body", "key", "notes"),
    [
        ("G3-A (Bcd=e)", "Gm", [(67, 3), (69, 1), (70, 1), (72, 1), (74, 1), (76, 1)]),
        ("^FFf|F", "C", [(66, 1), (66, 1), (78, 1), (65, 1)]),  # until the bar; all octaves
        ("A>B c<d", "D", [(69, 1.5), (71, 0.5), (73, 0.5), (74, 1.5)]),
        ("(3ABc d2", "D", [(69, THIRDS), (71, THIRDS), (73, THIRDS), (74, 2)]),
        ('"Am"{B}A/2z2!f![DA]2 d-d', "C", [(69, 0.5), (0, 2), (62, 2), (74, 2)]),
        ("c,c'[K:Dmix]c", "A", [(61 + 0, 1), (85, 1), (72, 1)]),
        ("d-e", "G", [(74, 1), (76, 1)]),  # a slur, not a tie
    ],
)  # fmt: skip
def test_abc_is_read(scripts, body, key, notes):
    assert scripts["tunes"].read_body(body, key, Fraction(1)) == [list(note) for note in notes]


def test_the_split_keeps_what_is_connected_together(scripts):
    split = scripts["tunes"].split
    marks = [{i} for i in range(40)] + [{0, 1}, {1, 2}]
    parts = split(marks)
    assert len({parts[i] for i in (0, 1, 2, 40, 41)}) == 1
    assert parts.count(1) == parts.count(2) == 5 and parts == split(marks)


def test_a_play_is_cleaned(scripts):
    play = """# Hamlet

### SCENE I

_Enter two
Clowns_

**First Clown**  
Is she to be \\[aside] buried _[Sings]_ so?
"""
    assert scripts["shakespeare"].clean("x.md", play) == (
        "Hamlet",
        "FIRST CLOWN:\nIs she to be buried so?",
    )
