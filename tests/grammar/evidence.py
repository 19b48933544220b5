"""What a page proves and what it asks of the reader: kinds of check, their number, minutes."""

import re
from collections.abc import Iterator

from tests.grammar.counts import minutes_shown, ok_lines, reading_minutes
from tests.grammar.page import Page, Violation, called

CHECKS = (  # course_utils.checks, and what each proves
    "check_close",  # equality with an independent result
    "check_equal",  # an exact count
    "check_gradient",  # a gradient, against finite differences
    "check_shape",  # the shape of an array
    "check_theory",  # a law, within 4 standard errors
    "check_effect",  # an effect: the interval of paired differences excludes zero
    "check_range",  # a value lies where that of "no effect" does not
)
NO_EVIDENCE = ("check_machine",)  # lesson 00's table of what the course needs
MOST_OK_IN_CORE, MOST_OK_IN_DEEPER = 20, 5
MOST_MINUTES = 90


def kinds(page: Page) -> Iterator[Violation]:
    for cell in page.code:
        for name, call in called(cell):
            if name.startswith("check_") and name not in CHECKS + NO_EVIDENCE:
                yield cell, f"{name}(…) is no kind of check; expected one of {', '.join(CHECKS)}"
            if name == "check_range" and "denies" not in [k.arg for k in call.keywords]:
                yield (
                    cell,
                    "check_range(…) without denies=; pass the value of no effect, or of the rival "
                    "claim, that the range excludes, or print the number without a check",
                )


def few_checks(page: Page) -> Iterator[Violation]:
    if (count := ok_lines(page.core)) > MOST_OK_IN_CORE:
        yield (
            None,
            f'{count} lines of "ok" in the core; expected at most {MOST_OK_IN_CORE}: compare '
            "equal things in one line, and what only guards the page goes to tests/",
        )
    for section in page.deeper:
        if (count := ok_lines(section.cells)) > MOST_OK_IN_DEEPER:
            yield (
                section.cells[0],
                f'{count} lines of "ok" in the section; expected at most {MOST_OK_IN_DEEPER}',
            )


def minutes(page: Page) -> Iterator[Violation]:
    computed = reading_minutes(page)
    if computed > MOST_MINUTES:
        yield None, f"the core takes {computed:.0f} minutes; expected at most {MOST_MINUTES}"
    said = re.search(r"(\d+) minutes? to read", page.cells[0].source)
    if said and int(said[1]) != minutes_shown(computed):
        yield (
            page.cells[0],
            f'"{said[0]}"; expected {minutes_shown(computed)}, the nearest multiple of 5 to '
            f"{computed:.1f} (words/150 + visible lines of code/8 + 5 for each exercise, core "
            "alone), here and as minutes in course.toml",
        )


RULES = (kinds, few_checks, minutes)
