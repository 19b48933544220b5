"""Figures: alt text where readers find it, small files, series told apart without colour."""

import io
import itertools
import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from nbclient import NotebookClient
from PIL import Image

from course_utils import plots, style
from course_utils.data import DATA_FOLDER, load_mnist

ALT = "A straight line that rises from the lower left to the upper right."


@pytest.fixture(autouse=True)
def course_style(monkeypatch):
    """Draw as after the setup cell; leave Matplotlib as it was, with no figure open."""
    with mpl.rc_context():
        mpl.use("agg")
        style.use_course_style()
        yield
    plt.close("all")


@pytest.fixture
def displayed(monkeypatch):
    """What is handed to IPython, as (data, metadata)."""
    outputs = []

    def display(data, *, raw, metadata):
        assert raw
        outputs.append((data, metadata))

    monkeypatch.setattr("IPython.display.display", display)
    return outputs


def line_figure():
    figure, panel = plt.subplots()
    panel.plot([0, 1], [0, 1])
    panel.set(title="A line", xlabel="x", ylabel="y")
    return figure


# Showing a figure


def test_a_notebook_keeps_one_picture_with_alt_text_in_both_places():
    """In a real kernel, where the inline backend shows open figures at the end of a cell."""
    cells = [
        f"import sys; sys.path.insert(0, {str(DATA_FOLDER.parent)!r})\n"
        "import matplotlib.pyplot as plt\n"
        "from course_utils import style\n"
        "style.use_course_style()",
        "figure, panel = plt.subplots(figsize=(4.0, 2.5))\n"
        "_ = panel.plot([0, 1], [0, 1])\n"
        "style.show(figure, '''A straight line that rises\n    from the lower left.''')",
        "figure, panel = plt.subplots()\nstyle.show(figure, 'too short')",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(notebook, kernel_name="python3", allow_errors=True).execute()
    (output,) = notebook.cells[1].outputs
    alt = "A straight line that rises from the lower left."
    assert output.data["text/plain"] == alt
    assert output.metadata == {"image/png": {"alt": alt, "width": 384, "height": 240}}
    assert set(output.data) == {"text/plain", "image/png"}
    assert [o.output_type for o in notebook.cells[2].outputs] == ["error"]
    assert notebook.cells[2].outputs[0].evalue == (
        "alt: expected at least 30 characters, found 'too short'"
    )


SHORT = {"none": "", "blank": "   \n" * 20, "29 letters": "x" * 29, "a gap": f"a{' ' * 40}b"}


@pytest.mark.parametrize("alt", SHORT.values(), ids=SHORT)
def test_a_short_alt_text_is_refused(displayed, alt):
    figure = line_figure()
    with pytest.raises(ValueError, match="alt: expected at least 30 characters, found"):
        style.show(figure, alt)
    assert displayed == []
    assert plt.get_fignums() == []


def test_a_picture_that_is_too_large_is_refused(displayed):
    figure, panel = plt.subplots(figsize=(7, 5))
    panel.imshow(np.random.default_rng(0).random((600, 600)))
    with pytest.raises(ValueError, match=r"figure: \d{2,3},\d{3} bytes, expected at most 60,000;"):
        style.show(figure, ALT)
    assert displayed == []
    assert plt.get_fignums() == []


def test_the_picture_is_sharp_small_and_on_paper(displayed):
    (images, _), _ = load_mnist()
    figure = plots.image_grid(images[:30], [f"image {i}" for i in range(30)], title="Thirty digits")
    for _ in range(2):  # the layout settles with the first drawing
        plain = io.BytesIO()
        figure.savefig(plain, format="png", dpi=style.PIXELS_PER_INCH)
    style.show(figure, ALT)
    ((data, metadata),) = displayed
    png = data["image/png"]
    assert len(png) <= 60_000
    assert len(png) < 0.6 * len(plain.getvalue())
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        shown = metadata["image/png"]
        assert image.width == pytest.approx(shown["width"] * 160 / 96, abs=2)
        assert image.height == pytest.approx(shown["height"] * 160 / 96, abs=2)
        rgba = image.convert("RGBA")
        assert rgba.getextrema()[3] == (255, 255)  # nothing shows through in a dark theme
        assert rgba.getpixel((0, 0)) == (255, 255, 255, 255)
        # A palette of 256 colours takes nothing away that is seen.
        with Image.open(plain) as full:
            difference = np.abs(
                np.asarray(full.convert("RGB"), int) - np.asarray(rgba.convert("RGB"), int)
            )
        assert difference.max() <= 12


# The palette

# Machado, Oliveira, Fernandes: A physiologically-based model for simulation of color vision
# deficiency (2009), full dichromacy, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear_rgb(color):
    s = np.array(to_rgb(color))
    return np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4)


