"""Every way a batch of images may arrive, and every way it is refused."""

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_checks
from sklearn.utils._testing import SkipTest

from sklin.features import HOG, ColorHistogram
from sklin.features._album import Album
from sklin.features._images import check_image_shape, check_images
from sklin.features._parameters import check_bool, check_choice, check_integer, check_pair
from sklin.features._transformer import ImageTransformer

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (5, 6, 7), dtype=np.uint8)
RGB = RNG.integers(0, 256, (5, 6, 7, 3), dtype=np.uint8)
RGBA = RNG.integers(0, 256, (5, 6, 7, 4), dtype=np.uint8)


class Mean(ImageTransformer):
    """The smallest transformer: the mean of each channel."""

    def __init__(self, image_shape=None, n_jobs=None, verbose=False):
        self.image_shape = image_shape
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _features(self, images):
        return images.mean(axis=(1, 2))


class OneSize(Mean):
    _one_size = "sizes must agree"


# What comes in


@pytest.mark.parametrize(
    ("X", "image_shape", "expected"),
    [
        (GREY, None, GREY[..., np.newaxis]),
        (GREY, (6, 7), GREY[..., np.newaxis]),
        (GREY[..., np.newaxis], [6, 7], GREY[..., np.newaxis]),
        (RGB, None, RGB),
        (RGB, (6, 7, 3), RGB),
        (RGB.reshape(5, -1), (6, 7, 3), RGB),
        (GREY.reshape(5, -1), (6, 7), GREY[..., np.newaxis]),
        (GREY.reshape(5, -1)[:, :36], None, GREY.reshape(5, -1)[:, :36].reshape(5, 6, 6, 1)),
        (GREY.reshape(5, -1)[:, :35], None, GREY.reshape(5, -1)[:, :35].reshape(5, 1, 35, 1)),
        (GREY.reshape(5, -1)[:, :1], None, GREY[:, :1, :1, np.newaxis]),
        (np.asfortranarray(RGB), None, RGB),
        (RGB[:, ::-1, ::2], None, RGB[:, ::-1, ::2]),
        (RNG.random((5, 6, 3, 1)), (6, 3), None),
    ],
)
def test_arrays_become_images_with_channels(X, image_shape, expected):
    images, shape = check_images(X, image_shape)
    np.testing.assert_array_equal(images, X if expected is None else expected)
    assert images.dtype == X.dtype
    assert shape == images.shape[1:]


def test_grey_images_three_pixels_wide_pass_if_someone_says_so():
    X = GREY[:, :, :3]
    assert check_images(X, (6, 3))[0].shape == (5, 6, 3, 1)


def test_contiguous_input_is_not_copied():
    assert np.shares_memory(check_images(RGB)[0], RGB)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_these_types_stay(dtype):
    assert check_images(RGB.astype(dtype))[0].dtype == dtype


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16, np.int64, np.float16, object])
def test_other_types_become_float64_of_the_same_values(dtype):
    X = GREY.astype(dtype)
    images, _ = check_images(X)
    assert images.dtype == np.float64
    np.testing.assert_array_equal(images[..., 0], X.astype(np.float64))


@pytest.mark.parametrize("container", [list, tuple])
def test_a_list_of_equal_images_is_an_array_of_free_size(container):
    images, shape = check_images(container(RGB))
    np.testing.assert_array_equal(images, RGB)
    assert shape == (None, None, 3)


def test_nested_lists_are_images():
    np.testing.assert_array_equal(list(check_images(GREY.tolist())[0]), GREY[..., np.newaxis])
    np.testing.assert_array_equal(check_images(GREY[0].tolist(), (7, 1))[0][:, :, 0, 0], GREY[0])


def ragged(as_object=False):
    images = [RGB[0], RGB[1, :4], RGB[2, :, :2]]
    if not as_object:
        return images
    X = np.empty(3, dtype=object)
    X[:] = images
    return X


@pytest.mark.parametrize("as_object", [False, True])
def test_ragged_images_stay_a_list(as_object):
    images, shape = check_images(ragged(as_object))
    assert isinstance(images, Album)
    assert shape == (None, None, 3)
    for image, original in zip(images, ragged(), strict=True):
        np.testing.assert_array_equal(image, original)


