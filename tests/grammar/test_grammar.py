"""Every notebook obeys the page grammar, and every rule rejects a notebook that breaks it."""

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_notebook

from course_utils.contents import lesson_paths, read_contents
from tests.grammar import grammar_of, rules, violations
from tests.grammar.sample_notebook import (
    add_output,
    add_text,
    at,
    both,
    change_image,
    code,
    exercise,
    insert_after,
    jpeg,
    more_images,
    png,
    remove,
    replace,
    set_attribute,
    silent_messages,
    stdout,
    tag,
    text,
    valid_notebook,
    write,
)

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
EACH_NOTEBOOK = pytest.mark.parametrize("path", lesson_paths(), ids=lambda path: path.stem)


@EACH_NOTEBOOK
def test_notebook_obeys_the_grammar(path):
    found = violations(nbformat.read(path, as_version=4), grammar=grammar_of(path))
    assert not found, f"{path.name}\n" + "\n".join(found)


@EACH_NOTEBOOK
def test_minutes_and_seconds_are_those_of_the_contents(path):
    lessons = {lesson.file: lesson for lesson in read_contents(NOTEBOOKS / "course.toml").lessons}
    lesson = lessons[path.name]
    opening = nbformat.read(path, as_version=4).cells[0].source
    assert re.search(r"(\d+) minutes? to read", opening)[1] == str(lesson.minutes)
    assert re.search(r"(\d+) seconds? to run", opening)[1] == str(lesson.seconds)


