"""Bags of words held against SciPy, scikit-learn and explicit loops, and by their own laws."""

from itertools import product
from unittest import SkipTest

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.utils import estimator_checks

from sklin.features import BagOfVisualWords
from sklin.features import _bag_of_visual_words as module
from sklin.features._patches import (
    center_patches,
    learn_whitening,
    learn_words,
    patch_windows,
    sample_patches,
)

RNG = np.random.default_rng(0)
# Sums of running sums: neighbours resemble each other, as in photographs.
SMOOTH = RNG.standard_normal((6, 23, 19, 3)).cumsum(axis=1).cumsum(axis=2)
IMAGES = np.interp(SMOOTH, (SMOOTH.min(), SMOOTH.max()), (0, 255)).astype(np.uint8)
ENCODINGS = ["soft", "hard", "triangle"]


def bag(**options):
    return BagOfVisualWords(**{"n_words": 20, "n_patches": 1000, "random_state": 0, **options})


def patches_by_loop(image, size, stride):
    """Grid positions and flattened patches, one at a time."""
    rows, columns = (range(0, length - size + 1, stride) for length in image.shape[:2])
    patches = [image[y : y + size, x : x + size].ravel() for y, x in product(rows, columns)]
    return len(rows), len(columns), np.array(patches, dtype=float)


def whitened_by_loop(transformer, patches):
    epsilon = transformer.contrast_epsilon_
    z = [(p - p.mean()) / np.sqrt(p.var() + epsilon) - transformer.patch_mean_ for p in patches]
    return np.array(z) @ transformer.whitening_


def nearest_by_kmeans(transformer, z):
    """The words themselves as data make a KMeans of which they are the centres."""
    words = transformer.vocabulary_
    return KMeans(len(words), init=words, n_init=1, max_iter=1).fit(words).predict(z)


def cell_of(position, n_positions, n_cells):
    """The last cell that starts at or before the position."""
    return max(i for i in range(n_cells) if i * n_positions // n_cells <= position)


def features_by_loop(transformer, image):
    rows, columns, patches = patches_by_loop(image, transformer.patch_size, transformer.stride)
    z = whitened_by_loop(transformer, patches)
    words = transformer.vocabulary_
    if transformer.encoding == "hard":
        codes = np.eye(len(words))[nearest_by_kmeans(transformer, z)]
    else:
        d = cdist(z, words, "sqeuclidean" if transformer.encoding == "soft" else "euclidean")
        codes = np.maximum(0, d.mean(axis=1, keepdims=True) - d)
    cells = np.zeros((*transformer.pooling, len(words)))
    for code, (y, x) in zip(codes, np.ndindex(rows, columns), strict=True):
        cells[
            cell_of(y, rows, transformer.pooling[0]), cell_of(x, columns, transformer.pooling[1])
        ] += code
    return cells.ravel()


# The whole transform


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"patch_size": 5, "stride": 2, "pooling": (3, 1)},
        {"patch_size": 3, "stride": 3, "pooling": (1, 1), "variance_kept": 0.8},
        {"patch_size": 4, "stride": 5, "pooling": (4, 5), "contrast_regularization": 1},
    ],
    ids=str,
)
def test_equals_an_explicit_loop(encoding, options):
    transformer = bag(encoding=encoding, **options).fit(IMAGES / 255)
    expected = np.array([features_by_loop(transformer, image) for image in IMAGES / 255])
    got = transformer.transform(IMAGES / 255)
    # A distance of 0 to a word that is a patch comes out as the root of a rounding error.
    assert_allclose(got, expected, rtol=1e-9, atol=1e-6 if encoding == "triangle" else 1e-9)
    assert_array_equal(got == 0, expected == 0)  # no rounding errors that scaling would blow up


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_single_precision_is_close_to_the_loop(encoding, dtype):
    images = IMAGES.astype(dtype)
    transformer = bag(encoding=encoding, pooling=(1, 1)).fit(images)
    expected = [features_by_loop(transformer, image) for image in IMAGES]
    got = transformer.transform(images)
    assert got.dtype == np.float32
    # A patch between two words may go to either.
    assert_allclose(got, expected, rtol=1e-4, atol=1 if encoding == "hard" else 1e-2)


