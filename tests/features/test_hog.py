"""HoG held against scikit-image, the lecture and its own symmetries."""

import tracemalloc

import numpy as np
import pytest
import skimage.feature
from numpy.testing import assert_allclose, assert_array_equal
from skimage import data

from sklin.features import HOG
from sklin.features import _hog as module
from sklin.features._gradients import VotesOfBytes, VotesOfFloats
from sklin.features._hog import cell_histograms, hog

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (4, 29, 37, 3), dtype=np.uint8)
FLAT_SPOTS = RNG.integers(0, 3, (4, 29, 37, 3), dtype=np.uint8)  # ties and diagonal edges abound
PHOTOS = np.stack([data.astronaut()[i : i + 64, i : i + 48] for i in (0, 100, 200)])
NORMS = ["L1", "L1-sqrt", "L2", "L2-Hys", None]


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


def votes_of(images, kind=VotesOfFloats, orientations=9, signed=False):
    """Bins and magnitudes (n, h, w) of images."""
    n, h, w, _ = images.shape
    dtype = np.float32 if images.dtype == np.uint8 else images.dtype
    votes = kind((n, h, w), dtype, orientations, signed)
    votes.cast(images, 0, h)
    return (a.reshape(n, h + 2, w)[:, 1:-1] for a in (votes.bins, votes.magnitudes))


@pytest.mark.parametrize("orientations", [4, 9])
@pytest.mark.parametrize("signed", [False, True])
def test_votes_of_bytes_and_floats_agree_on_ties_and_edges(orientations, signed):
    for images in (NOISE, FLAT_SPOTS):
        bins, magnitudes = votes_of(images, VotesOfBytes, orientations, signed)
        float_bins, float_magnitudes = votes_of(
            images.astype(float), VotesOfFloats, orientations, signed
        )
        assert_array_equal(bins, float_bins)
        assert_allclose(magnitudes, float_magnitudes, rtol=1e-7)


def test_the_lecture_s_10800_numbers():
    images = RNG.integers(0, 256, (1, 240, 320), dtype=np.uint8)
    got = HOG(cells_per_block=(1, 1), block_norm=None).fit_transform(images)
    assert got.shape == (1, 30 * 40 * 9)
    assert by_skimage(images, None).shape == (1, 86_184)  # scikit-image's default


def test_without_normalisation_cells_are_means_of_votes():
    cells = hog(NOISE, cells_per_block=(1, 1), block_norm=None).reshape(4, 3, 4, 9)
    bins, magnitudes = votes_of(NOISE.astype(float))
    for k in range(9):
        votes = np.where(bins == k, magnitudes, 0)[:, :24, :32]
        means = votes.reshape(4, 3, 8, 4, 8).mean(axis=(2, 4))
        assert_allclose(cells[..., k], means, rtol=2e-6)


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


@pytest.mark.parametrize("k", range(9))
def test_one_slope_fills_one_bin(k):
    angle = np.deg2rad(20 * k + 10)
    y, x = np.mgrid[:24, :24]
    image = 100 + np.cos(angle) * x + np.sin(angle) * y
    cells = hog(image[np.newaxis, ..., np.newaxis], cells_per_block=(1, 1), block_norm=None)
    centre = cells.reshape(3, 3, 9)[1, 1]
    assert_allclose(centre, 2.0 * (np.arange(9) == k), atol=1e-12)


def test_shifting_brightness_changes_nothing_and_contrast_scales():
    dark = NOISE // 4
    plain = {"cells_per_block": (1, 1), "block_norm": None}
    assert_array_equal(hog(dark + np.uint8(100), **plain), hog(dark, **plain))
    assert_allclose(hog(dark * np.uint8(3), **plain), 3 * hog(dark, **plain), rtol=2e-6)


def test_turning_by_180_degrees_turns_the_cells():
    image = PHOTOS[:1]
    cells = hog(image, cells_per_block=(1, 1), block_norm=None).reshape(8, 6, 9)
    turned = hog(image[:, ::-1, ::-1], cells_per_block=(1, 1), block_norm=None).reshape(8, 6, 9)
    assert_allclose(turned, cells[::-1, ::-1], rtol=2e-6)


def test_the_negative_has_the_same_features():
    assert_array_equal(hog(255 - PHOTOS), hog(PHOTOS))


def test_mirroring_mirrors_the_bins_off_their_edges():
    # With 9 bins only the directions of 0 degrees lie on an edge, and mirror onto themselves.
    image = RNG.random((1, 16, 16, 1))
    cells = hog(image, cells_per_block=(1, 1), block_norm=None).reshape(2, 2, 9)
    _, magnitudes = votes_of(image)
    level = np.where(np.isin(np.arange(16), [0, 15])[None, :, None], magnitudes, 0)
    level = level.reshape(2, 8, 2, 8).mean(axis=(1, 3))  # first and last row: 0 degrees
    mirrored = hog(image[:, :, ::-1], cells_per_block=(1, 1), block_norm=None).reshape(2, 2, 9)
    cells[..., 0] -= level
    mirrored[..., 0] -= level[:, ::-1]
    assert_allclose(mirrored, cells[:, ::-1, ::-1], atol=1e-12)


