"""The HTML page around the index of a run and around a rendered lesson: one look, no script."""

import html

CSS = """
:root {
  color-scheme: light dark;
  --text: #1c2024; --soft: #5a6169; --page: #ffffff; --panel: #f5f6f8; --line: #d8dce1;
  --link: #0b5cad; --good: #176b35; --bad: #b3261e; --wait: #7a5200;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e4e7eb; --soft: #a3abb5; --page: #14171a; --panel: #1e2328; --line: #3a424b;
    --link: #7fb8ff; --good: #6fd08c; --bad: #ff8f86; --wait: #f0b95a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 76rem; background: var(--page);
  color: var(--text); font: 1rem/1.6 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
h1, h2, h3 { line-height: 1.25; margin: 2.2rem 0 0.7rem; }
h1 { margin-top: 0.5rem; font-size: 1.9rem; }
a { color: var(--link); }
code, pre { font: 0.9em/1.5 ui-monospace, SFMono-Regular, Consolas, "DejaVu Sans Mono", monospace; }
pre { overflow-x: auto; }
.soft { color: var(--soft); }
.good { color: var(--good); } .bad { color: var(--bad); } .wait { color: var(--wait); }
.status { font-weight: 600; white-space: nowrap; }
"""


def page(title: str, body: str, css: str = "") -> str:
    """Return a whole HTML document; `body` is HTML, `title` is text."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{CSS}{css}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )
