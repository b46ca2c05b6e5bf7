r"""Regularizers: the weights in, R(W) and its gradient or proximal operator out.

A regularizer has no strength of its own: the objective adds ``alpha * R(W)``, and ``alpha`` stands
once, on the estimator. It sees the coefficients, shape (n_classes, n_features), never the
intercept. The *proximal operator* ``prox(V, step)`` is the W that minimises
``R(W) + |W - V|^2 / (2 step)``; the *conjugate* ``R*(U) = sup_W <U, W> - R(W)`` serves lower
bounds.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import sparse

from sklin._component import Component, check_number

__all__ = [
    "L1",
    "L2",
    "REGULARIZERS",
    "Dropout",
    "ElasticNet",
    "GroupL2",
    "MaxNorm",
    "Regularizer",
]


class Regularizer(Component):
    """A convex function of the coefficients.

    A subclass gives `value` and, for what it wants to be used with, a `gradient` or a `prox`. With
    a `conjugate` (and `shrink`, where that is infinite somewhere) fits are certified.

    Attributes
    ----------
    smooth : bool
        Whether it has a gradient everywhere.
    separable : bool
        Whether it is a sum over single weights, so that `prox` takes an array of steps, too.
    is_constraint : bool
        Whether its values are 0 and inf: then `prox` is the projection, and alpha plays no part.
    needs_batches : bool
        Whether it works by noise on the samples of mini-batches; see `corrupt`.
    isotropic : bool
        Whether the second derivative is ``curvature`` times the identity, everywhere.
    curvature : float
        Least curvature in every direction: R minus ``curvature / 2`` times the sum of squares is
        still convex.
    """

    smooth = False
    isotropic = False
    separable = False
    is_constraint = False
    needs_batches = False
    curvature = 0.0

    @property
    def has_gradient(self):
        """Whether it gives a gradient, if need be one of its subgradients."""
        return type(self).gradient is not Regularizer.gradient

    @property
    def has_prox(self):
        """Whether it gives a proximal operator."""
        return type(self).prox is not Regularizer.prox

    @property
    def certifies(self):
        """Whether it gives a conjugate, of which lower bounds are made."""
        return type(self).conjugate is not Regularizer.conjugate

    def check_features(self, n_features):
        """Raise a ValueError if it cannot serve so many features."""

    def value(self, coef):
        """R(W), a float, for coefficients of shape (n_classes, n_features)."""
        raise NotImplementedError(f"{type(self).__name__} gives no value.")

    def gradient(self, coef):
        """Gradient of R (a subgradient where R has kinks), of the shape of ``coef``."""
        raise NotImplementedError

    def hessian_product(self, coef, direction):
        """Second derivative at ``coef`` times ``direction``, both of its shape.

        Unless a regularizer gives its own it is ``curvature`` times the direction if it is
        isotropic, else the centred difference of the gradient.
        """
        if self.isotropic:
            return self.curvature * direction
        size = np.abs(direction).max(initial=0.0)
        if size == 0:
            return np.zeros_like(direction)
        # The cube root of eps balances the error of the difference with that of its rounding.
        step = np.cbrt(np.finfo(float).eps) * (1 + np.abs(coef).max(initial=0.0)) / size
        ahead, behind = (self.gradient(coef + t * direction) for t in (step, -step))
        return (ahead - behind) / (2 * step)

    def prox(self, coef, step):
        """Minimiser of ``R(W) + |W - coef|^2 / (2 step)``, of the shape of ``coef``."""
        raise NotImplementedError

    def conjugate(self, dual):
        """``sup_W <dual, W> - R(W)``, a float; inf outside the domain."""
        raise NotImplementedError

    def shrink(self, dual):
        """Largest factor in [0, 1] with which ``dual`` lies in the conjugate's domain."""
        return 1.0

    def corrupt(self, X, rng):
        """Return the samples of a mini-batch with noise, if the regularizer works by noise.

        Parameters
        ----------
        X : {ndarray, CSR array} of shape (n_samples, n_features)
            The samples; not changed.
        rng : numpy.random.RandomState
            Source of the noise.

        Returns
        -------
        {ndarray, CSR array} of shape (n_samples, n_features)
            The samples with noise; by default ``X`` itself.
        """
        return X


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


