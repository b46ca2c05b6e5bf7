"""The picture of a HoG: its lines lie along the edges that are there."""

import sys

import matplotlib
import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

matplotlib.use("Agg")

from matplotlib import pyplot

from sklin.features import HOG
from sklin.inspection import HOGDisplay

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def close():
    yield
    pyplot.close("all")


def lines_of(display):
    segments = np.array(display.lines_.get_segments())
    return segments, display.lines_.get_colors()[:, 3]


def bars(degrees, size=24):
    """Light and dark bars whose gradient points in a direction, from the right by way of down."""
    y, x = np.mgrid[:size, :size]
    angle = np.deg2rad(degrees)
    return 127.5 + 120 * np.sin((np.cos(angle) * x + np.sin(angle) * y) / 3)


@pytest.mark.parametrize("degrees", [10, 50, 90, 130, 170])
def test_lines_lie_along_edges(degrees):
    display = HOGDisplay.from_estimator(HOG(), bars(degrees).astype(np.uint8))
    segments, strengths = lines_of(display)
    assert (np.diff(strengths) >= 0).all()
    dx, dy = (segments[-1, 1] - segments[-1, 0]) / np.linalg.norm(segments[-1, 1] - segments[-1, 0])
    angle = np.deg2rad(degrees)
    assert abs(dx * np.cos(angle) + dy * np.sin(angle)) < 1e-6  # across the gradient
    display.figure_.canvas.draw()


@pytest.mark.parametrize("degrees", [0, 45, 90, 135, 180, 225, 270, 315])
def test_half_lines_have_the_bright_side_to_their_left(degrees):
    y, x = np.mgrid[:8, :8]
    angle = np.deg2rad(degrees + 5)
    image = 100 + 5 * (np.cos(angle) * x + np.sin(angle) * y)
    display = HOGDisplay.from_estimator(HOG(8, signed=True), image)
    segments, _ = lines_of(display)
    np.testing.assert_allclose(segments[-1, 0], [3.5, 3.5])  # the centre of the only cell
    dx, dy = segments[-1, 1] - segments[-1, 0]
    to_the_left = np.array([dy, -dx])  # with y pointing down
    assert to_the_left @ [np.cos(angle), np.sin(angle)] > 0.8 * np.hypot(dx, dy)


def test_lines_stay_in_their_cells_and_grow_with_the_votes():
    cells = np.zeros((2, 3, 4))
    cells[0, 2, 1], cells[1, 0, 3], cells[1, 1, 0] = 4.0, 2.0, 1.0
    display = HOGDisplay(np.zeros((20, 30)), cells, [0, 8, 20], [0, 10, 20, 30]).plot()
    segments, strengths = lines_of(display)
    assert len(segments) == 3  # none where nothing votes
    np.testing.assert_allclose(segments.mean(axis=1), [[14.5, 13.5], [4.5, 13.5], [24.5, 3.5]])
    lengths = np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1)
    np.testing.assert_allclose(strengths, [0.25, 0.5, 1], rtol=0.05)
    np.testing.assert_allclose(lengths, 0.95 * np.array([10, 10, 8]) * np.sqrt(strengths))


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"grid": (3, 4), "block_norm": None},
        {"block_norm": "L1", "cells_per_block": (3, 3), "pixels_per_cell": (5, 6)},
        {"block_sigma": 0.1, "image_shape": (2, 2)},
        {"voting": "linear", "grid": (1, 1)},
    ],
)
@pytest.mark.parametrize("shape", [(31, 40), (31, 40, 1), (31, 40, 3)])
def test_cells_are_plain_histograms_whatever_the_blocks(params, shape):
    image = RNG.integers(0, 256, shape, dtype=np.uint8)
    transformer = HOG(**params)
    display = HOGDisplay.from_estimator(transformer, image)
    assert transformer.get_params() == HOG(**params).get_params()  # a clone was changed
    plain = {k: params[k] for k in ("grid", "pixels_per_cell", "voting") if k in params}
    plain = HOG(cells_per_block=(1, 1), block_norm=None, **plain)
    np.testing.assert_allclose(display.cells.ravel(), plain.fit_transform([image])[0])
    assert display.cells.shape[:2] == (len(display.rows) - 1, len(display.columns) - 1)
    if "grid" in params:
        assert display.cells.shape[:2] == params["grid"]
        assert (display.rows[-1], display.columns[-1]) == shape[:2]
    np.testing.assert_array_equal(display.image_.get_array().shape, shape[:2])


def test_small_flat_and_clear_images():
    tiny = HOGDisplay.from_estimator(HOG(), np.full((3, 4), 7.0))
    assert len(tiny.lines_.get_segments()) == 0
    assert tiny.ax_.get_xlim() == (-0.5, 7.5)  # the cell that it was enlarged to
    tiny.figure_.canvas.draw()
    with pytest.warns(UserWarning, match="alpha channel"):
        HOGDisplay.from_estimator(HOG(), RNG.integers(0, 256, (16, 16, 4), dtype=np.uint8))


def test_it_draws_where_it_is_told():
    ax = pyplot.subplots()[1]
    image = RNG.random((16, 24))
    display = HOGDisplay.from_estimator(HOG(), image, ax=ax, color="red")
    assert display.ax_ is ax and display.figure_ is ax.figure
    assert (display.lines_.get_colors()[:, :3] == [1, 0, 0]).all()
    assert display.plot() is display and display.ax_ is not ax


def test_it_says_what_it_needs(monkeypatch):
    image = RNG.random((16, 16))
    with pytest.raises(TypeError, match="must be a HOG, got Pipeline"):
        HOGDisplay.from_estimator(make_pipeline(HOG()), image)
    with pytest.raises(ValueError, match=r"one image \(h, w\) or .* got \(2, 16, 16, 3\)"):
        HOGDisplay.from_estimator(HOG(), RNG.random((2, 16, 16, 3)))
    with pytest.raises(ValueError, match="orientations must be an integer >= 1"):
        HOGDisplay.from_estimator(HOG(0), image)
    with pytest.raises(ValueError, match=r"image must be of shape .* got \(4,\)"):
        HOGDisplay(np.zeros(4), np.zeros((1, 1, 4)), [0, 1], [0, 1])
    with pytest.raises(ValueError, match=r"cells must be .* got \(1, 2, 4\), for 2 rows and 2 col"):
        HOGDisplay(image, np.zeros((1, 2, 4)), [0, 16], [0, 16])
    for wrong in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="finite numbers that are not negative"):
            HOGDisplay(image, np.full((1, 1, 4), wrong), [0, 16], [0, 16])
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="HOGDisplay draws with matplotlib, which is not inst"):
        HOGDisplay.from_estimator(HOG(), image)