def lab(linear):
    """CIE L*a*b* (1976) of linear sRGB, white point D65."""
    to_xyz = np.array(
        [
            [0.412453, 0.357580, 0.180423],
            [0.212671, 0.715160, 0.072169],
            [0.019334, 0.119193, 0.950227],
        ]
    )
    ratio = to_xyz @ linear / to_xyz.sum(axis=1)
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("vision", VISION)
def test_every_two_colours_differ_for_every_eye(vision):
    seen = [
        lab(np.clip(VISION[vision] @ linear_rgb(color), 0, 1))
        for color in [*style.COLORS, style.PAPER]
    ]
    distances = {
        (i, j): np.linalg.norm(seen[i] - seen[j])
        for i, j in itertools.combinations(range(len(seen)), 2)
    }
    # 2.3 is just noticeable for two areas side by side; thin lines apart need much more.
    assert min(distances.values()) > 15, min(distances, key=distances.get)


def test_every_colour_stands_out_from_the_paper():
    """By luminance, (1 + 0.05) / (L + 0.05): the yellow that the palette leaves out has 1.3."""

    def contrast(color):
        return 1.05 / (linear_rgb(color) @ [0.2126, 0.7152, 0.0722] + 0.05)

    assert contrast("#F0E442") < 1.4
    assert min(map(contrast, style.COLORS)) > 2
    assert contrast(style.INK) > 7


def test_markers_and_line_styles_differ_as_the_colours_do():
    assert len(style.COLORS) == len(style.MARKERS) == len(style.LINE_STYLES)
    for looks in (style.COLORS, style.MARKERS, style.LINE_STYLES):
        assert len({str(look) for look in looks}) == len(looks)
    _, panel = plt.subplots()
    lines = [panel.plot([0, 1], [i, i])[0] for i in range(7)]
    assert [line.get_color() for line in lines] == style.COLORS
    assert [line.get_marker() for line in lines] == style.MARKERS
    assert mpl.rcParams["axes.prop_cycle"].by_key()["linestyle"] == style.LINE_STYLES


# Learning curves


def history(*values, validation=True):
    columns = {"loss": list(values), "accuracy": [1 - v for v in values]}
    if validation:
        columns |= {f"val_{name}": [v + 0.1 for v in c] for name, c in columns.items()}
    return columns


def test_learning_curves_draw_every_metric_against_epochs():
    figure = plots.learning_curves({"small": history(0.5, 0.3, 0.2), "large": history(0.4, 0.1)})
    assert [panel.get_title() for panel in figure.axes] == ["loss", "accuracy"]
    assert [panel.get_xlabel() for panel in figure.axes] == ["epoch", "epoch"]
    assert [panel.get_ylabel() for panel in figure.axes] == ["loss", "accuracy"]
    curves = {line.get_label(): line.get_xydata().tolist() for line in figure.axes[0].lines}
    assert curves["small, training"] == [[1, 0.5], [2, 0.3], [3, 0.2]]
    assert curves["large, validation"] == [[1, 0.5], [2, 0.2]]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(curves)
    assert len(curves) == 4


