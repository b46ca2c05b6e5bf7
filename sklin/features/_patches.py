"""Patches of images as pure functions: cut, draw, normalise, whiten and cluster them."""

import warnings
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.cluster import KMeans
from sklearn.utils.random import sample_without_replacement
from threadpoolctl import threadpool_limits

# Past ten rounds the mean distance falls by another 0.7% at five times the cost.
KMEANS_ROUNDS = 10


def patch_windows(images, patch_shape, stride):
    """View all patches of equal-sized images.

    Parameters
    ----------
    images : ndarray of shape (n, h, w, c)
        The images.
    patch_shape : tuple (ph, pw, c)
        Height and width of a patch in pixels, and the images' channels.
    stride : int
        Pixels from one patch to the next, down and across.

    Returns
    -------
    windows : ndarray of shape (n, rows, columns, ph, pw * c)
        A view, no copy. rows = (h - ph) // stride + 1, columns likewise.

    Raises
    ------
    ValueError
        If an image is smaller than a patch.
    """
    n, h, w, c = images.shape
    ph, pw, _ = patch_shape
    if h < ph or w < pw:
        raise ValueError(
            f"X holds an image of {h} x {w} pixels, smaller than the patches of {ph} x {pw} "
            "learned in fit."
        )
    # A pixel's channels lie side by side: a patch is ph runs of pw * c numbers, copied as such.
    windows = sliding_window_view(images.reshape(n, h, w * c), (ph, pw * c), axis=(1, 2))
    return windows[:, ::stride, :: stride * c]


def sample_patches(images, patch_shape, stride, n_patches, random_state):
    """Draw patches at random, every position in every image equally likely and none twice.

    Parameters
    ----------
    images : ndarray of shape (n, h, w, c) or list of ndarrays of shape (h, w, c)
        The images.
    patch_shape : tuple (ph, pw, c)
        Height, width and channels of a patch.
    stride : int
        Pixels from one possible position to the next.
    n_patches : int
        How many to draw. If there are fewer, all are taken.
    random_state : numpy.random.RandomState
        The source of chance.

    Returns
    -------
    patches : ndarray of shape (m, ph * pw * c)
        float64, with the values of the images; m <= `n_patches`.
    """
    batches = [image[np.newaxis] for image in images] if isinstance(images, list) else [images]
    views = [patch_windows(batch, patch_shape, stride) for batch in batches]
    edges = np.cumsum([0, *(prod(view.shape[:3]) for view in views)])
    total = edges[-1]
    drawn = np.sort(
        sample_without_replacement(total, min(n_patches, total), random_state=random_state)
    )
    parts = np.split(drawn, np.searchsorted(drawn, edges[1:-1]))
    patches = [
        view[np.unravel_index(part - edge, view.shape[:3])].reshape(len(part), prod(patch_shape))
        for view, part, edge in zip(views, parts, edges[:-1], strict=True)
    ]
    return np.concatenate(patches).astype(np.float64)


def center_patches(patches, epsilon):
    """Subtract from each patch its mean, in place, and measure its contrast.

    Parameters
    ----------
    patches : ndarray of shape (m, d)
        float32 or float64; overwritten.
    epsilon : float
        What is added to the variance, in squared units of the pixels.

    Returns
    -------
    scale : ndarray of shape (m, 1)
        1 / sqrt(variance + epsilon): the contrast-normalised patches are `patches * scale`.
    """
    # The mean as a matrix product is 5 times faster than patches.mean(1). Leaving it in, since the
    # whitening is blind to it, and taking the variance as E[p^2] - E[p]^2 saves 1% of a transform
    # and costs three digits of float32.
    d = patches.shape[1]
    patches -= (patches @ np.full(d, 1 / d, patches.dtype))[:, np.newaxis]
    variance = np.einsum("md,md->m", patches, patches) / d
    return 1 / np.sqrt(variance + epsilon)[:, np.newaxis]


class Whitening(NamedTuple):
    """The affine map z = (p - mean) @ whiten, and its way back, p ~ mean + z @ color."""

    mean: np.ndarray  # (d,)
    whiten: np.ndarray  # (d, r)
    color: np.ndarray  # (r, d)


def learn_whitening(patches, variance_kept):
    r"""Rotate patches to their principal axes and scale each axis to variance one.

    With the covariance :math:`\Sigma = U \Lambda U^\top` of the patches, the whitened patch is
    :math:`z = \Lambda_r^{-1/2} U_r^\top (p - \mu)`, over the r leading axes. Distances are those of
    ZCA whitening, which only rotates z back: k-means cannot tell the two apart.

    Parameters
    ----------
    patches : ndarray of shape (m, d)
        Contrast-normalised patches.
    variance_kept : float
        r is the least number of axes that hold this share of the total variance.

    Returns
    -------
    whitening : Whitening
        The map and the way back.
    """
    mean = patches.mean(axis=0)
    centred = patches - mean
    values, axes = np.linalg.eigh(centred.T @ centred / len(patches))
    values, axes = values[::-1], axes[:, ::-1]
    # Directions without variance (the constant patch is always one) hold rounding errors: never
    # divide by them.
    rank = np.count_nonzero(values > np.finfo(np.float32).eps * values[0])
    share = np.cumsum(values[:rank])
    r = min(rank, np.searchsorted(share, variance_kept * share[-1]) + 1) if rank else 0
    if r == 0:  # patches without any contrast: one axis, on which all are 0
        return Whitening(mean, np.zeros((len(mean), 1)), np.zeros((1, len(mean))))
    deviation = np.sqrt(values[:r])
    return Whitening(mean, axes[:, :r] / deviation, (axes[:, :r] * deviation).T)


def learn_words(z, n_words, random_state):
    """Cluster whitened patches into words by k-means.

    Parameters
    ----------
    z : ndarray of shape (m, r)
        Whitened patches.
    n_words : int
        Number of words wanted.
    random_state : numpy.random.RandomState
        The source of chance.

    Returns
    -------
    words : ndarray of shape (min(n_words, distinct), r)
        The cluster centres, with the dtype of `z`; the distinct patches themselves if there are no
        more than `n_words`.

    Warns
    -----
    UserWarning
        If there are fewer distinct patches than words wanted.
    """
    # Rounded, since equal patches may leave a matrix product with different last bits.
    _, distinct = np.unique(np.round(z, 5), axis=0, return_index=True)
    if len(distinct) < n_words:
        warnings.warn(
            f"n_words={n_words} is more than the {len(distinct)} distinct patches drawn from X: "
            f"there are {len(distinct)} words.",
            UserWarning,
            stacklevel=4,
        )
    if len(distinct) <= n_words:
        return z[distinct]
    # Random distinct patches: at 1,600 words k-means++ takes ten times as long (29 s against 2.7)
    # for a mean squared distance of 26.0 against 26.2; MiniBatchKMeans takes 2.5 s to reach 27.0.
    start = z[random_state.choice(distinct, n_words, replace=False)]
    # On one thread: KMeans adds up its threads' sums in the order in which they finish, so that on
    # four threads two equal fits differed by 2e-7.
    with threadpool_limits(limits=1, user_api="openmp"):
        kmeans = KMeans(n_words, init=start, n_init=1, max_iter=KMEANS_ROUNDS)
        return kmeans.fit(z).cluster_centers_
