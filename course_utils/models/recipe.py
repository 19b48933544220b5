"""What a recipe is: how a model is trained, with which parameters, and what is measured of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from course_utils.studies.declare import load_module

NAME = re.compile(r"[a-z][a-z0-9_]*")


class ModelError(ValueError):
    """A recipe or the file of a model is missing, wrong or damaged; the text says what to do."""


class Trained(NamedTuple):
    """A trained model: its weights, what made it, and what was measured of it."""

    weights: dict  # NumPy arrays by name
    parameters: dict  # plain values by name
    seed: int
    results: dict[str, float]  # by `evaluate` of the recipe, on validation data


@dataclass(frozen=True)
class Recipe:
    """How a model is made; the package's docstring is the author's guide.

    train: maps parameters and a seed to arrays by name; evaluate: maps these and the parameters to
    numbers by name; again: other values of some parameters with which training takes seconds;
    tolerance: each number that `evaluate` gives, with its largest difference on another processor.

    Raises ModelError if the declaration is not consistent.
    """

    name: str
    purpose: str
    train: Callable[[dict, int], dict]
    evaluate: Callable[[dict, dict], dict]
    parameters: dict
    seed: int
    again: dict
    tolerance: dict[str, float]

    def __post_init__(self):
        """Check the declaration."""
        if not NAME.fullmatch(self.name):
            raise ModelError(f"recipe '{self.name}': expected small letters, digits and _")
        for name, value in self.parameters.items():
            if type(value) not in (bool, int, float, str):
                raise ModelError(
                    f"recipe {self.name}, {name}: {value!r} is not a plain number, truth or text"
                )
        self.with_values(self.again)
        if not self.again or not self.tolerance:
            raise ModelError(f"recipe {self.name}: `again` and `tolerance` must not be empty")

    def with_values(self, values: dict) -> dict:
        """Return the parameters, some with other values. Raises ModelError for unknown names."""
        for name in values.keys() - self.parameters.keys():
            known = ", ".join(self.parameters)
            raise ModelError(f"model {self.name} has no parameter '{name}'; it has: {known}")
        return self.parameters | values

    def make(self, parameters: dict, seed: int) -> Trained:
        """Train and evaluate. Raises ModelError if not exactly the declared numbers come back."""
        weights = self.train(parameters, seed)
        results = {name: float(v) for name, v in self.evaluate(weights, parameters).items()}
        if results.keys() != self.tolerance.keys():
            raise ModelError(
                f"recipe {self.name}: evaluate gave {', '.join(results)}; "
                f"expected {', '.join(self.tolerance)}, as in tolerance"
            )
        return Trained(weights, parameters, seed, results)


def find_recipes(folder: Path) -> dict[str, tuple[Recipe, Path]]:
    """Return each recipe of the modules `lesson_NN*.py` in `folder`, by name, with its module.

    Raises ModelError: a module has no list RECIPES, or a name is there twice.
    """
    found = {}
    for path in sorted(folder.glob("lesson_[0-9][0-9]*.py")):
        recipes = getattr(load_module(path), "RECIPES", None)
        if not recipes:
            raise ModelError(f"{path.name}: expected a list RECIPES of its recipes")
        for recipe in recipes:
            if recipe.name in found:
                raise ModelError(f"{path.name}: the recipe {recipe.name} is declared twice")
            found[recipe.name] = recipe, path
    return found
