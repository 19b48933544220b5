"""Models that later lessons and the service need: trained once, saved, found again.

For a reader:

    trained = models.load("shakespeare")   # at once: its weights ship with the course
    trained.weights["embedding"]           # NumPy arrays by name
    trained.results["val_bits"]            # what the recipe measured, on validation data

The weights in `data/models/NAME.npz` carry the key of what made them: the hash of the code, the
parameters and the seed. If the code has changed, or other parameters are asked for
(`models.load("shakespeare", width=64)`), the model is trained on the spot and kept in
`build/models/` under its own key. Nothing else writes there: what a lesson trains with other
parameters, as in a smoke run, has another key.

For an author:

1. Declare a recipe in `course_utils/models/lesson_NN.py`, whose list RECIPES names all of them:

       def train(parameters, seed):
           '''Return the weights, float16 or float32 arrays by name.'''
           ...  # imports Keras, if it does, here; then environment.start() and set_seed(seed)

       def evaluate(weights, parameters):
           '''Return numbers by name, computed from the weights and validation data.'''

       SHAKESPEARE = Recipe(
           name="shakespeare",
           purpose="the language model of lessons 13 and 20 to 22",
           train=train,
           evaluate=evaluate,
           parameters={"width": 128, "steps": 3000},
           seed=0,
           again={"steps": 20},
           tolerance={"val_bits": 0.02},
       )
       RECIPES = [SHAKESPEARE]

   What a lesson teaches and a recipe needs as well is written in both; a test in `tests/lessons/`
   proves that they are equal.
2. `python3 -m course_utils models shakespeare` trains it and writes `data/models/shakespeare.npz`,
   at most 5 MB: commit it with the code that made it.
3. `tests/models/test_shipped.py` proves that the file is what the code makes: its key is that of
   the code, `evaluate` gives the stored results again, and a training with the parameters `again`
   (the first steps, so that it is cheap) gives the results that it gave when the file was made.
"""

from course_utils.models.recipe import ModelError, Recipe, Trained
from course_utils.models.store import load

__all__ = ["ModelError", "Recipe", "Trained", "load"]
