"""Bags of words held against an explicit loop, and by their own laws."""

import tracemalloc
from itertools import product
from unittest import SkipTest

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from scipy.special import softmax
from skimage.feature import fisher_vector
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture
from sklearn.utils import estimator_checks

from sklin.features import BagOfVisualWords
from sklin.features import _bag_of_visual_words as module
from sklin.features._descriptors import SIFT, shrink

RNG = np.random.default_rng(0)
# Sums of running sums: neighbours resemble each other, as in photographs.
SMOOTH = RNG.standard_normal((6, 23, 19, 3)).cumsum(axis=1).cumsum(axis=2)
IMAGES = np.interp(SMOOTH, (SMOOTH.min(), SMOOTH.max()), (0, 255)).astype(np.uint8)
ENCODINGS = ["tri2", "hard", "triangle", "soft", "nearest"]
VECTORS = ["vlad", "fisher"]


def bag(**options):
    return BagOfVisualWords(**{"n_words": 20, "n_patches": 1000, "random_state": 0, **options})


# An explicit loop over patches


def patches_by_loop(image, size, stride):
    """Positions of patches down and across, and the flattened patches, one at a time."""
    rows, columns = (range(0, length - size + 1, stride) for length in image.shape[:2])
    patches = [image[y : y + size, x : x + size].ravel() for y, x in product(rows, columns)]
    return len(rows), len(columns), np.array(patches, dtype=float)


def descriptors_by_loop(transformer, image):
    """Positions of patches down and across, and their normalised descriptors."""
    settings, epsilon = transformer.settings_, transformer.contrast_epsilon_
    if settings["descriptor"] == "sift":  # which has a loop of its own in test_descriptors.py
        windows = SIFT(transformer.patch_shape_, settings["stride"]).windows(image[np.newaxis])
        raw = windows.reshape(-1, 128)
        lengths = np.linalg.norm(raw, axis=1, keepdims=True)
        clipped = np.minimum(raw / np.sqrt(lengths**2 + epsilon), 0.2)
        clipped *= lengths**2 / (lengths**2 + epsilon) / np.linalg.norm(clipped, axis=1)[:, None]
        return *windows.shape[1:3], clipped
    rows, columns, patches = patches_by_loop(image, transformer.patch_shape_[0], settings["stride"])
    return rows, columns, np.array([(p - p.mean()) / np.sqrt(p.var() + epsilon) for p in patches])


def codes_by_loop(transformer, z):
    encoding, words = transformer.settings_["encoding"], transformer.vocabulary_
    d = cdist(z, words)
    if encoding == "hard":
        return np.eye(len(words))[d.argmin(axis=1)]
    if encoding == "soft":
        return softmax(-(d**2) / (2 * transformer._codebook.bandwidth), axis=1)
    if encoding == "nearest":
        return 1.0 * (d.argsort(axis=1).argsort(axis=1) < transformer.settings_["n_neighbors"])
    if encoding == "vlad":
        nearest = np.eye(len(words))[d.argmin(axis=1)]
        return np.einsum("mk,mkr->mkr", nearest, z[:, np.newaxis] - words).reshape(len(z), -1)
    if encoding == "fisher":
        mixture = GaussianMixture(len(words), covariance_type="diag")
        book = transformer._codebook
        mixture.means_, mixture.covariances_, mixture.weights_ = words, book.variances, book.weights
        mixture.precisions_cholesky_ = 1 / np.sqrt(book.variances)
        signs = np.repeat([1, -1], words.size)  # scikit-image's second half points down
        return np.array(
            [signs * fisher_vector(one[np.newaxis], mixture)[len(words) :] for one in z]
        )
    d = d**2 if encoding == "tri2" else d
    return np.maximum(0, d.mean(axis=1, keepdims=True) - d)


