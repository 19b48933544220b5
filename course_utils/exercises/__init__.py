"""Exercises of the lessons: a blank to fill, a check that explains, hints, a solution on request.

A lesson imports `____` and `exercise`; a file `lesson_NN.py` of this package declares the lesson's
exercises in the list `EXERCISES`, with `Exercise`, `NotYet` and `expect_close`.
"""

from course_utils.exercises.core import Exercise, NotYet, ____, exercise, expect_close

__all__ = ["Exercise", "NotYet", "____", "exercise", "expect_close"]