def test_ragged_grey_images_get_a_channel():
    images, shape = check_images([GREY[0], GREY[1, :2]])
    assert [image.shape for image in images] == [(6, 7, 1), (2, 7, 1)]
    assert shape == (None, None, 1)


def test_ragged_images_share_one_dtype():
    images, _ = check_images([RGB[0].astype(np.float32), RGB[1, :4].astype(np.int64)])
    assert {image.dtype for image in images} == {np.dtype(np.float64)}


def test_alpha_is_dropped_with_a_warning():
    for X in (RGBA, list(RGBA), [RGBA[0], RGBA[1, :4]], [RGBA[0], RGB[0]]):
        with pytest.warns(UserWarning, match="alpha channel, which is dropped"):
            images, shape = check_images(X)
        np.testing.assert_array_equal(images[0], RGBA[0, ..., :3])
        assert shape[2] == (4 if X is RGBA else 3)
    with pytest.warns(UserWarning, match="alpha"):
        images, _ = check_images(RGBA.reshape(5, -1), (6, 7, 4))
    np.testing.assert_array_equal(images, RGBA[..., :3])


def test_wide_rows_warn_and_guess_the_shape():
    with pytest.warns(UserWarning, match=r"X has rows of 3072 .* image_shape=\(32, 32, 3\)"):
        images, _ = check_images(np.zeros((1, 3072)))
    assert images.shape == (1, 1, 3072, 1)
    with pytest.warns(UserWarning, match=r"Set image_shape to say what they are\.$"):
        check_images(np.zeros((1, 101)))
    assert check_images(np.zeros((1, 784)))[0].shape == (1, 28, 28, 1)


# What is refused


@pytest.mark.parametrize(
    ("X", "image_shape", "message"),
    [
        (RGB[0], None, r"X of shape \(6, 7, 3\) looks like one colour image.*X\[np.newaxis\]"),
        (RGBA[0], None, "looks like one colour image"),
        (RGB[0], (6, 7, 3), "looks like one colour image"),
        (RGB[0], (None, None, 3), "looks like one colour image"),
        (np.zeros((5, 6, 7, 2)), None, r"1, 3 or 4 channels on its last axis.*\(5, 6, 7, 2\)\.$"),
        (np.zeros((5, 3, 6, 7)), None, r"Channels come last: np.moveaxis\(X, 1, -1\)"),
        (np.zeros((1, 1, 1, 1, 1)), None, r"\(n, h, w\), \(n, h, w, c\) or rows"),
        (GREY, (7, 6), r"shape \(6, 7, 1\), expected \(7, 6, 1\)"),
        (RGB, (6, 7), r"shape \(6, 7, 3\), expected \(6, 7, 1\)"),
        (GREY, (None, None, 3), "X has 1 channels, expected 3"),
        (GREY.reshape(5, -1), (5, 5), "rows of 42 values.*asks for 25"),
        (GREY.reshape(5, -1), (None, None, 1), "array of rows.*list"),
        (np.zeros((0, 6, 7)), None, "0 sample"),
        (np.zeros((2, 0, 7)), None, "0 feature"),
        (np.zeros(5), None, "1D array"),
        ([], None, "1D array"),
        (np.where(GREY == GREY.max(), np.nan, GREY), None, "X contains NaN"),
        (np.where(GREY == GREY.max(), np.inf, GREY), None, "X contains infinity"),
        (GREY + 1j, None, "Complex"),
        ([RGB[0], RGB[1, 0, 0]], None, r"X\[1\] must be an image.*got shape \(3,\)"),
        ([GREY[0], GREY[1:3, :, :2]], None, r"X\[1\] must be an image.*got shape \(2, 6, 2\)"),
        ([GREY[0], GREY[1, :0]], None, r"X\[1\] must be an image.*got shape \(0, 7\)"),
        ([[[1, 2], [3]]], None, r"X\[0\] is no image"),
        ([GREY[0], RGB[0]], None, r"X\[1\] has 3 channels, expected 1"),
        ([RGB[0], RGB[1, :4] / 255], None, r"X\[1\] is float64, X\[0\] is uint8"),
        ([GREY[0] * 1.0, GREY[1, :2] * np.nan], None, r"X\[1\] contains NaN"),
        ([RGB[0], RGB[1, :4]], (6, 7, 3), r"X\[1\] is an image of shape \(4, 7, 3\)"),
        ([RGB[0], RGB[1]], (4, 4, 3), r"shape \(6, 7, 3\), expected \(4, 4, 3\)"),
    ],
)
def test_wrong_images_are_refused_in_a_sentence(X, image_shape, message):
    with pytest.raises(ValueError, match=message):
        check_images(X, image_shape)


