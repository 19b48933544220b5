"""data/model_sizes.csv: every row is complete, plausible and names its source."""

import csv
import re

import pytest

from course_utils.data import read_checked

COLUMNS = [
    "name",
    "year",
    "month",
    "kind",
    "architecture",
    "parameters",
    "active_parameters",
    "training_tokens",
    "source",
]
ROWS = list(csv.DictReader(read_checked("model_sizes.csv").decode("utf-8").splitlines()))
EACH_ROW = pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])


def test_there_are_enough_models_and_they_span_the_time():
    assert list(ROWS[0]) == COLUMNS
    assert len(ROWS) >= 20
    years = [int(row["year"]) for row in ROWS]
    assert (min(years), max(years)) == (1998, 2026)
    assert [(int(row["year"]), int(row["month"])) for row in ROWS] == sorted(
        (int(row["year"]), int(row["month"])) for row in ROWS
    )


def test_no_name_and_no_source_stands_twice():
    for column in ("name", "source"):
        values = [row[column].casefold() for row in ROWS]
        assert len(set(values)) == len(values)


@EACH_ROW
def test_the_numbers_are_possible(row):
    assert None not in row and None not in row.values()  # as many fields as columns
    assert 1998 <= int(row["year"]) <= 2026
    assert 1 <= int(row["month"]) <= 12
    assert 1e4 < float(row["parameters"]) < 1e14
    if row["active_parameters"]:
        assert row["architecture"] == "mixture of experts"
        assert 0 < float(row["active_parameters"]) <= float(row["parameters"])
    if row["training_tokens"]:
        assert 1e9 < float(row["training_tokens"]) < 1e15


@EACH_ROW
def test_the_words_are_known(row):
    assert row["kind"] in {"image", "text", "translation", "image generation"}
    assert row["architecture"] in {"dense", "mixture of experts"}
    assert row["name"] == row["name"].strip() != ""


@EACH_ROW
def test_the_source_names_the_year_and_the_paper(row):
    assert f"({row['year']})" in row["source"]
    published = (
        r"arXiv \d{4}\.\d{4,5}|doi 10\.\d{4,}/\S+|, NIPS|, PMLR \d+\(\d+\)|, (OpenAI|Microsoft)"
    )
    assert re.search(f"({published})$", row["source"]), row["source"]


@EACH_ROW
def test_the_date_is_that_of_the_arxiv_number(row):
    if found := re.search(r"arXiv (\d\d)(\d\d)\.", row["source"]):
        assert (int(row["year"]), int(row["month"])) == (2000 + int(found[1]), int(found[2]))