def test_learning_curves_are_told_apart_without_colour():
    figure = plots.learning_curves({f"run {i}": history(0.5, 0.3) for i in range(7)})
    for panel in figure.axes:
        looks = [(line.get_marker(), line.get_linestyle()) for line in panel.lines]
        assert len(set(looks)) == len(looks) == 14
    assert len({line.get_color() for line in figure.axes[0].lines}) == 7


def test_a_history_without_validation_keeps_its_name():
    figure = plots.learning_curves({"only": history(0.5, validation=False)}, metrics=["accuracy"])
    assert [line.get_label() for line in figure.axes[0].lines] == ["only"]


def test_a_history_without_the_metric_is_named():
    histories = {"a": history(0.5), "b": {"loss": [0.5], "val_loss": [0.6]}}
    with pytest.raises(KeyError, match="history 'b' has no metric 'accuracy'; it has: loss, val_l"):
        plots.learning_curves(histories)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("number", [0, 8])
def test_more_series_than_looks_are_refused(number):
    names = [f"run {i}" for i in range(number)]
    message = f"expected 1 to 7, which can be told apart, found {number}"
    with pytest.raises(ValueError, match=f"histories: {message}"):
        plots.learning_curves({name: history(0.5) for name in names})
    with pytest.raises(ValueError, match=f"paths: {message}"):
        paths = {name: np.zeros((2, 2)) for name in names}
        plots.surface_with_path(lambda x, y: x**2 + y**2, paths, (-1, 1), (-1, 1))
    assert plt.get_fignums() == []


# Image grids


@pytest.mark.filterwarnings("error")  # a sign that the font lacks is a warning
def test_an_image_grid_shows_each_image_with_its_title(displayed):
    images = np.arange(5 * 4 * 3).reshape(5, 4, 3)
    marked = [False, True, False, False, False]
    figure = plots.image_grid(images, list("abcde"), columns=3, marked=marked, title="Letters")
    panels = figure.axes
    assert len(panels) == 6  # two rows of three; the last stays empty
    for panel, image in zip(panels[:5], images, strict=True):
        np.testing.assert_array_equal(panel.images[0].get_array(), image)
        assert panel.images[0].get_cmap().name == "gray_r"  # ink is dark
    assert not panels[5].axison
    assert not panels[5].images
    assert [panel.get_title() for panel in panels[:5]] == ["a", "✗ b", "c", "d", "e"]
    widths = [panel.spines["left"].get_linewidth() for panel in panels[:5]]
    assert widths[1] > 3 * widths[0] == 3 * widths[2]
    assert figure.get_suptitle() == "Letters"
    style.show(figure, ALT)


@pytest.mark.parametrize(
    ("images", "titles", "marked", "found"),
    [
        (3, 2, None, "3 images, 2 titles, 3 marks"),
        (2, 3, None, "2 images, 3 titles, 2 marks"),
        (2, 2, [True], "2 images, 2 titles, 1 marks"),
        (0, 0, None, "expected at least one image, found none"),
    ],
)
def test_lengths_that_differ_are_refused(images, titles, marked, found):
    with pytest.raises(ValueError, match=re.escape(found)):
        plots.image_grid(np.zeros((images, 4, 4)), ["x"] * titles, marked=marked)
    assert plt.get_fignums() == []


# A surface and the paths on it


@pytest.mark.filterwarnings("error")
def test_each_path_is_drawn_from_its_start_and_the_picture_is_small(displayed):
    rng = np.random.default_rng(0)
    paths = {f"optimizer {i}": rng.uniform(-1, 1, (4 + i, 2)) for i in range(7)}

    def rosenbrock(x, y):
        return (1 - x) ** 2 + 100 * (y - x**2) ** 2

    figure = plots.surface_with_path(rosenbrock, paths, (-3, 3), (-2, 2))
    panel = figure.axes[0]
    drawn, starts = panel.lines[::2], panel.lines[1::2]
    for (name, path), line, start in zip(paths.items(), drawn, starts, strict=True):
        assert line.get_label() == name
        np.testing.assert_array_equal(line.get_xydata(), path)
        np.testing.assert_array_equal(start.get_xydata(), path[:1])
    assert len({line.get_color() for line in drawn}) == 7
    assert len({line.get_marker() for line in drawn}) == 7
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(paths)
    assert (panel.get_xlim(), panel.get_ylim()) == ((-3, 3), (-2, 2))
    assert panel.get_xlabel()
    assert panel.get_ylabel()
    style.show(figure, ALT)  # refuses a large one
    assert len(displayed) == 1


