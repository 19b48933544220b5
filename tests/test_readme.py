"""README's table of lessons is the one that course.toml gives."""

from pathlib import Path

import course_utils
from course_utils.contents import TABLE, read_contents, readme_table

ROOT = Path(course_utils.__file__).resolve().parent.parent


def test_the_table_of_lessons_is_up_to_date():
    found = TABLE.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found, "README.md has no <!-- lessons --> … <!-- /lessons -->"
    table = readme_table(read_contents(ROOT / "notebooks" / "course.toml"))
    assert found[0] == found[1] + table + found[2], (
        "README's table is stale; remake it with: python3 -m course_utils execute"
    )