BROKEN = {  # what is wrong with the notebook: the edit, a part of the message that it must get
    # text
    "a control character": (
        add_text("task-2", "\n\n$C\approx 6$"),
        'task-2: a control character (number 7) stands after "$C"',
    ),
    "a tab": (
        add_text("task-2", "\n\n$J_{\text{MSE}}$"),
        'task-2: a control character (number 9) stands after "$J_{"',
    ),
    "no title": (write("title", "Losses?"), "title: the first cell is not the title"),
    "two titles": (add_text("task-2", "\n\n# Again"), 'task-2: a second title "# Again"'),
    "no question": (replace("title", "prediction?", "prediction."), "title: the paragraph under"),
    "no aims": (replace("title", "you can", "you know"), '"After this lesson you can"'),
    "no prerequisites": (replace("title", "Prerequisites", "Needs"), '"Prerequisites"'),
    "no minutes": (replace("title", " minutes", " years"), '"N minutes to read"'),
    "no seconds": (replace("title", "30 seconds", "little time"), '"N seconds to run"'),
    "heading inside a cell": (
        add_text("part-2-answer", "\n\n## More"),
        'part-2-answer: "## More" stands inside a cell',
    ),
    "formula without a check": (
        write("part-2-check", "print(4)"),
        "part-2-formula: the formula between $$ meets no number",
    ),
    "short recap": (replace("recap", "- three", "three"), "recap: the recap has 2 bullets"),
    "long recap": (replace("recap", "- one", "- one\n" * 5), "recap: the recap has 7 bullets"),
    "two self-tests": (
        replace("recap", "</details>\n\n###", "\n\n###"),
        "recap: the recap has 2 self-test questions",
    ),
    "undated reading": (
        replace("recap", "1809", "long ago"),
        'recap: "Further reading" has 1 bullets with a year',
    ),
    "no next lesson": (replace("recap", "Next:", "Then:"), 'recap: no line begins with "Next"'),
    # order of the page
    "no exercises": (
        replace("task-1", "## Exercises", "## Tasks\n\n> **Predict:** what?"),
        'there is no section "## Exercises"',
    ),
    "section after the recap": (
        insert_after("recap", text("extra", "## Extra\n\n> **Predict:** what?")),
        "the last sections are ['Exercises', 'Recap', 'Extra']",
    ),
    "two ideas": (
        replace("part-2-question", "## Part 2", "### Part 2"),
        "notebook: 2 core sections; expected 3 to 5",
    ),
    "six ideas": (
        both(
            *(
                insert_after("part-3-check", text(f"more-{i}", "## More\n\n> **Predict:** what?"))
                for i in range(3)
            )
        ),
        "notebook: 6 core sections; expected 3 to 5",
    ),
    "deeper too early": (
        replace("part-2-question", "## Part 2", "## Deeper: part 2"),
        "part-2-question: a Deeper section stands before the exercises",
    ),
    "recap after deeper": (
        insert_after("law-2-exercise", text("again", "## Recap")),
        "the last sections are ['Exercises', 'Recap', 'Deeper: law 1', 'Deeper: law 2', 'Recap']",
    ),
    "two aims": (
        replace("title", "**check**", "check"),
        '"After this lesson you can" has 2 verbs in bold; expected 3 to 5',
    ),
    "six aims": (
        replace("title", "**check**", "**check** " * 4),
        '"After this lesson you can" has 6 verbs in bold; expected 3 to 5',
    ),
    "no glossary": (
        replace("title", "(glossary.md)", ""),
        "title: the first cell has no link to g",
    ),
    "no notation": (
        replace("title", "(notation.md)", ""),
        "title: the first cell has no link to n",
    ),
    # Deeper sections
    "deeper without a tag": (
        tag("law-1-check"),
        'law-1-check: a cell of a Deeper section lacks the tag "deeper"',
    ),
    "deeper tag in the core": (
        tag("part-2-look", "deeper"),
        'part-2-look: tagged "deeper" outside a section "## Deeper: …"',
    ),
    "deeper without needs": (
        replace("law-1", "*Needs: ", "*Wants: "),
        'law-1: no line begins with "*Needs: …*"',
    ),
    "needs without a link": (
        replace("law-1", "[this](06_x.ipynb#cell-id=part-1-formula)", "the first part"),
        'law-1: the line "*Needs: …*" links to nothing that stands before',
    ),
    "needs itself": (
        replace("law-1", "=part-1-formula", "=law-1"),
        'law-1: the line "*Needs: …*" links to nothing that stands before',
    ),
    "needs what comes later": (
        replace("law-1", "=part-1-formula", "=law-2-check"),
        'law-1: the line "*Needs: …*" links to nothing that stands before',
    ),
    "two exercises in a Deeper section": (
        insert_after("law-1-exercise", exercise("law-1-second", 5, "deeper")),
        "law-1-second: a second exercise in a Deeper section",
    ),
    "core uses Deeper": (
        add_text("part-3-look", "\n\n\ndef later():\n    return law_1"),
        'part-3-look: uses law_1, which only "Deeper: law 1" makes',
    ),
    "Deeper uses another without a link": (
        both(
            replace("law-2", "=law-1-check", "=part-1-formula"),
            add_text("law-2-check", "\nlaw_1 + 1"),
        ),
        'law-2-check: uses law_1, which "Deeper: law 1" makes',
    ),
    # the wheel
    "no prediction": (
        replace("part-3-question", "**Predict:**", "Predict:"),
        "part-3-question: the section has no line",
    ),
    "no answer": (
        replace("part-3-answer", "You predicted", "It is"),
        "part-3-question: the prediction is not answered",
    ),
    "answer before the run": (
        both(
            replace("part-3-answer", "You predicted", "It is"),
            insert_after("part-3-question", text("early", "You predicted a number.")),
        ),
        "part-3-question: the prediction is not answered",
    ),
    "prediction at the end of a section": (
        insert_after("part-2-check", text("late", "> **Predict:** how many?")),
        "late: the prediction is not answered",
    ),
    "two predictions, one answer": (
        insert_after("part-2-look", text("second", "> **Predict:** how many?")),
        "part-2-question: the prediction is not answered",
    ),
    "no answer in a Deeper section": (
        add_text("law-1", "\n\n> **Predict:** how many?"),
        "law-1: the prediction is not answered",
    ),
    "no drawing": (
        replace("imports", "course_utils import drawings", "course_utils import plots"),
        "notebook: the core has no drawing",
    ),
    "picture with open input": (
        tag("part-2-drawing"),
        "part-2-drawing: shows a picture and its input is not collapsed",
    ),
    "picture that the page folds and JupyterLab does not": (
        lambda notebook: at(notebook, "part-2-drawing").metadata.pop("jupyter"),
        "part-2-drawing: shows a picture and its input is not collapsed",
    ),
    "collapsed cell without a picture": (
        tag("part-2-look", "hide-input"),
        "part-2-look: the input is collapsed and the cell shows no picture",
    ),
    "collapsed check": (
        add_text("part-2-drawing", '\ncheck_equal("x", 1, 1)'),
        "part-2-drawing: a check stands in a collapsed cell",
    ),
    "long drawing": (
        add_text("part-2-drawing", "\nx = 1" * 12),
        "part-2-drawing: 16 lines that draw, beside the alt text; expected at most 15",
    ),
    "collapsed computation": (
        add_text("part-3-look", "\npicture.figure"),
        'part-3-look: uses picture, which the collapsed cell "part-2-drawing" makes',
    ),
    "picture not announced": (
        write("part-2-answer", "You predicted a number."),
        "part-2-drawing: the text before the collapsed cell does not announce a picture",
    ),
    "long cell": (add_text("part-2-look", "\nx = 1" * 19), "part-2-look: 21 lines of code"),
    # evidence
    "check of an unknown kind": (
        write("part-2-check", 'check_luck("x", 1)'),
        "part-2-check: check_luck(…) is no kind of check; expected one of check_close, ",
    ),
    "range that denies nothing": (
        write("part-2-check", 'check_range("x", 1, 0, 2)'),
        "part-2-check: check_range(…) without denies=",
    ),
    "wallpaper": (
        stdout("a  1   ok\n" * 20),
        'notebook: 21 lines of "ok" in the core; expected at most 20',
    ),
    "wallpaper in a Deeper section": (
        stdout("a  1   ok\n" * 6, "law-1-check"),
        'law-1: 6 lines of "ok" in the section; expected at most 5',
    ),
    "too long": (
        add_text("part-1-answer", " word" * 12_000),
        "notebook: the core takes 94 minutes; expected at most 90",
    ),
    "wrong minutes": (
        replace("title", " minutes to read", "0 minutes to read"),
        '0 minutes to read"; expected 15, the nearest multiple of 5 to ',
    ),
    # cells
    "id in capitals": (set_attribute("part-2-look", "id", "Look_2"), "Look_2: the id is not lower"),
    "id of Jupyter": (
        set_attribute("part-2-look", "id", "1a2b3c4d"),
        "1a2b3c4d: the id is one that Jupyter made",
    ),
    "long id": (set_attribute("part-2-look", "id", "a" * 41), "the id has 41 characters"),
    "id twice": (set_attribute("part-2-look", "id", "seed"), "seed: the id stands twice"),
    "setup not second": (
        insert_after("title", text("early", "Words.")),
        'setup: cell 3 of the notebook is not the code cell "imports"',
    ),
    "another setup": (
        replace("setup", "environment.start()", "environment.start(2)"),
        "setup: not the setup cell of all lessons",
    ),
    "no parameters tag": (
        tag("parameters"),
        'parameters: the code cell after "imports" is not the parameters cell',
    ),
    "seed not set": (
        write("seed", "rng = np.random.default_rng(seed)"),
        'seed: the code cell after "parameters" does not call environment.set_seed(seed)',
    ),
    "parameter without a range": (
        write("parameters", "seed: int = 0  # random draws"),
        "parameters: parameters cell, line 1, seed",
    ),
    "no seed": (
        write("parameters", "epochs: int = 5  # passes over the training set, 1 to 100"),
        'parameters: there is no line "seed: int = 0',
    ),
    "empty cell": (write("part-2-look", ""), "part-2-look: the code cell is empty"),
    "shell": (write("part-2-look", "!ls"), 'part-2-look: "!ls" is not Python'),
    "shell result": (write("part-2-look", "a = !ls"), '"a = !ls" is not Python'),
    "magic": (write("part-2-look", "%pip install x"), '"%pip install x" is not Python'),
    "no Python": (write("part-2-look", "x = = 1"), "part-2-look: the code cannot be parsed"),
    "semicolon": (add_text("part-2-look", ";"), "part-2-look: a line ends with ;"),
    "semicolon and comment": (add_text("part-2-look", ";  # x"), "part-2-look: a line ends with ;"),
    "expected error": (
        tag("part-2-look", "raises-exception"),
        "part-2-look: has the tag raises-exception",
    ),
    "loud training": (add_text("part-2-look", "\nm.fit(x)"), ".fit(…) draws a progress bar"),
    "loud evaluation": (
        add_text("part-2-look", "\nm.evaluate(x, verbose=2)"),
        ".evaluate(…) draws a progress bar",
    ),
    "loud prediction": (add_text("part-2-look", "\nm.predict(x)"), ".predict(…) draws"),
    "global random numbers": (
        add_text("part-2-look", "\nnp.random.normal()"),
        "np.random.normal draws from a hidden global state",
    ),
    "generator without a seed": (
        add_text("part-2-look", "\nnp.random.default_rng()"),
        "default_rng() differs in every run",
    ),
    "urllib": (add_text("part-2-look", "\nfrom urllib.request import x"), "imports urllib"),
    "requests": (add_text("part-2-look", "\nimport requests"), "imports requests"),
    "download": (
        add_text("part-2-look", "\nkeras.datasets.mnist.load_data()"),
        "load_data(…) downloads",
    ),
    "address": (
        add_text("part-2-look", '\nu = "https://example.org"'),
        "code holds an address of the network",
    ),
    "one exercise": (remove("exercise-2"), "notebook: 1 exercise cells; expected 2 to 4"),
    "exercise too early": (
        insert_after("part-1-answer", code("early", 'q9 = exercise("06.9")', ["exercise"])),
        'early: the exercise stands outside the section "## Exercises"',
    ),
    "untagged exercise": (tag("exercise-1"), "exercise-1: the cell calls exercise(…) and lacks"),
    "exercise under another name": (
        replace("exercise-1", "q1", "first"),
        "exercise-1: the first statement is first = exercise('06.1'); expected qN",
    ),
    "exercise without a check": (
        replace("exercise-1", "q1.check(answer)", "answer"),
        "exercise-1: the last statement is answer; expected q1.check(answer)",
    ),
    "exercise without a blank": (
        replace("exercise-1", "____", "7"),
        "exercise-1: there is no blank ____",
    ),
    "exercise used later": (
        insert_after("exercise-1", code("later", "answer + 1")),
        'later: uses answer, which the exercise "exercise-1" makes',
    ),
    "function of an exercise used later": (
        lambda notebook: (
            replace("exercise-1", "answer = ____", "def f(x):\n    ____\nanswer = f")(notebook),
            replace("exercise-2", "____", "f(____)")(notebook),
        ),
        'exercise-2: uses f, which the exercise "exercise-1" makes',
    ),
    # what is stored
    "another kernel": (
        lambda notebook: notebook.metadata.kernelspec.update(name="conda-base"),
        "notebook: the kernel is 'conda-base'",
    ),
    "widget state": (
        lambda notebook: notebook.metadata.update(widgets={}),
        "notebook: the state of widgets is stored",
    ),
    "run times": (
        lambda notebook: at(notebook, "part-1-look").metadata.update(execution={}),
        "part-1-look: run times are stored",
    ),
    "run times of papermill": (
        lambda notebook: notebook.metadata.update(papermill={}),
        "notebook: run times are stored",
    ),
    "not run": (
        set_attribute("part-1-check", "execution_count", None),
        "part-1-check: execution count None, expected 7",
    ),
    "run out of order": (
        set_attribute("part-1-check", "execution_count", 9),
        "part-1-check: execution count 9, expected 7",
    ),
    "a time for nbval": (
        write("part-1-check", "print(time.perf_counter())"),
        "part-1-check: tagged nbval-check-output and calls perf_counter",
    ),
    "a comparison of times for nbval": (
        write("part-1-check", "timing.compare('x', 1, 0, 2)"),
        "part-1-check: tagged nbval-check-output and calls compare",
    ),
    "an assertion on a time": (
        write("part-2-check", "t = time.perf_counter()\nrate = 4 / t\nassert rate > 1"),
        "part-2-check: an assertion looks at rate, a time",
    ),
    "an assertion on a median": (
        write("part-2-check", "check_range('x', measure_in_turns(ways).median('a'), 1, 2)"),
        "part-2-check: an assertion looks at measure_in_turns(…), a time",
    ),
    "an assertion on a latency": (
        write("part-2-check", "for x in loads:\n    check_range('x', max(x.latency), 1, 2)"),
        "part-2-check: an assertion looks at x.latency, a time",
    ),
    "nothing for nbval": (tag("part-1-check"), "notebook: no cell has the tag nbval-check-output"),
    "nothing to compare": (
        tag("part-2-look", "nbval-check-output"),
        "part-2-look: tagged nbval-check-output, has no output",
    ),
    "error": (
        add_output("part-2-look", kind="error", ename="NameError", evalue="x", traceback=[]),
        "part-2-look: the output is an error: NameError: x",
    ),
    "stderr": (
        add_output("part-2-look", kind="stream", name="stderr", text="Warning: old\n"),
        'part-2-look: the output has text of stderr: "Warning: old"',
    ),
    "object address": (stdout("<H at 0x7f12ab34cd56>"), "an object's address 0x7f12ab34cd56"),
    "path": (stdout("read /home/ann/data.npz"), "a path of this machine (/home/…)"),
    "path of Windows": (stdout(r"read C:\data.npz"), "a path of this machine (C:\\d…)"),
    "path of the project": (stdout(f"in {NOTEBOOKS}"), f"this machine ({NOTEBOOKS.parent}…)"),
    "many images": (more_images, "notebook: 31 images; expected at most 30"),
    "jpeg": (jpeg, "part-1-drawing: an image of kind image/jpeg"),
    "large image": (change_image(data={"image/png": png(62_000)}), "an image of 62,000 bytes"),
    "no alt text": (change_image(metadata={"image/png": {}}), 'the alt text of an image is ""'),
    "plain figure": (
        change_image(data={"text/plain": "<Figure size 640x480>"}),
        "part-1-drawing: text/plain of an image is not its alt text",
    ),
}


