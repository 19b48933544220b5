"""glossary.md: one sentence for each term, and the way to and from the cell that explains it."""

import re
from pathlib import Path

import nbformat

import course_utils
from course_utils.contents import read_contents
from course_utils.runner.glossary import explained, read_entries, update_glossary, with_cells

NOTEBOOKS = Path(course_utils.__file__).resolve().parent.parent / "notebooks"
GLOSSARY = NOTEBOOKS / "glossary.md"
ENTRIES = read_entries(GLOSSARY)
REFERENCE = re.compile(r"\]\(#([^)]+)\)")


def slug(term):
    words = term.lower().replace("é", "e").replace("'", "")
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-")


# The course's own


def test_every_line_of_the_list_is_an_entry():
    lines = GLOSSARY.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("-")] == [entry.line for entry in ENTRIES]


def test_terms_stand_in_the_order_of_their_anchors_and_once():
    anchors = [entry.anchor for entry in ENTRIES]
    assert anchors == sorted(set(anchors))
    assert anchors == [slug(entry.term) for entry in ENTRIES]
    assert all(0 <= int(entry.lesson) <= 22 for entry in ENTRIES)


def test_every_term_is_explained_in_one_sentence():
    for entry in ENTRIES:
        plain = entry.sentence.replace("**", "")
        assert re.fullmatch(r"[A-Zbi][^*]+[^.]\.", plain), entry.line  # bfloat16, int8
        assert not re.search(r"[.?!] +[A-Z]", plain), f"two sentences: {entry.line}"
        assert 6 <= len(plain.split()) <= 45, entry.line


def test_a_sentence_uses_terms_of_the_glossary_and_never_in_a_circle():
    uses = {entry.anchor: set(REFERENCE.findall(entry.sentence)) for entry in ENTRIES}
    known = set()
    while ready := {a for a, needs in uses.items() if a not in known and needs <= known}:
        known |= ready
    assert set(uses) - known == set(), "these lead to no entry, or in a circle"


def test_every_entry_of_a_lesson_in_the_new_grammar_is_linked_from_its_cell():
    for lesson in read_contents(NOTEBOOKS / "course.toml").lessons:
        if lesson.grammar > 1:
            terms = {entry.anchor for entry in ENTRIES if entry.lesson == lesson.number}
            missing = sorted(terms - set(explained(NOTEBOOKS / lesson.file)))
            assert missing == [], (
                f"{lesson.file}: no cell holds [*term*](glossary.md#anchor) for these; explain "
                "them there, or give them another lesson in glossary.md"
            )


def test_the_links_to_the_cells_are_up_to_date():
    assert with_cells(NOTEBOOKS) == GLOSSARY.read_text(encoding="utf-8"), (
        "glossary.md is stale; remake it with: python3 -m course_utils execute NN"
    )


# A small one

TOML = """\
title = "A course"

[[lesson]]
file = "02_networks.ipynb"
part = "I"
title = "Networks"
minutes = 20
seconds = 1
smoke = {}
full = {}
"""
TEXT = """\
# Glossary

- <a id="bias"></a>A **bias** is a constant. (lesson 02)
- <a id="loss"></a>The **loss** is a number. (lesson 03)
- <a id="unit"></a>A **unit** is a neuron. (lesson 02)
"""


def small_course(folder, grammar):
    text = "A [*bias*](glossary.md#bias) and the [*loss*](glossary.md#loss)."
    again = "Again a [*bias*](glossary.md#bias), and a [unit](glossary.md#unit) in passing."
    cells = [nbformat.v4.new_markdown_cell(t, id=i) for i, t in (("first", text), ("last", again))]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "02_networks.ipynb")
    (folder / "course.toml").write_text(f"{TOML}grammar = {grammar}\n", encoding="utf-8")
    (folder / "glossary.md").write_text(TEXT, encoding="utf-8")
    return folder / "glossary.md"


def test_the_first_cell_that_links_to_a_term_is_entered(tmp_path):
    path = small_course(tmp_path, grammar=2)
    assert explained(tmp_path / "02_networks.ipynb") == {"bias": "first", "loss": "first"}
    assert update_glossary(tmp_path) is True
    linked = TEXT.replace(
        "constant. (lesson 02)", "constant. ([02, first](02_networks.ipynb#cell-id=first))"
    )
    assert path.read_text(encoding="utf-8") == linked
    assert [entry.lesson for entry in read_entries(path)] == ["02", "03", "02"]
    assert update_glossary(tmp_path) is False


def test_a_lesson_of_the_old_grammar_keeps_its_plain_number(tmp_path):
    small_course(tmp_path, grammar=1)
    assert update_glossary(tmp_path) is False
