"""Sliders under a figure, where a live Jupyter front end can move them."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from course_utils import style

# Jupyter's server sets it for the kernels of notebooks that are open in a browser. nbval,
# papermill and `execute` start their kernels without a server.
SESSION = "JPY_SESSION_NAME"


def explore(draw: Callable[..., tuple[Figure, str]], **choices: Sequence) -> None:
    """Show one slider for each parameter of `draw`, and redraw the figure when one is moved.

    The sliders answer to the mouse and to the arrow keys. Without a live front end one line says
    so, and `draw` is called at both ends of each slider, so that batch runs test it.

    Args:
        draw: makes the figure and a sentence that reads it (its alt text, at least 30
            characters). The default of each of its parameters is where the slider starts.
        choices: for each parameter of `draw` the values of its slider, in order.

    Raises:
        ValueError: a parameter of `draw` has no slider or no default, a slider has no parameter
            or fewer than two values, or the default is not among them.
    """
    starts = _starts(draw, choices)
    if SESSION in os.environ:
        _show_sliders(draw, choices, starts)
        return
    for name, values in choices.items():
        for value in (values[0], values[-1]):
            figure, _ = draw(**{**starts, name: value})
            plt.close(figure)
    sliders = ", ".join(f"{n} ({len(v)} values, {v[0]} to {v[-1]})" for n, v in choices.items())
    print(f"Open in JupyterLab, this cell shows sliders: {sliders}.")


def _starts(draw: Callable, choices: dict[str, Sequence]) -> dict:
    parameters = inspect.signature(draw).parameters
    if set(parameters) != set(choices):
        raise ValueError(
            f"sliders: expected one for each parameter of {draw.__name__} "
            f"({', '.join(parameters)}), found {', '.join(choices) or 'none'}"
        )
    for name, values in choices.items():
        start = parameters[name].default
        if len(values) < 2 or start not in list(values):
            raise ValueError(
                f"{name}: expected at least two values, the default of {draw.__name__} among "
                f"them, found values {list(values)} and default {start!r}"
            )
    return {name: parameters[name].default for name in choices}


def _show_sliders(draw: Callable, choices: dict[str, Sequence], starts: dict) -> None:
    import ipywidgets as widgets
    from IPython.display import display

    sliders = {
        name: widgets.SelectionSlider(
            options=[(f"{v:g}" if isinstance(v, float) else str(v), v) for v in values],
            value=starts[name],
            description=name.replace("_", " "),
            continuous_update=False,  # a figure takes longer than a movement of the mouse
            style={"description_width": "9em"},
            layout={"width": "min(100%, 34em)"},
        )
        for name, values in choices.items()
    }
    picture = widgets.Output()

    def redraw(_=None) -> None:
        with picture:  # an error in `draw` is shown there too
            figure, sentence = draw(**{name: slider.value for name, slider in sliders.items()})
            picture.clear_output(wait=True)
            style.show(figure, sentence)
            print(sentence)

    for slider in sliders.values():
        slider.observe(redraw, names="value")
    display(widgets.VBox([*sliders.values(), picture]))
    redraw()