def test_a_constant_image_has_no_edges():
    for block_norm in NORMS:
        assert not hog(np.full((1, 20, 20, 3), 7, np.uint8), block_norm=block_norm).any()


# grid


@pytest.mark.parametrize(("grid", "cell"), [((1, 1), (64, 48)), ((4, 2), (16, 24))])
def test_a_grid_that_divides_evenly_is_a_cell_size(grid, cell):
    assert_array_equal(hog(PHOTOS, grid=grid), hog(PHOTOS, pixels_per_cell=cell))


@pytest.mark.parametrize("grid", [(1, 1), (3, 5), (7, 2), (29, 37)])
def test_an_uneven_grid_is_the_mean_of_its_parts(grid):
    got = hog(NOISE, grid=grid, cells_per_block=(1, 1), block_norm=None).reshape(4, *grid, 9)
    bins, magnitudes = votes_of(NOISE.astype(float))
    rows, columns = (np.arange(k + 1) * size // k for k, size in zip(grid, (29, 37), strict=True))
    for r in range(grid[0]):
        for c in range(grid[1]):
            part = np.s_[:, rows[r] : rows[r + 1], columns[c] : columns[c + 1]]
            for k in range(9):
                votes = np.where(bins[part] == k, magnitudes[part], 0)
                assert_allclose(got[:, r, c, k], votes.mean(axis=(1, 2)), rtol=5e-6)


def test_a_grid_gives_images_of_any_size_rows_of_one_length():
    images = [PHOTOS[0], PHOTOS[1, :30], PHOTOS[2, :, :20], PHOTOS[0, :1, :1]]
    transformer = HOG(grid=(3, 2))
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


@pytest.mark.parametrize("images", [NOISE, NOISE / 255], ids=["bytes", "floats"])
def test_a_batch_is_its_images_one_at_a_time(images):
    batch = HOG().fit_transform(images)
    assert_array_equal(batch, np.concatenate([hog(images[i : i + 1]) for i in range(4)]))
    assert_array_equal(batch, HOG(n_jobs=2).fit_transform(images))
    rows = images.reshape(4, -1)
    assert_array_equal(batch, HOG(image_shape=(29, 37, 3)).fit_transform(rows))


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
        ({"voting": "both"}, ValueError, "voting must be one of 'nearest', 'linear', got 'both'"),
        ({"block_sigma": 0}, ValueError, "block_sigma must be a finite number > 0, got 0"),
        ({"block_sigma": "wide"}, TypeError, "block_sigma must be .* got 'wide'"),
        ({"block_sigma": np.inf}, ValueError, "block_sigma must be .* got inf"),
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


# The full circle, votes for two bins, blocks with a centre


def cells_by_loop(image, orientations, cell, signed, voting, weight=lambda y, x: 1.0):
    """Mean votes of cells, pixel by pixel from the formulas, (rows, columns, orientations)."""
    h, w, _ = image.shape
    cells = np.zeros((h // cell, w // cell, orientations))
    turn = 360 if signed else 180
    for y, x in np.ndindex(h // cell * cell, w // cell * cell):
        best = (-1.0, 0.0, 0.0)
        for plane in np.moveaxis(image.astype(float), -1, 0):
            gy = plane[y + 1, x] - plane[y - 1, x] if 0 < y < h - 1 else 0.0
            gx = plane[y, x + 1] - plane[y, x - 1] if 0 < x < w - 1 else 0.0
            if np.hypot(gy, gx) > best[0]:
                best = (np.hypot(gy, gx), gy, gx)
        magnitude, gy, gx = best
        position = np.degrees(np.arctan2(gy, gx)) % turn / (turn / orientations)
        vote = magnitude * weight(y, x) / cell**2
        if voting == "nearest":
            cells[y // cell, x // cell, int(position)] += vote
        else:
            lower = int(np.floor(position - 0.5))
            share = position - 0.5 - lower
            cells[y // cell, x // cell, lower % orientations] += vote * (1 - share)
            cells[y // cell, x // cell, (lower + 1) % orientations] += vote * share
    return cells


def off_the_edges(images):
    """Images whose channels do not tie and whose directions lie on no bin's edge."""
    return images + RNG.uniform(0, 1e-3, images.shape)


@pytest.mark.parametrize("orientations", [4, 9])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("voting", ["nearest", "linear"])
def test_votes_equal_an_explicit_loop(orientations, signed, voting):
    images = off_the_edges(NOISE[:2])
    got = HOG(
        orientations,
        (5, 5),
        (1, 1),
        None,
        signed=signed,
        voting=voting,
    ).fit_transform(images)
    expected = [cells_by_loop(image, orientations, 5, signed, voting) for image in images]
    assert_allclose(got, np.reshape(expected, (2, -1)), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("voting", ["nearest", "linear"])
def test_bytes_have_the_votes_of_their_floats(signed, voting):
    options = {"signed": signed, "voting": voting, "orientations": 7}
    floats = HOG(**options).fit_transform(NOISE.astype(float))
    assert_allclose(HOG(**options).fit_transform(NOISE), floats, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("sigma", [0.5, 2.0])
@pytest.mark.parametrize("block", [(2, 2), (3, 1)])
def test_blocks_with_a_centre_equal_an_explicit_loop(block, sigma):
    """Dalal and Triggs: a Gaussian over the pixels of each block, half a block wide."""
    image, cell = off_the_edges(NOISE[0]), 6
    got = HOG(9, (cell, cell), block, "L2", voting="linear", block_sigma=sigma).fit_transform(
        image[np.newaxis]
    )
    height, width = block[0] * cell, block[1] * cell
    expected = []
    for top in range(0, 29 // cell - block[0] + 1):
        for left in range(0, 37 // cell - block[1] + 1):

            def weight(y, x, top=top, left=left):
                t = (y + 0.5 - top * cell) / height - 0.5, (x + 0.5 - left * cell) / width - 0.5
                return np.exp(-(t[0] ** 2 + t[1] ** 2) / (2 * sigma**2))

            cells = cells_by_loop(image, 9, cell, False, "linear", weight)
            v = cells[top : top + block[0], left : left + block[1]].ravel()
            expected.append(v / np.sqrt((v**2).sum() + 1e-10))
    assert_allclose(got[0], np.ravel(expected), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("grid", [None, (3, 4)])
def test_a_wide_gaussian_is_none(grid):
    options = {"grid": grid, "voting": "linear"}
    wide = HOG(block_sigma=1e6, **options).fit_transform(NOISE / 255)
    assert_allclose(wide, HOG(**options).fit_transform(NOISE / 255), rtol=1e-9)


def test_opposite_directions_fold_into_the_half_circle():
    options = {"cells_per_block": (1, 1), "block_norm": None}
    full = HOG(18, signed=True, **options).fit_transform(NOISE).reshape(4, -1, 2, 9)
    half = HOG(9, **options).fit_transform(NOISE).reshape(4, -1, 9)
    assert_allclose(full.sum(axis=2), half, rtol=1e-5)


def test_the_negative_turns_signed_directions_around():
    options = {"cells_per_block": (1, 1), "block_norm": None, "signed": True}
    images = off_the_edges(NOISE)
    cells, negative = (
        HOG(8, **options).fit_transform(x).reshape(4, -1, 8) for x in (images, -images)
    )
    assert_allclose(np.roll(cells, 4, axis=-1), negative, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("voting", ["nearest", "linear"])
def test_shared_votes_are_as_many(voting):
    options = {"cells_per_block": (1, 1), "block_norm": None}
    votes = HOG(voting=voting, **options).fit_transform(NOISE).reshape(4, -1, 9).sum(axis=-1)
    plain = HOG(1, **options).fit_transform(NOISE)
    assert_allclose(votes, plain, rtol=1e-5)


# Strips


@pytest.mark.parametrize("images", [NOISE, NOISE / 255], ids=["bytes", "floats"])
@pytest.mark.parametrize("grid", [None, (3, 2), (1, 1)])
def test_strips_change_nothing(images, grid, monkeypatch):
    transformer = HOG(grid=grid).fit(images)
    whole = transformer.transform(images)
    for pixels in (1, 37 * 3, 37 * 9, 37 * 29 * 2):
        monkeypatch.setattr(module, "PIXELS_PER_STRIP", pixels)
        # Sums of a cell's rows in another order, where a strip is lower than a cell.
        assert_allclose(transformer.transform(images), whole, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("grid", [None, (1, 1), (7, 5)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_large_photographs_need_little_memory(grid, dtype):
    """Twelve megapixels, where one number a pixel would be 48 megabytes."""
    image = np.zeros((1, 3000, 4000, 1), dtype)
    image[:, ::7, ::5] = 200
    transformer = HOG(grid=grid).fit(image)
    tracemalloc.start()
    features = transformer.transform(image)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Beside the features, their cells and their blocks before and after normalisation.
    assert peak < 3 * features.nbytes + 20e6


def test_differences_too_large_to_square_are_no_error():
    images = (NOISE[..., :1] - 128.0) * 1e300
    got = HOG(block_norm=None).fit_transform(images)
    assert_allclose(got, HOG(block_norm=None).fit_transform(NOISE[..., :1] - 128.0) * 1e300)


def test_cells_of_part_of_an_image_are_those_of_the_image():
    rows, columns = np.array([0, 4, 11, 20]), np.array([0, 9, 30])
    cells = cell_histograms(NOISE, rows, columns, 9)
    assert cells.shape == (4, 3, 2, 9)
    finer = cell_histograms(NOISE, np.arange(0, 21), np.arange(0, 31), 9)
    for i, j in np.ndindex(3, 2):
        part = finer[:, rows[i] : rows[i + 1], columns[j] : columns[j + 1]]
        assert_allclose(cells[:, i, j], part.mean(axis=(1, 2)), rtol=1e-5)
