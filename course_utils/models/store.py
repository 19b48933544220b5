"""Where trained models are kept: `data/models/` ships, `build/models/` is this machine's."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

from course_utils.files import writable_folder, write_atomically
from course_utils.models.recipe import ModelError, Recipe, Trained, find_recipes
from course_utils.studies.fingerprint import fingerprint

ROOT = Path(__file__).resolve().parents[2]
HEADER = "header"  # the entry of a file that says what made it, as JSON


def load(name: str, *, seed: int | None = None, root: Path = ROOT, **parameters) -> Trained:
    """Return the trained model `name`; train it first where no file has what was asked for.

    seed, parameters: those of the recipe unless told. Training says so in one line; its weights are
    then kept in build/models/.

    Raises ModelError for an unknown name or parameter, OSError if the weights cannot be kept.
    """
    recipe, module = find_recipe(name, root)
    values = recipe.with_values(parameters)
    seed = recipe.seed if seed is None else seed
    key = key_of(recipe, module, values, seed, root)
    for path in (shipped(name, root), root / "build" / "models" / f"{name}-{key[:16]}.npz"):
        found = read(path, key)
        if found:
            return found
    folder = writable_folder(root, "build/models")
    path = folder / f"{name}-{key[:16]}.npz"
    if found := read(path, key):  # in the home, where the course's folder is read-only
        return found
    print(f"Training the model {name} ({recipe.purpose}): no file has it with this code.")
    trained = recipe.make(values, seed)
    write(path, trained, key)
    return trained


def find_recipe(name: str, root: Path = ROOT) -> tuple[Recipe, Path]:
    """Return a recipe and its module. Raises ModelError, with the names that there are."""
    found = find_recipes(root / "course_utils" / "models")
    if name not in found:
        known = ", ".join(found) or "none yet"
        raise ModelError(f"there is no model '{name}'; there are: {known}")
    return found[name]


def shipped(name: str, root: Path = ROOT) -> Path:
    """Return where the weights of a model ship."""
    return root / "data" / "models" / f"{name}.npz"


def key_of(recipe: Recipe, module: Path, parameters: dict, seed: int, root: Path = ROOT) -> str:
    """Return the key of a model: the hash of its code, its parameters and its seed."""
    code, _ = fingerprint(module, recipe.name, root)
    what = json.dumps([code, parameters, seed], sort_keys=True)
    return hashlib.sha256(what.encode()).hexdigest()


def read(path: Path, key: str | None = None) -> Trained | None:
    """Return the model in a file; None if there is no file, or one that another key made.

    Raises ModelError if the file is damaged.
    """
    try:
        header = read_header(path)
        if header is None or key not in (None, header["key"]):
            return None
        with np_load(path) as arrays:
            weights = {name: arrays[name] for name in arrays.files if name != HEADER}
        return Trained(weights, header["parameters"], header["seed"], header["results"])
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{path} is damaged ({error}): delete it, and restore what ships from the course's "
            f"repository (`git checkout -- data/models`)"
        ) from None


def read_header(path: Path) -> dict | None:
    """Return what a file says of its model, or None if there is no file."""
    try:
        with np_load(path) as arrays:
            return json.loads(str(arrays[HEADER]))
    except FileNotFoundError:
        return None


def write(path: Path, trained: Trained, key: str, again: dict | None = None) -> None:
    """Write a model whole or not at all.

    again: results of the cheap training, for the file that ships. Raises OSError.
    """
    import numpy as np

    header = {"key": key, "parameters": trained.parameters, "seed": trained.seed}
    header |= {"results": trained.results} | ({"again": again} if again else {})
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **trained.weights, **{HEADER: json.dumps(header)})
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, buffer.getvalue())


def np_load(path: Path):
    """Open a file of arrays, which may hold no Python objects."""
    import numpy as np

    return np.load(path, allow_pickle=False)
