"""The loss of the softmax classifier."""

from __future__ import annotations

import numpy as np
from scipy.special import wrightomega, xlogy

from sklin.losses._base import Loss, own


class CrossEntropy(Loss):
    r"""Cross-entropy of the softmax, in nats.

    .. math:: l(s, y) = -\log \frac{e^{s_y}}{\sum_j e^{s_j}}

    Its gradient is ``p - e_y`` with ``p = softmax(s)``, its second derivative
    ``diag(p) - p p'``, which is at most ``(I - 11'/K) / 2`` (Boehning 1992), and its conjugate the
    negative entropy of ``beta + e_y``.

    References
    ----------
    CS231n, lecture 3. D. Boehning, "Multinomial logistic regression algorithm", Annals of the
    Institute of Statistical Mathematics 44, 1992.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.losses import CrossEntropy
    >>> CrossEntropy().value(np.array([[3.2, 5.1, -1.7]]), np.array([0])).round(3)
    array([2.04])
    """

    shift_invariant = True

    def value_and_gradient(self, scores, y, out=None):
        index = own(y)
        p = np.subtract(scores, scores.max(axis=1, keepdims=True), out=out)
        value = -p[index]
        np.exp(p, out=p)
        total = p.sum(axis=1)
        value += np.log(total)
        p /= total[:, None]
        p[index] -= 1
        return value, p

    def probabilities(self, scores):
        """Softmax of the scores, an array of shape (n_samples, n_classes)."""
        p = np.exp(scores - scores.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        return p

    def hessian_product(self, scores, y, direction):
        p = self.probabilities(scores)
        product = p * direction
        product -= p * product.sum(axis=1, keepdims=True)
        return product

    def hessian_diagonal(self, scores, y):
        p = self.probabilities(scores)
        return p * (1 - p)

    def proximal_slope(self, scores, y, step, start=None):
        # p = softmax(v - step p) with v = s + step e_y, so step p_j + log p_j = v_j - m for some
        # m: p_j = omega(v_j - m + log step) / step, omega Wright's function. They must sum to one.
        # From where the largest is one by itself Newton's steps go up to that m, for the sum
        # falls, and is convex.
        index, dtype = own(y), scores.dtype.type
        v = np.array(scores)
        v[index] += dtype(step)
        v -= v.max(axis=1, keepdims=True)
        m = np.full((len(y), 1), -step)
        tol = 4 * scores.shape[1] * np.finfo(dtype).eps
        for _ in range(60):
            p = wrightomega(v - m + np.log(step)) / step
            excess = p.sum(axis=1, keepdims=True) - 1
            if np.all(np.abs(excess) <= tol):
                break
            m += excess / (p / (1 + step * p)).sum(axis=1, keepdims=True)
        p /= p.sum(axis=1, keepdims=True)
        p[index] -= 1
        return p.astype(scores.dtype, copy=False)

    def curvature(self, n_classes):
        return 0.5

    def conjugate(self, dual, y):
        p = np.array(dual)
        p[own(y)] += 1
        np.maximum(p, 0, out=p)  # rounding may leave it just below
        return xlogy(p, p).sum(axis=1)
