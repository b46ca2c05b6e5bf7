"""Colour histograms held against exact fractions, scikit-image and their own symmetries."""

import tracemalloc
import warnings
from fractions import Fraction
from itertools import product
from math import prod

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from skimage import color, data

from sklin.features import ColorHistogram
from sklin.features import _color_histogram as module
from sklin.features._color_histogram import COLOR_SPACES, color_histogram
from sklin.features._color_spaces import _bin, coordinates, nearest_bins

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (4, 13, 17, 3), dtype=np.uint8)
THREE_CHANNELS = ("hsv", "rgb", "opponent", "lab")
# Every way to vote: all spaces, alone and jointly, hard and soft, and by weight.
WAYS = [
    {"color_space": space, "joint": joint, "voting": voting}
    for space, joint, voting in product(COLOR_SPACES, (True, False), ("nearest", "linear"))
] + [
    {"color_space": "hue", "weights": "saturation", "voting": voting}
    for voting in ("nearest", "linear")
]
PHOTOS = np.stack([data.astronaut()[i : i + 64, i : i + 48] for i in (0, 100, 200)])


def exact_coordinates(pixel, color_space):
    """The coordinates of one byte pixel as fractions, by their definitions."""
    r, g, b = map(int, pixel)
    high, low = max(r, g, b), min(r, g, b)
    delta = high - low
    if color_space == "rgb":
        return [Fraction(v, 255) for v in (r, g, b)]
    if color_space == "opponent":
        return (
            Fraction(r - g + 255, 510),
            Fraction(r + g - 2 * b + 510, 1020),
            Fraction(r + g + b, 765),
        )
    if delta == 0:
        hue = Fraction(0)
    elif high == r:
        hue = Fraction(g - b, delta) % 6
    elif high == g:
        hue = Fraction(b - r, delta) + 2
    else:
        hue = Fraction(r - g, delta) + 4
    return (hue / 6, Fraction(delta, high or 1), Fraction(high, 255))[
        : 1 if color_space == "hue" else 3
    ]


def exact_bin(x, bins):
    return min(int(x * bins), bins - 1)


def pixels_near_the_edges():
    """Every combination of a few levels: ties, greys and hues on the edges of bins."""
    levels = [0, 1, 2, 3, 51, 85, 127, 128, 170, 254, 255]
    return np.array(list(product(levels, repeat=3)), dtype=np.uint8)


PIXELS = np.concatenate([pixels_near_the_edges(), RNG.integers(0, 256, (500, 3), dtype=np.uint8)])


@pytest.mark.parametrize("color_space", ["hsv", "rgb", "opponent"])
@pytest.mark.parametrize("bins", [1, 2, 3, 6, 7, 12, 16, 36, 256, 360, 1024, 1025, 2000])
def test_bytes_fall_into_exactly_the_right_bins(bins, color_space):
    exact = [exact_coordinates(pixel, color_space) for pixel in PIXELS]
    images = PIXELS[np.newaxis, np.newaxis]
    got = nearest_bins(images, [bins] * 3, color_space)
    by_coordinates = [_bin(*fraction, bins) for fraction in coordinates(images, color_space)]
    for axis in range(3):
        expected = [exact_bin(x[axis], bins) for x in exact]
        assert_array_equal(got[axis][0, 0], expected)
        assert_array_equal(by_coordinates[axis][0, 0], expected)