def test_hard_codes_count_the_patches():
    got = bag(encoding="hard").fit_transform(IMAGES)
    assert_array_equal(got.sum(axis=1), 18 * 14)
    got = bag(encoding="hard", patch_size=4, stride=3, pooling=(3, 4)).fit_transform(IMAGES)
    assert_array_equal(got, np.round(got))
    assert_array_equal(got.sum(axis=1), 7 * 6)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("pooling", [(2, 2), (3, 1), (18, 14), (25, 40)])
def test_cells_sum_to_the_whole_image(encoding, pooling):
    whole = bag(encoding=encoding, pooling=(1, 1)).fit_transform(IMAGES / 255)
    cells = bag(encoding=encoding, pooling=pooling).fit_transform(IMAGES / 255)
    cells = cells.reshape(len(IMAGES), -1, whole.shape[1])
    assert cells.shape[1] == pooling[0] * pooling[1]
    assert (cells >= 0).all()
    assert_allclose(cells.sum(axis=1), whole, rtol=1e-10, atol=1e-10)


def test_more_cells_than_positions_leave_the_others_empty():
    transformer = bag(encoding="hard", pooling=(3, 4), patch_size=19).fit(IMAGES)
    cells = transformer.transform(IMAGES).reshape(6, 3, 4, -1).sum(axis=-1)
    assert_array_equal(cells[0], [[0, 0, 0, 1], [0, 0, 0, 2], [0, 0, 0, 2]])


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("images", [IMAGES, IMAGES / 255], ids=["bytes", "floats"])
def test_neither_batch_nor_threads_nor_chunks_matter(encoding, images, monkeypatch):
    transformer = bag(encoding=encoding).fit(images)
    batch = transformer.transform(images)
    single = batch.dtype == np.float32
    tolerance = {"rtol": 1e-5, "atol": 1e-3} if single else {"rtol": 1e-10, "atol": 1e-10}
    alone = np.concatenate([transformer.transform(images[i : i + 1]) for i in range(len(images))])
    assert_allclose(alone, batch, **tolerance)
    monkeypatch.setattr(BagOfVisualWords, "_pixels_per_chunk", 1)
    assert_allclose(
        clone(transformer).set_params(n_jobs=2).fit_transform(images), batch, **tolerance
    )
    for n in (1, 30, 100, 10_000):
        monkeypatch.setattr(module, "PATCHES_PER_TILE", n)
        assert_allclose(transformer.transform(images), batch, **tolerance)


def test_rows_are_images():
    batch = bag().fit_transform(IMAGES)
    rows = bag(image_shape=IMAGES.shape[1:]).fit_transform(IMAGES.reshape(6, -1))
    assert_array_equal(rows, batch)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_images_of_any_size_have_rows_of_one_length(encoding):
    images = [IMAGES[0], IMAGES[1, :10], IMAGES[2, :, :7], IMAGES[3, :6, :6], IMAGES[4]]
    transformer = bag(encoding=encoding).fit(images)
    got = transformer.transform(images)
    assert got.shape == (5, 4 * 20)
    assert not hasattr(transformer, "n_features_in_")
    for row, image in zip(got, images, strict=True):
        assert_allclose(row, transformer.transform([image])[0], rtol=1e-5, atol=1e-3)
    with pytest.raises(ValueError, match=r"an image of 5 x 19 pixels, smaller than .* 6 x 6"):
        transformer.transform([IMAGES[0, :5]])
    with pytest.raises(ValueError, match="array of rows"):
        transformer.transform(IMAGES.reshape(6, -1))


# Chance


def test_an_integer_random_state_gives_equal_bits():
    first, again = (bag(n_patches=700).fit(IMAGES) for _ in range(2))
    assert_array_equal(first.vocabulary_, again.vocabulary_)
    assert_array_equal(first.transform(IMAGES), again.transform(IMAGES))
    instance = bag(n_patches=700, random_state=np.random.RandomState(0)).fit(IMAGES)
    assert_array_equal(instance.vocabulary_, first.vocabulary_)
    other = bag(n_patches=700, random_state=1).fit(IMAGES)
    assert not np.array_equal(other.vocabulary_, first.vocabulary_)


