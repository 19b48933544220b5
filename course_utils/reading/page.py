"""A copy as it is made from a committed page, in the very form in which JupyterLab saves it.

JupyterLab marks a notebook as changed when it opens it with metadata other than those of the kernel
that it starts, so a copy has them from the beginning.
"""

import hashlib
import json
import posixpath
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

COLLAPSED = ("setup", "imports")
# In Markdown and HTML: what stands before the target of a link, and the target without #fragment.
LINK = re.compile(
    r"""(\]\(\s*<?|^\s*\[[^\]]+\]:\s*<?|\b(?:href|src)\s*=\s*["'])([^\s)>"'#?]+)""", re.MULTILINE
)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|/", re.IGNORECASE)  # an address, an absolute path


@dataclass(frozen=True)
class Cell:
    """A cell as far as it can be the reader's work; a Markdown file counts as one cell."""

    id: str | None
    kind: str
    source: str

    @property
    def fingerprint(self) -> list:
        """The cell in the record of what a copy was made from: its id, and a hash of the rest."""
        text = f"{self.kind}\n{self.source}"
        return [self.id, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()]


class Copy:
    """What is written for one page: a notebook (`.ipynb`), or text (`.md`)."""

    def __init__(self, page: Path, copied: set[str], course: str, metadata: dict):
        """Make the copy of the committed page.

        Args:
            page: the committed page; its folder is `notebooks` in the course's folder.
            copied: the names of all pages that are copied.
            course: how a link in the copy names the course's folder (`Place.course`).
            metadata: of the notebook, see `kernel_metadata`.

        Raises:
            OSError: the page cannot be read.
            ValueError: it is no notebook.
        """
        self.name = page.name

        def moved(source: str) -> str:
            return move_links(source, page.parent, copied, course)

        if page.suffix == ".md":
            self._notebook = None
            self._text = moved(page.read_text(encoding="utf-8"))
            return
        notebook = parse_notebook(page.read_bytes())
        self._notebook = {**notebook, "metadata": metadata}
        self._notebook["cells"] = [_cleared(cell, moved) for cell in notebook["cells"]]

    @property
    def cells(self) -> list[Cell]:
        """The cells, with their sources as they are written."""
        return [Cell(None, "", self._text)] if self._notebook is None else cells_of(self._notebook)

    def text(self, sources: dict[str, str] | None = None) -> str:
        """Return the file's text; `sources` are put in place of those of the cells of these ids."""
        if self._notebook is None:
            return self._text
        cells = [
            {**cell, "source": sources[cell["id"]].splitlines(keepends=True)}
            if cell.get("id") in (sources or {})
            else cell
            for cell in self._notebook["cells"]
        ]
        return _written({**self._notebook, "cells": cells})


def kernel_metadata() -> dict:
    """Return the metadata that JupyterLab gives a notebook of this environment's kernel."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    manager = KernelSpecManager()
    # As `lab` tells JupyterLab: before all others the kernel of this environment.
    manager.kernel_dirs.insert(0, str(Path(sys.prefix, "share", "jupyter", "kernels")))
    try:
        spec = manager.get_kernel_spec("python3")
        name, language = spec.display_name, spec.language
    except NoSuchKernel:  # JupyterLab will ask for another one
        name, language = "Python 3 (ipykernel)", "python"
    return {
        "kernelspec": {"display_name": name, "language": language, "name": "python3"},
        "language_info": {
            "codemirror_mode": {"name": "ipython", "version": sys.version_info[0]},
            "file_extension": ".py",
            "mimetype": "text/x-python",
            "name": "python",
            "nbconvert_exporter": "python",
            "pygments_lexer": "ipython3",
            "version": sys.version.split()[0],
        },
    }


def read_cells(name: str, content: bytes) -> list[Cell]:
    """Return the cells of a copy's content; raises ValueError if it is not whole."""
    if name.endswith(".md"):
        return [Cell(None, "", content.decode("utf-8").replace("\r\n", "\n"))]
    return cells_of(parse_notebook(content))


def parse_notebook(content: bytes) -> dict:
    """Return the notebook in `content`; raises ValueError if there is none."""
    try:
        notebook = json.loads(content)  # UTF-8 is found out by itself
        cells_of(notebook)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a notebook: {error}") from None
    return notebook


def cells_of(notebook: dict) -> list[Cell]:
    """Return the cells of a notebook as JSON gives it."""
    return [
        Cell(cell.get("id"), cell["cell_type"], "".join(cell["source"]))
        for cell in notebook["cells"]
    ]


def move_links(source: str, folder: Path, copied: set[str], course: str) -> str:
    """Let links of a page in `folder` lead to the same files from the place of its copy.

    A link to a page that is copied stays as it is; one to another file of the course begins with
    `course`. Links that lead nowhere or out of the course are not touched.
    """

    def moved(link: re.Match) -> str:
        target = unquote(link[2])
        path = posixpath.normpath(posixpath.join(folder.name, target))
        beside = posixpath.dirname(path) == folder.name and posixpath.basename(path) in copied
        outside = path.startswith("..") or ELSEWHERE.match(target)
        if beside or outside or not (folder.parent / path).exists():
            return link[0]
        return f"{link[1]}{course}/{quote(path)}"

    return LINK.sub(moved, source)


def _cleared(cell: dict, moved) -> dict:
    """Return the cell of the copy: no outputs, the first two cells of code collapsed."""
    cell = dict(cell)
    source = "".join(cell["source"])
    if cell["cell_type"] == "code":
        cell["outputs"], cell["execution_count"] = [], None
        if cell.get("id") in COLLAPSED:
            folded = {**cell["metadata"].get("jupyter", {}), "source_hidden": True}
            cell["metadata"] = {**cell["metadata"], "jupyter": folded}
    elif cell["cell_type"] == "markdown":
        source = moved(source)
    cell["source"] = source.splitlines(keepends=True)
    return cell


def _written(notebook: dict) -> str:
    """Return a notebook as nbformat writes it."""
    form = {"indent": 1, "sort_keys": True, "ensure_ascii": False, "separators": (",", ": ")}
    return json.dumps(notebook, **form) + "\n"
