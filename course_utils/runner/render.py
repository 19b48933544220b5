"""An executed lesson as one HTML page that needs no network: formulas as MathML, no script."""

import logging
import re
from html import escape, unescape

from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

from course_utils.runner.formulas import FormulaError, mathml
from course_utils.runner.page import page

TEMPLATE = """
{%- extends 'classic/base.html.j2' -%}
{% block data_latex %}{{ output.data['text/latex'] | markdown2html }}{% endblock %}
{% block input %}
{%- if "hide-input" in cell.metadata.get("tags", []) -%}
<details class="code"><summary>Show the code</summary>{{ super() }}</details>
{%- else -%}
{{ super() }}
{%- endif -%}
{% endblock input %}
"""
# Widgets and scripts need a live front end; the figure or the text beside them is shown.
SHOWN = [
    *("text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg"),
    *("text/latex", "text/plain"),
]
# $$…$$ or $…$ in HTML that stands between Markdown, as in <summary>Why is $g$ clipped?</summary>
DOLLARS = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+?)\$", re.DOTALL)
LESSON = re.compile(r"(\d\d_\w+)\.ipynb(#.*)?")
TEXT = re.compile(r"(\w+)\.md(#.*)?")  # beside the lessons: glossary.md, notation.md

CSS = """
body { max-width: 56rem; }
.text_cell_render { max-width: 48rem; }
pre { font-size: 0.85rem; } /* 100 columns of code fit */
nav { border-bottom: 1px solid var(--line); padding-bottom: 0.6rem; }
nav p { margin: 0.2rem 0; }
.failure { border: 1px solid var(--bad); border-left-width: 5px; padding: 0.6rem 1rem; }
.anchor-link { margin-left: 0.4rem; text-decoration: none; opacity: 0; }
:hover > .anchor-link, .anchor-link:focus { opacity: 0.6; }
.input_area { background: var(--panel); border-left: 3px solid var(--line); }
.input_area pre, .highlight pre { margin: 0.8rem 0; padding: 0.6rem 0.9rem; }
.output_area { margin: 0.4rem 0 1rem; overflow-x: auto; }
.output_area pre { margin: 0; padding: 0.1rem 0.9rem; }
.output_stderr, .output_error { border-left: 3px solid var(--bad); }
img { max-width: 100%; height: auto; }
table { border-collapse: collapse; margin: 0.8rem 0; }
th, td { padding: 0.25rem 0.7rem; border-bottom: 1px solid var(--line); text-align: left; }
blockquote { margin: 1rem 0; padding: 0.1rem 1rem; border-left: 3px solid var(--link); }
details { margin: 0.6rem 0; } summary { cursor: pointer; }
details.code > summary { width: max-content; color: var(--soft); font-size: 0.85rem; }
.formula { display: block; overflow-x: auto; overflow-y: hidden; padding: 0.3rem 0; }
math {
  font-family: "Latin Modern Math", "STIX Two Math", "Cambria Math",
    "Libertinus Math", "DejaVu Math TeX Gyre", "Noto Sans Math", math;
}
mtd[columnalign="left"] { text-align: left; text-align: -webkit-left; }
mtd[columnalign="right"] { text-align: right; text-align: -webkit-right; }
mtable[columnspacing] > mtr > mtd { padding-left: 0; padding-right: 0; }
mi[mathvariant^="bold"], mn[mathvariant^="bold"] { font-weight: bold; }
.ansi-bold { font-weight: bold; } .ansi-underline { text-decoration: underline; }
.ansi-red-fg, .ansi-red-intense-fg { color: var(--bad); }
.ansi-green-fg, .ansi-green-intense-fg { color: var(--good); }
.ansi-yellow-fg, .ansi-yellow-intense-fg { color: var(--wait); }
.output_error [style*="rgb(0,135,0)"] { color: var(--good) !important; }
.ansi-blue-fg, .ansi-blue-intense-fg, .ansi-cyan-fg, .ansi-cyan-intense-fg { color: var(--link); }
"""


def render(notebook: NotebookNode, title: str, header: str) -> str:
    """Return the executed `notebook` as an HTML page.

    title: text of the browser's tab; header: HTML that stands above the lesson.
    """
    exporter = LessonExporter(
        config=Config(NbConvertBase={"display_data_priority": SHOWN}),
        raw_template=TEMPLATE,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    body, _ = exporter.from_notebook_node(notebook)
    return page(title, f"<nav>{header}</nav>\n<main>{body}</main>", CSS + _code_colours())


def render_text(markdown: str, title: str, header: str) -> str:
    """Return a Markdown text that stands beside the lessons as an HTML page.

    The page belongs in the run's folder, one level above the pages of the lessons.
    """
    renderer = LessonRenderer(escape=False)
    renderer.to_run = ""
    body = MarkdownWithMath(renderer=renderer).render(markdown)
    return page(title, f"<nav>{header}</nav>\n<main>{body}</main>", CSS)


class LessonExporter(HTMLExporter):
    """nbconvert's HTML exporter, with formulas as MathML."""

    @pass_context
    def markdown2html(self, context, source):
        """Convert Markdown to HTML, formulas to MathML."""
        attachments = context.get("cell", {}).get("attachments", {})
        renderer = LessonRenderer(escape=False, attachments=attachments)
        return MarkdownWithMath(renderer=renderer).render(source)


class LessonRenderer(IPythonRenderer):
    """nbconvert's Markdown renderer with formulas as MathML instead of text for MathJax."""

    to_run = "../"  # the way from the page to the run's folder

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Render a link; one to another lesson or text leads to its page in this run."""
        if match := LESSON.fullmatch(url):
            url = f"{self.to_run}{match[1]}/{match[1]}.html{match[2] or ''}"
        elif match := TEXT.fullmatch(url):
            url = f"{self.to_run}{match[1]}.html{match[2] or ''}"
        return super().link(text, url, title)

    def inline_math(self, body: str) -> str:
        """Render $…$."""
        return _formula(body, display=False)

    def block_math(self, body: str) -> str:
        """Render $$…$$."""
        return f'<span class="formula">{_formula(body, display=True)}</span>'

    def block_html(self, html: str) -> str:
        """Render HTML as it stands, but for the formulas in it."""
        return DOLLARS.sub(
            lambda match: (
                self.block_math(unescape(match[1]))
                if match[1]
                else self.inline_math(unescape(match[2]))
            ),
            html,
        )

    def latex_environment(self, name: str, body: str) -> str:
        r"""Render \begin{…}…\end{…} outside of dollar signs."""
        return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")


def _formula(latex: str, *, display: bool) -> str:
    try:
        return mathml(latex, display=display)
    except FormulaError as error:
        # The tests refuse such a formula in a lesson of the course; show it as it was written.
        logging.getLogger(__name__).warning("%s", error)
        return f"<code>{escape(latex)}</code>"


def _code_colours() -> str:
    light = HtmlFormatter(style="default").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    background = ".highlight { background: none; }"
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n{background}\n"
