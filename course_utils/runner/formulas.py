"""Formulas as MathML, which browsers draw without a script and screen readers read."""

import html
import re
from xml.etree import ElementTree

from latex2mathml.converter import convert_to_element

# What latex2mathml 3.81 does not know, and the same in words that it knows.
SAME = (
    (re.compile(r"\\(begin|end)\{aligned\}"), r"\\\1{align*}"),
    (re.compile(r"\\arg(?![A-Za-z])"), r"\\operatorname{arg}"),
)
UNKNOWN = re.compile(r"\\[A-Za-z]")  # a command that came out as it went in
FUNCTION = re.compile(r"[A-Za-z]{2,}(\W[a-z]+)?")  # log, max, arg max
SCRIPTS = ("msub", "msup", "msubsup", "munder", "mover", "munderover")
TIGHT = ("|", "‖", "/")  # TeX sets no space around these
THIN = "0.17em"


class FormulaError(ValueError):
    """A formula that cannot be converted."""


def mathml(latex: str, *, display: bool = False) -> str:
    """Return `latex` (without its dollar signs) as a <math> element.

    Raises FormulaError, naming the formula, for LaTeX that latex2mathml does not know.
    """
    source = " ".join(latex.split())
    prepared = source
    for pattern, same in SAME:
        prepared = pattern.sub(same, prepared)
    try:
        math = convert_to_element(prepared, display="block" if display else "inline")
    except Exception as error:  # latex2mathml has a dozen exception classes without a common base
        raise FormulaError(f"cannot convert ${source}$: {type(error).__name__}") from None
    for element in math.iter():
        # The converter writes characters as texts like "&#x03B4;".
        element.text = html.unescape(element.text) if element.text else element.text
        if element.text == "&" or UNKNOWN.match(element.text or ""):
            raise FormulaError(f"cannot convert ${source}$: {element.text} is not known")
    for element in math.iter():
        _space(element)
    math.attrib.pop("xmlns")  # HTML needs none
    math.set("alttext", source)
    return ElementTree.tostring(math, encoding="unicode")


def _space(row: ElementTree.Element) -> None:
    """Space functions and bars in a row as TeX does: "y log x", but "log(x)" and "|r|"."""
    tags = [None, *(child.tag for child in row), None]
    for child, before, after in zip(row, tags, tags[2:], strict=False):
        core = child[0] if child.tag in SCRIPTS and row.tag not in SCRIPTS else child
        if core.tag == "mo" and core.text in TIGHT:
            core.attrib.update(lspace="0", rspace="0")
        elif core.tag in ("mi", "mo") and FUNCTION.fullmatch(core.text or ""):
            core.tag = "mo"
            core.set("lspace", "0" if before in (None, "mo", "mspace") else THIN)
            core.set("rspace", "0" if after in (None, "mo", "mspace") else THIN)