@pytest.mark.parametrize("bins", [1, 6, 7, 12, 36, 100, 1024, 1025])
def test_every_fraction_of_bytes_divides_exactly(bins):
    """All that _bin can meet: numerators up to denominators that are bytes or six times bytes."""
    for denominators in (np.arange(1, 256), 6 * np.arange(1, 256)):
        numerators, denominators = np.meshgrid(np.arange(1531), denominators)
        keep = numerators <= denominators
        a, b = numerators[keep].astype(np.int16), denominators[keep].astype(np.int16)
        exact = np.minimum(bins * a.astype(np.int64) // b, bins - 1)
        assert_array_equal(_bin(a, b, bins), exact)


@pytest.mark.parametrize("bins", [1, 2, 3, 7, 64, 65, 255, 257, 5000])
@pytest.mark.parametrize("denominator", [255, 510, 765, 1020])
def test_every_fraction_of_one_denominator_divides_exactly(bins, denominator):
    numerators = np.arange(denominator + 1, dtype=np.int16)
    exact = np.minimum(bins * numerators.astype(np.int64) // denominator, bins - 1)
    assert_array_equal(_bin(numerators, denominator, bins), exact)


@pytest.mark.parametrize("color_space", ["hue", "hsv", "rgb", "opponent"])
def test_histograms_count_exact_bins(color_space):
    """One pixel an image, against fractions, per channel and joint."""
    bins = 4 if color_space == "hue" else (4, 3, 5)
    sizes = (4,) if color_space == "hue" else bins
    images = PIXELS[::7, np.newaxis, np.newaxis]
    alone, joint = np.zeros((len(images), sum(sizes))), np.zeros((len(images), *sizes))
    for i, pixel in enumerate(images[:, 0, 0]):
        x = exact_coordinates(pixel, color_space)
        found = list(map(exact_bin, x, sizes))
        alone[i, np.cumsum((0, *sizes[:-1])) + found] += 1
        joint[(i, *found)] += 1
    assert_array_equal(color_histogram(images, bins, color_space, joint=False), alone)
    got = color_histogram(images, bins, color_space, joint=True)
    assert_array_equal(got, joint.reshape(len(images), -1))


def test_opponent_coordinates_are_the_rotated_cube_scaled_to_the_unit_interval():
    """Orthogonal axes in place of r, g and b, moved and scaled by the corners of the cube."""
    axes = np.array([[1, -1, 0], [1, 1, -2], [1, 1, 1]]) / np.sqrt([[2], [6], [3]])
    assert_allclose(axes @ axes.T, np.eye(3), atol=1e-15)
    corners = np.array(list(product((0, 1), repeat=3))) @ axes.T
    low, high = corners.min(axis=0), corners.max(axis=0)
    expected = (NOISE / 255 @ axes.T - low) / (high - low)
    for images in (NOISE, NOISE / 255):
        for axis, (numerator, denominator) in enumerate(coordinates(images, "opponent")):
            assert_allclose(numerator / denominator, expected[..., axis], atol=1e-15)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(np.uint8, 2e-6), (np.float32, 2e-6), (np.float64, 1e-6)]
)
def test_lab_is_that_of_skimage(dtype, tolerance):
    """All greys, the dark and many others; where two pieces meet, its f jumps by 3e-7."""
    greys = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(-1, 3)
    dark = np.array(list(product(range(0, 30, 3), repeat=3)), dtype=np.uint8)
    pixels = np.concatenate([PIXELS, greys, dark])[np.newaxis, np.newaxis]
    lab = color.rgb2lab(pixels)
    expected = lab / [100, 220, 220] + [0, 0.5, 0.5]
    images = pixels if dtype == np.uint8 else (pixels / 255).astype(dtype)
    got = coordinates(images, "lab")
    for axis, (numerator, denominator) in enumerate(got):
        assert numerator.dtype == (np.float64 if dtype == np.float64 else np.float32)
        assert_allclose(numerator / denominator, expected[..., axis], rtol=0, atol=tolerance)


def test_no_colour_leaves_the_range_of_lab():
    """The gamut's extremes lie on the faces of the cube."""
    face = np.stack(np.meshgrid(np.arange(256), np.arange(256), indexing="ij"), axis=-1)
    for axis, value in product(range(3), (0, 255)):
        images = np.insert(face, axis, value, axis=-1).astype(np.uint8)[np.newaxis]
        for numerator, denominator in coordinates(images, "lab"):
            assert numerator.min() >= -1e-6
            assert numerator.max() <= denominator + 1e-6


