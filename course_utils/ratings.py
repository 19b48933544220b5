"""Ratings of lecturers by students: splits, ranking measures, and the two-tower network.

Ratings are a dict of arrays of equal length, as `course_utils.data.load_ratings` gives them.
"""

from __future__ import annotations

import numpy as np

SHARES = {"train": 0.7, "val": 0.1, "test": 0.2}


def split_ratings(ratings: dict, seed: int) -> dict[str, dict]:
    """Return the ratings as parts "train", "val" and "test", drawn at random (70, 10, 20 %)."""
    number = len(ratings["rating"])
    order = np.random.default_rng(seed).permutation(number)
    ends = np.round(np.cumsum(list(SHARES.values()))[:-1] * number).astype(int)
    parts = dict(zip(SHARES, np.split(order, ends), strict=True))
    return {name: {k: v[rows] for k, v in ratings.items()} for name, rows in parts.items()}


def rmse(ratings: dict, predicted: np.ndarray) -> float:
    """Return the root of the mean squared error of predicted ratings."""
    return float(np.sqrt(np.mean((ratings["rating"] - predicted) ** 2)))


def ndcg(gains: np.ndarray, scores: np.ndarray, most: int = 10) -> float:
    """Return the NDCG of one list: of the gains, sorted by falling scores.

    Args:
        gains: what each entry is worth, not all 0.
        scores: by which the list is sorted; entries with equal scores keep their order.
        most: entries that are looked at.
    """
    discounts = 1 / np.log2(np.arange(2, most + 2))
    shown = gains[np.argsort(-scores, kind="stable")][:most]
    best = np.sort(gains)[::-1][:most]
    return float(shown @ discounts[: len(shown)] / (best @ discounts[: len(best)]))


def ndcg_among_rated(held_out: dict, scores: np.ndarray, seed: int = 0) -> float:
    """Return the mean NDCG@10 over students, each list being what the student rated.

    The gain of a rating is 2 ** rating − 1 (Burges et al. 2005). Students whose held-out ratings
    are all equal have no wrong order and do not count. Equal scores are put in a random order.

    Args:
        held_out: ratings.
        scores: one for each of them.
        seed: of the order of equal scores.
    """
    shuffled = np.random.default_rng(seed).permutation(len(scores))
    by_student = shuffled[np.argsort(held_out["student"][shuffled], kind="stable")]
    starts = np.flatnonzero(np.diff(held_out["student"][by_student])) + 1
    gains = 2.0 ** held_out["rating"] - 1
    lists = [rows for rows in np.split(by_student, starts) if np.ptp(gains[rows]) > 0]
    return float(np.mean([ndcg(gains[rows], scores[rows]) for rows in lists]))


def top_lists(seen: dict, scores: np.ndarray, most: int = 10) -> np.ndarray:
    """Return for each student the lecturers with the highest scores that they have not rated yet.

    Args:
        seen: ratings whose lecturers are left out.
        scores: shape (students, lecturers).
        most: length of a list.

    Returns:
        Numbers of lecturers, shape (students, most), the highest score first.
    """
    open_scores = scores.copy()
    open_scores[seen["student"], seen["lecturer"]] = -np.inf
    return np.argsort(-open_scores, axis=1, kind="stable")[:, :most]


def ndcg_among_all(held_out: dict, lists: np.ndarray) -> float:
    """Return the mean NDCG@10 of top lists, where what a student has not rated is worth nothing.

    Args:
        held_out: ratings of which each student's best possible list is made.
        lists: as `top_lists` gives them, of 10 lecturers.
    """
    gains = np.zeros((len(lists), lists.max(initial=0) + 1 + held_out["lecturer"].max()))
    gains[held_out["student"], held_out["lecturer"]] = 2.0 ** held_out["rating"] - 1
    discounts = 1 / np.log2(np.arange(2, lists.shape[1] + 2))
    found = np.take_along_axis(gains, lists, axis=1) @ discounts
    best = -np.sort(-gains, axis=1)[:, : lists.shape[1]] @ discounts
    return float(np.mean(found[best > 0] / best[best > 0]))


