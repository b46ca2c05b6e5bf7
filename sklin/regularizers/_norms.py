"""Norms of the weights, and of groups of them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from sklin._component import check_number
from sklin.regularizers._base import Regularizer


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
    separable = True
    isotropic = True
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

    separable = True

    def value(self, coef):
        return float(np.abs(coef).sum())

    def gradient(self, coef):
        return np.sign(coef)

    def support(self, coef):
        return coef != 0

    def hessian_product(self, coef, direction):
        return np.zeros_like(direction)

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

    separable = True

    def __init__(self, l1_ratio=0.5):
        self.l1_ratio = l1_ratio

    def check_parameters(self):
        check_number("l1_ratio", self.l1_ratio, low=0, high=1, closed="both")

    @property
    def smooth(self):
        """Whether it has a gradient everywhere."""
        return self.l1_ratio == 0

    @property
    def isotropic(self):
        """Whether the second derivative is a multiple of the identity."""
        return self.smooth

    @property
    def curvature(self):
        """Least curvature in every direction."""
        return 2.0 * (1 - self.l1_ratio)

    def value(self, coef):
        square = (1 - self.l1_ratio) * float(np.square(coef).sum())
        return self.l1_ratio * float(np.abs(coef).sum()) + square

    def gradient(self, coef):
        return self.l1_ratio * np.sign(coef) + 2 * (1 - self.l1_ratio) * coef

    def support(self, coef):
        return np.ones(coef.shape, dtype=bool) if self.smooth else coef != 0

    def hessian_product(self, coef, direction):
        return 2 * (1 - self.l1_ratio) * direction

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


@lru_cache(maxsize=16)
def _groups_of(data, dtype):
    """Index of each feature's group, and the square root of each group's size, from raw labels."""
    labels = np.array(data, dtype=object) if dtype is None else np.frombuffer(data, dtype)
    _, index, size = np.unique(labels, return_inverse=True, return_counts=True)
    return index, np.sqrt(size)


class GroupL2(Regularizer):
    r"""Sum of the norms of groups of features, which drops whole groups for all classes at once.

    .. math:: R(W) = \sum_g \sqrt{n_g}\, \lVert W_{:,\, g} \rVert_F

    with the sum over the groups of features, ``n_g`` features in each. The norm has a kink where a
    whole group is zero, as the absolute value has one at a zero weight, so fits set the weights of
    all features of a group, in all classes, to exactly zero: they say which cell of a HoG, or which
    visual word, no class needs. The root of the size keeps large groups from being favoured.

    Parameters
    ----------
    groups : array-like of shape (n_features,), default=None
        Label of each feature's group: numbers or strings, in any order. None makes every feature a
        group of its own, whose weights in all classes then stay or go together.

    References
    ----------
    M. Yuan and Y. Lin, "Model selection and estimation in regression with grouped variables",
    Journal of the Royal Statistical Society B 68, 2006.

    Examples
    --------
    Two cells of a HoG with three orientations each; the second is too weak to stay:

    >>> import numpy as np
    >>> from sklin.regularizers import GroupL2
    >>> n_cells, orientations = 2, 3
    >>> cells = GroupL2(groups=np.repeat(np.arange(n_cells), orientations))
    >>> coef = np.array([[4.0, 0, 0, 0.5, 0, 0], [0, 0, 3, 0, 0, 0.5]])
    >>> cells.prox(coef, step=1.0).round(2)
    array([[2.61, 0.  , 0.  , 0.  , 0.  , 0.  ],
           [0.  , 0.  , 1.96, 0.  , 0.  , 0.  ]])
    """

    def __init__(self, groups=None):
        self.groups = groups

    def check_parameters(self):
        if self.groups is None:
            return
        try:
            shape = np.shape(self.groups)
        except ValueError as error:  # lists in the list, of different lengths
            raise ValueError(f"groups must be one-dimensional: {error}") from error
        if len(shape) != 1:
            raise ValueError(
                "groups must be None or give one label a feature, an array of shape (n_features,); "
                f"got {self.groups!r}, of shape {shape}."
            )
        try:
            self._groups(shape[0])
        except TypeError as error:
            raise TypeError(f"groups must be labels that can be sorted: {error}.") from error

    def check_features(self, n_features):
        if self.groups is not None and len(self.groups) != n_features:
            raise ValueError(
                f"groups must give one label a feature: it gives {len(self.groups)}, and there are "
                f"{n_features} features."
            )

    def _groups(self, n_features):
        """Index of each feature's group, and the square root of each group's size."""
        if self.groups is None:
            return None, np.ones(n_features)
        labels = np.asarray(self.groups)
        # Kept by their bytes, not on the object: 3,000 labels took .01 ms so, and .05 (numbers) or
        # .37 (strings) to be sorted each time; all the rest of a prox takes .08 on ten classes.
        if labels.dtype.hasobject:
            return _groups_of(tuple(labels), None)
        return _groups_of(labels.tobytes(), labels.dtype.str)

    def _norms(self, coef):
        """Norm of each group of columns, float64, and index and root of size of the groups."""
        index, root = self._groups(coef.shape[1])
        square = np.square(coef).sum(axis=0, dtype=np.float64)
        if index is not None:
            square = np.bincount(index, square, minlength=len(root))
        return np.sqrt(square), index, root

    @staticmethod
    def _scaled(coef, scale, index):
        """The columns of ``coef`` times their groups' entries of ``scale``, in its dtype."""
        if index is not None:
            scale = scale[index]
        return coef * scale.astype(coef.dtype)

    def value(self, coef):
        norms, _, root = self._norms(coef)
        return float(root @ norms)

    def gradient(self, coef):
        norms, index, root = self._norms(coef)
        scale = np.divide(root, norms, out=np.zeros_like(norms), where=norms > 0)
        return self._scaled(coef, scale, index)

    def support(self, coef):
        norms, index, _ = self._norms(coef)
        used = norms > 0 if index is None else norms[index] > 0
        return np.broadcast_to(used, coef.shape)

    def prox(self, coef, step):
        norms, index, root = self._norms(coef)
        lost = np.divide(step * root, norms, out=np.ones_like(norms), where=norms > step * root)
        new = self._scaled(coef, 1 - lost, index)
        new += 0  # no negative zeros
        return new

    def _excess(self, dual):
        """Largest norm of a group by the root of its size: at most 1 in the domain."""
        norms, _, root = self._norms(dual)
        return float((norms / root).max(initial=0.0))

    def conjugate(self, dual):
        return 0.0 if self._excess(dual) <= 1 else np.inf

    def shrink(self, dual):
        excess = self._excess(dual)
        if excess <= 1:
            return 1.0
        # The norms of the product are rounded anew, and must not come out above 1.
        return (1 - 1e-12 - 2 * float(np.finfo(dual.dtype).eps)) / excess