def test_transform_leaves_the_images_and_learns_nothing():
    images = IMAGES.astype(np.float64)
    transformer = bag(patch_size=30, pooling=(1, 1))
    with (
        pytest.warns(UserWarning, match="patches are 23 x 19"),
        pytest.warns(UserWarning, match="n_words=20 is more than the 6 distinct"),
    ):
        transformer.fit(images)
    before = transformer.vocabulary_.copy()
    transformer.transform(images)
    assert_array_equal(images, IMAGES)
    assert_array_equal(transformer.vocabulary_, before)


# Brightness, contrast, scale


@pytest.mark.parametrize("encoding", ["soft", "triangle"])
def test_brightness_does_not_matter_and_contrast_hardly(encoding):
    images = IMAGES / 255
    transformer = bag(encoding=encoding, contrast_regularization=1e-6).fit(images)
    got = transformer.transform(images)
    assert_allclose(transformer.transform(images + 7), got, rtol=1e-7, atol=1e-7)
    assert_allclose(transformer.transform(images * 3), got, rtol=1e-3, atol=1e-3 * got.max())


def test_bytes_and_shares_of_one_have_the_same_features():
    as_bytes = bag().fit_transform(IMAGES.astype(float))
    as_shares = bag().fit_transform(IMAGES / 255)
    assert_allclose(as_shares, as_bytes, rtol=1e-8, atol=1e-8)


def test_without_contrast_there_is_one_word():
    flat = np.full((3, 8, 8), 9, np.uint8)
    for encoding in ENCODINGS:
        transformer = bag(encoding=encoding, pooling=(1, 1))
        with pytest.warns(UserWarning, match="n_words=20 is more than the 1 distinct patches"):
            got = transformer.fit_transform(flat)
        assert_array_equal(got, np.full((3, 1), 9 if encoding == "hard" else 0))
        assert_array_equal(transformer.words_, np.full((1, 6, 6, 1), 9))


# Words


def all_patches(images, size=6):
    return np.concatenate([patches_by_loop(image, size, 1)[2] for image in images])


def test_words_are_pictures_of_the_vocabulary():
    transformer = bag(n_patches=10_000).fit(IMAGES)  # sees all there are
    patches = all_patches(IMAGES)
    contrast = np.sqrt(patches.var(axis=1).mean())
    assert transformer.words_.shape == (20, 6, 6, 3)
    v = (transformer.words_.reshape(20, -1) - patches.mean()) / contrast
    z = (v - transformer.patch_mean_) @ transformer.whitening_
    assert_allclose(z, transformer.vocabulary_, atol=1e-8)


def test_the_vocabulary_is_where_k_means_ends():
    """Every word is the mean of the patches nearest to it."""
    z = np.repeat(RNG.standard_normal((7, 4)) * 100, 40, axis=0) + RNG.standard_normal((280, 4))
    random_state = np.random.RandomState(0)
    words = learn_words(z, 3, random_state)
    nearest = cdist(z, words).argmin(axis=1)
    assert_allclose(words, [z[nearest == k].mean(axis=0) for k in range(3)])
    assert_allclose(learn_words(z, 1, random_state), [z.mean(axis=0)])


def test_no_more_words_than_distinct_patches():
    distinct = RNG.standard_normal((5, 4))
    z = distinct[RNG.integers(5, size=200)]
    random_state = np.random.RandomState(0)
    with pytest.warns(UserWarning, match="n_words=6 is more than the 5 distinct patches"):
        words = learn_words(z, 6, random_state)
    assert_array_equal(words, distinct[np.lexsort(distinct.T[::-1])])
    assert_array_equal(learn_words(z, 5, random_state), words)
    assert len(learn_words(z, 4, random_state)) == 4


def test_a_patch_larger_than_the_image_is_clipped():
    with pytest.warns(UserWarning, match="patch_size=21 does not fit .* 23 x 19 .* are 21 x 19"):
        transformer = bag(patch_size=21, n_words=9).fit(IMAGES)
    assert transformer.patch_shape_ == (21, 19, 3)
    assert transformer.patch_size == 21
    with pytest.warns(UserWarning, match="patches are 4 x 6"):
        transformer = bag().fit([IMAGES[0], IMAGES[1, :4], IMAGES[2, :, :7]])
    assert transformer.patch_shape_ == (4, 6, 3)
    with pytest.warns(UserWarning, match="patches are 1 x 6"):
        strips = bag(encoding="hard", pooling=(1, 1)).fit_transform(RNG.random((9, 11)))
    assert_array_equal(strips.sum(axis=1), 6)


