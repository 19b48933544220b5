"""Settings of JupyterLab where its installation is the course's own."""

import json
from pathlib import Path

from course_utils.files import write_atomically

OURS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    # Every cell is drawn at once: a page that is measured while it scrolls jumps.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
}


def write_overrides(prefix: Path) -> str | None:
    """Write the course's defaults for JupyterLab installed in `prefix`; return what went wrong.

    They are defaults: settings of the reader's own come first, as they do with JupyterLab's. What
    already stands in the file stays.
    """
    path = prefix / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    try:
        stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        wanted = stored | {name: ours | stored.get(name, {}) for name, ours in OURS.items()}
        if wanted != stored:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, json.dumps(wanted, indent=2) + "\n")
    except OSError as error:
        return f"{path}: {error.strerror}; JupyterLab's own defaults hold (pages may jump)"
    except (ValueError, TypeError, AttributeError) as error:
        return f"{path}: not JSON settings ({error}); JupyterLab's own defaults hold"
    return None
