"""The file of a study: comment lines with what made it, then its rows as CSV."""

from __future__ import annotations

import csv
import hashlib
import importlib.metadata
import io
import itertools
import platform
import sys
from pathlib import Path

from course_utils.files import write_atomically
from course_utils.studies.declare import Study, StudyError
from course_utils.studies.fingerprint import fingerprint

ROOT = Path(__file__).resolve().parents[2]
TUNING, FINAL = "tuning", "final"  # values of the column `phase`
DISTRIBUTIONS = {"sklearn": "scikit-learn", "PIL": "pillow"}  # others are named as imported
KEYS = ("study", "question", "module", "code", "packages", "seeds", "tuning", "rows", "numbers")


class Table:
    """Rows of a study. `table["accuracy"]` is a column as an array, in the order of the rows.

    name: the study; header: texts by key (KEYS); columns: arrays by name; tuning: the rows of its
    tuning, in which only the column that decided is a number, or None.
    """

    def __init__(self, name: str, header: dict, columns: dict, tuning: Table | None = None):
        """Hold columns of equal length."""
        self.name, self.header, self.columns, self.tuning = name, header, columns, tuning

    def __getitem__(self, column: str):
        """Return a column. Raises KeyError, with the names that there are."""
        if column not in self.columns:
            known = ", ".join(self.columns)
            raise KeyError(f"study {self.name} has no column '{column}'; it has {known}")
        return self.columns[column]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self.columns.values())))

    def where(self, **values) -> Table:
        """Return the rows in which each named column has the given value, without the tuning.

        Raises KeyError for an unknown column, and if no row is like that.
        """
        keep = True
        for column, value in values.items():
            keep = keep & (self[column] == value)
        columns = {name: array[keep] for name, array in self.columns.items()}
        if not len(next(iter(columns.values()))):
            found = {column: sorted(set(self[column].tolist())) for column in values}
            raise KeyError(f"study {self.name} has no row with {values}; its values: {found}")
        return Table(self.name, self.header, columns)


def read_study(name: str, *, root: Path = ROOT) -> Table:
    """Return the rows of the study `name`, such as "02_width", in the order of arms and seeds.

    Raises StudyError if its file is missing or damaged, or if its code has changed since.
    """
    table = read_table(root / "data" / "studies" / f"lesson_{name}.csv", name)
    again = f"`python3 -m course_utils study {name}` makes it again"
    module = root / "course_utils" / "studies" / table.header["module"]
    try:
        code, _ = fingerprint(module, name, root)
    except (OSError, LookupError) as error:
        raise StudyError(f"study {name}: its code is gone from {module}: {error}") from None
    if code != table.header["code"]:
        raise StudyError(f"study {name} is stale: its code in {module.name} has changed; {again}")
    return table


def read_table(path: Path, name: str) -> Table:
    """Return the rows in a study's file, whatever its code is now. Raises StudyError."""
    again = f"`python3 -m course_utils study {name}` makes it again"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StudyError(f"study {name}: {path} is missing; {again}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"study {name}: {path} cannot be read ({error}); {again}") from None
    lines = text.splitlines(keepends=True)
    head = list(itertools.takewhile(lambda line: line.startswith("# "), lines))
    header = dict(line[2:].strip().partition(": ")[::2] for line in head)
    body = "".join(lines[len(head) :])
    rows = list(csv.DictReader(io.StringIO(body)))
    if set(KEYS) - header.keys() or header["study"] != name:
        raise StudyError(f"study {name}: {path} is damaged: lines are missing at its top; {again}")
    if header["numbers"] != _digest(body) or header["rows"] != str(len(rows)):
        raise StudyError(
            f"study {name}: {path} is damaged: its rows are not those that were written; {again}"
        )
    phases = {phase: [row for row in rows if row["phase"] == phase] for phase in (TUNING, FINAL)}
    final, tuning = (_columns(phases[phase]) for phase in (FINAL, TUNING))
    return Table(name, header, final, Table(name, header, tuning) if tuning else None)


def write_table(path: Path, study: Study, header: dict[str, str], rows: list[dict]) -> None:
    """Write the rows of a study: phase, setting, seed, and numbers to nine digits by column.

    header: module, code and packages; the rest follows from the study.
    """
    body = io.StringIO()
    names = ["phase", *study.parameters, "seed", *study.columns]
    writer = csv.DictWriter(body, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        numbers = {
            name: f"{row[name]:.9g}" for name in study.columns if isinstance(row.get(name), float)
        }
        writer.writerow(row | numbers)
    tuning = "none"
    if study.tuning:
        grid = "; ".join(f"{name} of {list(values)}" for name, values in study.tuning.grid.items())
        best = "largest" if study.tuning.largest else "smallest"
        seeds = f"seeds {list(study.tuning.seeds)}"
        tuning = f"{grid}; {best} mean {study.tuning.by} over {seeds}, for each arm"
    values = header | {
        "study": study.name,
        "question": study.question,
        "seeds": str(list(study.seeds)),
        "tuning": tuning,
        "rows": str(len(rows)),
        "numbers": _digest(body.getvalue()),
    }
    top = "".join(f"# {key}: {' '.join(values[key].split())}\n" for key in KEYS)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, top + body.getvalue())


def describe_packages(names: set[str]) -> str:
    """Return the versions of Python and of the packages that are imported by these names."""
    versions = [f"python {platform.python_version()}"]
    names = names | {"tensorflow"} if "keras" in names else names  # Keras computes with it
    for name in sorted(names - sys.stdlib_module_names):
        distribution = DISTRIBUTIONS.get(name, name)
        versions.append(f"{distribution} {importlib.metadata.version(distribution)}")
    return ", ".join(versions)


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def _columns(rows: list[dict]) -> dict:
    """Return rows of texts as columns: truth values, whole numbers, numbers or texts."""
    import numpy as np

    columns = {}
    for name in [name for name in (rows[0] if rows else ()) if name != "phase"]:
        texts = [row[name] for row in rows]
        if set(texts) <= {"True", "False"}:
            columns[name] = np.array([text == "True" for text in texts])
            continue
        for kind in (int, lambda text: float(text or "nan"), str):
            try:
                columns[name] = np.array([kind(text) for text in texts])
                break
            except ValueError:
                continue
    return columns