# The parts


@pytest.mark.parametrize("stride", [1, 2, 5])
@pytest.mark.parametrize("channels", [1, 3])
def test_windows_are_patches(stride, channels):
    images = IMAGES[..., :channels]
    windows = patch_windows(images, (4, 5, channels), stride)
    for i, r, c in np.ndindex(windows.shape[:3]):
        y, x = r * stride, c * stride
        assert_array_equal(windows[i, r, c].ravel(), images[i, y : y + 4, x : x + 5].ravel())
    assert windows.shape[1:3] == ((23 - 4) // stride + 1, (19 - 5) // stride + 1)
    assert np.shares_memory(windows, images) or channels == 1


@pytest.mark.parametrize("ragged", [False, True])
def test_patches_are_drawn_once_each_from_everywhere(ragged):
    images = np.arange(4 * 9 * 8.0).reshape(4, 9, 8, 1)  # every patch is unlike any other
    images = [images[0], images[1, :5], images[2, :, :4], images[3]] if ragged else images
    everything = np.concatenate([patches_by_loop(image, 3, 2)[2] for image in images])
    random_state = np.random.RandomState(0)
    drawn = sample_patches(images, (3, 3, 1), 2, 1000, random_state)
    assert_array_equal(drawn, everything)
    seen = np.zeros(len(everything))
    for _ in range(300):
        some = sample_patches(images, (3, 3, 1), 2, 10, random_state)
        index = np.searchsorted(everything[:, 0], some[:, 0])
        assert_array_equal(everything[index], some)
        assert len(set(index)) == 10
        seen[index] += 1
    share = 10 / len(everything)
    assert_allclose(seen / 300, share, atol=5 * np.sqrt(share * (1 - share) / 300))


def test_normalised_patches_have_mean_zero_and_variance_one():
    patches = all_patches(IMAGES[:2])
    expected = (patches - patches.mean(axis=1, keepdims=True)) / np.sqrt(
        patches.var(axis=1, keepdims=True) + 3
    )
    scale = center_patches(patches, 3)
    assert_allclose(patches * scale, expected, atol=1e-12)
    scale = center_patches(patches, 1e-12)
    assert_allclose((patches * scale).std(axis=1), 1, rtol=1e-9)


@pytest.mark.parametrize("variance_kept", [0.5, 0.9, 0.99, 1])
def test_whitened_training_patches_have_identity_covariance(variance_kept):
    patches = all_patches(IMAGES, size=3)
    patches *= center_patches(patches, 1.0)
    mean, whiten, color = learn_whitening(patches, variance_kept)
    z = (patches - mean) @ whiten
    assert_allclose(z.mean(axis=0), 0, atol=1e-9)
    assert_allclose(z.T @ z / len(z), np.eye(z.shape[1]), atol=1e-8)
    pca = PCA(variance_kept if variance_kept < 1 else 26, whiten=True)
    foreign = pca.fit_transform(patches) * np.sqrt(len(z) / (len(z) - 1))
    assert_allclose(abs(z), abs(foreign), atol=1e-6)
    lost = ((patches - mean - z @ color) ** 2).sum() / ((patches - mean) ** 2).sum()
    assert lost <= 1 - variance_kept + 1e-12


def test_whitening_passes_over_directions_without_variance():
    z = RNG.standard_normal((50, 2))
    patches = z @ RNG.standard_normal((2, 9))
    mean, whiten, color = learn_whitening(patches, 1.0)
    assert whiten.shape == (9, 2)
    assert_allclose((patches - mean) @ whiten @ color + mean, patches, atol=1e-10)


# The face


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"n_words": 0}, ValueError, "n_words must be an integer >= 1, got 0"),
        ({"n_words": 20.0}, TypeError, "n_words must be an integer >= 1, got 20.0"),
        ({"patch_size": -1}, ValueError, "patch_size must be an integer >= 1, got -1"),
        ({"patch_size": (6, 6)}, TypeError, "patch_size must be an integer"),
        ({"stride": 0}, ValueError, "stride must be an integer >= 1, got 0"),
        ({"stride": True}, TypeError, "stride must be an integer >= 1, got True"),
        ({"encoding": "softly"}, ValueError, "encoding must be one of 'soft', .*got 'softly'"),
        ({"encoding": None}, ValueError, "encoding must be one of .*got None"),
        ({"pooling": 2}, TypeError, "pooling must be a pair.*got 2"),
        ({"pooling": (0, 2)}, ValueError, r"pooling must be a pair.*got \(0, 2\)"),
        ({"n_patches": 0}, ValueError, "n_patches must be an integer >= 1, got 0"),
        ({"n_patches": 19}, ValueError, "n_patches must be at least n_words=20, got 19"),
        ({"variance_kept": 0}, ValueError, r"variance_kept must be .* \(0, 1\], got 0"),
        ({"variance_kept": 1.5}, ValueError, r"variance_kept must be .* \(0, 1\], got 1.5"),
        ({"variance_kept": "all"}, TypeError, "variance_kept must be .*got 'all'"),
        ({"contrast_regularization": 0.0}, ValueError, "contrast_regularization must be .*got 0.0"),
        ({"contrast_regularization": np.nan}, ValueError, "contrast_regularization must .*got nan"),
        ({"contrast_regularization": True}, TypeError, "contrast_regularization must .*got True"),
        ({"random_state": "seed"}, ValueError, "'seed' cannot be used to seed"),
        ({"n_jobs": 0}, ValueError, "n_jobs must be .*got 0"),
        ({"image_shape": (23, 19, 2)}, ValueError, "image_shape must be"),
    ],
)
def test_wrong_parameters_are_refused_in_fit(params, error, message):
    with pytest.raises(error, match=message):
        bag(**params).fit(IMAGES)


