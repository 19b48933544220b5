"""The table of contents: reads notebooks/course.toml, selects lessons, writes README's table."""

import difflib
import itertools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from course_utils.files import write_atomically

CONTENTS = Path(__file__).resolve().parent.parent / "notebooks" / "course.toml"
FILE_NAME = re.compile(r"(\d\d)_[a-z0-9_]+\.ipynb")
TABLE = re.compile(r"(<!-- lessons -->\n).*?(<!-- /lessons -->)", re.DOTALL)


class ContentsError(ValueError):
    """Something is wrong in course.toml, in README.md, or in a selection of lessons."""


@dataclass(frozen=True)
class Lesson:
    """One lesson, as course.toml describes it."""

    number: str  # two digits, the beginning of the file name
    file: str
    part: str
    title: str
    minutes: int  # to read
    seconds: int  # to run with its default parameters, on two cores
    smoke: dict  # parameter values with which every cell still runs, in the shortest time
    full: dict  # parameter values of the strongest result
    grammar: int = 1  # 2: the page keeps the rules with Deeper sections (tests/grammar)


@dataclass(frozen=True)
class Course:
    """The course: its title, and its lessons in reading order."""

    title: str
    lessons: tuple[Lesson, ...]


TYPES = {
    **{"file": str, "part": str, "title": str, "minutes": int, "seconds": int},
    **{"smoke": dict, "full": dict, "grammar": int},
}
WORDS = {str: "a text", int: "a whole number", dict: "a table of parameter values"}


def read_contents(path: str | Path = CONTENTS) -> Course:
    """Read course.toml (the course's own unless told); its notebooks stand in the same folder.

    Raises ContentsError: not TOML, a missing or unknown key, a value of the wrong type, a file
    that is not there, lessons out of order.
    """
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ContentsError(f"{path}: this file is missing; it lists the lessons") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ContentsError(f"{path}: not valid TOML: {error}") from None
    _check_table(table, {"title": str, "lesson": list}, path.name)
    lessons = tuple(_lesson(entry, path, i) for i, entry in enumerate(table["lesson"], start=1))
    numbers = [lesson.number for lesson in lessons]
    for before, after in itertools.pairwise(numbers):
        if after <= before:
            raise ContentsError(
                f"{path.name}: lesson {after} stands after lesson {before}; "
                "list the lessons in the order of their numbers, each once"
            )
    return Course(table["title"], lessons)


def select(course: Course, words: list[str]) -> list[Lesson]:
    """Return the lessons that `words` name, in reading order; all of them if `words` is empty.

    A word is a number ("6", "06") or a range, both ends included ("04-09").
    Raises ContentsError for a word that is neither, or that names no lesson.
    """
    if not words:
        return list(course.lessons)
    wanted = set()
    for word in words:
        match = re.fullmatch(r"(\d{1,2})(?:-(\d{1,2}))?", word)
        if not match:
            raise ContentsError(f"'{word}' is not a lesson: expected a number as 06, or 04-09")
        first, last = int(match[1]), int(match[2] or match[1])
        if first > last:
            raise ContentsError(f"the range {word} runs backwards; write {last:02}-{first:02}")
        found = {ls.number for ls in course.lessons if first <= int(ls.number) <= last}
        if not found:
            there = " ".join(lesson.number for lesson in course.lessons)
            raise ContentsError(f"there is no lesson {word}; there are: {there}")
        wanted |= found
    return [lesson for lesson in course.lessons if lesson.number in wanted]


def lesson_paths(path: str | Path = CONTENTS) -> list[Path]:
    """Return the committed pages in reading order."""
    return [Path(path).parent / lesson.file for lesson in read_contents(path).lessons]


def unlisted(path: str | Path = CONTENTS) -> list[str]:
    """Return the names of notebooks beside course.toml that it does not list, such as Untitled.

    They are nobody's lesson: `run`, `execute` and `test` leave them alone.
    """
    return sorted(p.name for p in {*Path(path).parent.glob("*.ipynb")} - {*lesson_paths(path)})


def unlisted_note(path: str | Path = CONTENTS) -> str:
    """Return the line that names them; an empty text if there are none."""
    names = unlisted(path)
    return f"Left alone, since course.toml does not list them: {', '.join(names)}" if names else ""


def readme_table(course: Course) -> str:
    """Return the Markdown table of lessons, with links from the project's root."""
    lines = ["| | Lesson | Part | Minutes to read |", "|---|---|---|---|"]
    lines += [
        f"| {lesson.number} | [{lesson.title}](notebooks/{lesson.file}) "
        f"| {lesson.part} | {lesson.minutes} |"
        for lesson in course.lessons
    ]
    return "\n".join(lines) + "\n"


def update_readme(root: str | Path) -> bool:
    """Write the table of lessons into README.md under `root`; return whether it changed.

    The table replaces what stands between `<!-- lessons -->` and `<!-- /lessons -->`.
    Raises ContentsError if the two marks are not there exactly once.
    """
    path = Path(root) / "README.md"
    course = read_contents(Path(root) / "notebooks" / "course.toml")
    old = path.read_text(encoding="utf-8")
    new, count = TABLE.subn(lambda match: match[1] + readme_table(course) + match[2], old)
    if count != 1:
        raise ContentsError(
            f"{path.name}: expected one line <!-- lessons --> and, below it, <!-- /lessons -->, "
            f"found {count} such pairs; put them where the table of lessons belongs"
        )
    if new != old:
        write_atomically(path, new)
    return new != old


def _lesson(entry: object, path: Path, place: int) -> Lesson:
    where = f"{path.name}, lesson entry {place}"
    if not isinstance(entry, dict):
        raise ContentsError(f"{where}: expected a table [[lesson]]")
    where += f" ({entry['file']})" if isinstance(entry.get("file"), str) else ""
    entry = {"grammar": 1} | entry  # the one key that may be left out
    _check_table(entry, TYPES, where)
    match = FILE_NAME.fullmatch(entry["file"])
    if not match:
        raise ContentsError(
            f"{where}: expected a file name as 06_mnist_end_to_end.ipynb: "
            "two digits, then lower-case words joined by _"
        )
    if not (path.parent / entry["file"]).is_file():
        raise ContentsError(f"{where}: there is no such file in {path.parent}")
    return Lesson(number=match[1], **entry)


def _check_table(table: dict, types: dict[str, type], where: str) -> None:
    """Refuse unknown and missing keys and values of the wrong type."""
    for key in table:
        if key not in types:
            near = difflib.get_close_matches(key, types, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ";"
            raise ContentsError(
                f"{where}: unknown key '{key}'{hint} the keys are: {', '.join(types)}"
            )
    for key, kind in types.items():
        if key not in table:
            raise ContentsError(f"{where}: the key '{key}' is missing")
        if type(table[key]) is not kind:
            word = WORDS.get(kind, "a list of [[lesson]] tables")
            raise ContentsError(f"{where}: {key} is {table[key]!r}, expected {word}")