def test_one_size_refuses_ragged_lists_with_its_advice():
    with pytest.raises(ValueError, match=r"X\[1\] .* X\[0\] .*; set grid\.$"):
        check_images(ragged(), one_size="set grid")
    images, shape = check_images(list(RGB), one_size="set grid")
    assert shape == images[0].shape == (6, 7, 3)


def test_sparse_rows_and_foreign_objects_are_refused():
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        check_images(csr_array(GREY[0]))
    with pytest.raises(TypeError):
        check_images(np.array([[{}, {}]], dtype=object))


@pytest.mark.parametrize(
    ("image_shape", "error"),
    [
        ("abc", TypeError),
        (7, TypeError),
        ((7.0, 7), TypeError),
        ((True, 7), TypeError),
        ((7,), ValueError),
        ((7, 7, 2), ValueError),
        ((0, 7), ValueError),
        ((7, -7, 3), ValueError),
        ((None, 7, 3), TypeError),
        ((7, 7, None), TypeError),
        ((None, None, 3), TypeError),
        ((1, 7, 7, 3), ValueError),
    ],
)
def test_wrong_image_shapes_are_refused(image_shape, error):
    with pytest.raises(error, match=r"image_shape must be None, \(h, w\) or \(h, w, c\).*got"):
        check_image_shape(image_shape)
    with pytest.raises(error, match=r"image_shape must be"):
        Mean(image_shape=image_shape).fit(RGB)


@pytest.mark.parametrize(
    ("check", "value", "error"),
    [
        (check_integer, 1.5, TypeError),
        (check_integer, True, TypeError),
        (check_integer, 0, ValueError),
        (check_pair, 2, TypeError),
        (check_pair, (1.0, 2), TypeError),
        (check_pair, (1,), ValueError),
        (check_pair, (0, 1), ValueError),
        (check_bool, 1, TypeError),
    ],
)
def test_parameters_are_named_when_refused(check, value, error):
    with pytest.raises(error, match=r"^this must be .*got"):
        check("this", value)


def test_choices_are_listed_when_refused():
    check_choice("this", None, ("a", None))
    for value in ("b", np.zeros(2), 3):
        with pytest.raises(ValueError, match=r"^this must be one of 'a', None, got"):
            check_choice("this", value, ("a", None))


# The base of the transformers


def test_all_ways_give_the_same_rows():
    expected = Mean().fit_transform(RGB)
    rows = RGB.reshape(5, -1)
    np.testing.assert_array_equal(Mean(image_shape=(6, 7, 3)).fit_transform(rows), expected)
    np.testing.assert_array_equal(Mean().fit(RGB).transform(rows), expected)
    np.testing.assert_array_equal(Mean().fit(RGB).transform(list(RGB)), expected)
    np.testing.assert_array_equal(Mean().fit(list(RGB)).transform(RGB), expected)
    np.testing.assert_array_equal(Mean().fit(ragged()).transform(RGB), expected)


def test_ragged_rows_keep_their_order_whatever_the_chunks():
    images = [RGB[i, : 2 + i % 3] for i in range(5)]
    expected = np.concatenate([Mean().fit_transform(image[np.newaxis]) for image in images])
    for pixels in (1, 600, 10**6):
        transformer = Mean().fit(images)
        transformer._pixels_per_chunk = pixels
        np.testing.assert_array_equal(transformer.transform(images), expected)


@pytest.mark.parametrize("pixels", [1, 600, 10**6])
def test_chunks_and_threads_change_nothing(pixels):
    expected = Mean().fit_transform(RGB)
    for n_jobs in (1, 2, -1):
        transformer = Mean(n_jobs=n_jobs).fit(RGB)
        transformer._pixels_per_chunk = pixels
        np.testing.assert_array_equal(transformer.transform(RGB), expected)


