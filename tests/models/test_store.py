"""Models are trained once for a code, parameters and a seed, kept, and found again."""

import argparse
import os
import sys

import numpy as np
import pytest

from course_utils import models
from course_utils.models import ModelError, Recipe, cli, store

MODULE = '''\
"""Recipes of a lesson that is not there."""

from pathlib import Path

import numpy as np

from course_utils.models import Recipe

ROOT = Path(__file__).resolve().parents[2]
SCALE = 2.0


def train(parameters, seed):
    """Note that it was trained."""
    with (ROOT / "trained").open("a") as file:
        file.write(f"{parameters['width']} {seed}\\n")
    return {"w": np.full(parameters["width"], SCALE + seed, np.float32)}


def evaluate(weights, parameters):
    """The sum of the weights."""
    return {"sum": weights["w"].sum()}


LINE = Recipe(
    name="line",
    purpose="a test",
    train=train,
    evaluate=evaluate,
    parameters={"width": 3, "steps": 9},
    seed=1,
    again={"steps": 1},
    tolerance={"sum": 0.1},
)
RECIPES = [LINE]
'''


@pytest.fixture
def root(tmp_path):
    write(tmp_path)
    return tmp_path


def write(root, old="", new=""):
    path = root / "course_utils" / "models" / "lesson_90.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    assert old in MODULE
    path.write_text(MODULE.replace(old, new) if old else MODULE, encoding="utf-8")


@pytest.fixture(autouse=True)
def fresh_modules(monkeypatch):
    """Forget the toy's module, so that each test imports what it wrote."""
    yield
    sys.modules.pop("course_utils.models.lesson_90", None)


def load(root, **words):
    sys.modules.pop("course_utils.models.lesson_90", None)
    return models.load("line", root=root, **words)


def ship(root, *names):
    return cli.main(argparse.Namespace(models=list(names)), root=root)


def trained(root):
    path = root / "trained"
    return path.read_text().split("\n")[:-1] if path.exists() else []


def test_a_model_is_trained_once_and_found_again(root, capsys):
    first = load(root)
    assert "Training the model line (a test)" in capsys.readouterr().out
    second = load(root)
    assert capsys.readouterr().out == ""
    assert trained(root) == ["3 1"]
    assert second.results == {"sum": 9.0} and second.seed == 1
    assert second.parameters == {"width": 3, "steps": 9}
    np.testing.assert_array_equal(first.weights["w"], second.weights["w"])
    assert second.weights.keys() == {"w"}


def test_another_seed_parameter_or_code_is_another_model(root):
    load(root)
    assert load(root, seed=2).results == {"sum": 12.0}
    assert load(root, width=5).results == {"sum": 15.0}
    write(root, "SCALE = 2.0", "SCALE = 4.0")
    assert load(root).results == {"sum": 15.0}
    write(root)
    assert load(root, seed=2).results == {"sum": 12.0}
    assert trained(root) == ["3 1", "3 2", "5 1", "3 1"]


def test_what_ships_is_used_and_is_made_again_only_for_other_code(root, capsys):
    assert ship(root) == 0
    assert "line: sum 9; " in capsys.readouterr().out
    assert load(root).results == {"sum": 9.0}
    assert ship(root, "line") == 0
    assert "line: line.npz is what its code makes" in capsys.readouterr().out
    assert trained(root) == ["3 1", "3 1"]  # the cheap training, and the whole one
    assert not (root / "build").exists()
    assert store.read_header(store.shipped("line", root))["again"] == {"sum": 9.0}
    write(root, "SCALE = 2.0", "SCALE = 4.0")
    assert load(root).results == {"sum": 15.0}


def test_a_damaged_file_is_named(root):
    ship(root)
    path = store.shipped("line", root)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ModelError, match=r"line\.npz is damaged .*restore what ships"):
        load(root)


def test_a_file_with_python_objects_is_refused(root):
    ship(root)
    path = store.shipped("line", root)
    header = np.load(path)["header"]
    np.savez(path, header=header, w=np.array([os.getcwd], dtype=object))
    with pytest.raises(ModelError, match="damaged"):
        load(root)


def test_unknown_names_are_named_with_what_there_is(root, capsys):
    with pytest.raises(ModelError, match="no parameter 'depth'; it has: width, steps"):
        load(root, depth=3)
    assert ship(root, "circle") == 2
    assert "there is no model 'circle'; there are: line" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Line 1"}, "expected small letters"),
        ({"parameters": {"width": [1]}}, r"width: \[1\] is not a plain number"),
        ({"again": {"depth": 1}}, "no parameter 'depth'"),
        ({"again": {}}, "must not be empty"),
    ],
)
def test_a_wrong_declaration_is_refused(change, message):
    words = {"name": "line", "purpose": "a test", "train": dict, "evaluate": dict, "seed": 0}
    words |= {"parameters": {"width": 3}, "again": {"width": 1}, "tolerance": {"sum": 0.1}}
    with pytest.raises(ModelError, match=message):
        Recipe(**words | change)


def test_other_numbers_than_declared_are_refused(root):
    write(root, '"sum": weights', '"total": weights')
    with pytest.raises(ModelError, match="evaluate gave total; expected sum"):
        load(root)
