"""The mortgage applications of lesson 18: random splits, a model, intervals over such splits."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from course_utils.data import load_mortgages

TEST_SHARE = 0.3
# What the model may read. Left out beside race: marital status, which is protected in the same way,
# and whether an insurance was denied, which nearly always means denial.
INPUTS = (
    "payments_to_income",
    "housing_to_income",
    "loan_to_value",
    "consumer_credit",
    "mortgage_credit",
    "public_record",
    "unemployment",
    "self_employed",
    "condominium",
    "high_school",
)


class Applicants(NamedTuple):
    """Inputs (n, 10), whether each mortgage was approved, and whether the applicant is Black."""

    X: np.ndarray
    approved: np.ndarray
    black: np.ndarray


def split_applicants(seed: int) -> tuple[Applicants, Applicants]:
    """Return a training part of 70 % and a test part, drawn at random.

    The inputs are standardised: over the training part each has mean 0 and standard deviation 1.
    """
    table = load_mortgages()
    X = np.stack([table[name] for name in INPUTS], axis=1)
    order = np.random.default_rng([seed, 18]).permutation(len(X))
    cut = round(TEST_SHARE * len(X))
    test, train = order[:cut], order[cut:]
    X = (X - X[train].mean(axis=0)) / X[train].std(axis=0)
    approved, black = table["denied"] == 0, table["black"] == 1
    return tuple(Applicants(X[part], approved[part], black[part]) for part in (train, test))


def fit(people: Applicants, weights: np.ndarray | None = None, read_race: bool = False) -> Callable:
    """Fit a logistic regression to the approvals; return the function that scores `Applicants`.

    The score is the logit of an approval. weights: how much each person counts; read_race: whether
    the model reads the group besides the inputs.
    """
    from sklearn.linear_model import LogisticRegression

    def inputs(people: Applicants) -> np.ndarray:
        return np.c_[people.X, people.black] if read_race else people.X

    model = LogisticRegression().fit(inputs(people), people.approved, sample_weight=weights)
    return lambda people: model.decision_function(inputs(people))


def widened(differences: np.ndarray) -> np.ndarray:
    """Return one number a split, spread out so that Student's t gives the right interval.

    Random splits share most of their people, so their results are no independent draws. Nadeau and
    Bengio (2003, "Inference for the generalization error", Machine Learning 52) replace the 1/J of
    J runs by 1/J plus the size of the test part over that of the training part. The mean stays.
    """
    differences = np.asarray(differences, float)
    mean = differences.mean(axis=-1, keepdims=True)
    ratio = TEST_SHARE / (1 - TEST_SHARE)
    return mean + (differences - mean) * np.sqrt(1 + differences.shape[-1] * ratio)
