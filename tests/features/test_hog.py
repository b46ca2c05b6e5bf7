"""HoG held against scikit-image, the lecture and its own symmetries."""

import numpy as np
import pytest
import skimage.feature
from numpy.testing import assert_allclose, assert_array_equal
from skimage import data

from sklin.features import HOG
from sklin.features._gradients import pixel_votes
from sklin.features._hog import hog

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


@pytest.mark.parametrize("orientations", [4, 9])
def test_votes_of_bytes_and_floats_agree_on_ties_and_edges(orientations):
    for images in (NOISE, FLAT_SPOTS):
        bins, magnitudes = pixel_votes(images, orientations)
        float_bins, float_magnitudes = pixel_votes(images.astype(float), orientations)
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
    _, magnitudes = pixel_votes(image, 9)
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
    bins, magnitudes = pixel_votes(NOISE.astype(float), 9)
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
