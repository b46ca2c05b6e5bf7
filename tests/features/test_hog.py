"""HoG held against scikit-image, the lecture and its own symmetries."""

import tracemalloc

import numpy as np
import pytest
import skimage.feature
from numpy.testing import assert_allclose, assert_array_equal
from skimage import data

from sklin.features import HOG
from sklin.features._cells import cell_histograms
from sklin.features._gradients import Workspace, pixel_positions, pixel_votes
from sklin.features._hog import hog

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (4, 29, 37, 3), dtype=np.uint8)
FLAT_SPOTS = RNG.integers(0, 3, (4, 29, 37, 3), dtype=np.uint8)  # ties and diagonal edges abound
PHOTOS = np.stack([data.astronaut()[i : i + 64, i : i + 48] for i in (0, 100, 200)])
NORMS = ["L1", "L1-sqrt", "L2", "L2-Hys", None]
MODES = [
    {},
    {"signed": True},
    {"voting": "linear"},
    {"block_sigma": 0.5},
    {"signed": True, "voting": "linear", "block_sigma": 0.5},
]
modes = pytest.mark.parametrize(
    "mode", MODES, ids=["plain", "signed", "linear", "window", "signed-linear-window"]
)


def by_skimage(images, channel_axis=-1, **options):
    return np.array([skimage.feature.hog(i, channel_axis=channel_axis, **options) for i in images])


