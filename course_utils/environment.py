"""The same start for every notebook: quiet TensorFlow, two threads, deterministic operations."""

from __future__ import annotations

import contextlib
import importlib.metadata
import logging
import numbers
import os
import platform
import re
import sys
import warnings
from collections.abc import Iterator

from course_utils.setup import kernel

THREADS = 2


@contextlib.contextmanager
def silent_stderr() -> Iterator[None]:
    """Send file descriptor 2 to the null device.

    TensorFlow 2.21 writes its first lines before its logger reads TF_CPP_MIN_LOG_LEVEL
    (tensorflow #100442), so the level alone does not silence the import.
    """
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


def start() -> None:
    """Take away the reader's settings, import TensorFlow, fix threads, determinism and style.

    Prints one line with the versions, and one for each setting that could change results and
    cannot be taken away any more. A second call in the same process changes nothing.

    Raises:
        ModuleNotFoundError: TensorFlow or a package that it needs is not installed.
        RuntimeError: TensorFlow or Keras was already running in this process with other thread
            counts or another backend, which cannot be changed; the remedy is to restart the kernel.
    """
    kernel.take_settings_away()
    with silent_stderr():
        try:
            import tensorflow as tf
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f"{error.name} is not installed in this kernel's environment. Close JupyterLab "
                "and start it with `python3 -m course_utils lab`, which installs what is missing.",
                name=error.name,
            ) from error
        threading = tf.config.threading
        try:
            threading.set_intra_op_parallelism_threads(THREADS)
            threading.set_inter_op_parallelism_threads(THREADS)
        except RuntimeError as error:
            within = threading.get_intra_op_parallelism_threads()
            between = threading.get_inter_op_parallelism_threads()
            raise RuntimeError(
                f"TensorFlow already runs in this kernel, with {within} threads within and "
                f"{between} between operations (0 = one a core); expected {THREADS} and {THREADS}. "
                "Restart the kernel and run the setup cell first."
            ) from error
        tf.config.set_visible_devices([], "GPU")
        tf.config.experimental.enable_op_determinism()
        tf.config.list_logical_devices()  # starts the runtime, which writes lines of its own
    # Python-side warnings, such as "5 out of the last 5 calls triggered retracing" for every
    # fifth model of a comparison, would land in the page with an object's address.
    tf.get_logger().setLevel("ERROR")
    # Matplotlib reports the making of its cache, and what it dislikes in a file of settings.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    _reset_keras()

    from course_utils import style

    style.use_course_style()
    packages = {"tensorflow": "TensorFlow", "keras": "Keras", "numpy": "NumPy"}
    versions = [f"{name} {importlib.metadata.version(p)}" for p, name in packages.items()]
    print(", ".join([f"Python {platform.python_version()}", *versions, f"{THREADS} threads"]))
    for setting, step in kernel.left().items():
        print(f"A setting that can change results stays: {setting}. Next step: {step}.")


def _reset_keras() -> None:
    """Give Keras its own values, in case that it was imported under others."""
    import keras

    if keras.config.backend() != "tensorflow":
        raise RuntimeError(
            f"Keras already runs in this kernel with the backend {keras.config.backend()}; "
            "expected tensorflow. Restart the kernel and run the setup cell first."
        )
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_dtype_policy("float32")
    keras.config.set_max_epochs(None)
    keras.config.set_max_steps_per_epoch(None)


@contextlib.contextmanager
def collect_warnings() -> Iterator[list[str]]:
    """Collect what libraries warn of inside the `with` block, instead of writing it to stderr.

    Python's warnings and the records of the absl logger (Keras writes to both) are taken; the
    yielded list holds each text once, its white space folded.
    """
    texts: list[str] = []

    def keep(text: object) -> None:
        folded = " ".join(re.sub(r"\x1b\[\d+m", "", str(text)).split())
        if folded not in texts:
            texts.append(folded)

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            keep(record.getMessage())

    absl = logging.getLogger("absl")
    handlers, propagate = absl.handlers, absl.propagate
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)  # what is meant for users of a library
        warnings.showwarning = lambda message, *args, **kwargs: keep(message)
        absl.handlers, absl.propagate = [Keep()], False
        try:
            yield texts
        finally:
            absl.handlers, absl.propagate = handlers, propagate


def set_seed(seed: int):
    """Seed Python, NumPy, TensorFlow and Keras; return a new `numpy.random.Generator`.

    Call it again before each training, so that a cell run twice gives the same result twice.

    Args:
        seed: a whole number, 0 to 2**32 - 1.

    Raises:
        ValueError: the seed is not in that range.
    """
    import numpy as np

    whole = isinstance(seed, numbers.Integral) and not isinstance(seed, bool)  # NumPy's too
    if not whole or not 0 <= seed < 2**32:
        raise ValueError(f"seed: expected a whole number from 0 to {2**32 - 1}, found {seed!r}")
    seed = int(seed)
    if "tensorflow" in sys.modules:
        import keras

        keras.utils.set_random_seed(seed)
    else:
        import random

        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002  what keras.utils.set_random_seed does as well
    return np.random.default_rng(seed)