@pytest.mark.parametrize("color_space", ["hsv", "lab"])
@pytest.mark.parametrize("images", [NOISE, PHOTOS], ids=["noise", "photos"])
def test_equals_skimage_and_numpy_away_from_the_edges(images, color_space):
    """With 13, 11 and 7 bins few pixels lie on an edge, and those are left out."""
    bins = (13, 11, 7)
    if color_space == "hsv":
        points, tolerance = color.rgb2hsv(images), 1e-9
    else:
        points, tolerance = color.rgb2lab(images) / [100, 220, 220] + [0, 0.5, 0.5], 2e-6 * 13
    position = points * bins
    safe = (abs(position - position.round()) > tolerance).all(axis=-1)
    assert safe.mean() > 0.8
    for image, mask, xs in zip(images, safe, points, strict=True):
        pixels, kept = image[mask][np.newaxis, np.newaxis], xs[mask]
        per_channel = [np.histogram(kept[:, k], bins[k], range=(0, 1))[0] for k in range(3)]
        got = color_histogram(pixels, bins, color_space, joint=False, normalize=False)
        assert_array_equal(got[0], np.concatenate(per_channel))
        joint, _ = np.histogramdd(kept, bins, range=[(0, 1)] * 3)
        got = color_histogram(pixels, bins, color_space, normalize=False)
        assert_array_equal(got[0], joint.ravel())


@pytest.mark.parametrize("bins", [2, 4, 8, 16, 32, 64, 128, 256])
def test_powers_of_two_are_shifts(bins):
    level = np.arange(256, dtype=np.uint8)
    images = np.repeat(level, 3).reshape(256, 1, 1, 3)
    got = color_histogram(images, bins, joint=False)[:, :bins]
    assert_array_equal(got.argmax(axis=1), level >> (8 - bins.bit_length() + 1))


