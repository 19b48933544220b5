"""The old rules reject a notebook that breaks them; goes with `old.py`."""

import pytest
from nbformat.v4 import new_notebook

from tests.grammar import old, violations
from tests.grammar.sample_notebook import (
    add_text,
    code,
    insert_after,
    remove,
    replace,
    silent_messages,
    store_outputs,
    text,
    valid_notebook,
    write,
)


def old_notebook():
    """The smallest notebook that obeys the old rules."""
    filler = "Each of these words stands for a sentence that explains the step at hand. " * 4
    new = valid_notebook()
    top, end = new.cells[:5], new.cells[5:]
    middle = []
    for i in range(1, 8):
        middle += [
            text(f"part-{i}-question", f"## Part {i}\n\n{filler}\n\n> **Predict:** how many?"),
            code(f"part-{i}-look", f"x_{i} = np.arange({i})\nx_{i}"),
            text(f"part-{i}-formula", f"{filler}\n\n$$\nx = {i}\n$$"),
            code(f"part-{i}-check", f'check_close("the number", {i}, {i})'),
            text(f"part-{i}-reading", filler),
        ]
    ids = [cell.id for cell in end]
    end = end[ids.index("task-1") : ids.index("recap") + 1]
    notebook = new_notebook(cells=[*top, *middle, *end], metadata=new.metadata)
    store_outputs(notebook, "part-1-look")
    return notebook


def more_text(notebook):
    for i in range(8):
        insert_after("part-1-reading", text(f"more-{i}", "More."))(notebook)


def less_text(notebook):
    for i in range(1, 8):
        write(f"part-{i}-reading", "Short.")(notebook)


def prediction_at_the_end(notebook):
    replace("part-3-question", "> **Predict:**", "Think:")(notebook)
    add_text("part-3-reading", "\n\n> **Predict:** how many?")(notebook)


BROKEN = {  # what is wrong with the notebook: the edit, a part of the message that it must get
    "no exercises": (
        replace("task-1", "## Exercises", "## Tasks\n\n> **Predict:** what?"),
        'there is no section "## Exercises"',
    ),
    "section after the recap": (
        insert_after("recap", text("extra", "## Extra\n\n> **Predict:** what?")),
        "the last sections are ['Exercises', 'Recap', 'Extra']",
    ),
    "no prediction": (
        replace("part-3-question", "**Predict:**", "Predict:"),
        "part-3-question: the section has no line",
    ),
    "prediction at the end": (
        prediction_at_the_end,
        "part-3-reading: no code cell of the section follows the prediction",
    ),
    "too little code": (remove("part-7-look"), "notebook: 19 code cells; expected 20 to 35"),
    "too few text cells": (
        remove("part-1-reading", "part-2-reading"),
        "23 text cells to 20 code cells are 1.15 to 1",
    ),
    "too many text cells": (more_text, "33 text cells to 20 code cells are 1.65 to 1"),
    "too few words": (less_text, "words of text; expected 1,200 to 2,500"),
    "too many words": (add_text("part-1-reading", " word" * 2000), "words of text; expected"),
    "long cell": (add_text("part-5-look", "\nx = 1" * 24), "part-5-look: 26 lines of code"),
}


def broken_notebook(name):
    notebook = old_notebook()
    BROKEN[name][0](notebook)
    return notebook


def test_valid_notebook_passes():
    assert violations(old_notebook(), grammar=1) == []


@pytest.mark.parametrize("name", BROKEN)
def test_broken_notebook_is_rejected(name):
    found = violations(broken_notebook(name), grammar=1)
    assert any(BROKEN[name][1] in violation for violation in found), found


def test_every_message_of_every_rule_has_a_broken_notebook():
    assert silent_messages(map(broken_notebook, BROKEN), old.RULES) == []
