"""Colour histograms held against exact fractions, scikit-image and their own symmetries."""

import warnings
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from skimage import color, data

from sklin.features import ColorHistogram
from sklin.features._color_histogram import _bin, color_histogram
from sklin.features._color_spaces import _hsv

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (4, 13, 17, 3), dtype=np.uint8)
PHOTOS = np.stack([data.astronaut()[i : i + 64, i : i + 48] for i in (0, 100, 200)])


def exact_coordinates(r, g, b):
    """Hue, saturation and value of one byte pixel as fractions."""
    high, low = max(r, g, b), min(r, g, b)
    delta = high - low
    if delta == 0:
        hue = Fraction(0)
    elif high == r:
        hue = Fraction(g - b, delta) % 6
    elif high == g:
        hue = Fraction(b - r, delta) + 2
    else:
        hue = Fraction(r - g, delta) + 4
    return hue / 6, Fraction(delta, high or 1), Fraction(high, 255)


def exact_bin(x, bins):
    return min(int(x * bins), bins - 1)


def pixels_near_the_edges():
    """Every combination of a few levels: ties, greys and hues on the edges of bins."""
    levels = [0, 1, 2, 3, 51, 85, 127, 128, 170, 254, 255]
    return np.array(list(product(levels, repeat=3)), dtype=np.uint8)


PIXELS = np.concatenate([pixels_near_the_edges(), RNG.integers(0, 256, (500, 3), dtype=np.uint8)])


@pytest.mark.parametrize("bins", [1, 2, 3, 6, 7, 12, 16, 36, 360, 1024, 1025, 2000])
def test_bytes_fall_into_exactly_the_right_bins(bins):
    planes = PIXELS.T.astype(np.int16)[:, np.newaxis]
    exact = [exact_coordinates(*map(int, pixel)) for pixel in PIXELS]
    got = [_bin(*fraction, bins)[0] for fraction in _hsv(*planes, 255)]
    for axis in range(3):
        assert_array_equal(got[axis], [exact_bin(x[axis], bins) for x in exact])


@pytest.mark.parametrize("bins", [1, 6, 7, 12, 36, 100, 1024, 1025])
def test_every_fraction_of_bytes_divides_exactly(bins):
    """All that _bin can meet: numerators up to denominators that are bytes or six times bytes."""
    for denominators in (np.arange(1, 256), 6 * np.arange(1, 256)):
        numerators, denominators = np.meshgrid(np.arange(1531), denominators)
        keep = numerators <= denominators
        a, b = numerators[keep].astype(np.int16), denominators[keep].astype(np.int16)
        exact = np.minimum(bins * a.astype(np.int64) // b, bins - 1)
        assert_array_equal(_bin(a, b, bins), exact)


@pytest.mark.parametrize("color_space", ["hue", "hsv", "rgb"])
def test_histograms_count_exact_bins(color_space):
    """One pixel an image, against fractions, per channel and joint."""
    bins = (4, 3, 5)
    images = PIXELS[::7, np.newaxis, np.newaxis]
    expected = np.zeros((len(images), 12)), np.zeros((len(images), 4, 3, 5))
    for i, pixel in enumerate(images[:, 0, 0].tolist()):
        x = [Fraction(v, 255) for v in pixel] if color_space == "rgb" else exact_coordinates(*pixel)
        h, s, v = map(exact_bin, x, bins)
        expected[0][i, [h, 4 + s, 7 + v]] += 1
        expected[1][i, h, s, v] += 1
    if color_space == "hue":
        for joint in (True, False):
            got = color_histogram(images, 4, "hue", joint=joint)
            assert_array_equal(got, expected[0][:, :4])
        return
    assert_array_equal(color_histogram(images, bins, color_space, joint=False), expected[0])
    joint = expected[1].reshape(len(images), -1)
    assert_array_equal(color_histogram(images, bins, color_space, joint=True), joint)


@pytest.mark.parametrize("images", [NOISE, PHOTOS], ids=["noise", "photos"])
def test_equals_skimage_and_numpy_away_from_the_edges(images):
    """With 13, 11 and 7 bins few pixels lie on an edge, and those are left out."""
    bins = (13, 11, 7)
    hsv = color.rgb2hsv(images)
    position = hsv * bins
    safe = (abs(position - position.round()) > 1e-9).all(axis=-1)
    for image, mask, coordinates in zip(images, safe, hsv, strict=True):
        pixels, points = image[mask][np.newaxis, np.newaxis], coordinates[mask]
        per_channel = [np.histogram(points[:, k], bins[k], range=(0, 1))[0] for k in range(3)]
        got = color_histogram(pixels, bins, "hsv", joint=False, normalize=False)
        assert_array_equal(got[0], np.concatenate(per_channel))
        joint, _ = np.histogramdd(points, bins, range=[(0, 1)] * 3)
        got = color_histogram(pixels, bins, "hsv", normalize=False)
        assert_array_equal(got[0], joint.ravel())


@pytest.mark.parametrize("bins", [2, 4, 8, 16, 32, 64, 128, 256])
def test_powers_of_two_are_shifts(bins):
    level = np.arange(256, dtype=np.uint8)
    images = np.repeat(level, 3).reshape(256, 1, 1, 3)
    got = color_histogram(images, bins, joint=False)[:, :bins]
    assert_array_equal(got.argmax(axis=1), level >> (8 - bins.bit_length() + 1))


@pytest.mark.parametrize("color_space", ["hue", "hsv", "rgb"])
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
    for color_space in ("hue", "hsv", "rgb"):
        got = color_histogram(images, 5, color_space)
        assert_array_equal(got, color_histogram(images.clip(0, 1), 5, color_space))
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
        for color_space, joint in product(("hue", "hsv", "rgb"), (True, False)):
            assert_array_equal(
                color_histogram(images, 5, color_space, joint),
                color_histogram(np.repeat(images, 3, axis=-1), 5, color_space, joint),
            )


def test_greys_have_the_hue_of_red():
    greys = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 16, 16, 3)
    assert_array_equal(color_histogram(greys, 6, "hue"), [[1, 0, 0, 0, 0, 0]])