@pytest.mark.parametrize("color_space", COLOR_SPACES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_agree_with_bytes_away_from_the_edges(color_space, dtype):
    images = (NOISE / np.array(255, dtype)).astype(dtype)
    got = color_histogram(images, 11, color_space, joint=False, normalize=False)
    assert got.dtype == dtype
    expected = color_histogram(NOISE, 11, color_space, joint=False, normalize=False)
    # A pixel on an edge may fall to either side; 3 in 200 do with float32.
    assert abs(got - expected).sum() <= 0.03 * got.sum()
    red = dtype([[[[1, 0, 0], [0, 0, 1]]]])
    assert_array_equal(color_histogram(red, 3, "hue"), [[0.5, 0, 0.5]])


def test_floats_outside_the_unit_interval_are_clipped():
    images = RNG.normal(size=(3, 5, 7, 3)) * 10
    for way in WAYS:
        got = color_histogram(images, 5, **way)
        assert_array_equal(got, color_histogram(images.clip(0, 1), 5, **way))
    with pytest.warns(UserWarning, match=r"ColorHistogram clips floats to \[0, 1\]"):
        ColorHistogram().fit(images)
    with pytest.warns(UserWarning, match="clips floats"):
        ColorHistogram().fit([images[0], images[1, :2]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ColorHistogram().fit(images.clip(0, 1))
        ColorHistogram().fit(images[..., 0])


def test_a_grey_image_is_a_colour_image_of_equal_channels():
    grey = NOISE[..., :1]
    for images in (grey, grey / 255):
        for way in WAYS:
            assert_array_equal(
                color_histogram(images, 5, **way),
                color_histogram(np.repeat(images, 3, axis=-1), 5, **way),
            )


def test_greys_have_the_hue_of_red():
    greys = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 16, 16, 3)
    assert_array_equal(color_histogram(greys, 6, "hue"), [[1, 0, 0, 0, 0, 0]])


# Laws


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_pixels_may_change_places(way):
    expected = color_histogram(NOISE, 5, **way)
    shuffled = RNG.permutation(NOISE.reshape(4, -1, 3), axis=1).reshape(NOISE.shape)
    # A picture of four copies has the same proportions.
    for images in (shuffled, NOISE[:, ::-1, ::-1], np.tile(NOISE, (1, 2, 2, 1))):
        assert_allclose(color_histogram(images, 5, **way), expected, rtol=1e-6)


def test_swapping_channels_swaps_the_axes():
    got = color_histogram(NOISE[..., ::-1], (5, 4, 3)).reshape(4, 5, 4, 3)
    assert_array_equal(
        got.transpose(0, 3, 2, 1), color_histogram(NOISE, (3, 4, 5)).reshape(4, 3, 4, 5)
    )


@pytest.mark.parametrize("weights", [None, "saturation"])
@pytest.mark.parametrize("voting", ["nearest", "linear"])
def test_turning_red_to_green_to_blue_turns_the_hue(weights, voting):
    # The hue of a byte pixel that is not grey moves by exactly a third of the circle.
    colourful = NOISE[(NOISE.max(-1) > NOISE.min(-1))][np.newaxis, np.newaxis]
    options = {"bins": 12, "color_space": "hue", "weights": weights, "voting": voting}
    got = color_histogram(np.roll(colourful, 1, axis=-1), **options)
    assert_allclose(got, np.roll(color_histogram(colourful, **options), 4, axis=1), rtol=1e-6)


@pytest.mark.parametrize("color_space", THREE_CHANNELS)
@pytest.mark.parametrize("voting", ["nearest", "linear"])
def test_marginals_of_the_joint_histogram_are_the_channels(color_space, voting):
    bins = (3, 4, 5)
    options = {"color_space": color_space, "normalize": False, "voting": voting}
    joint = color_histogram(NOISE, bins, **options).reshape(4, *bins)
    marginals = [joint.sum((2, 3)), joint.sum((1, 3)), joint.sum((1, 2))]
    expected = color_histogram(NOISE, bins, joint=False, **options)
    assert_allclose(np.hstack(marginals), expected, rtol=1e-5)
    if color_space == "hsv":
        hue = color_histogram(NOISE, 3, **{**options, "color_space": "hue"})
        assert_allclose(hue, marginals[0], rtol=1e-5)


def test_normalised_counts_are_proportions():
    counts = color_histogram(PHOTOS, normalize=False)
    assert_array_equal(counts.sum(axis=1), 64 * 48)
    assert_allclose(color_histogram(PHOTOS), counts / (64 * 48), rtol=1e-7)


# Weights


def test_pixels_vote_with_their_saturation():
    images = PIXELS[:1824].reshape(4, 24, 19, 3)
    expected = [[Fraction(0)] * 7 for _ in images]
    for row, image in zip(expected, images, strict=True):
        for pixel in image.reshape(-1, 3):
            hue, saturation, _ = exact_coordinates(pixel, "hsv")
            row[exact_bin(hue, 7)] += saturation
    got = color_histogram(images, 7, "hue", weights="saturation", normalize=False)
    assert_allclose(got, np.array(expected, dtype=float), rtol=1e-6)
    proportions = color_histogram(images, 7, "hue", weights="saturation")
    assert_allclose(proportions, got / (24 * 19), rtol=1e-6)


def test_greys_have_no_vote_and_pure_colours_a_whole_one():
    greys = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 16, 16, 3)
    pure = NOISE.copy()
    pure[..., 1] = 0
    for scale, voting in product((np.uint8(1), 1 / 255), ("nearest", "linear")):
        options = {"bins": 6, "color_space": "hue", "voting": voting}
        got = color_histogram(greys * scale, weights="saturation", **options)
        assert_array_equal(got, np.zeros((1, 6)))
        got = color_histogram(pure * scale, weights="saturation", **options)
        assert_allclose(got, color_histogram(pure * scale, **options), rtol=1e-6)


# Linear voting


def votes_in_a_loop(image, bins, color_space, joint):
    """Pixel by pixel and bin by bin: the hat function of the distance to every centre."""
    sizes = (bins,) if color_space == "hue" else bins
    if color_space == "lab":
        points = color.rgb2lab(image) / [100, 220, 220] + [0, 0.5, 0.5]
    histogram = np.zeros(sizes if joint else sum(sizes))
    for where in np.ndindex(image.shape[:2]):
        if color_space == "lab":
            xs = points[where]
        else:
            xs = map(float, exact_coordinates(image[where], color_space))
        hats = []
        for axis, (x, size) in enumerate(zip(xs, sizes, strict=True)):
            centres = (np.arange(size) + 0.5) / size
            if axis == 0 and color_space in ("hue", "hsv"):
                distance = np.min([abs(x - centres + turn) for turn in (-1, 0, 1)], axis=0)
            else:
                distance = abs(np.clip(x, centres[0], centres[-1]) - centres)
            hats.append(np.maximum(0, 1 - size * distance))
        if joint:
            histogram += hats[0] if len(hats) == 1 else np.einsum("i,j,k->ijk", *hats)
        else:
            histogram += np.concatenate(hats)
    return histogram.ravel()


@pytest.mark.parametrize("color_space", COLOR_SPACES)
@pytest.mark.parametrize("joint", [True, False])
def test_linear_voting_is_a_hat_around_every_centre(color_space, joint):
    bins = 4 if color_space == "hue" else (4, 3, 5)
    images = np.concatenate([PIXELS[::40], PIXELS[1331::8]])[np.newaxis, :90].reshape(1, 9, 10, 3)
    expected = votes_in_a_loop(images[0], bins, color_space, joint)
    for x in (images, images / 255):
        got = color_histogram(x, bins, color_space, joint, voting="linear", normalize=False)
        assert_allclose(got[0], expected, rtol=1e-5, atol=2e-4)


def test_a_colour_at_a_centre_votes_for_its_bin_alone():
    centres = (np.arange(4) + 0.5) / 4
    images = np.array(list(product(centres, repeat=3))).reshape(64, 1, 1, 3)
    assert_array_equal(color_histogram(images, 4, voting="linear"), np.eye(64))


@pytest.mark.parametrize("way", [way for way in WAYS if way["voting"] == "linear"], ids=str)
def test_linear_voting_is_continuous(way):
    """A small step of colours that are not grey moves few votes, also across red."""
    x = np.array([[1, 1e-7, 0], [0.5, 0.2, 0.2 + 1e-7], [0.7, 0.3, 0.1]]).reshape(3, 1, 1, 3)
    y = np.array([[1, 0, 1e-7], [0.5, 0.2 + 1e-7, 0.2], [0.7, 0.3, 0.1 + 1e-7]]).reshape(x.shape)
    difference = color_histogram(x, 6, **way) - color_histogram(y, 6, **way)
    assert 0 < abs(difference).max() < 1e-5


# Grid and bands


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("normalize", [True, False])
def test_a_grid_is_the_histograms_of_its_cells(way, normalize):
    options = {"bins": 3, "normalize": normalize, **way}
    rows, columns = (0, 2, 5, 7, 10, 13), (0, 8, 17)  # fifths of 13 and halves of 17
    expected = [
        color_histogram(NOISE[:, rows[i] : rows[i + 1], columns[j] : columns[j + 1]], **options)
        for i in range(5)
        for j in range(2)
    ]
    got = color_histogram(NOISE, grid=(5, 2), **options)
    assert_allclose(got, np.hstack(expected), rtol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (5, 1)])
