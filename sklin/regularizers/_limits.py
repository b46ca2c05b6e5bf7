"""What limits the weights without a penalty: a bound on their norms, and noise on the samples."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from sklin._component import check_number
from sklin.regularizers._base import Regularizer


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
