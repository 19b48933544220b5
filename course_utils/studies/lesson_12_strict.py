"""A second study of lesson 12: the VAE whose codes must look like noise, as far as noise goes."""

from __future__ import annotations

from course_utils.studies import Study
from course_utils.studies.lesson_12 import CODES, painter_row

STRICT = Study(
    name="12_strict",
    question="How far from real digits are pictures from random codes, if KL counts in full?",
    arms=[{"kl_weight": 1.0, "share": 1.0}, {"kl_weight": 1.0, "share": 0.1}],
    seeds=range(5),
    run_row=painter_row,
    tolerance=CODES.tolerance | {"val_variance_100": 0.1},
    smoke={"kl_weight": 1.0, "share": 0.1},
)
STUDIES = [STRICT]
