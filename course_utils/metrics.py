"""What a lesson measured, for the batch runner and for the reader.

The last code of a lesson calls `record_metrics`. In JupyterLab it shows a small table; in a batch
run it also writes the numbers to the job's metrics.json.
"""

import json
import math
import os
from pathlib import Path

from course_utils.files import write_atomically

VARIABLE = "COURSE_METRICS"  # set by the runner for the kernel: the file to write
LONGEST_TEXT = 200


class Metrics(dict):
    """Recorded values by name; shown as an aligned table of name and value."""

    def __repr__(self) -> str:
        """Return the table as text."""
        width = max(map(len, self), default=0)
        return "\n".join(f"{name:{width}}  {format_metric(v)}" for name, v in self.items())


def record_metrics(**values: float | int | bool | str) -> Metrics:
    """Record what the lesson measured: numbers, truth values, short texts of one line.

    In a batch run the values go to metrics.json, unrounded; a second call in the same lesson adds
    to the first, and the same name replaces. Returns the values of this call.

    Raises ValueError, and writes nothing, for NaN, infinity, a text that is long or has several
    lines, or a value of another kind (an array with more than one element, a list, None).
    """
    metrics = Metrics({name: _plain(name, value) for name, value in values.items()})
    if path := os.environ.get(VARIABLE):
        recorded = read_metrics(path) | metrics
        write_atomically(path, json.dumps(recorded, indent=2, ensure_ascii=False) + "\n")
    return metrics


def read_metrics(path: str | os.PathLike) -> dict:
    """Return the metrics recorded in the file `path`; none if there is no such file."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def format_metric(value: float | int | bool | str) -> str:
    """Return `value` as shown in tables: four significant digits for a float, others whole."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _plain(name: str, value: object) -> float | int | bool | str:
    """Return `value` as a plain Python value; NumPy and TensorFlow scalars are converted."""
    if hasattr(value, "numpy"):
        value = value.numpy()
    if getattr(value, "size", None) == 1:
        value = value.item()
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT or "\n" in value:
            raise ValueError(
                f"metric {name}: expected one line of at most {LONGEST_TEXT} characters, "
                f"found {len(value)} characters in {value.count(chr(10)) + 1} line(s)"
            )
        return value
    if not isinstance(value, bool | int | float):
        raise ValueError(
            f"metric {name}: expected a number, True or False, or a short text, "
            f"found {type(value).__name__}; reduce it first, for example with float(...mean())"
        )
    if not math.isfinite(value):
        raise ValueError(
            f"metric {name}: {value} is not a finite number; the computation before it went wrong"
        )
    return value
