r"""Regularizers: the weights in, R(W) and its gradient or proximal operator out.

A regularizer has no strength of its own: the objective adds ``alpha * R(W)``, and ``alpha`` stands
once, on the estimator. It sees the coefficients, shape (n_classes, n_features), never the
intercept. The *proximal operator* ``prox(V, step)`` is the W that minimises
``R(W) + |W - V|^2 / (2 step)``; the *conjugate* ``R*(U) = sup_W <U, W> - R(W)`` serves lower
bounds.
"""

from __future__ import annotations

import numpy as np

from sklin._component import Component, check_number

__all__ = ["L1", "L2", "REGULARIZERS", "ElasticNet", "Regularizer"]


class Regularizer(Component):
    """A convex function of the coefficients.

    Attributes
    ----------
    smooth : bool
        Whether it has a gradient everywhere.
    curvature : float
        Least curvature in every direction: R minus ``curvature / 2`` times the sum of squares is
        still convex.
    """

    smooth = False
    curvature = 0.0

    def value(self, coef):
        """R(W), a float, for coefficients of shape (n_classes, n_features)."""
        raise NotImplementedError

    def gradient(self, coef):
        """Gradient of R (a subgradient where R has kinks), of the shape of ``coef``."""
        raise NotImplementedError

    def prox(self, coef, step):
        """Minimiser of ``R(W) + |W - coef|^2 / (2 step)``, of the shape of ``coef``."""
        raise NotImplementedError

    def conjugate(self, dual):
        """``sup_W <dual, W> - R(W)``, a float; inf outside the domain."""
        raise NotImplementedError

    def shrink(self, dual):
        """Largest factor in [0, 1] with which ``dual`` lies in the conjugate's domain."""
        return 1.0


class L2(Regularizer):
    r"""Sum of the squared weights.

    .. math:: R(W) = \sum_{kd} W_{kd}^2

    as the lecture writes it: without the factor 1/2 that scikit-learn's penalties carry. It is
    the Gaussian prior of maximum-a-posteriori estimation, and prefers spread-out weights.

    References
    ----------
    CS231n, lecture 3.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.regularizers import L2
    >>> L2().value(np.array([[1.0, 0, 0, 0]])), L2().value(np.full((1, 4), 0.25))
    (1.0, 0.25)
    """

    smooth = True
    curvature = 2.0

    def value(self, coef):
        return float(np.square(coef).sum())

    def gradient(self, coef):
        return 2 * coef

    def prox(self, coef, step):
        return coef / (1 + 2 * step)

    def conjugate(self, dual):
        return float(np.square(dual).sum()) / 4


class L1(Regularizer):
    r"""Sum of the absolute weights, which sets many of them to exactly zero.

    .. math:: R(W) = \sum_{kd} |W_{kd}|

    References
    ----------
    CS231n, lecture 3. R. Tibshirani, "Regression shrinkage and selection via the lasso", Journal
    of the Royal Statistical Society B 58, 1996.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.regularizers import L1
    >>> L1().prox(np.array([[3.0, -0.5]]), step=1.0)
    array([[2., 0.]])
    """

    def value(self, coef):
        return float(np.abs(coef).sum())

    def gradient(self, coef):
        return np.sign(coef)

    def prox(self, coef, step):
        return coef - np.clip(coef, -step, step)

    def conjugate(self, dual):
        return 0.0 if np.abs(dual).max(initial=0.0) <= 1 else np.inf

    def shrink(self, dual):
        return 1.0 / max(1.0, np.abs(dual).max(initial=0.0))


class ElasticNet(Regularizer):
    r"""A mixture of the absolute and the squared weights.

    .. math:: R(W) = \sum_{kd} \rho\, |W_{kd}| + (1 - \rho)\, W_{kd}^2,
              \qquad \rho = \text{l1\_ratio}

    The lecture writes ``lambda * sum(beta * W^2 + |W|)``. The two are the same for
    ``lambda = alpha * l1_ratio`` and ``beta = (1 - l1_ratio) / l1_ratio``. As in `L2`, the square
    carries no factor 1/2, unlike scikit-learn's.

    Parameters
    ----------
    l1_ratio : float, default=0.5
        Share of the absolute weights, in [0, 1]: 1 is `L1`, 0 is `L2`.

    References
    ----------
    CS231n, lecture 3. H. Zou and T. Hastie, "Regularization and variable selection via the elastic
    net", Journal of the Royal Statistical Society B 67, 2005.

    Examples
    --------
    The lecture's example with beta = 1 is ``l1_ratio=0.5`` at twice the strength:

    >>> import numpy as np
    >>> from sklin.regularizers import ElasticNet
    >>> 2 * ElasticNet(l1_ratio=0.5).value(np.full((1, 4), 0.25))
    1.25
    """

    def __init__(self, l1_ratio=0.5):
        self.l1_ratio = l1_ratio

    def check_parameters(self):
        check_number("l1_ratio", self.l1_ratio, low=0, high=1, closed="both")

    @property
    def smooth(self):
        """Whether it has a gradient everywhere."""
        return self.l1_ratio == 0

    @property
    def curvature(self):
        """Least curvature in every direction."""
        return 2.0 * (1 - self.l1_ratio)

    def value(self, coef):
        square = (1 - self.l1_ratio) * float(np.square(coef).sum())
        return self.l1_ratio * float(np.abs(coef).sum()) + square

    def gradient(self, coef):
        return self.l1_ratio * np.sign(coef) + 2 * (1 - self.l1_ratio) * coef

    def prox(self, coef, step):
        threshold = step * self.l1_ratio
        return (coef - np.clip(coef, -threshold, threshold)) / (1 + 2 * step * (1 - self.l1_ratio))

    def conjugate(self, dual):
        excess = np.maximum(np.abs(dual) - self.l1_ratio, 0)
        if self.l1_ratio == 1:
            return 0.0 if excess.max(initial=0.0) == 0 else np.inf
        return float(np.square(excess).sum()) / (4 * (1 - self.l1_ratio))

    def shrink(self, dual):
        return L1().shrink(dual) if self.l1_ratio == 1 else 1.0


REGULARIZERS = {"l2": L2, "l1": L1, "elasticnet": ElasticNet}
