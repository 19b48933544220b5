"""The worker process of a study: computes the rows of one arm and keeps each as it comes.

`python -m course_utils.studies.worker JOB.json`, started by the runner (see `runner.channel`). The
rows stand in rows.json in the job's folder; a worker that finds some there goes on after them.
When it must stop it does so at once: only the row it is computing is lost.
"""

import json
import os
import sys
import threading
import traceback
from pathlib import Path

from course_utils.files import write_atomically
from course_utils.runner import results
from course_utils.runner.channel import open_reports, watch_input
from course_utils.studies.declare import load_module
from course_utils.studies.fingerprint import fingerprint
from course_utils.studies.rows import RowError, run_arm
from course_utils.studies.table import FINAL

ROW_FAILED = "row failed"


def main(path: str) -> None:
    """Compute the arm that the JSON file `path` describes."""
    report = open_reports()
    job = json.loads(Path(path).read_text(encoding="utf-8"))
    file, module = Path(job["output"]) / "rows.json", Path(job["module"])
    rows = read_rows(file)
    writing = threading.Lock()  # held while a row is saved, and never given back by a stop

    def save(rows: list[dict]) -> None:
        with writing:
            write_atomically(file, json.dumps(rows) + "\n")

    def stop() -> None:
        writing.acquire()
        finish(results.INTERRUPTED, f"stopped after {len(rows)} rows")
        os._exit(1)

    def finish(status: str, message: str, metrics: dict | None = None) -> None:
        report({"result": {"status": status, "message": message, "metrics": metrics or {}}})

    watch_input(stop)
    try:
        if fingerprint(module, job["study"], Path(job["root"]))[0] != job["code"]:
            raise RowError("the code of the study was changed while it ran; start it again")
        study = next(s for s in load_module(module).STUDIES if s.name == job["study"])
        run_arm(
            *(study, job["arm"], rows, save),
            progress=lambda what, place, of: report({"step": what, "place": place, "of": of}),
        )
    except (RowError, LookupError) as error:
        traceback.print_exc()
        finish(ROW_FAILED, str(error))
    else:
        final = [row for row in rows if row["phase"] == FINAL]
        means = {name: sum(row[name] for row in final) / len(final) for name in study.columns}
        finish(results.OK, "", means)


def read_rows(file: Path) -> list[dict]:
    """Return the rows of an arm so far."""
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else []


if __name__ == "__main__":
    main(sys.argv[1])
