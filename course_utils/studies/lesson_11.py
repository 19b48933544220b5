"""Studies of lesson 11: searches over settings, designers of a beam, recommenders.

What the lesson teaches as well is its own (`tests/lessons/test_lesson_11.py`).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from course_utils.studies import Study, Tuning, product

EPOCHS, TRIALS = 9, 20  # of one full trial; of a budget
DEFAULT = {"learning_rate": 0.008, "dropout": 0.3, "weight_decay": 0.0, "shift": 0}  # lesson 06
UNTUNED = {"learning_rate": 0.001, "dropout": 0.0, "weight_decay": 0.0, "shift": 0}  # Keras's rate


@cache
def start():
    """Start TensorFlow as the lessons do, once."""
    from course_utils import environment

    environment.start()


@cache
def digit_trials():
    """The network that is trained again and again."""
    from course_utils.trials import DigitTrials

    start()
    return DigitTrials()


def suggest(trial):
    """Draw a setting from the search space."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True),
        "dropout": trial.suggest_float("dropout", 0.0, 0.7),
        "weight_decay": trial.suggest_float("weight_decay", 1e-4, 1.0, log=True),
        "shift": trial.suggest_int("shift", 0, 3),
    }


def suggest_default(trial):
    """Return the default, whatever the trial is."""
    return DEFAULT


def suggest_untuned(trial):
    """Return Keras's own learning rate and nothing else, whatever the trial is."""
    return UNTUNED