def fit_factors(
    train: dict, left: np.ndarray, rank: int, penalty: float, seed: int, sizes, rounds=10
) -> tuple[np.ndarray, np.ndarray]:
    """Fit what the biases leave of the ratings by products of two vectors (Koren 2009).

    Alternating least squares: with the vectors of one side fixed, those of the other side are
    ridge regressions, which are solved exactly.

    Args:
        train: ratings.
        left: rating minus mean and biases, one for each.
        rank: numbers in a vector.
        penalty: strength of the penalty on squared vectors, above 0.
        seed: of the first vectors of the lecturers.
        sizes: how many students and lecturers there are.
        rounds: of solving for both sides.

    Returns:
        Vectors of the students, shape (students, rank), and of the lecturers.
    """
    sides = train["student"], train["lecturer"]
    factors = [None, np.random.default_rng(seed).normal(size=(sizes[1], rank)) / np.sqrt(rank)]
    for _ in range(rounds):
        for own, other in ((0, 1), (1, 0)):
            fixed = factors[other][sides[other]]
            squares = np.zeros((sizes[own], rank, rank))
            np.add.at(squares, sides[own], fixed[:, :, None] * fixed[:, None, :])
            sums = np.zeros((sizes[own], rank))
            np.add.at(sums, sides[own], fixed * left[:, None])
            ridge = squares + penalty * np.eye(rank)
            factors[own] = np.linalg.solve(ridge, sums[:, :, None])[:, :, 0]
    return tuple(factors)


def train_two_towers(train: dict, val: dict, penalty: float, rank: int, seed: int, epochs=12):
    """Train a two-tower network and return the function that predicts ratings.

    One tower reads the student's number and age, the other one the lecturer's number, department,
    service and the lecture's age; each ends in `rank` numbers and a bias. A rating is the mean
    plus both biases plus the product of the two vectors. Of the epochs that with the smallest
    error on `val` counts.

    Args:
        train, val: ratings.
        penalty: weight of the mean square of the vectors and biases of a batch, in the loss.
        rank: length of the vectors.
        seed: of the first weights and the order.
        epochs: passes over the training ratings.

    Returns:
        A function of ratings (their "rating" is not read) that returns predictions, shape (n,).
    """
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    mean = float(train["rating"].mean())
    towers, inputs = {}, {}
    for tower, columns in TOWERS.items():
        parts = []
        for column, values in columns.items():
            inputs[column] = keras.Input((), dtype="int32", name=column)
            parts.append(layers.Embedding(values, 16)(inputs[column]))
        hidden = layers.Dense(32, activation="relu")(layers.Concatenate()(parts))
        own = layers.Embedding(next(iter(columns.values())), 1 + rank, "zeros")
        towers[tower] = layers.Dense(1 + rank)(hidden) + own(inputs[next(iter(columns))])
    a, b = towers.values()
    small = layers.ActivityRegularization(l2=penalty)
    a, b = small(a), small(b)
    product = keras.ops.sum(a[:, 1:] * b[:, 1:], axis=1)
    model = keras.Model(inputs, mean + a[:, 0] + b[:, 0] + product)
    model.compile(keras.optimizers.Adam(3e-3), loss="mse", steps_per_execution=25)
    keep = keras.callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True)

    def columns_of(ratings):
        return {column: ratings[column] for column in inputs}

    model.fit(
        columns_of(train),
        train["rating"],
        batch_size=1024,
        epochs=epochs,
        validation_data=(columns_of(val), val["rating"]),
        validation_batch_size=8192,
        callbacks=[keep],
        verbose=0,
    )
    return lambda ratings: model.predict(columns_of(ratings), batch_size=8192, verbose=0)


# tower → columns that it reads, each with the number of its values
TOWERS = {
    "student": {"student": 2972, "student_age": 9},
    "lecturer": {"lecturer": 1128, "lecture_age": 7, "service": 2, "department": 16},
}
