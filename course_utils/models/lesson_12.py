"""Models of lesson 12: the judge that reads digits, and the painter that draws them.

The painter is what the page teaches: a variational autoencoder and a flow among its codes. The
page's own versions are proved equal to these in `tests/lessons/test_lesson_12.py`.
"""

from __future__ import annotations

import numpy as np

from course_utils.data import load_mnist
from course_utils.judging import frechet_distance, judge_network, judged
from course_utils.models import Recipe

TRAINING_IMAGES = 55_000  # the other 5,000 are for validation, as in lesson 06


def digits(part: str):
    """Return pixels (n, 784), ink 1 and paper 0, and labels (n,): "train", "val" or "test"."""
    (images, labels), (test_images, test_labels) = load_mnist()
    if part == "test":
        images, labels = test_images, test_labels
    else:
        rows = slice(TRAINING_IMAGES) if part == "train" else slice(TRAINING_IMAGES, None)
        images, labels = images[rows], labels[rows]
    return images.reshape(-1, 784).astype("float32") / 255, labels.astype(int)


def train_judge(parameters: dict, seed: int) -> dict[str, np.ndarray]:
    """Return the weights of a trained `judge_network`, by place."""
    import keras

    from course_utils import environment

    environment.start()
    environment.set_seed(seed)
    x, y = digits("train")
    x, y = x[: parameters["images"]].reshape(-1, 28, 28, 1), y[: parameters["images"]]
    network = judge_network()
    reader = keras.Model(network.inputs, network.outputs[1])
    updates = parameters["epochs"] * -(-len(x) // 128)
    warm_up = min(100, updates // 5)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, updates - warm_up, warmup_target=4e-3, warmup_steps=warm_up
    )
    reader.compile(
        keras.optimizers.Adam(schedule),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    reader.fit(x, y, batch_size=128, epochs=parameters["epochs"], verbose=0)
    return {f"w{i:02d}": np.asarray(w, np.float32) for i, w in enumerate(network.get_weights())}


def judge_of(weights: dict[str, np.ndarray]):
    """Return the judge with these weights, a Keras model."""
    network = judge_network()
    network.set_weights([weights[name] for name in sorted(weights)])
    return network


def evaluate_judge(weights: dict, parameters: dict) -> dict[str, float]:
    """Return the share of the validation digits that the judge reads rightly."""
    x, y = digits("val")
    return {"val_accuracy": np.mean(judged(judge_of(weights), x).digits == y)}


JUDGE = Recipe(
    name="judge",
    purpose="reads digits and compares sets of pictures in lesson 12",
    train=train_judge,
    evaluate=evaluate_judge,
    parameters={"images": TRAINING_IMAGES, "epochs": 6},
    seed=0,
    again={"images": 5000, "epochs": 2},
    tolerance={"val_accuracy": 0.02},
)


def train_painter(parameters: dict, seed: int) -> dict[str, np.ndarray]:
    """Return the weights of a decoder and of a velocity network, float16, by name."""
    from course_utils import environment, painting

    environment.start()
    environment.set_seed(seed)
    x, y = digits("train")
    encoder, decoder = painting.train_vae(
        x, parameters["code_size"], parameters["kl_weight"], parameters["vae_updates"]
    )
    mu, sigma = (part.numpy() for part in painting.clouds(encoder, x))
    one_hot = np.eye(10, dtype="float32")[y]
    flow = painting.train_flow(mu, sigma, one_hot, parameters["flow_updates"])
    networks = {"decoder": decoder, "velocity": flow.velocity}
    return {
        f"{name}_{i}": np.asarray(w, np.float16)
        for name, network in networks.items()
        for i, w in enumerate(network.get_weights())
    }


def paint(
    weights: dict[str, np.ndarray], labels, guidance: float = 1.25, seed: int = 0
) -> np.ndarray:
    """Return one picture for each asked digit, shape (n, 784), ink 1.

    weights: those of the model "painter"; labels: digits 0 to 9; seed: of the noise, the hand.
    """
    import tensorflow as tf

    from course_utils import painting

    networks = {}
    for name in ("decoder", "velocity"):
        number = sum(key.startswith(name) for key in weights)
        arrays = [weights[f"{name}_{i}"].astype("float32") for i in range(number)]
        sizes = [len(arrays[0]), *(w.shape[1] for w in arrays[::2])]  # weights, bias, weights, …
        networks[name] = painting.dense_network(sizes, "silu" if name == "velocity" else "relu")
        networks[name].set_weights(arrays)
    flow = painting.Flow(networks["velocity"], networks["decoder"].input_shape[1])
    noise = np.random.default_rng(seed).standard_normal((len(labels), flow.code_size))
    codes = flow.draw(noise, np.eye(10)[np.asarray(labels, int)], guidance)
    return tf.sigmoid(networks["decoder"](codes)).numpy()


def evaluate_painter(weights: dict, parameters: dict) -> dict[str, float]:
    """Return how often the judge reads the asked digit, and how far the set is from real digits."""
    from course_utils import models

    judge = judge_of(models.load("judge").weights)
    x, y = digits("val")
    real, drawn = judged(judge, x[:2500]), judged(judge, paint(weights, y[2500:]))
    return {
        "val_agreement": np.mean(drawn.digits == y[2500:]),
        "val_distance": frechet_distance(drawn.features, real.features),
    }


PAINTER = Recipe(
    name="painter",
    purpose="draws digits on request, as lesson 12 does",
    train=train_painter,
    evaluate=evaluate_painter,
    parameters={"code_size": 24, "kl_weight": 0.03, "vae_updates": 2400, "flow_updates": 4000},
    seed=0,
    again={"vae_updates": 40, "flow_updates": 20},
    tolerance={"val_agreement": 0.05, "val_distance": 20.0},
)
RECIPES = [JUDGE, PAINTER]