def broken_notebook(name):
    notebook = valid_notebook()
    BROKEN[name][0](notebook)
    return notebook


def test_valid_notebook_passes():
    assert violations(valid_notebook()) == []


def test_article_section_may_stand_before_the_recap():
    notebook = valid_notebook()
    article = text("article", "## What the article says, and what we measured\n\nIt is right.")
    insert_after("exercise-2", article)(notebook)
    assert violations(notebook) == []


def test_a_deeper_section_may_need_another_lesson():
    notebook = valid_notebook()
    replace("law-1", "06_x.ipynb#cell-id=part-1-formula", "02_networks.ipynb")(notebook)
    assert violations(notebook) == []


def test_draft_needs_no_outputs():
    notebook = valid_notebook()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    assert violations(notebook, committed=False) == []
    assert violations(notebook) != []


def test_empty_notebook_is_rejected():
    assert violations(new_notebook()) == ["notebook: it has no cells"]


@pytest.mark.parametrize("name", BROKEN)
def test_broken_notebook_is_rejected(name):
    found = violations(broken_notebook(name))
    assert any(BROKEN[name][1] in violation for violation in found), found


def test_every_message_of_every_rule_has_a_broken_notebook():
    assert silent_messages(map(broken_notebook, BROKEN), rules()) == []