@pytest.mark.parametrize("images", [NOISE, FLAT_SPOTS, PHOTOS], ids=["noise", "spots", "photos"])
@pytest.mark.parametrize("block_norm", NORMS[:4])
@pytest.mark.parametrize("cells_per_block", [(1, 1), (2, 2), (3, 3), (2, 1)])
def test_equals_skimage(images, block_norm, cells_per_block):
    options = {"block_norm": block_norm, "cells_per_block": cells_per_block}
    colour = HOG(**options).fit_transform(images)
    assert_allclose(colour, by_skimage(images, **options), rtol=2e-6, atol=1e-6)
    grey = HOG(**options).fit_transform(images[..., 1])
    assert_allclose(grey, by_skimage(images[..., 1], None, **options), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("orientations", [1, 2, 4, 6, 8, 9, 12, 18, 36, 180, 500])
@pytest.mark.parametrize("pixels_per_cell", [(8, 8), (5, 7), (1, 3)])
def test_equals_skimage_at_other_bins_and_cells(orientations, pixels_per_cell):
    options = {
        "orientations": orientations,
        "pixels_per_cell": pixels_per_cell,
        "cells_per_block": (1, 1),
        "block_norm": "L2",
    }
    images = FLAT_SPOTS[:1, :12, :16]
    assert_allclose(hog(images, **options), by_skimage(images, **options), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_equal_skimage_and_bytes(dtype):
    images = PHOTOS.astype(dtype)
    got = HOG().fit_transform(images)
    assert got.dtype == dtype
    assert_allclose(got, by_skimage(PHOTOS, cells_per_block=(2, 2)), rtol=1e-5, atol=1e-6)
    assert_allclose(got, HOG().fit_transform(PHOTOS), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 3])
def test_random_floats_equal_skimage(dtype, channels):
    """Random numbers have no ties, and one in 1e12 is near enough to a bin's edge."""
    images = RNG.normal(size=(3, 40, 33, channels)).astype(dtype)
    options = {"cells_per_block": (2, 2), "orientations": 8}
    assert_allclose(hog(images, **options), by_skimage(images, **options), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("images", [NOISE, PHOTOS], ids=["noise", "photos"])
def test_bytes_by_255_equal_skimage(images):
    grey = images[..., 1] / 255  # of one channel: rounding makes and breaks ties of three
    options = {"cells_per_block": (2, 2), "orientations": 9}
    got = hog(grey[..., np.newaxis], **options)
    # scikit-image adds up in float32, whatever the image
    assert_allclose(got, by_skimage(grey, None, **options), rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("orientations", [4, 8, 9])
def test_votes_of_bytes_and_floats_agree_on_ties_and_edges(orientations, signed):
    for images in (NOISE, FLAT_SPOTS):
        bins, magnitudes = pixel_votes(images, orientations, signed)
        float_bins, float_magnitudes = pixel_votes(images.astype(float), orientations, signed)
        assert_array_equal(bins, float_bins)
        assert_allclose(magnitudes, float_magnitudes, rtol=1e-7)


def test_the_lecture_s_10800_numbers():
    images = RNG.integers(0, 256, (1, 240, 320), dtype=np.uint8)
    got = HOG(cells_per_block=(1, 1), block_norm=None).fit_transform(images)
    assert got.shape == (1, 30 * 40 * 9)
    assert by_skimage(images, None).shape == (1, 86_184)  # scikit-image's default


def test_without_normalisation_cells_are_means_of_votes():
    cells = hog(NOISE, cells_per_block=(1, 1), block_norm=None).reshape(4, 3, 4, 9)
    bins, magnitudes = pixel_votes(NOISE.astype(float), 9)
    for k in range(9):
        votes = np.where(bins == k, magnitudes, 0)[:, :24, :32]
        means = votes.reshape(4, 3, 8, 4, 8).mean(axis=(2, 4))
        assert_allclose(cells[..., k], means, rtol=2e-6)


@pytest.mark.parametrize("signed", [False, True])
def test_bins_are_parts_of_the_circle(signed):
    """Every pair of differences of two bytes off the edges, by its angle."""
    gy, gx = RNG.integers(-255, 256, (2, 2000))
    images = np.full((2000, 3, 3, 1), 0, np.uint8)
    images[:, 0, 1, 0], images[:, 2, 1, 0] = np.maximum(-gy, 0), np.maximum(gy, 0)
    images[:, 1, 0, 0], images[:, 1, 2, 0] = np.maximum(-gx, 0), np.maximum(gx, 0)
    turn, k = (360, 7) if signed else (180, 5)
    place = np.degrees(np.arctan2(gy, gx)) % turn * k / turn
    off_edges = abs(place - np.round(place)) > 1e-9
    assert off_edges.sum() > 1900
    for dtype in (np.uint8, np.float32, np.float64):
        bins, magnitudes = pixel_votes(images.astype(dtype), k, signed)
        assert_array_equal(bins[off_edges, 1, 1], np.floor(place[off_edges]))
        assert_allclose(magnitudes[:, 1, 1], np.hypot(gy, gx), rtol=1e-6)
        places, _ = pixel_positions(images.astype(dtype), k, signed)
        assert_allclose(places[off_edges, 1, 1], place[off_edges], atol=1e-6)
        assert places.min() >= 0 and places.max() < k


@pytest.mark.parametrize("votes", [pixel_votes, pixel_positions])
def test_a_workspace_changes_no_number_and_none_is_shared_without(votes):
    workspace = Workspace()
    for images in (NOISE, FLAT_SPOTS[:, :9], NOISE / 255, np.tile(PHOTOS, (1, 2, 2, 1))):
        own = votes(images, 9)
        kept = [a.copy() for a in own]
        votes(images[::-1], 9)
        for a, b, c in zip(own, kept, votes(images, 9, False, workspace), strict=True):
            assert_array_equal(a, b)
            assert_array_equal(a, c)


@pytest.mark.parametrize("signed", [False, True])
def test_cells_are_histograms_of_votes(signed):
    rows, columns = np.array([0, 3, 4, 16]), np.array([0, 11, 12, 30])
    bins, magnitudes = pixel_votes(NOISE, 6, signed)
    cells = cell_histograms(bins, magnitudes, rows, columns, 6)
    assert cells.shape == (4, 3, 3, 6)
    for i, r, c in np.ndindex(4, 3, 3):
        part = np.s_[i, rows[r] : rows[r + 1], columns[c] : columns[c + 1]]
        wanted = np.bincount(bins[part].ravel(), magnitudes[part].ravel(), 6) / bins[part].size
        assert_allclose(cells[i, r, c], wanted, rtol=1e-5)
    again = cell_histograms(bins[::-1], magnitudes[::-1], rows, columns, 6)
    assert_array_equal(again[::-1], cells)  # which the second call has not written to


@pytest.mark.parametrize("block_norm", NORMS)
def test_blocks_are_normalised_neighbouring_cells(block_norm):
    """Every norm applied to plain cells, one block at a time."""
    cells = hog(NOISE[:1], cells_per_block=(1, 1), block_norm=None).reshape(3, 4, 9).astype(float)
    blocks = []
    for y in range(2):
        for x in range(3):
            v = cells[y : y + 2, x : x + 2].ravel()
            if block_norm in ("L1", "L1-sqrt"):
                v = v / (v.sum() + 1e-5)
                v = np.sqrt(v) if block_norm == "L1-sqrt" else v
            elif block_norm:
                v = v / np.hypot(np.linalg.norm(v), 1e-5)
                if block_norm == "L2-Hys":
                    v = np.minimum(v, 0.2)
                    v = v / np.hypot(np.linalg.norm(v), 1e-5)
            blocks.append(v)
    assert_allclose(hog(NOISE[:1], block_norm=block_norm)[0], np.concatenate(blocks), rtol=2e-6)


def slope(degrees):
    """A plane that rises by one a pixel towards a direction, from the right by way of down."""
    y, x = np.mgrid[:24, :24]
    angle = np.deg2rad(degrees)
    return (100 + np.cos(angle) * x + np.sin(angle) * y)[np.newaxis, ..., np.newaxis]


PLAIN = {"cells_per_block": (1, 1), "block_norm": None}


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("k", range(18))
def test_one_slope_fills_one_bin(k, signed):
    orientations = 18 if signed else 9
    cells = hog(slope(20 * k + 10), orientations, signed=signed, **PLAIN)
    centre = cells.reshape(3, 3, -1)[1, 1]
    assert_allclose(centre, 2.0 * (np.arange(orientations) == k % orientations), atol=1e-12)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("degrees", [0, 10, 13, 95.5, 175, 179, 185, 271, 359])
def test_a_slope_between_two_bins_is_shared_by_nearness(degrees, signed):
    turn, orientations = (360, 18) if signed else (180, 9)
    cells = hog(slope(degrees), orientations, signed=signed, voting="linear", **PLAIN)
    centre = cells.reshape(3, 3, -1)[1, 1]
    place = degrees % turn / 20 - 0.5
    lower, share = int(np.floor(place)), place % 1
    wanted = np.zeros(orientations)
    wanted[lower % orientations] += 1 - share
    wanted[(lower + 1) % orientations] += share
    # A cell alone keeps 3/4 of the votes along either axis: tents are cut off at its edges.
    assert_allclose(centre, 2 * 0.75**2 * wanted, atol=1e-9)


# Dalal and Triggs' votes, from the formula, one pixel at a time


def explicit_blocks(image, orientations, rows, columns, block, signed, linear, sigma):
    """Blocks before they are normalised: four loops over pixels, cells and bins of a block."""
    bins, magnitudes = (
        a[0].astype(float) for a in pixel_votes(image[np.newaxis], 4096, signed)
    )  # so many bins that their centre is the direction
    place = (bins + 0.5) * orientations / 4096
    width = orientations
    blocks = []
    for by in range(len(rows) - block[0]):
        for bx in range(len(columns) - block[1]):
            y_edges, x_edges = rows[by : by + block[0] + 1], columns[bx : bx + block[1] + 1]
            v = np.zeros((*block, orientations))
            for y in range(y_edges[0], y_edges[-1]):
                for x in range(x_edges[0], x_edges[-1]):
                    vote = magnitudes[y, x]
                    for at, edges in ((y, y_edges), (x, x_edges)):
                        if sigma is not None:
                            size, middle = edges[-1] - edges[0], (edges[-1] + edges[0]) / 2
                            vote *= np.exp(-((at + 0.5 - middle) ** 2) / (2 * (sigma * size) ** 2))
                    for r in range(block[0]):
                        for c in range(block[1]):
                            share = shared(y, y_edges, r, linear) * shared(x, x_edges, c, linear)
                            area = np.diff(y_edges)[r] * np.diff(x_edges)[c]
                            for k in range(orientations):
                                if linear:
                                    off = abs(place[y, x] - k - 0.5)
                                    off = max(0, 1 - min(off, width - off))
                                else:
                                    off = int(place[y, x]) == k
                                v[r, c, k] += vote * share * off / area
            blocks.append(v)
    return np.array(blocks)


def shared(at, edges, i, linear):
    """The share of a pixel in cell i of a block along one axis."""
    if not linear:
        return edges[i] <= at < edges[i + 1]
    centres = (edges[:-1] + edges[1:]) / 2
    off = at + 0.5 - centres[i]
    next_one = i + (1 if off > 0 else -1)
    if 0 <= next_one < len(centres):
        return max(0, 1 - abs(off / (centres[next_one] - centres[i])))
    return max(0, 1 - abs(off) / (edges[i + 1] - edges[i]))


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
@pytest.mark.parametrize("grid", [None, (3, 2)])
@pytest.mark.parametrize("block", [(1, 1), (2, 2), (3, 1)])
@pytest.mark.parametrize(
    ("signed", "linear", "sigma"),
    [
        (False, True, None),
        (False, False, 0.5),
        (False, True, 0.25),
        (True, True, 0.5),
        (True, False, None),
    ],
)
def test_votes_are_shared_and_weighted_as_dalal_and_triggs_do(
    signed, linear, sigma, block, grid, dtype
):
    image = NOISE[0, :13, :11].astype(dtype)
    rows, columns = np.arange(0, 13, 4), np.arange(0, 11, 5)
    if grid:
        rows, columns = np.array([0, 4, 8, 13]), np.array([0, 5, 11])
    wanted = explicit_blocks(image, 4, rows, columns, block, signed, linear, sigma)
    got = hog(
        image[np.newaxis],
        4,
        (4, 5),
        block,
        None,
        grid,
        signed,
        "linear" if linear else "nearest",
        sigma,
    )
    scale = wanted.max()
    assert_allclose(got, wanted.reshape(1, -1), atol=(2e-3 if linear else 1e-6) * scale)


def test_a_wide_window_is_none():
    plain = hog(NOISE, signed=True)
    assert_allclose(hog(NOISE, signed=True, block_sigma=1e6), plain, rtol=1e-4, atol=1e-6)


def test_a_signed_histogram_folds_to_an_unsigned_one():
    for voting in ("nearest", "linear"):
        options = {"voting": voting, "block_norm": None}
        signed = hog(NOISE, 18, signed=True, **options).reshape(4, -1, 2, 9)
        assert_allclose(signed.sum(axis=2).reshape(4, -1), hog(NOISE, 9, **options), rtol=1e-4)


def test_the_negative_turns_a_signed_histogram_by_half_a_circle():
    grey = NOISE[..., :1]
    for voting in ("nearest", "linear"):
        cells = hog(grey, 8, signed=True, voting=voting, **PLAIN).reshape(-1, 8)
        negative = hog(255 - grey, 8, signed=True, voting=voting, **PLAIN).reshape(-1, 8)
        assert_allclose(negative, np.roll(cells, 4, axis=1), rtol=1e-4, atol=1e-4)
        assert np.abs(negative - cells).max() > 1  # unsigned ones would not change


@modes
def test_shifting_brightness_changes_nothing_and_contrast_scales(mode):
    dark = NOISE // 4
    plain = {"block_norm": None, **mode}
    assert_array_equal(hog(dark + np.uint8(100), **plain), hog(dark, **plain))
    assert_allclose(hog(dark * np.uint8(3), **plain), 3 * hog(dark, **plain), rtol=2e-5)


@modes
def test_turning_by_180_degrees_turns_the_cells(mode):
    def blocks(images):
        return hog(images, 8, **mode).reshape(7, 5, 2, 2, 8)

    turned = blocks(PHOTOS[:1, ::-1, ::-1])
    if "signed" in mode:
        turned = np.roll(turned, 4, axis=-1)
    assert_allclose(turned[::-1, ::-1, ::-1, ::-1], blocks(PHOTOS[:1]), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("mode", [{}, {"block_sigma": 0.5}])
def test_the_negative_has_the_same_features(mode):
    assert_array_equal(hog(255 - PHOTOS, **mode), hog(PHOTOS, **mode))


def test_mirroring_mirrors_the_bins_off_their_edges():
    # With 9 bins only the directions of 0 degrees lie on an edge, and mirror onto themselves.
    image = RNG.random((1, 16, 16, 1))
    cells = hog(image, cells_per_block=(1, 1), block_norm=None).reshape(2, 2, 9)
    _, magnitudes = pixel_votes(image, 9)
    level = np.where(np.isin(np.arange(16), [0, 15])[None, :, None], magnitudes, 0)
    level = level.reshape(2, 8, 2, 8).mean(axis=(1, 3))  # first and last row: 0 degrees
    mirrored = hog(image[:, :, ::-1], cells_per_block=(1, 1), block_norm=None).reshape(2, 2, 9)
    cells[..., 0] -= level
    mirrored[..., 0] -= level[:, ::-1]
    assert_allclose(mirrored, cells[:, ::-1, ::-1], atol=1e-12)


@modes
def test_a_constant_image_has_no_edges(mode):
    for block_norm in NORMS:
        assert not hog(np.full((1, 20, 20, 3), 7, np.uint8), block_norm=block_norm, **mode).any()


# grid


@modes
@pytest.mark.parametrize(("grid", "cell"), [((1, 1), (64, 48)), ((4, 2), (16, 24))])
def test_a_grid_that_divides_evenly_is_a_cell_size(grid, cell, mode):
    assert_array_equal(hog(PHOTOS, grid=grid, **mode), hog(PHOTOS, pixels_per_cell=cell, **mode))


@pytest.mark.parametrize("grid", [(1, 1), (3, 5), (7, 2), (29, 37)])
def test_an_uneven_grid_is_the_mean_of_its_parts(grid):
    got = hog(NOISE, grid=grid, cells_per_block=(1, 1), block_norm=None).reshape(4, *grid, 9)
    bins, magnitudes = pixel_votes(NOISE.astype(float), 9)
    rows, columns = (np.arange(k + 1) * size // k for k, size in zip(grid, (29, 37), strict=True))
    for r in range(grid[0]):
        for c in range(grid[1]):
            part = np.s_[:, rows[r] : rows[r + 1], columns[c] : columns[c + 1]]
            for k in range(9):
                votes = np.where(bins[part] == k, magnitudes[part], 0)
                assert_allclose(got[:, r, c, k], votes.mean(axis=(1, 2)), rtol=5e-6)


@modes
def test_a_grid_gives_images_of_any_size_rows_of_one_length(mode):
    images = [PHOTOS[0], PHOTOS[1, :30], PHOTOS[2, :, :20], PHOTOS[0, :1, :1]]
    transformer = HOG(9, grid=(3, 2), **mode)
    got = transformer.fit_transform(images)
    assert got.shape == (4, 2 * 1 * 4 * 9)
    for row, image in zip(got, images, strict=True):
        assert_array_equal(row, transformer.transform([image])[0])
    with pytest.raises(ValueError, match=r"X\[1\].*set grid=\(rows, columns\)"):
        HOG().fit(images)
    with pytest.raises(ValueError, match="array of rows"):
        transformer.transform(PHOTOS.reshape(3, -1))


# Small images


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (1, 40), (9, 1), (5, 5), (2, 17)])
@pytest.mark.parametrize("grid", [None, (2, 3)])
def test_images_smaller_than_a_cell_repeat_their_border(shape, grid):
    images = NOISE[:, : shape[0], : shape[1]]
    h, w = (max(need, have) for need, have in zip(grid or (8, 8), shape, strict=True))
    enlarged = np.stack(
        [np.pad(i, [(0, h - shape[0]), (0, w - shape[1]), (0, 0)], mode="edge") for i in images]
    )
    assert_array_equal(hog(images, grid=grid), hog(enlarged, grid=grid))


def test_a_block_never_exceeds_the_cells():
    small = NOISE[:, :16, :8]
    assert_array_equal(hog(small, cells_per_block=(3, 3)), hog(small, cells_per_block=(2, 1)))
    assert hog(small, cells_per_block=(3, 3)).shape == (4, 2 * 1 * 9)


# The transformer


@modes
@pytest.mark.parametrize("images", [NOISE, NOISE / 255], ids=["bytes", "floats"])
def test_a_batch_is_its_images_one_at_a_time(images, mode):
    batch = HOG(**mode).fit_transform(images)
    assert_array_equal(batch, np.concatenate([hog(images[i : i + 1], **mode) for i in range(4)]))
    assert_array_equal(batch, HOG(n_jobs=2, **mode).fit_transform(images))
    rows = images.reshape(4, -1)
    assert_array_equal(batch, HOG(image_shape=(29, 37, 3), **mode).fit_transform(rows))


@modes
@pytest.mark.parametrize("block", [(1, 1), (2, 2)])
def test_images_in_strips_are_the_same_to_the_last_bit(block, mode, monkeypatch):
    """A pixel's votes do not depend on the strip that it is in; sums of few strips do not either,
    but for the order of the products that `mode` may ask for."""
    images = RNG.integers(0, 256, (3, 75, 61, 3), dtype=np.uint8)
    whole = hog(images, cells_per_block=block, **mode)
    for length in (1, 61 * 8, 61 * 20):
        monkeypatch.setattr("sklin.features._cells.STRIP", length)
        strips = hog(images, cells_per_block=block, **mode)
        if mode in MODES[:2] and length > 1:  # whole cells
            assert_array_equal(strips, whole)
        assert_allclose(strips, whole, rtol=1e-4, atol=1e-6)


@modes
def test_a_large_image_needs_little_memory_beside_its_features(mode):
    image = RNG.integers(0, 256, (1, 3000, 4000, 1), dtype=np.uint8)
    hog(image[:, :100], **mode)  # tables and scratch
    tracemalloc.start()
    features = hog(image, **mode)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - features.nbytes < 30e6  # 2.5 bytes a pixel


@pytest.mark.parametrize("mode", [{}, {"voting": "linear"}])
def test_one_cell_of_a_large_image_needs_little_memory(mode):
    image = RNG.integers(0, 256, (1, 1000, 4000, 3), dtype=np.uint8)
    tracemalloc.start()
    got = hog(image, grid=(1, 1), block_norm=None, **mode)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30e6
    if not mode:
        _, magnitudes = pixel_votes(image, 9)
        assert_allclose(got.sum(), magnitudes.mean(dtype=float), rtol=1e-5)


def test_feature_names_and_set_output():
    transformer = HOG().set_output(transform="pandas").fit(NOISE)
    frame = transformer.transform(NOISE)
    assert list(frame.columns) == [f"hog{i}" for i in range(2 * 3 * 36)]
    assert_array_equal(frame.to_numpy(), hog(NOISE))


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"orientations": 0}, ValueError, "orientations must be an integer >= 1, got 0"),
        ({"orientations": 9.0}, TypeError, "orientations must be an integer >= 1, got 9.0"),
        ({"orientations": 5000}, ValueError, "orientations must be at most 4096, got 5000"),
        ({"pixels_per_cell": 8}, TypeError, "pixels_per_cell must be a pair.*got 8"),
        ({"pixels_per_cell": (8, 0)}, ValueError, r"pixels_per_cell must be a pair.*\(8, 0\)"),
        ({"cells_per_block": (1, 1, 1)}, ValueError, "cells_per_block must be a pair"),
        ({"block_norm": "L3"}, ValueError, "block_norm must be one of 'L1', .* None, got 'L3'"),
        ({"grid": 4}, TypeError, "grid must be a pair.*got 4"),
        ({"grid": (0, 4)}, ValueError, "grid must be a pair"),
        ({"signed": 1}, TypeError, "signed must be True or False, got 1"),
        ({"voting": "cubic"}, ValueError, "voting must be one of 'nearest', 'linear', got 'cubic'"),
        ({"block_sigma": "8"}, TypeError, "block_sigma must be None or a finite number > 0.*'8'"),
        ({"block_sigma": True}, TypeError, "block_sigma must be None .* got True"),
        ({"block_sigma": 0.0}, ValueError, "block_sigma must be None .* got 0.0"),
        ({"block_sigma": np.nan}, ValueError, "block_sigma must be None .* got nan"),
    ],
)
def test_wrong_parameters_are_refused_in_fit(params, error, message):
    with pytest.raises(error, match=message):
        HOG(**params).fit(NOISE)


def test_fit_changes_no_parameter():
    transformer = HOG(pixels_per_cell=[8, 8], grid=[2, 2], image_shape=[29, 37, 3])
    before = dict(transformer.get_params())
    transformer.fit(NOISE)
    assert transformer.get_params() == before


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_floats_without_squares_are_refused(scale):
    with pytest.raises(ValueError, match=r"X has values up to 2\.55e[+-].*Scale the images"):
        HOG().fit(NOISE * scale)
    with pytest.raises(ValueError, match="Scale the images"):
        HOG(grid=(2, 2)).fit(list(NOISE / 255)).transform(list(NOISE * scale))


@pytest.mark.parametrize("scale", [2.0**-390, 2.0**390])
def test_the_unit_of_the_pixels_scales_the_votes(scale):
    options = {"block_norm": None}
    got = HOG(**options).fit_transform(NOISE * scale)
    assert_allclose(got / scale, HOG(**options).fit_transform(NOISE * 1.0), rtol=1e-12)
