"""The look of every figure, and how a figure is shown with its alt text."""

from __future__ import annotations

import io

import matplotlib as mpl
import matplotlib.pyplot as plt
from cycler import cycler
from matplotlib.figure import Figure
from PIL import Image

# Okabe and Ito's palette (2008), told apart with every common colour blindness; their yellow is
# left out, too light on white.
COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
LINE_STYLES = ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1))]
INK = "#1A1A1A"
PAPER = "#FFFFFF"  # opaque, so that a figure reads the same in a dark theme

PIXELS_PER_INCH = 160  # saved; shown at 96, so that it stays sharp on a dense screen
SHOWN_PIXELS_PER_INCH = 96
MOST_BYTES = 60_000
SHORTEST_ALT = 30


def use_course_style() -> None:
    """Set Matplotlib's defaults: small uniform figures, marker and dash beside each colour.

    Nothing of a matplotlibrc or a style that was in use stays, but for how figures reach the
    screen.
    """
    screen = {"backend", "backend_fallback", "interactive", "toolbar"}
    mpl.rcParams.update({k: v for k, v in mpl.rcParamsDefault.items() if k not in screen})
    mpl.rcParams.update(
        {
            "figure.figsize": (7.0, 3.2),
            "figure.facecolor": PAPER,
            "figure.constrained_layout.use": True,
            "savefig.facecolor": PAPER,
            "axes.facecolor": PAPER,
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "axes.titlesize": 11,
            "axes.titleweight": "bold",
            "axes.labelsize": 10,
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": cycler(color=COLORS, marker=MARKERS, linestyle=LINE_STYLES),
            "grid.color": "#DDDDDD",
            "grid.linewidth": 0.6,
            "lines.linewidth": 1.8,
            "lines.markersize": 5,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "xtick.labelsize": 9,
            "ytick.labelsize": 9,
            "legend.fontsize": 9,
            "legend.frameon": False,
            "image.cmap": "gray_r",
            "font.family": "DejaVu Sans",
        }
    )


def show(figure: Figure, alt: str) -> None:
    """Display a figure as PNG with alt text, and close it.

    The alt text is stored where nbconvert and myst-nb read it (`metadata["image/png"]["alt"]`)
    and as the output's plain text, which JupyterLab and screen readers can reach.

    Args:
        figure: the finished figure.
        alt: what is seen and what it shows, in a sentence or two (at least 30 characters);
            its white space is folded, so it may be a text of several lines.

    Raises:
        ValueError: the alt text is too short, or the image is larger than 60 KB.
    """
    from IPython.display import display

    plt.close(figure)  # or Jupyter shows it again at the end of the cell, without alt text
    alt = " ".join(alt.split())
    if len(alt) < SHORTEST_ALT:
        raise ValueError(f"alt: expected at least {SHORTEST_ALT} characters, found {alt!r}")
    png = _to_png(figure)
    if len(png) > MOST_BYTES:
        raise ValueError(
            f"figure: {len(png):,} bytes, expected at most {MOST_BYTES:,}; make it smaller"
        )
    size = {
        "width": round(figure.get_figwidth() * SHOWN_PIXELS_PER_INCH),
        "height": round(figure.get_figheight() * SHOWN_PIXELS_PER_INCH),
    }
    display(
        {"image/png": png, "text/plain": alt},
        raw=True,
        metadata={"image/png": {"alt": alt, **size}},
    )


def _to_png(figure: Figure) -> bytes:
    """Render the figure with a palette of 256 colours: a third of the bytes, no visible loss."""
    raw, small = io.BytesIO(), io.BytesIO()
    figure.savefig(raw, format="png", dpi=PIXELS_PER_INCH, metadata={"Software": None})
    with Image.open(raw) as image:
        palette = image.convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT, dither=0)
    palette.save(small, format="png", optimize=True)
    return small.getvalue()