def test_an_image_smaller_than_the_grid_repeats_its_border(shape):
    images = NOISE[:, : shape[0], : shape[1]]
    missing = [(0, max(0, 3 - n)) for n in shape]
    enlarged = np.pad(images, [(0, 0), *missing, (0, 0)], mode="edge")
    got = color_histogram(images, 2, grid=(3, 3))
    assert_array_equal(got, color_histogram(enlarged, 2, grid=(3, 3)))
    # No cell is empty.
    assert_allclose(got.reshape(4, 9, 8).sum(axis=2), 1, rtol=1e-6)


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("pixels", [1, 150])
def test_bands_of_rows_add_up(way, pixels, monkeypatch):
    expected = color_histogram(NOISE, 3, grid=(3, 2), **way)
    monkeypatch.setattr(module, "PIXELS_PER_BAND", pixels)
    calls = []
    monkeypatch.setattr(
        module, "_count", lambda *args, f=module._count: calls.append(1) or f(*args)
    )
    got = color_histogram(NOISE, 3, grid=(3, 2), **way)
    assert len(calls) == (13 if pixels == 1 else 7)  # of 1 and 2 rows
    if way["voting"] == "nearest" and "weights" not in way:
        assert_array_equal(got, expected)
    else:
        assert_allclose(got, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("shape", "params", "megabytes"),
    [
        ((3000, 4000), {}, 5),
        ((1000, 1500), {"color_space": "hue", "bins": 16}, 5),
        ((1000, 1500), {"color_space": "lab", "grid": (4, 4)}, 10),
        ((1000, 1500), {"color_space": "hsv", "voting": "linear"}, 30),
    ],
)
def test_memory_does_not_grow_with_the_image(shape, params, megabytes):
    images = np.resize(NOISE, (1, *shape, 3))
    transformer = ColorHistogram(**params).fit(images[:, :5, :5].repeat(1, axis=0))
    transformer.image_shape_, transformer.n_features_in_ = images.shape[1:], images[0].size
    tracemalloc.start()
    try:
        got = transformer.transform(images)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert_allclose(got.sum(), prod(params.get("grid", (1, 1))), rtol=1e-5)
    assert peak < megabytes * 1e6