def cell_of(position, n_positions, n_cells):
    """The last cell that starts at or before the position."""
    return max(i for i in range(n_cells) if i * n_positions // n_cells <= position)


def features_by_loop(transformer, image):
    settings = transformer.settings_
    cells = [{cell: [] for cell in np.ndindex(grid)} for grid in settings["grid"]]
    for scale in settings["scales"]:
        shrunk = shrink(image[np.newaxis], scale)[0]
        if min(shrunk.shape[:2]) < transformer.patch_shape_[0]:
            continue
        rows, columns, v = descriptors_by_loop(transformer, shrunk)
        codes = codes_by_loop(transformer, (v - transformer.patch_mean_) @ transformer.whitening_)
        for code, (y, x) in zip(codes, np.ndindex(rows, columns), strict=True):
            for grid, members in zip(settings["grid"], cells, strict=True):
                members[cell_of(y, rows, grid[0]), cell_of(x, columns, grid[1])].append(code)
    pool = {"sum": np.sum, "mean": np.mean, "max": np.max}[transformer.pooling]
    empty = np.zeros((1, codes.shape[1]))
    features = np.concatenate(
        [pool(member or empty, axis=0) for members in cells for member in members.values()]
    )
    features = np.sign(features) * np.abs(features) ** settings["power"]
    return features / np.linalg.norm(features) if settings["norm"] == "l2" else features


# The whole transform


@pytest.mark.parametrize("encoding", ENCODINGS + VECTORS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"patch_size": 5, "stride": 2, "grid": (3, 1), "pooling": "mean"},
        {"patch_size": 3, "stride": 3, "grid": (1, 1), "variance_kept": 0.8, "norm": "l2"},
        {"patch_size": 4, "stride": 5, "grid": (4, 5), "contrast_regularization": 1},
        {"scales": (1, 1.5, 5), "grid": [(1, 1), (2, 2), (3, 1)], "whitening": "zca"},
        {
            "descriptor": "sift",
            "patch_size": 8,
            "stride": 2,
            "grid": [(2, 3), (1, 2)],
            "power": 0.5,
        },
        {"codebook": "random", "whitening": None, "pooling": "max", "scales": [1, 2]},
        {"codebook": "omp", "power": 0.5, "norm": "l2", "scales": (1.2,)},
    ],
    ids=str,
)
def test_equals_an_explicit_loop(encoding, options):
    if encoding in VECTORS:  # which have no maximum, and of which one has a codebook of its own
        options = {**options, "codebook": "kmeans", "n_words": 4}
        options["pooling"] = options.get("pooling", "sum").replace("max", "sum")
    images = IMAGES[:3] / 255 + RNG.uniform(0, 1e-6, IMAGES[:3].shape)
    transformer = bag(encoding=encoding, **options).fit(images)
    expected = np.array([features_by_loop(transformer, image) for image in images])
    got = transformer.transform(images)
    # A distance of 0 to a word that is a patch comes out as the root of a rounding error.
    rounding = 1e-6 if encoding == "triangle" else 1e-9
    assert_allclose(got, expected, rtol=1e-7, atol=rounding * max(1, abs(expected).max()))
    if encoding not in VECTORS:  # no rounding errors that scaling would blow up
        assert_array_equal(got == 0, expected == 0)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_single_precision_is_close_to_the_loop(encoding, dtype):
    images = IMAGES.astype(dtype)
    transformer = bag(encoding=encoding, grid=(1, 1)).fit(images)
    expected = [features_by_loop(transformer, image) for image in IMAGES]
    got = transformer.transform(images)
    assert got.dtype == np.float32
    # A patch between two words may go to either.
    assert_allclose(got, expected, rtol=1e-4, atol=1 if encoding in ("hard", "nearest") else 1e-2)


def test_hard_codes_count_the_patches():
    got = bag(encoding="hard").fit_transform(IMAGES)
    assert_array_equal(got.sum(axis=1), 18 * 14)
    got = bag(encoding="hard", patch_size=4, stride=3, grid=(3, 4)).fit_transform(IMAGES)
    assert_array_equal(got, np.round(got))
    assert_array_equal(got.sum(axis=1), 7 * 6)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("grid", [(2, 2), (3, 1), (18, 14), (25, 40)])
def test_cells_sum_to_the_whole_image(encoding, grid):
    whole = bag(encoding=encoding, grid=(1, 1)).fit_transform(IMAGES / 255)
    cells = bag(encoding=encoding, grid=grid).fit_transform(IMAGES / 255)
    cells = cells.reshape(len(IMAGES), -1, whole.shape[1])
    assert cells.shape[1] == grid[0] * grid[1]
    assert (cells >= 0).all()
    assert_allclose(cells.sum(axis=1), whole, rtol=1e-10, atol=1e-10)


def test_more_cells_than_positions_leave_the_others_empty():
    transformer = bag(encoding="hard", grid=(3, 4), patch_size=19).fit(IMAGES)
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
    for n in (1, 70, 100, 10_000):
        monkeypatch.setattr(module, "NUMBERS_PER_TILE", 108 * n)
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
    transformer = bag(patch_size=30, grid=(1, 1))
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


