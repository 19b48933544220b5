"""Every link inside the course leads somewhere: to a file, to a cell, to a term of the glossary."""

import re
from pathlib import Path

import nbformat
import pytest

import course_utils

ROOT = Path(course_utils.__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
SOURCES = [ROOT / "README.md", *sorted(NOTEBOOKS.glob("*.md")), *sorted(NOTEBOOKS.glob("*.ipynb"))]
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)")


def cells(path):
    return nbformat.read(path, as_version=4).cells


def text(path):
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    return "\n".join(cell.source for cell in cells(path) if cell.cell_type == "markdown")


def anchors(path):
    """What may stand behind # in a link to a file, in JupyterLab, on GitHub and in run's pages."""
    if path.suffix == ".ipynb":
        return {f"cell-id={cell.id}" for cell in cells(path)}
    return set(re.findall(r'<a id="([^"]+)"></a>', text(path)))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_links_lead_to_files_cells_and_terms(source):
    for name, anchor in LINK.findall(text(source)):
        target = source.parent / name if name else source
        assert target.exists(), f"({name}): there is no such file"
        assert not anchor or anchor in anchors(target), f"({name}#{anchor}): no such place in it"