# Laws


@pytest.mark.parametrize("color_space", ["hue", "hsv", "rgb"])
@pytest.mark.parametrize("joint", [True, False])
def test_pixels_may_change_places(color_space, joint):
    options = {"bins": 5, "color_space": color_space, "joint": joint}
    expected = color_histogram(NOISE, **options)
    shuffled = RNG.permutation(NOISE.reshape(4, -1, 3), axis=1).reshape(NOISE.shape)
    assert_array_equal(color_histogram(shuffled, **options), expected)
    assert_array_equal(color_histogram(NOISE[:, ::-1, ::-1], **options), expected)
    # A picture of four copies has the same proportions.
    assert_array_equal(color_histogram(np.tile(NOISE, (1, 2, 2, 1)), **options), expected)


def test_swapping_channels_swaps_the_axes():
    got = color_histogram(NOISE[..., ::-1], (5, 4, 3)).reshape(4, 5, 4, 3)
    assert_array_equal(
        got.transpose(0, 3, 2, 1), color_histogram(NOISE, (3, 4, 5)).reshape(4, 3, 4, 5)
    )


def test_turning_red_to_green_to_blue_turns_the_hue():
    # Half a circle apart from greys, the hue of a byte pixel moves by exactly a third.
    colourful = NOISE[(NOISE.max(-1) > NOISE.min(-1))][np.newaxis, np.newaxis]
    got = color_histogram(np.roll(colourful, 1, axis=-1), 12, "hue")
    assert_array_equal(got, np.roll(color_histogram(colourful, 12, "hue"), 4, axis=1))


def test_marginals_of_the_joint_histogram_are_the_channels():
    bins = (3, 4, 5)
    for color_space in ("rgb", "hsv"):
        options = {"bins": bins, "color_space": color_space, "normalize": False}
        joint = color_histogram(NOISE, **options).reshape(4, *bins)
        marginals = [joint.sum((2, 3)), joint.sum((1, 3)), joint.sum((1, 2))]
        expected = color_histogram(NOISE, joint=False, **options)
        assert_array_equal(np.hstack(marginals), expected)
    hue = color_histogram(NOISE, 3, "hue", normalize=False)
    assert_array_equal(hue, marginals[0])  # of "hsv", the last in the loop


def test_normalised_counts_are_proportions():
    counts = color_histogram(PHOTOS, normalize=False)
    assert_array_equal(counts.sum(axis=1), 64 * 48)
    assert_allclose(color_histogram(PHOTOS), counts / (64 * 48), rtol=1e-7)


# The transformer


@pytest.mark.parametrize("color_space", ["hue", "hsv", "rgb"])
def test_a_batch_is_its_images_one_at_a_time(color_space):
    expected = np.concatenate([color_histogram(image[None], 5, color_space) for image in NOISE])
    params = {"bins": 5, "color_space": color_space}
    assert_array_equal(ColorHistogram(**params).fit_transform(NOISE), expected)
    assert_array_equal(ColorHistogram(**params, n_jobs=2).fit_transform(NOISE), expected)
    flat = ColorHistogram(**params, image_shape=NOISE.shape[1:])
    assert_array_equal(flat.fit_transform(NOISE.reshape(4, -1)), expected)


def test_images_of_any_size():
    images = [PHOTOS[0], PHOTOS[1, :5], PHOTOS[2, :, :9]]
    got = ColorHistogram().fit_transform(images)
    assert got.shape == (3, 64)
    for row, image in zip(got, images, strict=True):
        assert_array_equal(row, color_histogram(image[np.newaxis])[0])


def test_bins_may_differ_by_channel():
    assert ColorHistogram(bins=(2, 3, 4)).fit_transform(NOISE).shape == (4, 24)
    assert ColorHistogram(bins=[2, 3, 4], joint=False).fit_transform(NOISE).shape == (4, 9)
    assert ColorHistogram(bins=7, color_space="hue").fit_transform(NOISE).shape == (4, 7)


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
        ({"color_space": "lab"}, ValueError, "color_space must be one of 'hue', 'hsv', 'rgb', got"),
        ({"joint": "yes"}, TypeError, "joint must be True or False, got 'yes'"),
        ({"normalize": 1}, TypeError, "normalize must be True or False, got 1"),
    ],
)
def test_wrong_parameters_are_refused_in_fit(params, error, message):
    with pytest.raises(error, match=message):
        ColorHistogram(**params).fit(NOISE)


def test_fit_changes_no_parameter():
    transformer = ColorHistogram(bins=[2, 3, 4], image_shape=[13, 17, 3])
    before = dict(transformer.get_params())
    transformer.fit(NOISE)
    assert transformer.get_params() == before
