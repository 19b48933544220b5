"""Rules for what a committed notebook stores: counts, outputs, images, metadata."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

from course_utils.style import MOST_BYTES, SHORTEST_ALT
from tests.grammar.page import Page, Violation, tags

ROOT = Path(__file__).resolve().parent.parent.parent
TIMING = {"execution", "papermill", "ExecuteTime"}
MOST_IMAGES = 30
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")
PATH = re.compile(r"(?<![\w.:/])/(?:home|Users|root|tmp|usr|var|opt|mnt|private)/|\b[A-Z]:\\\w")


def metadata(page: Page) -> Iterator[Violation]:
    stored = page.notebook.metadata
    kernel = stored.get("kernelspec", {}).get("name")
    if kernel != "python3":
        yield None, f"the kernel is {kernel!r}; expected 'python3'"
    if "widgets" in stored:
        yield None, "the state of widgets is stored; `python3 -m course_utils execute` removes it"
    timed = [cell for cell in page.cells if TIMING & set(cell.metadata)]
    if timed or TIMING & set(stored):
        yield (
            timed[0] if timed else None,
            "run times are stored in the metadata; `python3 -m course_utils execute` removes them",
        )


def executed(page: Page) -> Iterator[Violation]:
    cells = [cell for cell in page.code if cell.source.strip()]
    for number, cell in enumerate(cells, start=1):
        if cell.execution_count != number:
            yield (
                cell,
                f"execution count {cell.execution_count}, expected {number}: not run from top to "
                "bottom; run `python3 -m course_utils execute`",
            )
            return  # all later ones are off too
    if not any("nbval-check-output" in tags(cell) for cell in cells):
        yield None, "no cell has the tag nbval-check-output; tag each cell with a fixed output"
    for cell in cells:
        if "nbval-check-output" in tags(cell) and not cell.outputs:
            yield cell, "tagged nbval-check-output, has no output to compare"


def clean_outputs(page: Page) -> Iterator[Violation]:
    for cell in page.code:
        for output in cell.outputs:
            if output.output_type == "error":
                yield cell, f"the output is an error: {output.ename}: {output.evalue}"
            if output.get("name") == "stderr":
                line = output.text.strip().partition("\n")[0]
                yield cell, f'the output has text of stderr: "{line}"; remove its cause'
            for text in _texts(output):
                if address := ADDRESS.search(text):
                    yield (
                        cell,
                        f"the output has an object's address {address.group()}, which changes "
                        "with every run; print what is meant",
                    )
                path = str(ROOT) if str(ROOT) in text else PATH.search(text)
                if path:
                    found = path if isinstance(path, str) else path.group()
                    yield cell, f"the output has a path of this machine ({found}…); print the name"


def _texts(output) -> Iterator[str]:
    if "text" in output:
        yield output.text
    for kind, value in output.get("data", {}).items():
        if not kind.startswith("image/"):
            yield str(value)


def images(page: Page) -> Iterator[Violation]:
    shown = [
        (cell, kind, output)
        for cell in page.code
        for output in cell.outputs
        for kind in output.get("data", {})
        if kind.startswith("image/")
    ]
    if len(shown) > MOST_IMAGES:
        yield None, f"{len(shown)} images; expected at most {MOST_IMAGES}"
    for cell, kind, output in shown:
        if kind != "image/png":
            yield cell, f"an image of kind {kind}; expected image/png, as style.show makes it"
            continue
        size = len(base64.b64decode(output.data[kind]))
        if size > MOST_BYTES:
            yield cell, f"an image of {size:,} bytes; expected at most {MOST_BYTES:,}"
        alt = output.metadata.get(kind, {}).get("alt", "")
        if len(alt) < SHORTEST_ALT:
            yield (
                cell,
                f'the alt text of an image is "{alt}"; expected a sentence of {SHORTEST_ALT} '
                "characters or more (style.show(figure, alt=…))",
            )
        if output.data.get("text/plain", "") != alt:
            yield cell, "text/plain of an image is not its alt text; show it with style.show"


RULES = (metadata, executed, clean_outputs, images)
