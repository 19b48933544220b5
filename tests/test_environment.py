"""Every notebook starts in the same way: quiet, with two threads, and repeatable."""

import json
import logging
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from absl import logging as absl_logging

from course_utils.environment import collect_warnings, set_seed

ROOT = Path(__file__).resolve().parent.parent


def run(program, *options):
    """Run a program in a fresh Python; course_utils is found, the working folder is elsewhere."""
    return subprocess.run(
        [
            sys.executable,
            *options,
            "-c",
            f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{program}",
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


FRESH_START = """
from course_utils import environment
environment.start()
environment.start()

import json, os, random
import numpy as np, tensorflow as tf, keras
found = {"threads": [tf.config.threading.get_intra_op_parallelism_threads(),
                     tf.config.threading.get_inter_op_parallelism_threads()]}
try:  # deterministic operations refuse to draw before a seed is set
    tf.random.uniform([1])
except RuntimeError as error:
    found["unseeded"] = str(error)

def draws(seed):
    rng = environment.set_seed(seed)
    x, y = rng.normal(size=(64, 5)), rng.integers(0, 3, 64)
    model = keras.Sequential([keras.layers.Dense(8), keras.layers.Dropout(0.5),
                              keras.layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=2, batch_size=8, verbose=0)
    weights = b"".join(w.tobytes() for w in model.get_weights()).hex()
    return [x.sum(), random.random(), np.random.random(),
            float(tf.random.uniform([])), float(keras.random.uniform([])), weights]

found["draws"] = [draws(1), draws(1), draws(np.int64(2))]
with environment.collect_warnings() as texts:
    keras.Sequential([keras.layers.Flatten(input_shape=(2, 2))])
found["warnings"] = texts
print(json.dumps(found))
os.write(2, b"stderr works again")
"""


@pytest.fixture(scope="module")
def fresh():
    return run(FRESH_START)


@pytest.fixture(scope="module")
def found(fresh):
    assert fresh.returncode == 0, fresh.stderr
    return json.loads(fresh.stdout.splitlines()[-1])


def test_nothing_reaches_stderr_from_the_import_to_the_first_training(fresh):
    assert fresh.returncode == 0, fresh.stderr
    assert fresh.stderr == "stderr works again"


def test_each_start_prints_one_line_of_versions(fresh):
    first, second, rest = fresh.stdout.split("\n", 2)
    assert first == second
    names = [part.split(" ")[0] for part in first.split(", ")]
    assert names == ["Python", "TensorFlow", "Keras", "NumPy", "2"]
    assert first.endswith(", 2 threads")
    assert rest.startswith("{")


def test_threads_are_two_and_operations_deterministic(found):
    assert found["threads"] == [2, 2]
    assert "determinism" in found["unseeded"]


def test_a_seed_repeats_every_source_of_chance_and_a_training(found):
    first, again, other = found["draws"]
    assert first == again
    assert all(a != b for a, b in zip(first, other, strict=True))


def test_what_keras_warns_of_is_collected(found):
    assert len(found["warnings"]) == 1
    assert "input_shape" in found["warnings"][0]


@pytest.mark.parametrize("absent", ["tensorflow", "absl"])
def test_a_missing_package_is_named_with_what_to_do(absent):
    done = run(
        f"sys.modules[{absent!r}] = None\nfrom course_utils import environment\nenvironment.start()"
    )
    assert done.returncode == 1
    assert done.stdout == ""
    # The text is on stderr: it works again after the failure.
    assert done.stderr.splitlines()[-1] == (
        f"ModuleNotFoundError: {absent} is not installed in this kernel's environment. Close "
        "JupyterLab and start it with `python3 -m course_utils lab`, "
        "which installs what is missing."
    )


@pytest.mark.parametrize(("within", "between"), [(0, 0), (2, 1)])
def test_other_threads_than_two_are_an_error_with_the_remedy(within, between):
    done = run(
        "import tensorflow as tf\n"
        f"tf.config.threading.set_intra_op_parallelism_threads({within})\n"
        f"tf.config.threading.set_inter_op_parallelism_threads({between})\n"
        "tf.constant(1) + 1\n"
        "from course_utils import environment\n"
        "environment.start()"
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == (
        f"RuntimeError: TensorFlow already runs in this kernel, with {within} threads within and "
        f"{between} between operations (0 = one a core); expected 2 and 2. "
        "Restart the kernel and run the setup cell first."
    )


def test_a_seed_without_tensorflow_repeats_and_does_not_import_it():
    done = run(
        "import random\n"
        "import numpy as np\n"
        "from course_utils.environment import set_seed\n"
        "for seed in (1, 1, 2):\n"
        "    print(set_seed(seed).random(), random.random(), np.random.random())\n"
        "print('tensorflow' in sys.modules)"
    )
    assert done.returncode == 0, done.stderr
    first, again, other, imported = done.stdout.splitlines()
    assert first == again
    assert all(a != b for a, b in zip(first.split(), other.split(), strict=True))
    assert imported == "False"


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, "1", None, True])
def test_a_seed_that_is_none_is_refused(seed):
    with pytest.raises(
        ValueError, match="seed: expected a whole number from 0 to 4294967295, found"
    ):
        set_seed(seed)


def test_warnings_and_absl_records_are_collected_once_each(capfd):
    for _ in range(2):  # the second block collects the same again
        with collect_warnings() as texts:
            for _ in range(2):
                warnings.warn("two\n   lines", stacklevel=1)
                absl_logging.warning("\x1b[33mcolour\x1b[0m of %s", "Keras")
        assert texts == ["two lines", "colour of Keras"]
    assert capfd.readouterr() == ("", "")


def test_collecting_ends_with_the_block_even_by_an_error():
    absl = logging.getLogger("absl")
    before = (absl.handlers, absl.propagate, warnings.showwarning, list(warnings.filters))
    with pytest.raises(KeyError), collect_warnings() as texts:
        raise KeyError
    assert (absl.handlers, absl.propagate, warnings.showwarning, list(warnings.filters)) == before
    with pytest.warns(UserWarning, match="afterwards"):
        warnings.warn("afterwards", stacklevel=1)
    absl_logging.warning("afterwards")
    assert texts == []


# What a module may import.

NEED_KERAS = {
    *("course_utils.progress", "course_utils.service.digits"),
    *("course_utils.training", "course_utils.painting"),
    *("course_utils.text_models", "course_utils.corpora", "course_utils.melody"),
    *("course_utils.attacks", "course_utils.attributions", "course_utils.edge"),
}
# What runs before the set-up has installed anything.
NEED_NOTHING = [
    "course_utils",
    "course_utils.__main__",
    "course_utils.setup.bootstrap",
    "course_utils.setup.isolation",
    "course_utils.setup.kernel",
    "course_utils.setup.messages",
    "course_utils.setup.progress",
    "course_utils.files",
    "course_utils.service.cli",
    "course_utils.runner.execute",
    "course_utils.runner",
    "course_utils.runner.cli",
    *("course_utils.studies", "course_utils.studies.cli"),
    *("course_utils.models", "course_utils.models.cli"),
]
NEED_NO_TENSORFLOW = {
    "course_utils.setup.bootstrap",
    "course_utils.checks",
    "course_utils.contents",
    "course_utils.data",
    "course_utils.exercises",
    "course_utils.metrics",
    "course_utils.runner.parameters",
    "course_utils.plots",
    "course_utils.style",
}


NEEDS_RAY = "course_utils.service.ray_serve"  # an optional extra


def test_modules_are_imported_without_tensorflow():
    done = run(f"""
import importlib, json, pkgutil, course_utils
found = {{}}
for module in pkgutil.walk_packages(course_utils.__path__, "course_utils."):
    if module.name not in {NEED_KERAS | {"course_utils.__main__", NEEDS_RAY}!r}:
        importlib.import_module(module.name)
        found[module.name] = [name for name in ("tensorflow", "keras") if name in sys.modules]
print(json.dumps(found))
""")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [name for name, heavy in found.items() if heavy] == []
    assert found.keys() >= NEED_NO_TENSORFLOW


@pytest.mark.parametrize("module", NEED_NOTHING)
def test_what_runs_before_the_set_up_needs_the_standard_library_alone(module):
    # -S: no site-packages; -I: no PYTHONPATH
    done = run(f"import importlib\nimportlib.import_module({module!r})", "-I", "-S")
    assert done.returncode == 0, done.stderr


def test_the_package_itself_imports_nothing():
    done = run(
        "before = set(sys.modules)\nimport course_utils\nprint(set(sys.modules) - before)",
        "-I",
        "-S",
    )
    assert done.stdout.strip() == "{'course_utils'}", done.stderr
