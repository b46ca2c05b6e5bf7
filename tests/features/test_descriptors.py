"""Patches, their descriptors and how they are drawn, by explicit loops."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from skimage.transform import downscale_local_mean

from sklin.features._descriptors import SIFT, Dense, Pixels, sample_descriptors, shrink

RNG = np.random.default_rng(0)
# Sums of running sums: neighbours resemble each other, as in photographs.
SMOOTH = RNG.standard_normal((4, 23, 19, 3)).cumsum(axis=1).cumsum(axis=2)
IMAGES = np.interp(SMOOTH, (SMOOTH.min(), SMOOTH.max()), (0, 255)).astype(np.uint8)


def patches_by_loop(image, size, stride):
    """Flattened patches, one at a time."""
    rows, columns = (range(0, length - size + 1, stride) for length in image.shape[:2])
    patches = [image[y : y + size, x : x + size].ravel() for y, x in product(rows, columns)]
    return np.array(patches, dtype=float)


# Pixels


@pytest.mark.parametrize("stride", [1, 2, 5])
@pytest.mark.parametrize("channels", [1, 3])
def test_windows_are_patches(stride, channels):
    images = IMAGES[..., :channels]
    pixels = Pixels((4, 5, channels), stride)
    windows = pixels.windows(images)
    for i, r, c in np.ndindex(windows.shape[:3]):
        y, x = r * stride, c * stride
        assert_array_equal(windows[i, r, c].ravel(), images[i, y : y + 4, x : x + 5].ravel())
    assert windows.shape[1:3] == ((23 - 4) // stride + 1, (19 - 5) // stride + 1)
    assert windows.shape[1:3] == pixels.positions(23, 19)
    assert np.shares_memory(windows, images) or channels == 1
    assert pixels.positions(3, 19) == pixels.positions(23, 4) == (0, 0)


def test_normalised_patches_have_mean_zero_and_variance_one():
    patches = patches_by_loop(IMAGES[0], 6, 1)
    centred = patches - patches.mean(axis=1, keepdims=True)
    expected = centred / np.sqrt(patches.var(axis=1, keepdims=True) + 3)
    raw = patches.copy()
    scale = Pixels((6, 6, 3), 1, 3.0).normalize(raw)
    assert_allclose(raw * scale, expected, atol=1e-12)
    raw = patches.copy()
    scale = Pixels((6, 6, 3), 1, 1e-12).normalize(raw)
    assert_allclose((raw * scale).std(axis=1), 1, rtol=1e-9)


@pytest.mark.parametrize("descriptor", [Pixels((6, 6, 3), 1), SIFT((8, 8, 3), 4)])
def test_contrast_regularization_is_a_share_of_the_mean_contrast(descriptor):
    raw = RNG.random((50, 128)) ** 3
    contrast = raw.var(axis=1) if isinstance(descriptor, Pixels) else (raw**2).sum(axis=1)
    descriptor.learn(raw, 0.25)
    assert descriptor.epsilon == pytest.approx(contrast.mean() / 4, rel=1e-12)
    descriptor.learn(np.zeros((3, 128)), 0.25)
    assert descriptor.epsilon == 1


# SIFT


def sift_by_loop(patch_with_halo, size):
    """Mean votes of 8 directions of the full circle in 4 x 4 cells, pixel by pixel."""
    cells = np.zeros((4, 4, 8))
    for y, x in np.ndindex(size, size):
        gradients = []
        for channel in np.moveaxis(patch_with_halo, -1, 0):
            gy = channel[y + 2, x + 1] - channel[y, x + 1]
            gx = channel[y + 1, x + 2] - channel[y + 1, x]
            gradients.append((np.hypot(gy, gx), gy, gx))
        magnitude, gy, gx = max(gradients, key=lambda gradient: gradient[0])
        direction = np.degrees(np.arctan2(gy, gx)) % 360
        cells[4 * y // size, 4 * x // size, int(direction // 45) % 8] += magnitude
    return cells / (size // 4) ** 2


@pytest.mark.parametrize("size, stride", [(8, 4), (8, 2), (12, 6)])
def test_sift_windows_are_histograms_of_their_cells(size, stride):
    # Floats with noise: no channel ties, and no direction lies on a bin's edge.
    image = IMAGES[0] / 255 + RNG.uniform(0, 1e-3, IMAGES[0].shape)
    # One row and column of zeros around would have other gradients: only inner patches are held.
    sift = SIFT((size, size, 3), stride)
    windows = sift.windows(image[np.newaxis])
    assert windows.shape[1:] == (*sift.positions(23, 19), 4, 4, 8)
    inner = 0
    for r, c in np.ndindex(windows.shape[1:3]):
        y, x = r * stride, c * stride
        if min(y, x) > 0 and y + size < 23 and x + size < 19:
            halo = image[y - 1 : y + size + 1, x - 1 : x + size + 1]
            assert_allclose(windows[0, r, c], sift_by_loop(halo, size), atol=1e-9)
            inner += 1
    assert inner


def test_a_quarter_turn_turns_the_directions():
    """The histograms of the turned patch are those of the patch, cells and directions turned."""
    image = IMAGES[:1, :17, :17, :1] / 255 + RNG.uniform(0, 1e-3, (1, 17, 17, 1))
    sift = SIFT((16, 16, 1), 16)
    # Gradients vanish on the border; the patch begins there, so the odd row is cut on one side.
    first = sift.windows(image[:, :16, :16])[0, 0, 0]
    turned = sift.windows(np.rot90(image[:, :16, :16], axes=(1, 2)))[0, 0, 0]
    # Rows run down: counted the way arctan2(gy, gx) does, a turn to the left is three quarters.
    assert_allclose(turned, np.roll(np.rot90(first), -2, axis=-1), atol=1e-12)


def test_sift_descriptors_are_clipped_and_of_length_one_unless_flat():
    raw = RNG.random((40, 128)) ** 8
    raw[0] = 0
    sift, original = SIFT((8, 8, 1), 4, 1e-9), raw.copy()
    v = sift.normalize(raw) * raw
    assert_allclose(np.linalg.norm(v[1:], axis=1), 1, rtol=1e-6)
    assert_array_equal(v[0], 0)
    clipped = np.minimum(original[1:] / np.linalg.norm(original[1:], axis=1)[:, np.newaxis], 0.2)
    expected = clipped / np.linalg.norm(clipped, axis=1)[:, np.newaxis]
    assert_allclose(v[1:], expected, rtol=1e-6)
    faint = original[1:] * 1e-6  # squared length far below epsilon
    assert np.linalg.norm(sift.normalize(faint) * faint, axis=1).max() < 0.1


# Scales


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 3])
def test_shrinking_by_a_whole_number_averages_boxes(dtype, channels):
    images = IMAGES[:2, :20, :18, :channels].astype(dtype)
    expected = [downscale_local_mean(image.astype(float), (2, 2, 1)) for image in images]
    got = shrink(images, 2)
    assert got.dtype == dtype
    # Bytes are rounded twice, along rows and along columns.
    assert_allclose(got, expected, atol=1 if dtype == np.uint8 else 1e-4)
    assert shrink(images, 1) is images


@pytest.mark.parametrize("scale", [1.3, 2.5, 100])
def test_shrinking_is_pillows(scale):
    size = tuple(max(1, round(length / scale)) for length in (23, 19))
    expected = [
        np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BOX))
        for image in IMAGES
    ]
    assert_array_equal(shrink(IMAGES, scale), expected)


def test_each_scale_is_a_smaller_image():
    dense = Dense(Pixels((6, 6, 3), 2), (1, 2, 4))
    one, half = dense.windows(IMAGES)  # a quarter is smaller than a patch
    assert_array_equal(one, dense.descriptor.windows(IMAGES))
    assert_array_equal(half, dense.descriptor.windows(shrink(IMAGES, 2)))
    assert dense.positions(23, 19) == [one.shape[1:3], half.shape[1:3], (0, 0)]


# Chance


@pytest.mark.parametrize("scales", [(1,), (1, 2)])
@pytest.mark.parametrize("ragged", [False, True])
def test_patches_are_drawn_once_each_from_everywhere(ragged, scales):
    images = np.arange(4 * 9 * 8.0).reshape(4, 9, 8, 1)  # every patch is unlike any other
    images = [images[0], images[1, :5], images[2, :, :4], images[3]] if ragged else images
    shapes = [image.shape for image in images]
    dense = Dense(Pixels((3, 3, 1), 2), scales)
    everything = np.concatenate(
        [
            patches_by_loop(shrink(image[np.newaxis], scale)[0], 3, 2).reshape(-1, 9)
            for image in images
            for scale in scales
        ]
    )
    everything = everything[np.argsort(everything[:, 0])]
    assert len(np.unique(everything[:, 0])) == len(everything)
    random_state = np.random.RandomState(0)
    drawn = sample_descriptors(images, shapes, dense, 1000, random_state)
    assert_array_equal(drawn[np.argsort(drawn[:, 0])], everything)
    seen = np.zeros(len(everything))
    for _ in range(300):
        some = sample_descriptors(images, shapes, dense, 10, random_state)
        index = np.searchsorted(everything[:, 0], some[:, 0])
        assert_array_equal(everything[index], some)
        assert len(set(index)) == 10
        seen[index] += 1
    share = 10 / len(everything)
    assert_allclose(seen / 300, share, atol=5 * np.sqrt(share * (1 - share) / 300))


def test_images_of_which_no_patch_is_drawn_are_not_looked_at():
    class Album(list):
        looked_at = 0

        def __getitem__(self, i):
            self.looked_at += 1
            return super().__getitem__(i)

    album = Album(RNG.random((50, 12, 12, 1)))
    dense = Dense(Pixels((3, 3, 1), 1), (1,))
    sample_descriptors(album, [(12, 12, 1)] * 50, dense, 5, np.random.RandomState(0))
    assert album.looked_at <= 5


def test_where_no_patch_fits_is_said():
    dense = Dense(Pixels((6, 6, 3), 1), (5,))
    with pytest.raises(ValueError, match="no image into which a patch fits"):
        sample_descriptors(IMAGES, [(23, 19, 3)] * 4, dense, 5, np.random.RandomState(0))
