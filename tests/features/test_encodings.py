"""Encoders held against SciPy, scikit-learn, scikit-image and by their own laws."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from scipy.special import softmax
from skimage.feature import fisher_vector
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors

from sklin.features._codebooks import Codebook
from sklin.features._encodings import ENCODERS

RNG = np.random.default_rng(0)
K, R = 7, 5
WORDS = RNG.standard_normal((K, R))
Z = RNG.standard_normal((3, 40, R))
BOOK = Codebook(
    WORDS,
    bandwidth=0.7,
    n_neighbors=3,
    variances=RNG.uniform(0.5, 2, (K, R)),
    weights=RNG.dirichlet(np.ones(K)),
)
WITH_CODES = [name for name, kind in ENCODERS.items() if kind.has_codes]


def foreign_codes(name, z):
    """Codes (m, width) of descriptors (m, R) by other packages, or by the formula."""
    d = cdist(z, WORDS)
    if name == "tri2":
        return np.maximum(0, (d**2).mean(axis=1, keepdims=True) - d**2)
    if name == "triangle":
        return np.maximum(0, d.mean(axis=1, keepdims=True) - d)
    if name == "hard":  # the words themselves as data make a KMeans of which they are the centres
        kmeans = KMeans(K, init=WORDS, n_init=1, max_iter=1).fit(WORDS)
        return np.eye(K)[kmeans.predict(z)]
    if name == "soft":
        return softmax(-(d**2) / (2 * BOOK.bandwidth), axis=1)
    if name == "nearest":
        neighbors = NearestNeighbors(n_neighbors=BOOK.n_neighbors).fit(WORDS)
        return neighbors.kneighbors_graph(z).toarray()
    if name == "vlad":
        codes = np.zeros((len(z), K, R))
        for i, k in enumerate(d.argmin(axis=1)):
            codes[i, k] = z[i] - WORDS[k]
        return codes.reshape(len(z), -1)
    mixture = GaussianMixture(K, covariance_type="diag")
    mixture.means_, mixture.covariances_, mixture.weights_ = WORDS, BOOK.variances, BOOK.weights
    mixture.precisions_cholesky_ = 1 / np.sqrt(BOOK.variances)
    # The first K numbers are the slopes in the weights, which are left out; scikit-image counts the
    # slopes in the deviations downwards.
    signs = np.repeat([1, -1], K * R)
    return np.array([signs * fisher_vector(one[np.newaxis], mixture)[K:] for one in z])


def extended(z, dtype=np.float64):
    return np.concatenate([z, np.ones((*z.shape[:2], 1))], axis=2).astype(dtype)


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("dtype, rtol", [(np.float64, 1e-9), (np.float32, 1e-4)])
def test_sums_are_the_sums_of_foreign_codes(name, dtype, rtol):
    encoder = ENCODERS[name](BOOK, dtype)
    sums = encoder.sums(extended(Z, dtype))
    assert sums.shape == (3, encoder.raw_width)
    expected = np.array([foreign_codes(name, z).sum(axis=0) for z in Z])
    got = encoder.finish(sums)
    assert got.shape == (3, encoder.width)
    assert_allclose(got, expected, rtol=rtol, atol=rtol * abs(expected).max())


@pytest.mark.parametrize("name", WITH_CODES)
def test_codes_are_foreign_codes(name):
    encoder = ENCODERS[name](BOOK, np.float64)
    assert_allclose(
        encoder.codes(extended(Z)), [foreign_codes(name, z) for z in Z], rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("name", ENCODERS)
def test_sums_add_up_over_tiles(name):
    encoder = ENCODERS[name](BOOK, np.float64)
    z = extended(Z)
    parts = encoder.sums(z[:, :13]) + encoder.sums(z[:, 13:])
    assert_allclose(parts, encoder.sums(z), rtol=1e-10, atol=1e-10)
    assert_allclose(
        encoder.finish(parts),
        encoder.finish(encoder.sums(z[:, :13])) + encoder.finish(encoder.sums(z[:, 13:])),
        atol=1e-10,
    )


@pytest.mark.parametrize("name", ENCODERS)
def test_codes_leave_the_descriptors(name):
    z = extended(Z)
    before = z.copy()
    encoder = ENCODERS[name](BOOK, np.float64)
    encoder.sums(z)
    if encoder.has_codes:
        encoder.codes(z)
    assert_array_equal(z, before)


@pytest.mark.parametrize("k", [1, 3, K])
def test_the_nearest_are_k(k):
    encoder = ENCODERS["nearest"](Codebook(WORDS, n_neighbors=k), np.float64)
    codes = encoder.codes(extended(Z))
    assert_array_equal(codes.sum(axis=2), k)
    assert_array_equal(np.unique(codes), [1] if k == K else [0, 1])
    if k == 1:
        assert_array_equal(codes, ENCODERS["hard"](BOOK, np.float64).codes(extended(Z)))


def test_words_as_far_as_the_kth_count_too():
    square = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1], [5, 5]])
    encoder = ENCODERS["nearest"](Codebook(square, n_neighbors=2), np.float64)
    assert_array_equal(encoder.codes(extended(np.zeros((1, 1, 2)))), [[[1, 1, 1, 1, 0]]])


def test_a_narrow_soft_code_is_hard_and_a_wide_one_even():
    z = extended(Z)
    narrow, wide = (
        ENCODERS["soft"](Codebook(WORDS, bandwidth=b), np.float64).codes(z) for b in (1e-9, 1e9)
    )
    assert_allclose(narrow, ENCODERS["hard"](BOOK, np.float64).codes(z), atol=1e-9)
    assert_allclose(wide, 1 / K, rtol=1e-6)


def test_what_has_signs_has_no_maximum():
    assert {name for name in ENCODERS if name not in WITH_CODES} == {"vlad", "fisher"}
    assert all(
        (ENCODERS[name](BOOK, np.float64).codes(extended(Z)) >= 0).all() for name in WITH_CODES
    )