@pytest.mark.parametrize("encoding", ["tri2", "triangle"])
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
        transformer = bag(encoding=encoding, grid=(1, 1))
        with pytest.warns(UserWarning, match="n_words=20 is more than the 1 distinct patches"):
            got = transformer.fit_transform(flat)
        assert_array_equal(got, np.full((3, 1), 0 if encoding in ("tri2", "triangle") else 9))
        assert_array_equal(transformer.words_, np.full((1, 6, 6, 1), 9))


# Choices


def test_auto_goes_by_the_size_of_most_images():
    small, large = np.zeros((96, 96)), np.zeros((97, 96))
    small[::2], large[::2] = RNG.random(96), RNG.random(96)
    thumbnails = bag().fit([small, small, large]).settings_
    photographs = bag().fit([small, large, large]).settings_
    assert thumbnails["descriptor"] == "pixels" and photographs["descriptor"] == "sift"
    assert thumbnails["grid"] == [(2, 2)] and photographs["grid"] == [(1, 1), (2, 2)]
    asked = {"descriptor": "pixels", "patch_size": 5, "stride": 7, "scales": (1, 3), "norm": "l2"}
    settings = bag(**asked, grid=(3, 2), power=0.5).fit([large]).settings_
    assert settings == {**settings, **asked, "grid": [(3, 2)], "power": 0.5}


def test_n_neighbors_is_a_share_of_the_words_and_never_more_than_all():
    assert bag(encoding="nearest").fit(IMAGES).settings_["n_neighbors"] == 8
    transformer = bag(encoding="nearest", n_neighbors=99, grid=(1, 1)).fit(IMAGES)
    assert_array_equal(transformer.transform(IMAGES), 18 * 14)


@pytest.mark.parametrize("dtype", ["float16", np.float32, np.float64])
@pytest.mark.parametrize("images", [IMAGES, IMAGES / 255], ids=["bytes", "floats"])
def test_the_output_has_the_dtype_asked_for(images, dtype):
    plain = bag(pooling="mean").fit_transform(images)
    got = bag(pooling="mean", dtype=dtype).fit_transform(images)
    assert got.dtype == dtype
    assert_array_equal(got, plain.astype(dtype))


def test_numbers_too_large_for_half_precision_are_refused():
    images = RNG.random((1, 300, 300))
    plain = {"scales": (1,), "grid": (1, 1), "power": 1, "norm": None}
    transformer = bag(descriptor="pixels", stride=1, encoding="hard", n_words=1, **plain)
    assert transformer.fit(images).transform(images) == 295 * 295
    with pytest.raises(ValueError, match=r"up to 65,504, and the features reach 87025: use"):
        transformer.set_params(dtype="float16").fit(images)


# Powers of two, which round nothing: a patch between two words stays there.
@pytest.mark.parametrize("dtype, power", [("f4", 46), ("f8", 398)])
@pytest.mark.parametrize("options", [{}, {"descriptor": "sift"}, {"encoding": "fisher"}], ids=str)
def test_the_unit_of_the_pixels_does_not_matter(dtype, power, options):
    images = (IMAGES / 255).astype(dtype)
    expected = bag(**{"n_words": 5, **options}).fit_transform(images)
    for scale in (2.0**power, 2.0**-power):
        got = bag(**{"n_words": 5, **options}).fit_transform((images * scale).astype(dtype))
        assert_allclose(got, expected, rtol=1e-4, atol=1e-4 * abs(expected).max())


@pytest.mark.parametrize(
    "dtype, scale", [("f4", 1e-20), ("f4", 1e20), ("f8", 1e-200), ("f8", 1e200)]
)
def test_floats_without_squares_are_refused(dtype, scale):
    images = (IMAGES / 255).astype(dtype)
    scaled = (images * scale).astype(dtype)
    for X in (scaled, list(scaled)):
        with pytest.raises(ValueError, match=r"X has values up to 1e[+-].*Scale the images"):
            bag().fit(X)
    with pytest.raises(ValueError, match="Scale the images"):
        bag().fit(images).transform(scaled)


def test_large_photographs_are_described_in_little_memory():
    """Tiles of codes, never the codes of a whole image."""
    images = RNG.integers(256, size=(1, 900, 1200, 3), dtype=np.uint8)
    transformer = bag(descriptor="pixels", stride=2, grid=(1, 1), scales=(1,)).fit(images)
    tracemalloc.start()
    transformer.transform(images)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    all_codes = 448 * 598 * 20 * 4
    assert peak < all_codes


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


