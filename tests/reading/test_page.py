"""What a copy holds: cleared, collapsed, links that lead somewhere, the form of JupyterLab."""

import json
import re
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from ipykernel.ipkernel import IPythonKernel

from course_utils.contents import CONTENTS, lesson_paths
from course_utils.reading import page
from tests.reading.small_course import LESSON

ROOT = CONTENTS.parent.parent
PAGES = [*lesson_paths(), *sorted(CONTENTS.parent.glob("*.md"))]
NAMES = {path.name for path in PAGES}


def test_a_copy_is_cleared_and_its_first_cells_are_collapsed(course):
    course.lab()
    for cell, committed in zip(course.read(), LESSON, strict=True):
        assert [cell["id"], cell["cell_type"]] == [committed["id"], committed["cell_type"]]
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
            assert cell["source"] == committed["source"]
            hidden = {"jupyter": {"source_hidden": True}}
            collapsed = hidden if cell["id"] in ("setup", "imports") else {}
            assert cell["metadata"] == committed["metadata"] | collapsed


def test_links_of_a_copy_lead_to_the_same_files(course):
    course.lab()
    link = "[the service](../README.md#the-service), [Adam](05.ipynb)"
    assert link in course.source("title")
    elsewhere = course.root.parent / "else"
    course.lab(work=str(elsewhere))
    copy = json.loads((elsewhere / course.path.name).read_text(encoding="utf-8"))
    assert link.replace("../", "course/") in "".join(copy["cells"][0]["source"])
    assert (elsewhere / "course" / "README.md").samefile(course.root / "README.md")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[a](../README.md)", "[a](course/README.md)"),
        ("[a](../data/)", "[a](course/data)"),
        ("[a](<../data/README.md> 'Data')", "[a](<course/data/README.md> 'Data')"),
        ("text\n[a]: ../data/README.md#origin", "text\n[a]: course/data/README.md#origin"),
        ('<img src="../data/README.md">', '<img src="course/data/README.md">'),
        ("<a href='../README.md'>", "<a href='course/README.md'>"),
        ("[a](course.toml)", "[a](course/notebooks/course.toml)"),
        ("[a](gr%C3%BC%C3%9Fe%20x.md)", "[a](course/notebooks/gr%C3%BC%C3%9Fe%20x.md)"),
        ("![](../README.md) [b](../README.md)", "![](course/README.md) [b](course/README.md)"),
        *(
            (same, same)
            for same in (
                "[a](02_networks.ipynb#look)",
                "[a](./glossary.md)",
                "[a](#here) and [b](https://keras.io/../README.md)",
                "![a](attachment:README.md)",
                "[a](/README.md)",
                "[a](../nowhere.md)",
                "[a](../../elsewhere.md)",
                "../README.md is no link, nor is x[0](n)",
            )
        ),
    ],
)
def test_a_link_that_leaves_the_copies_goes_through_the_course(course, before, after):
    folder = course.root / "notebooks"
    (folder / "grüße x.md").touch()
    copied = {"02_networks.ipynb", "glossary.md"}
    assert page.move_links(before, folder, copied, "course") == after


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
@pytest.mark.parametrize("course_from_copy", ["..", "course"], ids=["work", "elsewhere"])
def test_every_link_of_the_lesson_leads_somewhere_from_its_copy(path, course_from_copy):
    copy = page.Copy(path, NAMES, course_from_copy, {})
    for cell in copy.cells:
        if cell.kind == "code":
            continue
        for target in re.findall(r"\]\(([^)#\s]+)", re.sub(r"`[^`\n]*`", "", cell.source)):
            if not page.ELSEWHERE.match(target):
                known = target in NAMES
                inside = target.removeprefix(f"{course_from_copy}/")
                assert known or (inside != target and (ROOT / unquote(inside)).exists()), target


@pytest.mark.parametrize("path", lesson_paths(), ids=lambda path: path.stem)
def test_a_copy_is_what_nbformat_writes(path):
    text = page.Copy(path, NAMES, "..", page.kernel_metadata()).text()
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert nbformat.writes(notebook) + "\n" == text


def test_the_metadata_are_those_that_the_kernel_reports():
    metadata = page.kernel_metadata()
    assert metadata["language_info"] == IPythonKernel.language_info
    assert metadata["kernelspec"]["name"] == "python3"


@pytest.mark.parametrize(
    "content", [b"", b"[1]", b'{"cells": [{}]}', b'{"cells": 3}', b"{", b"\xff\xfe{", b"[" * 99999]
)
def test_what_is_no_notebook_is_refused(content):
    with pytest.raises(ValueError):
        page.read_cells("a.ipynb", content)


def test_a_page_that_is_no_notebook_is_named_and_the_others_are_copied(course):
    broken = Path(course.root, "notebooks", course.path.name)
    broken.write_text("<<<<<<< HEAD")
    (line,) = course.lab()
    assert line.startswith(f"{broken}: not a notebook: ")
    assert course.files() == ["glossary.md"]