def make_search(strategy, seed, **options):
    """Return an empty Optuna study that searches by the strategy."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed)
    pruner = optuna.pruners.NopPruner()
    if strategy != "tpe":
        sampler = optuna.samplers.RandomSampler(seed=seed)
    if strategy == "hyperband":
        pruner = optuna.pruners.HyperbandPruner(1, EPOCHS, reduction_factor=3)
    return optuna.create_study(study_name="digits", sampler=sampler, pruner=pruner, **options)


def search(study, net, budget, seed, epochs=EPOCHS, suggest=suggest):
    """Spend a budget of epochs on trials; return the best error after each epoch, and its weights.

    A trial that the pruner stops, or the end of the budget, has no result. Its epochs are spent.
    """
    import optuna

    curve, best, weights = [], np.inf, None
    while len(curve) < budget:
        trial = study.ask()
        number = trial.number
        for epoch, error in enumerate(net.train(suggest(trial), epochs, [seed, number]), start=1):
            curve.append(best)
            trial.report(error, epoch)
            if trial.should_prune() or len(curve) == budget:
                break
        if epoch < epochs:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            continue
        study.tell(trial, error)
        if error < best:
            curve[-1] = best = error
            weights = net.get_weights()
    return np.array(curve), weights


def search_row(setting, seed):
    """Validation error of the best trial by epochs spent; test errors of what was chosen.

    test_error is that of the chosen network itself, fresh_error that of a training of its setting
    from other first weights (for the long training, itself).
    """
    net, strategy = digit_trials(), setting["strategy"]
    suggestion = {"default": suggest_default, "untuned": suggest_untuned}.get(
        strategy.split()[0], suggest
    )
    budget = EPOCHS if strategy.endswith("once") else EPOCHS * TRIALS
    epochs = budget if strategy == "default longer" else EPOCHS
    study = make_search(strategy, seed)
    curve, weights = search(study, net, budget, seed, epochs, suggestion)
    net.set_weights(weights)
    row = {"val_error": curve[-1], "test_error": net.test_error(), "trials": len(study.trials)}
    chosen = study.best_params or suggestion(None)
    if strategy != "default longer":
        for _ in net.train(chosen, epochs, [seed, 10_000]):
            pass
    row["fresh_error"] = net.test_error()
    row |= {f"chosen_{name}": chosen[name] for name in DEFAULT}
    best = np.append(curve, np.full(EPOCHS * TRIALS - len(curve), curve[-1]))
    return row | {f"best_{n:03}": best[n - 1] for n in CHECKPOINTS}


CHECKPOINTS = [EPOCHS * n for n in range(1, TRIALS + 1)]
SEARCH = Study(
    name="11_search",
    question="What is a budget of 180 epochs worth, by what it is spent on?",
    arms=product(
        strategy=[
            "random",
            "tpe",
            "hyperband",
            "default again",
            "default longer",
            "default once",
            "untuned once",
        ]
    ),
    seeds=range(5),
    run_row=search_row,
    tolerance={"val_error": 0.02, "test_error": 0.02, "trials": 0, "fresh_error": 0.02}
    | {f"chosen_{name}": 0 for name in DEFAULT}
    | {f"best_{n:03}": 0.02 for n in CHECKPOINTS},
    smoke={"strategy": "default once"},
)


SOLVES = [10, 20, 50, 100, 200]


def beam_row(setting, seed):
    """Smallest compliance after so many solutions, and that of the design in black and white."""
    from course_utils import designers
    from course_utils.beams import BEAMS, E_MIN

    beam = BEAMS[setting["beam"]]()
    if setting["designer"] == "network":
        start()
        design = designers.network(beam, solves=SOLVES[-1], seed=seed)
    else:
        noise = np.random.default_rng(seed).normal(size=(beam.rows, beam.columns)) / 10
        designer = getattr(designers, setting["designer"].replace(" ", "_"))
        design = designer(beam, solves=SOLVES[-1], noise=noise)
    density, _ = design.best()
    solid = designers.black_and_white(density)
    row = {f"after_{n}": design.best(n)[1] for n in SOLVES}
    row["solved"] = len(design.compliances)
    row["black_and_white"] = beam.compliance(np.maximum(solid, E_MIN))[0]
    return row | {"grey": np.mean(4 * density * (1 - density))}


BEAM = Study(
    name="11_beams",
    question="How stiff a beam does a designer find, by how often it may solve the equations?",
    arms=product(
        beam=["half MBB", "cantilever"], designer=["optimality criteria", "pixels", "network"]
    ),
    seeds=range(10),
    run_row=beam_row,
    tolerance={f"after_{n}": 5 for n in SOLVES} | {"solved": 0, "black_and_white": 5, "grey": 0.02},
    smoke={"beam": "half MBB", "designer": "optimality criteria"},
)


@cache
def all_ratings():
    """The ratings of all students."""
    from course_utils.data import load_ratings

    return load_ratings()


def sizes():
    """Return how many students and how many lecturers there are."""
    return tuple(int(all_ratings()[kind].max()) + 1 for kind in ("student", "lecturer"))


def fit_biases(train, penalty, kinds=("student", "lecturer"), rounds=10):
    """Return the mean rating and, for each kind, how far each one lies above it, shrunk to 0."""
    mean = train["rating"].mean()
    biases = {kind: np.zeros(all_ratings()[kind].max() + 1) for kind in kinds}
    for _ in range(rounds):
        for kind, b in biases.items():
            others = sum(biases[k][train[k]] for k in biases if k != kind)
            left = train["rating"] - mean - others
            total = np.bincount(train[kind], left, minlength=len(b))
            biases[kind] = total / (np.bincount(train[kind], minlength=len(b)) + penalty)
    return mean, biases


def predict_biases(ratings, mean, biases):
    """Return the mean plus the biases of each rating."""
    predicted = np.full(len(ratings["rating"]), mean)
    for kind, b in biases.items():
        predicted += b[ratings[kind]]
    return predicted


BIAS_PENALTY = 10.0  # of the biases under factors and towers; the arm "both biases" tunes its own


def predictor(setting, parts, seed):
    """Return the function that predicts ratings by a model of the study."""
    from course_utils.ratings import fit_factors, train_two_towers

    train, model, penalty = parts["train"], setting["model"], setting["penalty"]
    if model == "two towers":
        start()
        return train_two_towers(train, parts["val"], penalty / 100, rank=setting["rank"], seed=seed)
    kinds = {"mean": (), "lecturers": ("lecturer",), "students": ("student",)}
    kinds = kinds.get(model, ("student", "lecturer"))
    rank = setting["rank"]
    mean, biases = fit_biases(train, BIAS_PENALTY if rank else penalty, kinds)
    if not rank:
        return lambda ratings: predict_biases(ratings, mean, biases)
    left = train["rating"] - predict_biases(train, mean, biases)
    p, q = fit_factors(train, left, rank, penalty, seed, sizes())

    def predict(ratings):
        products = np.sum(p[ratings["student"]] * q[ratings["lecturer"]], axis=1)
        return predict_biases(ratings, mean, biases) + products

    return predict


def ratings_row(setting, seed):
    """Errors and NDCG of a model on ratings that were held out."""
    from course_utils.ratings import ndcg_among_rated, rmse, split_ratings

    parts = split_ratings(all_ratings(), seed)
    predict = predictor(setting, parts, seed)
    test = parts["test"]
    predicted = predict(test)
    row = {
        "val_rmse": rmse(parts["val"], predict(parts["val"])),
        "test_rmse": rmse(test, predicted),
    }
    return row | {"ndcg": ndcg_among_rated(test, np.asarray(predicted), seed)}


RATINGS = Study(
    name="11_ratings",
    question="How well is a held-out rating predicted, by mean, biases, factors and towers?",
    arms=[
        *(
            {"model": model, "rank": 0}
            for model in ("mean", "lecturers", "students", "both biases")
        ),
        *({"model": "factors", "rank": rank} for rank in (1, 2, 4, 8)),
        {"model": "two towers", "rank": 8},
    ],
    seeds=range(10),
    run_row=ratings_row,
    tolerance={"val_rmse": 0.005, "test_rmse": 0.005, "ndcg": 0.005},
    tuning=Tuning(
        {"penalty": [1.0, 3.0, 6.0, 10.0, 15.0, 20.0, 30.0, 100.0]},
        seeds=[100, 101, 102],
        by="val_rmse",
        largest=False,
    ),
    smoke={"model": "both biases", "rank": 0},
)


def scores_by(ranking, train, seed):
    """Return a score of each lecturer for each student, (students, lecturers)."""
    from course_utils.ratings import fit_factors

    shape = sizes()
    number = np.bincount(train["lecturer"], minlength=shape[1])
    if ranking == "random":
        return np.random.default_rng([seed, 1]).random(shape)
    if ranking == "popularity":
        return np.tile(number.astype(float), (shape[0], 1))
    if ranking == "plain mean":
        total = np.bincount(train["lecturer"], train["rating"], shape[1])
        return np.tile(total / np.maximum(number, 1), (shape[0], 1))
    mean, biases = fit_biases(train, BIAS_PENALTY)
    scores = mean + biases["student"][:, None] + biases["lecturer"]
    if ranking == "factors":
        left = train["rating"] - predict_biases(train, mean, biases)
        p, q = fit_factors(train, left, RANK, FACTOR_PENALTY, seed, sizes())
        scores = scores + p @ q.T
    return scores


RANK, FACTOR_PENALTY = 4, 20.0


def lists_row(setting, seed):
    """NDCG@10 among what was rated and among all, and what the lists of ten contain."""
    from course_utils.ratings import ndcg_among_all, ndcg_among_rated, split_ratings, top_lists

    parts = split_ratings(all_ratings(), seed)
    train, test = parts["train"], parts["test"]
    scores = scores_by(setting["ranking"], train, seed)
    lists = top_lists(train, scores)
    number = np.bincount(train["lecturer"], minlength=scores.shape[1])
    return {
        "among_rated": ndcg_among_rated(test, scores[test["student"], test["lecturer"]], seed),
        "among_all": ndcg_among_all(test, lists),
        "shown": len(np.unique(lists)),
        "ratings_of_shown": np.median(number[lists]),
    }


LISTS = Study(
    name="11_lists",
    question="Which lecturers does a recommender show, and which of two measures praises it?",
    arms=product(ranking=["random", "popularity", "plain mean", "biases", "factors"]),
    seeds=range(10),
    run_row=lists_row,
    tolerance={"among_rated": 0.005, "among_all": 0.005, "shown": 3, "ratings_of_shown": 10},
    smoke={"ranking": "popularity"},
)
STUDIES = [SEARCH, BEAM, RATINGS, LISTS]
