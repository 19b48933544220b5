"""`python3 -m course_utils models`: trains the models that ship, and writes their files."""

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 5_000_000  # bytes of a file that ships
EPILOG = """\
A recipe is declared in course_utils/models/lesson_NN.py; that package's docstring tells how.
The weights go to data/models/NAME.npz with their key; a file that its code still makes is left.

Exit code: 0 all written, 1 a file is too large or cannot be written, 2 wrong use.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to `parser`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument("models", nargs="*", metavar="MODEL", help="names; all without any")


def main(args: argparse.Namespace, *, root: Path = ROOT) -> int:
    """Train the models that `args` names and whose file is not current; return the exit code."""
    from course_utils.models import store
    from course_utils.models.recipe import ModelError, find_recipes

    try:
        names = args.models or list(find_recipes(root / "course_utils" / "models"))
        recipes = {name: store.find_recipe(name, root) for name in names}
        for name, (recipe, module) in recipes.items():
            key = store.key_of(recipe, module, recipe.parameters, recipe.seed, root)
            path = store.shipped(name, root)
            if (store.read_header(path) or {}).get("key") == key:
                print(f"{name}: {path.name} is what its code makes")
                continue
            started = time.monotonic()
            again = recipe.make(recipe.with_values(recipe.again), recipe.seed).results
            trained = recipe.make(recipe.parameters, recipe.seed)
            store.write(path, trained, key, again)
            size, seconds = path.stat().st_size, time.monotonic() - started
            numbers = ", ".join(f"{key} {value:.4g}" for key, value in trained.results.items())
            print(f"{name}: {numbers}; {size:,} bytes, {seconds:.0f} s", flush=True)
            if size > LARGEST:
                print(f"course_utils models: {path} is larger than {LARGEST:,}", file=sys.stderr)
                return 1
    except ModelError as error:
        print(f"course_utils models: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"course_utils models: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    return 0