def test_a_patch_larger_than_the_image_is_clipped():
    with pytest.warns(UserWarning, match="patch_size=21 does not fit .* 23 x 19 .* are 21 x 19"):
        transformer = bag(patch_size=21, n_words=9).fit(IMAGES)
    assert transformer.patch_shape_ == (21, 19, 3)
    assert transformer.patch_size == 21
    with pytest.warns(UserWarning, match="patches are 4 x 6"):
        transformer = bag(patch_size=6).fit([IMAGES[0], IMAGES[1, :4], IMAGES[2, :, :7]])
    assert transformer.patch_shape_ == (4, 6, 3)
    # Where nobody asked for a size there is nothing to warn of.
    strips = bag(encoding="hard", grid=(1, 1)).fit_transform(RNG.random((9, 11)))
    assert_array_equal(strips.sum(axis=1), 6)
    with pytest.warns(UserWarning, match="patch_size=16 does not fit .* 11 x 15 .* are 8 x 12"):
        sift = bag(descriptor="sift", patch_size=16, n_words=5).fit(IMAGES[:, :11, :15])
    assert sift.patch_shape_ == (8, 12, 3)


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
        ({"encoding": "softly"}, ValueError, "encoding must be one of 'auto', .*got 'softly'"),
        ({"encoding": None}, ValueError, "encoding must be one of .*got None"),
        ({"descriptor": "surf"}, ValueError, "descriptor must be one of .*got 'surf'"),
        ({"whitening": "yes"}, ValueError, "whitening must be one of .*got 'yes'"),
        ({"pooling": (2, 2)}, ValueError, r"pooling must be one of 'sum', .*got \(2, 2\)"),
        ({"norm": "l1"}, ValueError, "norm must be one of .*got 'l1'"),
        ({"grid": 2}, TypeError, "grid must be a pair.*got 2"),
        ({"grid": (0, 2)}, ValueError, r"grid must be a pair.*got \(0, 2\)"),
        ({"grid": ()}, ValueError, r"grid must be a pair.*got \(\)"),
        ({"grid": [(1, 1), 2]}, TypeError, r"grid\[1\] must be a pair.*got 2"),
        ({"grid": [(1, 1), (2, 0)]}, ValueError, r"grid\[1\] must be a pair.*got \(2, 0\)"),
        ({"scales": 2}, TypeError, "scales must be 'auto' or a tuple of numbers >= 1, got 2"),
        ({"scales": ("1",)}, TypeError, "scales must be"),
        ({"scales": ()}, ValueError, "scales must be"),
        ({"scales": (1, 0.5)}, ValueError, r"scales must be .*got \(1, 0.5\)"),
        ({"scales": (np.nan,)}, ValueError, "scales must be"),
        ({"n_neighbors": 0}, ValueError, "n_neighbors must be an integer >= 1, got 0"),
        ({"power": 0}, ValueError, r"power must be .* \(0, 1\], got 0"),
        ({"power": "half"}, TypeError, "power must be .*got 'half'"),
        ({"dtype": "int8"}, ValueError, "dtype must be None, float16, .*got 'int8'"),
        ({"dtype": "floaty"}, TypeError, "dtype must be None, float16, .*got 'floaty'"),
        ({"codebook": "kmean"}, ValueError, "codebook must be one of 'kmeans', .*got 'kmean'"),
        ({"codebook": KMeans}, TypeError, "codebook must be one of .* or a clusterer object"),
        ({"codebook": 7}, TypeError, "codebook must be one of .* or a clusterer object, got 7"),
        ({"codebook": "omp", "encoding": "fisher"}, ValueError, "codebook must be 'kmeans' or a G"),
        (
            {"codebook": GaussianMixture(2), "encoding": "fisher"},
            ValueError,
            "codebook must have covariance_type='diag'",
        ),
        ({"pooling": "max", "encoding": "vlad"}, ValueError, "pooling must be .*'vlad', got 'max'"),
        (
            {"descriptor": "sift", "patch_size": 6},
            ValueError,
            "patch_size must be a multiple of 4 for 'sift', got 6",
        ),
        (
            {"descriptor": "sift", "patch_size": 16, "stride": 6},
            ValueError,
            "stride must be a multiple of patch_size / 4 = 4 for 'sift', got 6",
        ),
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
    transformer = bag(grid=[2, 3], image_shape=[23, 19, 3], random_state=np.random.RandomState(3))
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


def test_images_too_small_for_sift_are_refused():
    with pytest.raises(ValueError, match="needs images of at least 4 x 4 pixels, got 3 x 9"):
        BagOfVisualWords(2, descriptor="sift").fit(np.zeros((4, 3, 9)))
