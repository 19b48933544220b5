"""The models that ship are what their code makes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils.models import store
from course_utils.models.cli import LARGEST
from course_utils.models.recipe import find_recipes

ROOT = Path(__file__).resolve().parents[2]
RECIPES = find_recipes(ROOT / "course_utils" / "models")
EACH_MODEL = pytest.mark.parametrize("name", RECIPES)
# One process for all: TensorFlow is imported once, and apart from what other tests do with it.
REPEAT = """
import json
from course_utils.models import store
found = {}
for name in %r:
    recipe, _ = store.find_recipe(name)
    stored = store.read(store.shipped(name))
    first_steps = recipe.make(recipe.with_values(recipe.again), recipe.seed)
    evaluated = recipe.evaluate(stored.weights, stored.parameters)
    found[name] = [first_steps.results, {key: float(v) for key, v in evaluated.items()}]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def repeated():
    """For each model: the results of its first steps, and of its weights, computed again."""
    command = [sys.executable, "-c", REPEAT % list(RECIPES)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_every_file_belongs_to_a_recipe():
    folder = ROOT / "data" / "models"
    assert {path.stem for path in folder.glob("*")} == set(RECIPES)


@EACH_MODEL
def test_a_file_was_made_by_the_code_as_it_is_and_is_small(name):
    recipe, module = RECIPES[name]
    path = store.shipped(name)
    key = store.key_of(recipe, module, recipe.parameters, recipe.seed)
    again = f"python3 -m course_utils models {name}"
    assert path.exists() and store.read_header(path)["key"] == key, f"stale: {again} makes it anew"
    assert path.stat().st_size <= LARGEST


@EACH_MODEL
def test_the_first_steps_and_the_results_come_out_again(name, repeated):
    recipe, _ = RECIPES[name]
    header = store.read_header(store.shipped(name))
    stored = [header["again"], header["results"]]
    for before, now in zip(stored, repeated[name], strict=True):
        for number, tolerance in recipe.tolerance.items():
            assert abs(now[number] - before[number]) <= tolerance, number


@EACH_MODEL
def test_the_tolerance_would_tell_the_first_steps_from_the_whole_training(name):
    recipe, _ = RECIPES[name]
    header = store.read_header(store.shipped(name))
    for number, tolerance in recipe.tolerance.items():
        assert abs(header["again"][number] - header["results"][number]) > tolerance, number
