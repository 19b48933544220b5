"""Rendered lessons: formulas as MathML, alternative texts kept, nothing from the network."""

import re

import nbformat
import pytest
from bs4 import BeautifulSoup

from course_utils.contents import lesson_paths
from course_utils.runner.formulas import FormulaError, mathml
from course_utils.runner.render import render, render_text

TEXT = r"""## The Huber loss of $\hat y$

With $r = \hat y - y$ and a price of \$5,

$$
\ell_\delta(r) = \begin{cases} \tfrac12 r^2 & |r| \le \delta \\ \delta r & |r| > \delta \end{cases}
$$

<details><summary>Why is $g$ clipped?</summary>

Because $|r| > \delta$ gives **slope** $\delta$.

</details>

Next: [MNIST](06_mnist.ipynb#train), [Keras](https://keras.io), [*slope*](glossary.md#slope)
"""
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5E"
    "rkJggg=="
)


@pytest.fixture(scope="module")
def page():
    """The page of a notebook with text, a figure, a widget and a script."""
    code = nbformat.v4.new_code_cell("x = '<b>'", id="train")
    figure = {"image/png": PIXEL, "text/plain": "A falling line."}
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "slider"}
    script = {"application/javascript": "alert(1)", "text/plain": "a script"}
    output = nbformat.v4.new_output
    code.outputs = [
        output("display_data", figure, metadata={"image/png": {"alt": 'A "falling" line'}}),
        output("display_data", widget),
        output("display_data", script),
        output("display_data", {"text/latex": r"$\eta$", "text/plain": "eta"}),
        output("error", ename="ValueError", evalue="x", traceback=["\x1b[31mValueError\x1b[0m: x"]),
    ]
    folded = nbformat.v4.new_code_cell("draw('<i>')", metadata={"tags": ["hide-input"]})
    folded.outputs = [output("stream", name="stdout", text="drawn")]
    cells = [nbformat.v4.new_markdown_cell(TEXT), code, folded]
    notebook = nbformat.v4.new_notebook(cells=cells)
    return BeautifulSoup(render(notebook, "06 <MNIST>", "<p>Run x</p>"), "html.parser")


def loaded(page):
    """Return the addresses that a browser fetches to show the page."""
    tags = page.select("script, link, img, iframe, source, video, audio, object, embed")
    names = ("src", "href", "srcset", "data")
    addresses = [tag[name] for tag in tags for name in names if tag.has_attr(name)]
    styles = " ".join(style.get_text() for style in page.select("style"))
    styles += " ".join(tag["style"] for tag in page.select("[style]"))
    return addresses + re.findall(r"(?:@import\s*|url\()([^;)]*)", styles)


def test_nothing_is_fetched_and_nothing_is_run(page):
    assert [address for address in loaded(page) if not address.startswith("data:")] == []
    assert page.select("script") == []
    assert page.select("a[href='https://keras.io']"), "a link is no fetching"


def test_the_picture_keeps_its_alternative_text(page):
    (image,) = page.select("img")
    assert image["alt"] == 'A "falling" line'


def test_formulas_are_mathml_wherever_they_stand(page):
    text = page.select_one("main").get_text()
    assert "$" not in text.replace("$5", "")
    assert "\\" not in text
    found = {math["alttext"]: math["display"] for math in page.select("math")}
    assert found[r"\hat y"] == found["g"] == found[r"\delta"] == found[r"\eta"] == "inline"
    assert [name for name, display in found.items() if display == "block"] == [
        r"\ell_\delta(r) = \begin{cases} \tfrac12 r^2 & |r| \le \delta \\ "
        r"\delta r & |r| > \delta \end{cases}"
    ]
    assert page.select("h2 math") and page.select("summary math")


def test_a_folded_answer_stays_inside_its_fold(page):
    assert page.select_one("details strong").get_text() == "slope"


def test_only_the_code_of_a_collapsed_cell_is_folded(page):
    (fold,) = page.select("details.code")
    assert fold.has_attr("open") is False
    assert fold.summary.get_text() == "Show the code"
    assert fold.select_one(".input_area").get_text().strip() == "draw('<i>')"
    assert "drawn" in page.select_one("main").get_text()
    assert "drawn" not in fold.get_text(), "the output stays in sight"
    assert page.select_one("[id='cell-id=train'] .input_area").find_parent("details") is None


def test_what_needs_a_live_front_end_is_shown_as_text(page):
    shown = page.select_one("main").get_text()
    assert "slider" in shown and "a script" in shown and "alert(1)" not in shown


def test_links_lead_to_cells_and_to_the_pages_of_other_lessons(page):
    assert page.select_one("[id='cell-id=train']")
    assert page.select("a[href='../06_mnist/06_mnist.html#train']")
    assert page.select("a[href='../glossary.html#slope'] em")


def test_a_text_beside_the_lessons_becomes_a_page_of_the_run():
    text = '<a id="slope"></a>**slope.** How steep: $a/b$. [06](06_mnist.ipynb#cell-id=train)'
    html = render_text(f"# Glossary\n\n{text}\n", "Glossary", "")
    page = BeautifulSoup(html, "html.parser")
    assert page.select("[id='slope']") and page.select("math")
    assert page.select("a[href='06_mnist/06_mnist.html#cell-id=train']")


def test_the_title_is_text(page):
    assert page.title.get_text() == "06 <MNIST>"


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"y\log x", '<mo lspace="0.17em" rspace="0.17em">log</mo>'),
        (r"\log(x)", '<mo lspace="0" rspace="0">log</mo>'),
        (r"\arg\min_k x", '<mo lspace="0" rspace="0.17em">arg</mo>'),
        (r"y/x", '<mo lspace="0" rspace="0">/</mo>'),
        (r"a < b", "<mo>&lt;</mo>"),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "<mtable"),
    ],
)
def test_formulas_are_spaced_and_escaped(latex, expected):
    assert expected in mathml(latex)


@pytest.mark.parametrize("latex", [r"\frac{", r"\notacommand x", r"a & b", r"\begin{foo} x"])
def test_an_unknown_formula_is_refused(latex):
    with pytest.raises(FormulaError) as caught:
        mathml(latex)
    assert f"cannot convert ${latex}$" in str(caught.value)


def test_an_unknown_formula_is_shown_as_it_was_written(caplog):
    cell = nbformat.v4.new_markdown_cell(r"See $\notacommand < x$.")
    html = render(nbformat.v4.new_notebook(cells=[cell]), "t", "")
    assert r"<code>\notacommand &lt; x</code>" in html
    assert "cannot convert" in caplog.text


@pytest.mark.parametrize("path", lesson_paths(), ids=lambda path: path.stem)
def test_every_formula_of_the_lesson_is_known(path, caplog):
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    render(notebook, path.stem, "")
    assert caplog.messages == []
