"""The order of a page, what its first cell says, and its Deeper sections."""

import re
from collections.abc import Iterator

from tests.grammar.page import (
    ARTICLE,
    DEEPER,
    EXERCISES,
    RECAP,
    Page,
    Section,
    Violation,
    is_exercise,
    makes,
    tags,
    uses,
)

NEEDS = re.compile(r"^\*Needs: ([^*\n]+)\*", re.MULTILINE)
LINK = re.compile(r"\]\((\d\d_\w+\.ipynb)(?:#cell-id=([\w-]+))?\)")


def order(page: Page) -> Iterator[Violation]:
    titles = [section.title for section in page.sections]
    if EXERCISES not in titles:
        yield None, f'there is no section "## {EXERCISES}"'
        return
    if not 3 <= len(page.core_sections) <= 5:
        yield (
            None,
            f"{len(page.core_sections)} core sections; expected 3 to 5: an idea too many goes to a "
            'Deeper section or is left out, steps of one idea stand under "### " headings',
        )
    if early := next((s for s in page.core_sections if s.title.startswith(DEEPER)), None):
        yield early.cells[0], "a Deeper section stands before the exercises; expected at the end"
    tail = titles[titles.index(EXERCISES) :]
    while tail[-1].startswith(DEEPER):
        tail.pop()
    if tail not in ([EXERCISES, RECAP], [EXERCISES, ARTICLE, RECAP]):
        yield (
            None,
            f"the last sections are {tail}; expected {EXERCISES!r}, then {ARTICLE!r} where the "
            f'article makes a claim, then {RECAP!r}, then only sections "## {DEEPER}…"',
        )


def aims(page: Page) -> Iterator[Violation]:
    first = page.cells[0]
    sentence = first.source.partition("After this lesson you can")[2].partition("\n\n")[0]
    verbs = re.findall(r"\*\*[^*]+\*\*", sentence)
    if sentence and not 3 <= len(verbs) <= 5:
        yield (
            first,
            f'"After this lesson you can" has {len(verbs)} verbs in bold; expected 3 to 5',
        )
    for name in ("glossary.md", "notation.md"):
        if f"]({name})" not in first.source:
            yield first, f"the first cell has no link to {name}; expected one, as in […]({name})"


def deeper_form(page: Page) -> Iterator[Violation]:
    for cell in page.core:
        if "deeper" in tags(cell):
            yield cell, f'tagged "deeper" outside a section "## {DEEPER}…"'
    for section in page.deeper:
        first = section.cells[0]
        for cell in section.cells:
            if "deeper" not in tags(cell):
                yield cell, 'a cell of a Deeper section lacks the tag "deeper"'
        if not NEEDS.search(first.source):
            yield first, 'no line begins with "*Needs: …*" (what the section needs, with a link)'
        elif not needed(page, section):
            yield (
                first,
                'the line "*Needs: …*" links to nothing that stands before; expected a cell of an '
                "earlier section of this page, or of an earlier lesson, as in "
                "[a neuron](02_neural_networks.ipynb#cell-id=neuron-formula)",
            )
        exercises = [cell for cell in section.cells if is_exercise(cell)]
        if len(exercises) > 1:
            yield exercises[1], "a second exercise in a Deeper section; expected at most one"


def needed(page: Page, section: Section) -> list[Section | str]:
    """What the line "*Needs: …*" links to: earlier sections of this page, files of lessons."""
    line = NEEDS.search(section.cells[0].source)
    found = []
    for lesson, id in LINK.findall(line[1]) if line else ():
        if id not in page.ids:
            found.append(lesson)
            continue
        # An earlier Deeper section or one of the core; the exercises and the recap teach nothing.
        earlier = page.core_sections + page.deeper[: page.deeper.index(section)]
        found += [other for other in earlier if id in [cell.get("id") for cell in other.cells]]
    return found


def deeper_stands_alone(page: Page) -> Iterator[Violation]:
    core = [cell for cell in page.core if cell.cell_type == "code"]
    made_by_core = set().union(*map(makes, core))
    for section in page.deeper:
        made = set().union(*map(makes, section.code)) - made_by_core
        for cell in core:
            for name in sorted(uses(cell) & made):
                yield cell, f'uses {name}, which only "{section.title}" makes; nothing needs Deeper'
        for other in page.deeper:
            known = other is section or any(section is each for each in needed(page, other))
            own = set().union(*map(makes, other.code))
            for cell in other.code if not known else ():
                for name in sorted((uses(cell) & made) - own):
                    yield (
                        cell,
                        f'uses {name}, which "{section.title}" makes, and the line "*Needs: …*" '
                        "does not link to that section",
                    )


RULES = (order, aims, deeper_form, deeper_stands_alone)