@pytest.mark.parametrize("n_jobs", [0, 1.5, "two", True])
def test_wrong_n_jobs_is_refused(n_jobs):
    with pytest.raises(ValueError, match="n_jobs must be None or an integer other than 0, got"):
        Mean(n_jobs=n_jobs).fit(RGB)


def test_float64_alone_gives_float64():
    for dtype, expected in [(np.uint8, "f4"), (np.float32, "f4"), (np.float64, "f8")]:
        assert Mean().fit_transform(RGB.astype(dtype)).dtype == np.dtype(expected)


def test_transform_refuses_images_of_another_shape():
    transformer = Mean().fit(RGB)
    for X, message in [
        (RGB[:, :4], r"shape \(4, 7, 3\), expected \(6, 7, 3\)"),
        (GREY, r"shape \(6, 7, 1\), expected"),
        (ragged(), r"X\[1\] is an image of shape \(4, 7, 3\)"),
        (RGB.reshape(5, -1)[:, :9], "X has 9 features, but Mean is expecting 126"),
        (RGB[0], "looks like one colour image"),
    ]:
        with pytest.raises(ValueError, match=message):
            transformer.transform(X)


def test_fitted_on_a_list_then_rows_or_other_channels_are_refused():
    transformer = Mean().fit(ragged())
    assert not hasattr(transformer, "n_features_in_")
    with pytest.raises(ValueError, match="array of rows"):
        transformer.transform(RGB.reshape(5, -1))
    with pytest.raises(ValueError, match="X has 1 channels, expected 3"):
        transformer.transform(GREY)
    with pytest.raises(ValueError, match=r"X\[0\] has 1 channels, expected 3"):
        transformer.transform([GREY[0], GREY[1, :2]])


def test_refitting_forgets_the_former_shape():
    transformer = Mean().fit(RGB)
    assert transformer.n_features_in_ == 126
    transformer.fit(ragged())
    assert not hasattr(transformer, "n_features_in_")
    assert transformer.fit(GREY).image_shape_ == (6, 7, 1)


def test_one_size_passes_its_advice_on():
    with pytest.raises(ValueError, match="sizes must agree"):
        OneSize().fit(ragged())
    assert OneSize().fit(list(RGB)).n_features_in_ == 126


def test_unfitted_is_refused():
    with pytest.raises(NotFittedError):
        Mean().transform(RGB)


# scikit-learn's own checks. check_estimator does not yield those in the list.

TRANSFORMERS = [ColorHistogram(), HOG(), Mean()]
FURTHER_CHECKS = [
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_dataframe_column_names_consistency",
]


@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pytest.param(estimator, check, id=f"{type(estimator).__name__}-{check.func.__name__}")
        for transformer in TRANSFORMERS
        for estimator, check in estimator_checks.estimator_checks_generator(transformer)
    ],
)
def test_scikit_learn_checks(estimator, check):
    try:
        check(estimator)
    except SkipTest as skipped:
        pytest.fail(f"a skipped check says nothing: {skipped}")


@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("name", FURTHER_CHECKS)
@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names")  # mixed on purpose
def test_further_scikit_learn_checks(estimator, name):
    getattr(estimator_checks, name)(type(estimator).__name__, clone(estimator))


@pytest.mark.parametrize("path", ["images/cat.png", Path("images")])
def test_one_path_is_no_batch(path):
    with pytest.raises(TypeError, match=r"X must be a batch.*\[path\].*load_image_folder"):
        ColorHistogram().fit([np.zeros((4, 4, 3))]).transform(path)


def test_what_was_fitted_on_an_array_says_how_other_sizes_are_taken():
    images = [np.zeros((20, 20, 3), np.uint8), np.zeros((30, 20, 3), np.uint8)]
    hog = HOG(grid=(2, 2)).fit(np.zeros((2, 20, 20, 3), np.uint8))
    with pytest.raises(ValueError, match=r"X\[1\].*seen in fit.*fitted on a list"):
        hog.transform(images)
    assert HOG(grid=(2, 2)).fit(images[:1]).transform(images).shape == (2, 36)
