"""index.html of a run: one table of all jobs, with links to the rendered lessons."""

from html import escape
from pathlib import Path
from urllib.parse import quote

from course_utils.files import write_atomically
from course_utils.metrics import format_metric
from course_utils.runner.page import page
from course_utils.runner.plan import Job, LessonPlan
from course_utils.runner.results import NOT_STARTED, OK, Result

HEADS = {  # and the class of the column's cells
    "Lesson": "lesson",
    "Parameters": "",
    "Status": "",
    "Seconds": "number",
    "Peak memory": "number",
    "Metrics": "",
}
SIGNS = {OK: ("good", "✓"), NOT_STARTED: ("wait", "–")}
FAILED = ("bad", "✗")

CSS = """
table { width: 100%; border-collapse: collapse; }
th, td { padding: 0.7rem 0.8rem; text-align: left; vertical-align: top; }
th { border-bottom: 2px solid var(--line); font-size: 0.9rem; color: var(--soft); }
td { border-bottom: 1px solid var(--line); }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: max-content auto; gap: 0 0.8rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; font-variant-numeric: tabular-nums; }
.lesson { min-width: 13rem; }
.files { font-size: 0.85rem; margin: 0.2rem 0 0; }
.message { margin: 0.2rem 0 0; max-width: 22rem; overflow-wrap: anywhere; }
@media (max-width: 48rem) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, thead, tbody, tr, td { display: block; }
  tr { border: 1px solid var(--line); border-radius: 0.5rem; margin: 0 0 1rem; padding: 0.5rem; }
  td { border: 0; padding: 0.25rem 0.5rem; display: grid; grid-template-columns: 7rem 1fr; }
  td::before { content: attr(data-head); color: var(--soft); font-size: 0.9rem; }
  td.empty { display: none; }
  td.number { text-align: left; }
}
"""


def write_index(folder: Path, plan: LessonPlan, results: list[Result]) -> None:
    """Write index.html: self-contained, without scripts, legible in light, dark and on a phone."""
    pairs = list(zip(plan.jobs, results, strict=True))
    ok = sum(result.ok for result in results)
    heads = "".join(f'<th scope="col" class="{kind}">{head}</th>' for head, kind in HEADS.items())
    rows = "\n".join(_row(folder, job, result) for job, result in pairs)
    body = (
        f"<h1>Run {escape(plan.name)}</h1>\n"
        f"<p>{ok} of {len(pairs)} ok, profile {plan.profile}. "
        '<a href="summary.json">summary.json</a></p>\n'
        f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
    )
    write_atomically(folder / "index.html", page(f"Run {plan.name}", body, CSS))


def _row(folder: Path, job: Job, result: Result) -> str:
    given = {name: job.parameters[name] for name in job.given}
    kind, sign = SIGNS.get(result.status, FAILED)
    status = f'<span class="status {kind}">{sign} {result.status}</span>'
    if result.message:
        status += f'<p class="message">{escape(result.message)}</p>'
    seconds = "" if result.seconds is None else f"{result.seconds:.1f}"
    memory = "" if result.peak_memory_mb is None else f"{result.peak_memory_mb:.0f} MB"
    metrics = {name: format_metric(value) for name, value in result.metrics.items()}
    cells = [
        f"<div>{_links(folder, job)}</div>",
        _list(given),
        f"<div>{status}</div>",
        seconds,
        memory,
        _list(metrics),
    ]
    columns = [
        f'<td class="{kind}{"" if cell else " empty"}" data-head="{head}">{cell}</td>'
        for (head, kind), cell in zip(HEADS.items(), cells, strict=True)
    ]
    return f"<tr>{''.join(columns)}</tr>"


def _links(folder: Path, job: Job) -> str:
    """Return the title, linked to the rendered lesson, and links to the other files."""
    title = f"{job.number} {escape(job.title)}"
    here = quote(job.folder)
    if (folder / job.folder / f"{job.stem}.html").exists():
        title = f'<a href="{here}/{job.stem}.html">{title}</a>'
    names = {"notebook": f"{job.stem}.ipynb", "metrics": "metrics.json", "log": "log.txt"}
    files = [
        f'<a href="{here}/{name}">{word}</a>'
        for word, name in names.items()
        if (folder / job.folder / name).exists()
    ]
    return title + (f'<p class="files">{" · ".join(files)}</p>' if files else "")


def _list(values: dict) -> str:
    pairs = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in values.items()
    )
    return f"<dl>{pairs}</dl>" if pairs else ""