# Bowls, points on laws


def test_a_bowl_marks_the_start_and_the_minimum(displayed):
    figure, panel = plt.subplots(figsize=(3, 2))
    path = np.array([[-1.0, 0.5], [0.5, 0.2], [1.0, 0.1]])
    plots.bowl_with_path(panel, np.diag([1.0, 10.0]), path, (-2, 2), (-1, 1), minimum=(1, 0.1))
    line, start, star = panel.lines
    np.testing.assert_array_equal(line.get_xydata(), path)
    np.testing.assert_array_equal(start.get_xydata(), path[:1])
    np.testing.assert_array_equal(star.get_xydata(), [[1, 0.1]])
    assert (panel.get_xlim(), panel.get_ylim()) == ((-2, 2), (-1, 1))
    (contours,) = panel.collections
    for contour, level in zip(contours.get_paths(), contours.levels, strict=True):
        x, y = contour.vertices.T
        root = np.sqrt(((x - 1) ** 2 + 10 * (y - 0.1) ** 2) / 2)
        np.testing.assert_allclose(root, level, rtol=0.05, atol=0.02)
    style.show(figure, ALT)


def test_points_lie_on_a_law_of_their_colour():
    figure, panel = plt.subplots()
    plots.points_on_law(panel, 0, "all", [1, 2], [3, 4], [3, 4.5])
    plots.points_on_law(panel, 1, "some", [1, 2], [3, 4], [3, 3.5, 4], law_x=[1, 1.5, 2])
    plots.points_on_law(panel, 2, "no law", [1, 2], [3, 4])
    points, law, other, other_law, alone = panel.lines
    assert points.get_color() == law.get_color() != other.get_color() == other_law.get_color()
    assert len({line.get_marker() for line in (points, other, alone)}) == 3
    np.testing.assert_array_equal(law.get_xydata(), [[1, 3], [2, 4.5]])
    np.testing.assert_array_equal(other_law.get_xdata(), [1, 1.5, 2])
    names = [text.get_text() for text in panel.legend().get_texts()]
    assert names == ["all", "some", "no law"]
    plt.close(figure)


def test_spread_shows_mean_lowest_and_highest():
    _, panel = plt.subplots()
    plots.spread(panel, [1, 2], [[1, 2, 6], [4, 4, 4]], ["one", "two"], label="runs")
    middle, bars = panel.lines[0], panel.collections[0].get_segments()
    assert middle.get_ydata().tolist() == [3, 4]
    assert [segment[:, 1].tolist() for segment in bars] == [[1, 6], [4, 4]]
    assert [(text.get_text(), *text.xy) for text in panel.texts] == [("one", 1, 6), ("two", 2, 4)]
    with pytest.raises(ValueError, match=r"values: expected shape \(1, runs\), found \(2, 2\)"):
        plots.spread(panel, [1], [[1, 2], [3, 4]])


def test_each_row_of_points_has_its_name_and_a_bar_at_the_mean():
    _, panel = plt.subplots()
    plots.rows_of_points(panel, {"first": [1, 2, 6], "second": [4, 8]})
    points, mean, others, _ = panel.lines
    assert points.get_xdata().tolist() == [1, 2, 6]
    assert np.abs(points.get_ydata()).max() < 0.4
    assert np.mean(points.get_ydata()) == pytest.approx(0)
    assert mean.get_xdata().tolist() == [3]
    assert np.mean(others.get_ydata()) == pytest.approx(1)
    assert [label.get_text() for label in panel.get_yticklabels()] == ["first", "second"]
    low, high = panel.get_ylim()
    assert low > 1 and high < 0  # the first row is the highest
