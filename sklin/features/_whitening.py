"""Whitening: patches whose numbers are uncorrelated and of variance one."""

from typing import NamedTuple

import numpy as np


class Whitening(NamedTuple):
    """The affine map z = (p - mean) @ whiten, and its way back, p ~ mean + z @ color."""

    mean: np.ndarray  # (d,)
    whiten: np.ndarray  # (d, r)
    color: np.ndarray  # (r, d)


def learn_whitening(patches, variance_kept, kind="pca"):
    r"""Learn to make the numbers of patches uncorrelated and of variance one.

    With the covariance :math:`\Sigma = U \Lambda U^\top` of the patches, "pca" takes a patch to
    its principal axes, :math:`z = \Lambda_r^{-1/2} U_r^\top (p - \mu)`, over the r leading ones,
    and "zca" turns the result back, :math:`U_r z`, which looks like a patch again. Distances are
    the same.

    Parameters
    ----------
    patches : ndarray of shape (m, d)
        Normalised descriptors.
    variance_kept : float
        r is the least number of axes that hold this share of the total variance.
    kind : {"pca", "zca", None}
        None leaves patches as they are.

    Returns
    -------
    whitening : Whitening
        The map and the way back.
    """
    d = patches.shape[1]
    if kind is None:
        return Whitening(np.zeros(d), np.eye(d), np.eye(d))
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
        return Whitening(mean, np.zeros((d, 1)), np.zeros((1, d)))
    axes, deviation = axes[:, :r], np.sqrt(values[:r])
    back = axes.T if kind == "zca" else np.eye(r)
    return Whitening(mean, (axes / deviation) @ back, back.T @ (axes * deviation).T)
