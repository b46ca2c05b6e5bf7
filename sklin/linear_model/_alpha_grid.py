r"""The grid of alphas that a path begins with, from the data.

Vocabulary. The *intercept-only minimum* ``F_0`` is the least mean loss at zero weights; it depends
on the share of each class alone. ``G`` is the gradient of the mean loss in the weights there. The
loss is convex and its gradient in the intercepts is zero there, so

.. math:: F(W, b) \ge F_0 + \langle G, W \rangle + \alpha R(W)
          \ge F_0 - \alpha R^*(-G / \alpha)

for all W and b: ``alpha R*(-G / alpha)`` bounds what any weights can gain.
"""

from __future__ import annotations

import numpy as np

from sklin import optimizers
from sklin.objective import Objective, Samples
from sklin.regularizers import L2

# Share of F_0 that the weights may gain at the top of a grid, of a penalty without a kink at zero.
# At a tenth of it accuracies on digits, wine, HoG and pixels were those of one class.
LARGEST_GAIN = 0.1
# The bottom of a grid as a share of its top, with a kink (as LassoCV has it) and without.
LOWEST = {True: 1e-3, False: 1e-5}
# The narrowest width, in margins, over which kinks are rounded to find G.
NARROWEST = 1e-3
# A fit at the top finds zeros in spite of rounding.
ALLOWANCE = 1e-6


def intercept_only(loss, priors, fit_intercept=True):
    """Minimise the mean loss at zero weights.

    Parameters
    ----------
    loss : Loss
        The loss; one with kinks must be `Loss.roundable`.
    priors : ndarray of shape (n_classes,)
        Share of each class, of sum one. Classes of no share take no part.
    fit_intercept : bool, default=True
        Whether there is an intercept; without one, the only candidate is zero.

    Returns
    -------
    intercept : ndarray of shape (n_classes,)
        The minimiser; zero for classes of no share.
    value : float
        The mean loss there.
    slopes : ndarray of shape (n_classes, n_classes)
        A gradient of the loss of a sample of each class, a row each; with an intercept, of mean
        zero under the priors.
    """
    present = np.flatnonzero(priors)
    intercept, slopes = np.zeros(len(priors)), np.zeros((len(priors), len(priors)))
    # A sample for each class, of a feature that is zero: its weights stay zero.
    samples = Samples(
        np.zeros((len(present), 1)),
        np.arange(len(present)),
        len(present),
        sample_weight=priors[present],
        fit_intercept=fit_intercept,
    )
    exact = current = Objective(samples, loss, L2(), 1.0)
    params = np.zeros(exact.shape)
    if fit_intercept and len(present) > 1:  # of one class alone nothing is to be told apart
        margin = getattr(loss, "margin", 1.0)
        widths = [None] if loss.smooth else margin * np.geomspace(1, NARROWEST, 4)
        tol = 1e-12 if loss.smooth else 1e-6
        # At the minimum Newton's method may divide zero by zero, and goes on rightly.
        with np.errstate(invalid="ignore", divide="ignore"):
            for width in widths:
                current = exact if width is None else exact.smoothed(width)
                params = optimizers.Newton().minimize(current, params, tol=tol).params
    intercept[present] = params[:, -1]
    if len(present) > 1:
        dual = current.evaluate(params).dual
        if fit_intercept and loss.certifies:  # what is left of their mean is mixed away
            t, points = loss.balance(samples.weight @ dual, samples.weight)
            dual = (1 - t) * dual + t * points
        slopes[np.ix_(present, present)] = dual
    return intercept, exact.value(params), slopes


def alpha_grid(objective, n_alphas):
    r"""A geometric grid of alphas, from the largest worth trying down.

    Where R has a kink at zero the grid begins with the least alpha of which it is proven that all
    weights are zero at the minimum, and ends at 1e-3 of it:

    .. math:: \alpha_{\max} = \min \{\alpha : R^*(-G / \alpha) = 0\},

    which is ``max |G|`` for L1, ``max |G| / l1_ratio`` for the elastic net and the largest
    ``|G_g| / sqrt(n_g)`` for groups. (It is raised by 1e-6 of itself, for rounding.) Else it begins
    with the least alpha of which it is proven that the weights gain no more than a tenth of the
    intercept-only loss, and ends at 1e-5 of it:

    .. math:: \alpha\, R^*(-G / \alpha) \le 0.1\, F_0,

    which is ``alpha >= 2.5 |G|^2 / F_0`` for L2.

    Parameters
    ----------
    objective : Objective
        Samples, loss and regularizer; its alpha plays no part.
    n_alphas : int
        How many; one is the largest alone.

    Returns
    -------
    ndarray of shape (n_alphas,)
        The alphas, falling. Where ``G`` is zero, and so are the weights for every alpha, the first
        is 1.

    Raises
    ------
    ValueError
        If the loss or the regularizer gives no conjugate, where it takes one.

    Notes
    -----
    For a smooth loss G is unique, and ``alpha_max`` is exactly the alpha from which on the weights
    vanish. A hinge has many slopes at its kinks, and with each choice of them of mean zero the
    formula gives an alpha from which on the weights vanish, so the grid begins with zero weights
    there, too. The choice made is one slope for each class, whose kinks are rounded over 1e-3 of
    the margin; another for each sample could prove it of a smaller alpha.

    References
    ----------
    K. Koh, S.-J. Kim and S. Boyd, "An interior-point method for large-scale l1-regularized logistic
    regression", JMLR 8, 2007, section 2.4. J. Friedman, T. Hastie and R. Tibshirani,
    "Regularization paths for generalized linear models via coordinate descent", Journal of
    Statistical Software 33, 2010, section 2.5.
    """
    samples, loss, regularizer = objective.samples, objective.loss, objective.regularizer
    if not regularizer.certifies:
        raise ValueError(
            f"A grid of alphas takes the conjugate of the regularizer, and {regularizer!r} gives "
            "none. Give alphas as an array."
        )
    if not loss.roundable:
        raise ValueError(
            f"A grid of alphas takes a loss that is smooth, or that has `smoothed` and "
            f"`conjugate`, and {loss!r} is not. Give alphas as an array."
        )
    _, value, slopes = intercept_only(loss, samples.priors, samples.fit_intercept)
    gradient = samples.coef(slopes.T @ samples.class_sums)
    size = float(np.abs(gradient).max(initial=0.0))

    def gain(alpha):
        return alpha * regularizer.conjugate(-gradient / alpha)

    # Only a penalty without a kink at zero lets weights gain anything far beyond the gradient.
    kink = gain(1e12 * size) == 0 if size else False
    allowed = 0.0 if kink else LARGEST_GAIN * value
    top = _least(lambda alpha: gain(alpha) <= allowed, size) if size else 1.0
    return np.geomspace(top * (1 + ALLOWANCE), top * LOWEST[kink], n_alphas)


def _least(holds, start):
    """The least positive number for which a condition holds, as it does for all larger ones."""
    low = high = start
    while not holds(high) and high < 1e300:
        low, high = high, 2 * high
    while holds(low) and low > 1e-300:
        low, high = low / 2, low
    while high - low > 1e-14 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
