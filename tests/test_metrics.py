"""Metrics are shown to the reader and written for the runner."""

import json
import math

import numpy as np
import pytest

from course_utils.metrics import VARIABLE, record_metrics


def test_the_table_is_aligned_and_rounded(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    shown = repr(record_metrics(accuracy=0.991234, parameters=109_386, ok=True, device="cpu"))
    assert shown.splitlines() == [
        "accuracy    0.9912",
        "parameters  109386",
        "ok          True",
        "device      cpu",
    ]


def test_without_the_runner_nothing_is_written(monkeypatch, tmp_path):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    record_metrics(accuracy=0.5)
    assert list(tmp_path.iterdir()) == []


def test_the_runner_gets_the_values_unrounded(monkeypatch, tmp_path):
    path = tmp_path / "metrics.json"
    monkeypatch.setenv(VARIABLE, str(path))
    record_metrics(accuracy=1 / 3, steps=np.int64(7))
    record_metrics(accuracy=2 / 3, loss=np.float32(0.1), ok=np.bool_(True), note="β = 0.9")
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "accuracy": 2 / 3,
        "steps": 7,
        "loss": float(np.float32(0.1)),
        "ok": True,
        "note": "β = 0.9",
    }


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (math.nan, "metric loss: nan is not a finite number"),
        (np.float32("-inf"), "metric loss: -inf is not a finite number"),
        (np.zeros(2), "metric loss: expected a number.*found ndarray"),
        (None, "found NoneType"),
        ([1.0], "found list"),
        ("a\nb", "expected one line of at most 200 characters, found 3 characters in 2 line"),
        ("x" * 201, "found 201 characters in 1 line"),
    ],
)
def test_a_value_that_is_no_metric_is_refused_and_nothing_written(
    monkeypatch, tmp_path, value, message
):
    path = tmp_path / "metrics.json"
    monkeypatch.setenv(VARIABLE, str(path))
    with pytest.raises(ValueError, match=message):
        record_metrics(accuracy=0.5, loss=value)
    assert not path.exists()
