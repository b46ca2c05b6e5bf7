"""Codebooks: the visual words that a bag counts, learnt from a sample of descriptors."""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

CODEBOOKS = ("kmeans", "random", "omp")

# Past ten rounds the mean distance falls by another 0.7% at five times the cost.
KMEANS_ROUNDS = 10


@dataclass
class Codebook:
    """What the encoders need to know of the words."""

    words: np.ndarray  # (K, r), float64
    bandwidth: float | None = None  # of the soft encoding, in squared units of the words
    n_neighbors: int | None = None  # of the nearest-neighbour encoding
    variances: np.ndarray | None = None  # (K, r), of the mixture behind Fisher vectors
    weights: np.ndarray | None = None  # (K,)


def learn_words(z, n_words, codebook, random_state):
    """Choose words that stand for descriptors.

    Parameters
    ----------
    z : ndarray of shape (m, r)
        Descriptors.
    n_words : int
        Number of words wanted.
    codebook : {"kmeans", "random", "omp"} or clusterer
        "kmeans": cluster centres; "random": descriptors drawn at random; "omp": directions, each
        descriptor a multiple of one of them; or an object with scikit-learn's `fit`, which finds
        as many words as it likes.
    random_state : numpy.random.RandomState
        The source of chance.

    Returns
    -------
    words : ndarray of shape (K, r)
        float64. The distinct descriptors themselves if there are no more than `n_words`.

    Warns
    -----
    UserWarning
        If there are fewer distinct descriptors than words wanted.
    """
    if not isinstance(codebook, str):
        return _centres(clone(codebook).fit(z), z)
    # Rounded, since equal patches may leave a matrix product with different last bits.
    _, distinct = np.unique(np.round(z, 5), axis=0, return_index=True)
    if len(distinct) < n_words:
        warnings.warn(
            f"n_words={n_words} is more than the {len(distinct)} distinct patches drawn from X: "
            f"there are {len(distinct)} words.",
            UserWarning,
            stacklevel=5,
        )
    if len(distinct) <= n_words:
        return z[distinct].astype(np.float64)
    # Random distinct patches: at 1,600 words k-means++ takes ten times as long (29 s against 2.7)
    # for a mean squared distance of 26.0 against 26.2; MiniBatchKMeans takes 2.5 s to reach 27.0.
    start = z[random_state.choice(distinct, n_words, replace=False)]
    if codebook == "kmeans":
        # On one thread: KMeans adds up its threads' sums in the order in which they finish, so
        # that on four threads two equal fits differed by 2e-7.
        with threadpool_limits(limits=1, user_api="openmp"):
            kmeans = KMeans(n_words, init=start, n_init=1, max_iter=KMEANS_ROUNDS)
            start = kmeans.fit(z).cluster_centers_
    elif codebook == "omp":
        start = _pursue(z, start)
    return start.astype(np.float64)


def _centres(clusterer, z):
    """The words of a fitted clusterer: its centres, or else the means of its clusters."""
    for name in ("cluster_centers_", "subcluster_centers_"):
        if hasattr(clusterer, name):
            return np.array(getattr(clusterer, name), dtype=np.float64)
    labels = getattr(clusterer, "labels_", None)
    if labels is None:
        raise ValueError(
            "codebook must find clusters: after fit it must have cluster_centers_ or labels_; "
            f"{clusterer!r} has neither."
        )
    clusters = np.unique(labels[labels >= 0])  # -1 is what belongs nowhere
    if len(clusters) == 0:
        raise ValueError(f"codebook={clusterer!r} found no cluster among {len(z)} patches.")
    return np.array([z[labels == cluster].mean(axis=0, dtype=np.float64) for cluster in clusters])


def _pursue(z, directions, rounds=KMEANS_ROUNDS):
    """Directions d_k that minimise the sum of min_{k, s} |z - s d_k|^2, one round after another.

    Orthogonal matching pursuit with one direction a descriptor, s = d_k . z for the largest
    |d_k . z|, and each direction the best for those that chose it but for its length, sum of s z.
    They are given the root mean square length of the descriptors, so that distances make sense.
    """
    length = np.sqrt(np.einsum("mr,mr->", z, z) / len(z))
    directions = _unit(directions)
    rows = np.arange(len(z))
    for _ in range(rounds):
        shares = z @ directions.T
        chosen = np.abs(shares).argmax(axis=1)
        weights = np.zeros_like(shares)
        weights[rows, chosen] = shares[rows, chosen]
        sums = weights.T @ z
        used = np.einsum("kr,kr->k", sums, sums) > 0
        directions[used] = _unit(sums[used])
    return length * directions


def _unit(vectors):
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def learn_mixture(z, n_words, codebook, random_state):
    """Fit a mixture of Gaussians with diagonal covariances.

    Parameters
    ----------
    z : ndarray of shape (m, r)
        Descriptors.
    n_words : int
        Number of Gaussians wanted; at most as many as distinct descriptors.
    codebook : {"kmeans"} or GaussianMixture
        Where the mixture starts, or an unfitted one.
    random_state : numpy.random.RandomState
        The source of chance.

    Returns
    -------
    codebook : Codebook
        Means as words, variances and weights.
    """
    if isinstance(codebook, str):
        words = learn_words(z, n_words, "kmeans", random_state)
        n_words = len(words)
        if n_words < 2 or n_words >= len(z):  # no room for an estimate: round Gaussians
            variances = np.full_like(words, max(z.var(), 1e-6))
            return Codebook(words, variances=variances, weights=np.full(n_words, 1 / n_words))
        # A floor of a hundredth of the variance: a Gaussian on a handful of equal patches would
        # have slopes without bounds.
        mixture = GaussianMixture(
            n_words,
            covariance_type="diag",
            means_init=words,
            init_params="random_from_data",
            max_iter=20,
            reg_covar=1e-2 * max(z.var(), 1e-6),
            random_state=random_state.randint(2**31 - 1),
        )
    else:
        mixture = clone(codebook)
    with warnings.catch_warnings():
        # The last per cent of likelihood does not matter to the features.
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(z.astype(np.float64))
    return Codebook(mixture.means_, variances=mixture.covariances_, weights=mixture.weights_)
