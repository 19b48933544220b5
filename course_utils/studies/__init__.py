"""Studies: comparisons over seeds that a page has no time for. The author's guide.

1. Declare it in `course_utils/studies/lesson_NN.py`, whose list STUDIES names all of the lesson:

       def width_row(setting, seed):
           '''Numbers of one training: columns of the study, by name.'''
           ...  # imports Keras, if it does, here; then environment.start() and set_seed(seed)
           return {"val_accuracy": …, "test_accuracy": …}

       WIDTH = Study(
           name="02_width",
           question="How many test points does a network get right, by its hidden units?",
           arms=product(hidden=[2, 8, 32], biases=[True, False]),
           seeds=range(5),
           run_row=width_row,
           tolerance={"val_accuracy": 0.03, "test_accuracy": 0.03},
           tuning=Tuning({"learning_rate": [0.1, 0.3, 1]}, seeds=[100, 101], by="val_accuracy"),
       )
       STUDIES = [WIDTH]

   Each arm is tuned on its own, over the same grid, by validation data; then it runs every seed.
   `run_row` gets the arm and what was chosen in one dict, and draws all chance from its seed.
2. Run it: `python3 -m course_utils study 02` (or `02_width`; `--jobs 2`). Ctrl-C loses no finished
   row, and the same command goes on. When all rows are there it writes
   `data/studies/lesson_02_width.csv`: commit it with the code that made it.
3. Use it in the lesson: `study = read_study("02_width")`, then `study["test_accuracy"]` and
   `study.where(biases=True)["test_accuracy"]` are NumPy arrays in the order of arms and seeds, so
   that two arms are paired by seed. `study.tuning` holds the rows of the tuning.
4. What a lesson teaches and a study needs as well is written in both; a test in `tests/lessons/`
   proves that they are equal (`tests/lessons/taught.py`).

A study is stale, and a test and `read_study` say so, when its code is no longer what made it: its
declaration and each function, class and constant that this reaches by name (see `fingerprint`).
Question, tolerance, smoke, comments and docstrings may change. Another test runs one row again
(`smoke`, otherwise the first seed of the first arm) and compares it within `tolerance`.
"""

from course_utils.studies.declare import Study, StudyError, Tuning, product
from course_utils.studies.table import read_study

__all__ = ["Study", "StudyError", "Tuning", "product", "read_study"]