def test_other_images_are_refused_in_transform():
    transformer = bag().fit(IMAGES)
    with pytest.raises(ValueError, match=r"expected \(23, 19, 3\)"):
        transformer.transform(IMAGES[:, :20])


def test_fit_changes_no_parameter():
    transformer = bag(
        pooling=[2, 3], image_shape=[23, 19, 3], random_state=np.random.RandomState(3)
    )
    before = dict(transformer.get_params())
    transformer.fit(IMAGES)
    assert transformer.get_params() == before


def test_feature_names_and_set_output():
    transformer = bag().set_output(transform="pandas").fit(IMAGES)
    frame = transformer.transform(IMAGES)
    assert list(frame.columns) == [f"bagofvisualwords{i}" for i in range(2 * 2 * 20)]
    assert_array_equal(frame.to_numpy(), bag().fit_transform(IMAGES))


# scikit-learn's own checks. Their images are tiny strips: patches and words are clipped. Some mix
# data with and without feature names on purpose.
tolerating_clips = pytest.mark.filterwarnings(
    "ignore:patch_size=6 does not fit",
    "ignore:n_words=200 is more than",
    "ignore:X (does not have valid|has) feature names",
)


@tolerating_clips
@pytest.mark.parametrize(
    "check",
    [check for _, check in estimator_checks.estimator_checks_generator(BagOfVisualWords())],
    ids=lambda check: check.func.__name__,
)
def test_scikit_learn_checks(check):
    try:
        check(BagOfVisualWords())
    except SkipTest as skipped:
        pytest.fail(f"a skipped check says nothing: {skipped}")


@tolerating_clips
@pytest.mark.parametrize(
    "name",
    [
        "check_transformer_get_feature_names_out",
        "check_transformer_get_feature_names_out_pandas",
        "check_set_output_transform",
        "check_set_output_transform_pandas",
        "check_set_output_transform_polars",
        "check_global_output_transform_pandas",
        "check_global_set_output_transform_polars",
        "check_dataframe_column_names_consistency",
    ],
)
def test_further_scikit_learn_checks(name):
    getattr(estimator_checks, name)("BagOfVisualWords", BagOfVisualWords())
