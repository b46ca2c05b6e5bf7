"""The structured SVM loss: a hinge of the largest margin violation."""

from __future__ import annotations

import numpy as np

from sklin.losses._base import own
from sklin.losses._margin import MarginLoss


class CrammerSinger(MarginLoss):
    r"""The structured SVM loss: only the worst of the other classes counts.

    .. math:: l(s, y) = \phi\bigl(\max_{j \ne y} s_j - s_y + \text{margin}\bigr)

    It has kinks where two classes are equally bad, for the squared hinge too. Rounded, it is

    .. math:: \sup_{b \ge 0} \; \langle b, z\rangle - \phi^*(1'b) - \tfrac{1}{2}\text{width}\,
              \lVert b\rVert^2,

    whose solution ``b = max(0, z - theta) / width`` is found by sorting the violations.

    Parameters
    ----------
    loss : {"hinge", "squared_hinge"}, default="hinge"
        What the largest margin violation costs: itself, or its square.
    margin : float, default=1.0
        By how much the own class must lead, in units of score.
    smoothing : float, default=0.0
        Width over which the kinks are rounded; 0 keeps them.

    References
    ----------
    K. Crammer and Y. Singer, "On the algorithmic implementation of multiclass kernel-based vector
    machines", JMLR 2, 2001. Y. Nesterov, "Smooth minimization of non-smooth functions",
    Mathematical Programming 103, 2005.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.losses import CrammerSinger
    >>> scores = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])
    >>> CrammerSinger().value(scores, np.array([0, 1, 2])).round(2)
    array([2.9, 0. , 6.6])
    """

    shift_invariant = True

    @property
    def smooth(self):
        """Whether the gradient is continuous."""
        return self.smoothing > 0

    def _violations(self, scores, y):
        index = own(y)
        z = scores - (scores[index] - scores.dtype.type(self.margin))[:, None]
        z[index] = -np.inf
        return z

    def _multipliers(self, z, step=0.0):
        """Solution b (n, K) of the rounded problem, and whether the sum of b is held at one.

        With a ``step``, of the problem less ``step / 2 (|b|^2 + (1'b)^2)``.
        """
        squared = self.loss == "squared_hinge"
        width, pull = self.smoothing + step, step + 0.5 * squared
        # Measured from the worst class: sums of far larger numbers would round width away.
        worst = z.max(axis=1, keepdims=True).astype(np.float64)
        z = z - worst
        top = -np.sort(-z, axis=1)
        count = np.arange(1, z.shape[1] + 1)
        total = np.cumsum(top, axis=1)
        # b = max(0, z - theta) / width, where theta is pull times the sum of b, or more if that
        # would leave the sum above one.
        free = (pull * total if pull else 0.0) - width * worst
        free = free / (width + pull * count)
        theta = free if squared else np.maximum(free, (total - width) / count)
        # The number of positive entries of b is the last at which its smallest is positive.
        active = np.maximum((top > theta).sum(axis=1), 1)
        last = np.arange(len(z)), active - 1
        held = (theta > free)[last]
        return np.maximum(z - theta[last][:, None], 0) / width, held

    def value_and_gradient(self, scores, y, out=None):
        index = own(y)
        z = self._violations(scores, y)
        if self.smoothing:
            b, _ = self._multipliers(z)
            b = b.astype(scores.dtype, copy=False)
            z[index] = 0
            total = b.sum(axis=1)
            value = (b * (z - scores.dtype.type(self.smoothing / 2) * b)).sum(axis=1)
            if self.loss == "squared_hinge":
                value -= np.square(total) / 4
        else:
            worst = (index[0], z.argmax(axis=1))
            value, total = self._phi.value_and_slope(z[worst])
            b = np.zeros_like(z)
            b[worst] = total
        b[index] = -total
        if out is not None:
            out[...] = b
            b = out
        return value, b

    def hessian_product(self, scores, y, direction):
        index = own(y)
        b, held = self._multipliers(self._violations(scores, y))
        active = (b > 0).astype(scores.dtype)
        size = active.sum(axis=1)
        d = active * (direction - direction[index][:, None])
        mean = d.sum(axis=1) * self._pull(size, held)
        d -= active * mean[:, None]
        d /= scores.dtype.type(self.smoothing)
        d[index] = -d.sum(axis=1)
        return d

    def proximal_slope(self, scores, y, step, start=None):
        b, _ = self._multipliers(self._violations(scores, y), step)
        b = b.astype(scores.dtype, copy=False)
        # Rounding must not leave the domain, where sums are at most one.
        total = b.sum(axis=1)
        if self.loss == "hinge":
            b /= np.maximum(total, 1)[:, None]
            total = b.sum(axis=1)
        b[own(y)] = -total
        return b

    def _pull(self, size, held):
        """Coefficient of 11' in the derivative of the multipliers on their active set."""
        if self.loss == "squared_hinge":
            return 1 / (2 * self.smoothing + size)
        return held / np.maximum(size, 1)

    def hessian_diagonal(self, scores, y):
        b, held = self._multipliers(self._violations(scores, y))
        active = b > 0
        size = active.sum(axis=1)
        pull = self._pull(size, held)
        diagonal = active * ((1 - pull) / self.smoothing)[:, None]
        diagonal[own(y)] = size * (1 - pull * size) / self.smoothing
        return diagonal.astype(scores.dtype, copy=False)

    def curvature(self, n_classes):
        return n_classes / self.smoothing if self.smoothing else np.inf

    def conjugate(self, dual, y):
        b = np.array(dual)
        b[own(y)] = 0
        total = b.sum(axis=1)
        value = self.smoothing / 2 * np.square(b).sum(axis=1) - self.margin * total
        if self.loss == "squared_hinge":
            value += np.square(total) / 4
        return value