# The transformer


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_batch_is_its_images_one_at_a_time(way):
    params = {"bins": 5, "grid": (2, 1), **way}
    expected = np.concatenate([color_histogram(image[None], **params) for image in NOISE])
    assert_array_equal(ColorHistogram(**params).fit_transform(NOISE), expected)
    assert_array_equal(ColorHistogram(**params, n_jobs=2).fit_transform(NOISE), expected)
    flat = ColorHistogram(**params, image_shape=NOISE.shape[1:])
    assert_array_equal(flat.fit_transform(NOISE.reshape(4, -1)), expected)


@pytest.mark.parametrize("params", [{}, {"grid": (3, 4), "voting": "linear"}], ids=str)
def test_images_of_any_size(params):
    images = [PHOTOS[0], PHOTOS[1, :5], PHOTOS[2, :, :9], PHOTOS[0, :2, :3]]
    got = ColorHistogram(**params).fit_transform(images)
    assert got.shape == (4, 64 * prod(params.get("grid", (1, 1))))
    for row, image in zip(got, images, strict=True):
        assert_array_equal(row, color_histogram(image[np.newaxis], **params)[0])


def test_bins_may_differ_by_channel():
    assert ColorHistogram(bins=(2, 3, 4)).fit_transform(NOISE).shape == (4, 24)
    assert ColorHistogram(bins=[2, 3, 4], joint=False).fit_transform(NOISE).shape == (4, 9)
    assert ColorHistogram(bins=7, color_space="hue").fit_transform(NOISE).shape == (4, 7)
    numbers = ColorHistogram(bins=np.array([2, 4, 256]).tolist()).fit_transform(NOISE)
    assert_array_equal(
        ColorHistogram(bins=tuple(np.array([2, 4, 256]))).fit_transform(NOISE), numbers
    )


def test_feature_names():
    names = ColorHistogram(bins=2).fit(NOISE).get_feature_names_out()
    assert list(names) == [f"colorhistogram{i}" for i in range(8)]


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"bins": 0}, ValueError, "bins must be an integer >= 1, got 0"),
        ({"bins": 2.5}, TypeError, "bins must be an integer >= 1, got 2.5"),
        ({"bins": (2, 2)}, ValueError, r"bins must be an integer or.*tuple of 3, got \(2, 2\)"),
        ({"bins": (2, 0, 2)}, ValueError, r"bins\[1\] must be an integer >= 1, got 0"),
        ({"bins": (2, 2, 2), "color_space": "hue"}, ValueError, "color_space='hue'"),
        ({"color_space": "xyz"}, ValueError, "color_space must be one of 'hue', .*, got 'xyz'"),
        ({"weights": "value"}, ValueError, "weights must be one of 'saturation', None, got"),
        ({"weights": "saturation"}, ValueError, "weights must be None unless color_space is 'hue'"),
        ({"grid": 2}, TypeError, r"grid must be a pair \(rows, columns\) of integers >= 1, got 2"),
        ({"grid": (0, 1)}, ValueError, r"grid must be a pair.*got \(0, 1\)"),
        ({"voting": "soft"}, ValueError, "voting must be one of 'nearest', 'linear', got 'soft'"),
        ({"joint": "yes"}, TypeError, "joint must be True or False, got 'yes'"),
        ({"normalize": 1}, TypeError, "normalize must be True or False, got 1"),
    ],
)
def test_wrong_parameters_are_refused_in_fit(params, error, message):
    with pytest.raises(error, match=message):
        ColorHistogram(**params).fit(NOISE)


def test_fit_changes_no_parameter():
    transformer = ColorHistogram(bins=[2, 3, 4], grid=[2, 2], image_shape=[13, 17, 3])
    before = dict(transformer.get_params())
    transformer.fit(NOISE)
    assert transformer.get_params() == before