class MaxNorm(Regularizer):
    r"""A bound on the norm of each class's weights: a constraint, not a penalty.

    .. math:: R(W) = \begin{cases} 0 & \text{if } \lVert w_k \rVert_2 \le \text{radius} \text{ for
              every class } k, \\ \infty & \text{otherwise,} \end{cases}

    ``w_k`` being the row of weights of class k. A constraint has no strength: alpha plays no part.
    Its proximal operator is the projection, which shortens the rows that are too long, whatever
    the step.

    Parameters
    ----------
    radius : float, default=1.0
        The largest norm allowed, above 0.

    Notes
    -----
    For two classes a classifier publishes the difference of the two rows, so the norm of its
    ``coef_`` is at most ``2 * radius``.

    References
    ----------
    CS231n, lecture 3. N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov,
    "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.regularizers import MaxNorm
    >>> MaxNorm(radius=1.0).prox(np.array([[3.0, 4.0], [0.3, 0.4]]), step=1.0)
    array([[0.6, 0.8],
           [0.3, 0.4]])
    """

    is_constraint = True

    def __init__(self, radius=1.0):
        self.radius = radius

    def check_parameters(self):
        check_number("radius", self.radius, low=0, closed="neither")

    @staticmethod
    def _norms(coef):
        return np.sqrt(np.square(coef).sum(axis=1, dtype=np.float64))

    def value(self, coef):
        # Rows projected in float32, or rounded to it afterwards, may have a norm 1e-7 or so above
        # the radius, since each weight is known to 6e-8 of itself. They must not cost infinity.
        return 0.0 if self._norms(coef).max(initial=0.0) <= self.radius * (1 + 1e-6) else np.inf

    def prox(self, coef, step):
        scale = self.radius / np.maximum(self._norms(coef), self.radius)
        return coef * scale.astype(coef.dtype)[:, None]

    def conjugate(self, dual):
        return self.radius * float(self._norms(dual).sum())


class Dropout(Regularizer):
    r"""Noise on the samples: each entry of a mini-batch is dropped with some probability.

    .. math:: \tilde x_d = \frac{b_d}{1 - \text{rate}}\, x_d, \qquad
              b_d \sim \text{Bernoulli}(1 - \text{rate})

    The mean of the noisy sample is the sample, and no weight can rely on one feature alone. For a
    linear model it is, to second order, an L2 penalty that adapts to the data (Wager, Wang and
    Liang 2013): it adds to the loss of a sample

    .. math:: \frac{\text{rate}}{2\, (1 - \text{rate})} \sum_d x_d^2\; w_d' H w_d

    with ``w_d`` the weights of feature d in all classes and ``H`` the second derivative of the
    loss by the scores.

    R(W) itself is 0, and alpha plays no part. Only optimizers that take mini-batches can use it,
    and predictions are made without noise. Of sparse samples the stored entries are drawn; the
    others are 0 either way.

    Parameters
    ----------
    rate : float, default=0.5
        Probability with which an entry is dropped, in [0, 1). The nearest multiple of ``2**-16``
        below 1 is used.

    References
    ----------
    CS231n, lecture 3. N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov,
    "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15, 2014. S. Wager,
    S. Wang and P. Liang, "Dropout training as adaptive regularization", NIPS 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.regularizers import Dropout
    >>> Dropout(rate=0.5).corrupt(np.ones((2, 6)), np.random.RandomState(2))
    array([[0., 0., 2., 0., 0., 0.],
           [0., 2., 2., 2., 0., 2.]])
    """

    smooth = True
    separable = True
    isotropic = True
    needs_batches = True

    def __init__(self, rate=0.5):
        self.rate = rate

    def check_parameters(self):
        check_number("rate", self.rate, low=0, high=1)

    def value(self, coef):
        return 0.0

    def gradient(self, coef):
        return np.zeros_like(coef)

    def prox(self, coef, step):
        return coef.copy()

    def conjugate(self, dual):
        return np.inf if dual.any() else 0.0

    def shrink(self, dual):
        return 0.0 if dual.any() else 1.0

    def corrupt(self, X, rng):
        entries = X.data if sparse.issparse(X) else X
        # A draw of 16 bits an entry took 1.6 ns, of 32 bits 3.1, a float64 uniform 9.2; what else a
        # step does with an entry takes a few. The rate so rounded is the one divided by, so the
        # mean of the noisy samples is right for every rate.
        dropped = min(round(self.rate * 2**16), 2**16 - 1)
        kept = rng.randint(2**16, size=entries.shape, dtype=np.uint16) >= dropped
        noisy = entries * (kept * entries.dtype.type(2**16 / (2**16 - dropped)))
        if not sparse.issparse(X):
            return noisy
        X = X.copy()
        X.data = noisy
        return X


REGULARIZERS = {
    "l2": L2,
    "l1": L1,
    "elasticnet": ElasticNet,
    "group_l2": GroupL2,
    "max_norm": MaxNorm,
    "dropout": Dropout,
}
