"""Whitening and codebooks, by foreign answers and by what makes a word the best one."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from sklearn.cluster import DBSCAN, AgglomerativeClustering, Birch, KMeans, MiniBatchKMeans
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from sklin.features._codebooks import learn_mixture, learn_words
from sklin.features._whitening import learn_whitening

RNG = np.random.default_rng(0)
CORRELATED = RNG.standard_normal((500, 12)) @ (np.eye(12) + 0.3 * RNG.standard_normal((12, 12)))
THREE = np.repeat(RNG.standard_normal((3, 4)) * 100, 40, axis=0) + RNG.standard_normal((120, 4))
KIND = np.repeat(np.arange(3), 40)


def chance():
    return np.random.RandomState(0)


# Whitening


@pytest.mark.parametrize("variance_kept", [0.5, 0.9, 0.99, 1])
def test_whitened_patches_have_identity_covariance(variance_kept):
    mean, whiten, color = learn_whitening(CORRELATED, variance_kept)
    z = (CORRELATED - mean) @ whiten
    assert_allclose(z.mean(axis=0), 0, atol=1e-9)
    assert_allclose(z.T @ z / len(z), np.eye(z.shape[1]), atol=1e-8)
    pca = PCA(variance_kept if variance_kept < 1 else 12, whiten=True)
    foreign = pca.fit_transform(CORRELATED) * np.sqrt(len(z) / (len(z) - 1))
    assert_allclose(abs(z), abs(foreign), atol=1e-6)
    lost = ((CORRELATED - mean - z @ color) ** 2).sum() / ((CORRELATED - mean) ** 2).sum()
    assert lost <= 1 - variance_kept + 1e-12


@pytest.mark.parametrize("variance_kept", [0.8, 1])
def test_zca_is_pca_turned_back(variance_kept):
    mean, pca, _ = learn_whitening(CORRELATED, variance_kept)
    same_mean, zca, color = learn_whitening(CORRELATED, variance_kept, "zca")
    assert_array_equal(same_mean, mean)
    z = (CORRELATED - mean) @ zca
    assert z.shape == CORRELATED.shape
    assert_allclose(z @ z.T, (CORRELATED - mean) @ pca @ pca.T @ (CORRELATED - mean).T, atol=1e-9)
    assert_allclose(zca, zca.T, atol=1e-12)  # of all whitenings that which changes least
    if variance_kept == 1:
        assert_allclose(mean + z @ color, CORRELATED, atol=1e-9)


def test_no_whitening_changes_nothing():
    mean, whiten, color = learn_whitening(CORRELATED, 0.5, None)
    assert_array_equal((CORRELATED - mean) @ whiten, CORRELATED)
    assert_array_equal(mean + CORRELATED @ color, CORRELATED)


@pytest.mark.parametrize("kind", ["pca", "zca"])
def test_whitening_passes_over_directions_without_variance(kind):
    patches = RNG.standard_normal((50, 2)) @ RNG.standard_normal((2, 9))
    mean, whiten, color = learn_whitening(patches, 1.0, kind)
    assert whiten.shape == (9, 2 if kind == "pca" else 9)
    assert_allclose((patches - mean) @ whiten @ color + mean, patches, atol=1e-10)


# Words


def test_words_of_k_means_are_the_means_of_their_patches():
    words = learn_words(THREE, 3, "kmeans", chance())
    nearest = cdist(THREE, words).argmin(axis=1)
    assert_allclose(words, [THREE[nearest == k].mean(axis=0) for k in range(3)])
    assert_allclose(learn_words(THREE, 1, "kmeans", chance()), [THREE.mean(axis=0)])


def test_random_words_are_distinct_patches():
    z = np.repeat(RNG.standard_normal((30, 4)), 20, axis=0)
    words = learn_words(z, 25, "random", chance())
    assert len(np.unique(words, axis=0)) == 25
    assert (cdist(words, z).min(axis=1) == 0).all()


def test_pursuit_finds_the_directions_that_patches_are_multiples_of():
    directions = np.linalg.qr(RNG.standard_normal((6, 6)))[0][:3]
    shares = RNG.uniform(1, 3, (200, 1)) * RNG.choice([-1, 1], (200, 1))
    z = shares * directions[RNG.integers(3, size=200)]
    # Whatever it starts from: a start with two patches of one direction leaves one unexplained.
    found = [learn_words(z, 3, "omp", np.random.RandomState(seed)) for seed in range(10)]
    best = max(found, key=lambda words: np.abs(_unit(words) @ directions.T).max(axis=0).min())
    assert_allclose(np.sort(np.abs(_unit(best) @ directions.T)), np.sort(np.eye(3)), atol=1e-9)
    length = np.sqrt((z**2).sum(axis=1).mean())
    for words in found:
        assert_allclose(np.linalg.norm(words, axis=1), length, rtol=1e-9)


def _unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_pursuit_explains_more_than_its_start():
    def unexplained(words):
        shares = CORRELATED @ _unit(words).T
        return (CORRELATED**2).sum() - (np.abs(shares).max(axis=1) ** 2).sum()

    pursued = learn_words(CORRELATED, 20, "omp", chance())
    assert unexplained(pursued) < 0.9 * unexplained(learn_words(CORRELATED, 20, "random", chance()))


@pytest.mark.parametrize(
    "clusterer",
    [
        KMeans(3, n_init=1, random_state=0),
        MiniBatchKMeans(3, n_init=3, random_state=0),
        AgglomerativeClustering(3),
        DBSCAN(eps=10),
        Birch(threshold=20, n_clusters=None),
    ],
    ids=lambda clusterer: type(clusterer).__name__,
)
def test_any_clusterer_gives_words(clusterer):
    before = str(clusterer.get_params())
    words = learn_words(THREE, 77, clusterer, chance())
    means = [THREE[KIND == k].mean(axis=0) for k in range(3)]
    order = cdist(means, words).argmin(axis=1)
    assert_allclose(words[order], means, atol=2)  # MiniBatchKMeans is near its means, not there
    assert len(words) == 3
    assert str(clusterer.get_params()) == before
    assert not hasattr(clusterer, "labels_")


def test_what_finds_no_clusters_is_refused():
    with pytest.raises(ValueError, match=r"codebook must find clusters: .* PCA\(\) has neither"):
        learn_words(THREE, 3, PCA(), chance())
    with pytest.raises(ValueError, match="found no cluster among 120 patches"):
        learn_words(THREE, 3, DBSCAN(eps=1e-9), chance())


@pytest.mark.parametrize("codebook", ["kmeans", "random", "omp"])
def test_no_more_words_than_distinct_patches(codebook):
    distinct = RNG.standard_normal((5, 4))
    z = distinct[RNG.integers(5, size=200)]
    with pytest.warns(UserWarning, match="n_words=6 is more than the 5 distinct patches"):
        words = learn_words(z, 6, codebook, chance())
    assert_array_equal(words, distinct[np.lexsort(distinct.T[::-1])])
    assert_array_equal(learn_words(z, 5, codebook, chance()), words)
    assert len(learn_words(z, 4, codebook, chance())) == 4


# Mixtures


def test_a_mixture_of_distant_clusters_is_their_moments():
    z = THREE[: 3 * 40]
    mixture = learn_mixture(z, 3, "kmeans", np.random.RandomState(2))
    order = cdist([z[KIND == k].mean(axis=0) for k in range(3)], mixture.words).argmin(axis=1)
    assert sorted(order) == [0, 1, 2], "k-means started with two words in one cluster"
    floor = 1e-2 * z.var()
    for k, word in enumerate(order):
        assert_allclose(mixture.words[word], z[KIND == k].mean(axis=0), rtol=1e-6)
        assert_allclose(mixture.variances[word], z[KIND == k].var(axis=0) + floor, rtol=1e-6)
    assert_allclose(mixture.weights, 1 / 3, rtol=1e-6)


def test_a_mixture_of_ones_own_is_fitted():
    foreign = GaussianMixture(4, covariance_type="diag", random_state=3)
    mixture = learn_mixture(CORRELATED, 99, foreign, chance())
    assert not hasattr(foreign, "means_")
    expected = GaussianMixture(4, covariance_type="diag", random_state=3).fit(CORRELATED)
    assert_array_equal(mixture.words, expected.means_)
    assert_array_equal(mixture.variances, expected.covariances_)
    assert_array_equal(mixture.weights, expected.weights_)


def test_a_mixture_that_has_not_converged_serves():
    z = RNG.standard_normal((300, 5))
    with pytest.warns(ConvergenceWarning):  # what is not passed on
        GaussianMixture(8, covariance_type="diag", max_iter=1, random_state=0).fit(z)
    mixture = learn_mixture(
        z, 8, GaussianMixture(8, covariance_type="diag", max_iter=1, random_state=0), chance()
    )
    assert mixture.words.shape == (8, 5)


def test_a_mixture_of_as_many_gaussians_as_patches_is_finite():
    mixture = learn_mixture(np.eye(4), 4, "kmeans", chance())
    assert mixture.words.shape == (4, 4)
    assert (mixture.variances > 0).all()
    assert_allclose(mixture.weights, 0.25)
