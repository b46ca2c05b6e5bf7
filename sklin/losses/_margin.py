"""Hinges, and the two sums of them over the classes: Weston-Watkins and one-vs-rest."""

from __future__ import annotations

import numpy as np

from sklin._component import check_choice, check_number
from sklin.losses._base import Loss, own


class _Hinge:
    """phi(z) = max(0, z).

    ``bound`` is that of its curvature. Its conjugate is ``dual_curvature b^2 / 2`` for slopes b
    from 0 to ``steepest``.
    """

    smooth, bound = False, np.inf
    dual_curvature, steepest = 0.0, 1.0

    def value_and_slope(self, z):
        return np.maximum(z, 0), (z > 0).astype(z.dtype)

    def second(self, z):
        return np.zeros_like(z)

    def conjugate(self, b):
        return np.zeros_like(b)


class _SquaredHinge:
    """phi(z) = max(0, z)^2."""

    smooth, bound = True, 2.0
    dual_curvature, steepest = 0.5, np.inf

    def value_and_slope(self, z):
        z = np.maximum(z, 0)
        return np.square(z), 2 * z

    def second(self, z):
        return 2 * (z > 0).astype(z.dtype)

    def conjugate(self, b):
        return np.square(b) / 4


class _SmoothedHinge:
    """phi(z) = z^2 / (2 width) on [0, width], z - width / 2 beyond, 0 before."""

    smooth, steepest = True, 1.0

    def __init__(self, width):
        self.width = self.dual_curvature = width
        self.bound = 1 / width

    def value_and_slope(self, z):
        slope = np.clip(z * z.dtype.type(1 / self.width), 0, 1)
        return slope * (z - z.dtype.type(self.width / 2) * slope), slope

    def second(self, z):
        return ((z > 0) & (z < self.width)).astype(z.dtype) / z.dtype.type(self.width)

    def conjugate(self, b):
        return np.square(b) * (self.width / 2)


class MarginLoss(Loss):
    """Losses built from margin violations and a hinge phi."""

    def __init__(self, loss="hinge", margin=1.0, smoothing=0.0):
        self.loss = loss
        self.margin = margin
        self.smoothing = smoothing

    def check_parameters(self):
        check_choice("loss", self.loss, ("hinge", "squared_hinge"))
        check_number("margin", self.margin, low=0, closed="neither")
        check_number("smoothing", self.smoothing, low=0)

    def smoothed(self, width):
        """Return the same loss with its kinks rounded over a width of the violation.

        Parameters
        ----------
        width : float
            Length of the interval on which the slope rises from 0 to 1.

        Returns
        -------
        Loss
            A smooth loss that is at most this one; its gradients lie in this one's dual domain.
        """
        # One that is rounded more already is smooth, and at most itself.
        width = max(width, self.smoothing)
        return type(self)(loss=self.loss, margin=self.margin, smoothing=width)

    @property
    def smooth(self):
        """Whether the gradient is continuous."""
        return self._phi.smooth

    @property
    def _phi(self):
        if self.loss == "squared_hinge":
            return _SquaredHinge()
        return _SmoothedHinge(self.smoothing) if self.smoothing else _Hinge()


class WestonWatkins(MarginLoss):
    r"""The lecture's multiclass SVM loss: every other class within the margin counts.

    .. math:: l(s, y) = \sum_{j \ne y} \phi(s_j - s_y + \text{margin})

    with ``phi(z) = max(0, z)`` for the hinge and its square for the squared hinge.

    Parameters
    ----------
    loss : {"hinge", "squared_hinge"}, default="hinge"
        What a margin violation costs: itself, or its square.
    margin : float, default=1.0
        By how much the own class must lead, in units of score.
    smoothing : float, default=0.0
        Width over which the hinge's kink is rounded; 0 keeps the kink.

    References
    ----------
    J. Weston and C. Watkins, "Support vector machines for multi-class pattern recognition",
    ESANN 1999. CS231n, lecture 3.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.losses import WestonWatkins
    >>> scores = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])
    >>> WestonWatkins().value(scores, np.array([0, 1, 2])).round(2)
    array([ 2.9,  0. , 12.9])
    """

    shift_invariant = True

    def _violations(self, scores, y):
        index = own(y)
        z = scores - (scores[index] - scores.dtype.type(self.margin))[:, None]
        z[index] = 0
        return z

    def value_and_gradient(self, scores, y, out=None):
        value, slope = self._phi.value_and_slope(self._violations(scores, y))
        slope[own(y)] = -slope.sum(axis=1)
        if out is not None:
            out[...] = slope
            slope = out
        return value.sum(axis=1), slope

    def hessian_product(self, scores, y, direction):
        index = own(y)
        second = self._phi.second(self._violations(scores, y))
        second[index] = 0
        product = second * (direction - direction[index][:, None])
        product[index] = -product.sum(axis=1)
        return product

    def hessian_diagonal(self, scores, y):
        index = own(y)
        second = self._phi.second(self._violations(scores, y))
        second[index] = 0
        second[index] = second.sum(axis=1)
        return second

    def proximal_slope(self, scores, y, step, start=None):
        # By duality b maximises <b, z> - sum phi*(b_j) - step / 2 (|b|^2 + total^2), total = 1'b:
        # b_j = clip((z_j - step total) / (step + phi*''), 0, steepest).
        index, dtype, phi = own(y), scores.dtype.type, self._phi
        z = self._violations(scores, y)
        z[index] = -np.inf
        z /= dtype(step + phi.dual_curvature)
        ratio = dtype(step / (step + phi.dual_curvature))
        guess = None if start is None else -start[index]
        b = np.clip(z - ratio * self._total(z, ratio, guess)[:, None], 0, phi.steepest)
        # In the domain by its making, however far the search has come.
        b[index] = -b.sum(axis=1)
        return b

    def _total(self, z, ratio, guess):
        """Solution of ``total = sum_j clip(z_j - ratio total, 0, steepest)`` for each row of z.

        The difference increases, piecewise linear in the total. Newton's steps, held in a bracket,
        end where it is zero; from a good guess after two or three.
        """
        steepest = self._phi.steepest
        most = np.clip(z, 0, steepest).sum(axis=1)
        result = most / 2 if guess is None else np.clip(guess, 0, most)
        # Ends of the bracket have been tried, and are not tried again: these lie outside.
        rows, total, low, high = slice(None), result.copy(), np.full_like(most, -1), most + 1
        eps = 4 * np.finfo(z.dtype).eps
        for _ in range(60):
            shifted = z - (ratio * total)[:, None]
            b = np.clip(shifted, 0, steepest)
            excess = total - b.sum(axis=1)
            inside = (shifted == b).sum(axis=1, dtype=z.dtype)
            # What is inside is of the total's size, and so is the rounding of each.
            left = np.flatnonzero(np.abs(excess) > eps * (1 + total) * (1 + inside))
            low, high = np.where(excess < 0, total, low), np.where(excess > 0, total, high)
            new = total - excess / (1 + ratio * inside)
            new = np.where((new > low) & (new < high), new, (low + high) / 2)
            if len(left) < len(total):
                result[rows] = total
                rows = left if isinstance(rows, slice) else rows[left]
                z, new, low, high = z[left], new[left], low[left], high[left]
            total = new
            if len(left) == 0:
                break
        result[rows] = total
        return result

    def curvature(self, n_classes):
        # The second derivative is phi'' times the Laplacian of a star of n_classes vertices,
        # whose largest eigenvalue is their number.
        return self._phi.bound * n_classes

    def conjugate(self, dual, y):
        b = np.array(dual)
        b[own(y)] = 0
        return (self._phi.conjugate(b) - self.margin * b).sum(axis=1)


class OneVsRest(MarginLoss):
    r"""One binary SVM loss a class: the own score must pass the margin, the others stay below.

    .. math:: l(s, y) = \phi(\text{margin} - s_y) + \sum_{j \ne y} \phi(\text{margin} + s_j)

    Parameters
    ----------
    loss : {"hinge", "squared_hinge"}, default="hinge"
        What a margin violation costs: itself, or its square.
    margin : float, default=1.0
        By how much a score must lie on its side of zero, in units of score.
    smoothing : float, default=0.0
        Width over which the hinge's kink is rounded; 0 keeps the kink.

    References
    ----------
    CS231n, the web demo to lecture 3. R. Rifkin and A. Klautau, "In defense of one-vs-all
    classification", JMLR 5, 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.losses import OneVsRest
    >>> scores = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])
    >>> OneVsRest().value(scores, np.array([0, 1, 2])).round(2)
    array([ 6.1,  5.3, 10.8])
    """

    def _violations(self, scores, y):
        index = own(y)
        z = scores + scores.dtype.type(self.margin)
        z[index] = scores.dtype.type(self.margin) - scores[index]
        return z

    def value_and_gradient(self, scores, y, out=None):
        value, slope = self._phi.value_and_slope(self._violations(scores, y))
        slope[own(y)] *= -1
        if out is not None:
            out[...] = slope
            slope = out
        return value.sum(axis=1), slope

    def hessian_product(self, scores, y, direction):
        return self._phi.second(self._violations(scores, y)) * direction

    def hessian_diagonal(self, scores, y):
        return self._phi.second(self._violations(scores, y))

    def proximal_slope(self, scores, y, step, start=None):
        index, phi = own(y), self._phi
        b = self._violations(scores, y) / scores.dtype.type(step + phi.dual_curvature)
        np.clip(b, 0, phi.steepest, out=b)
        b[index] *= -1
        return b

    def curvature(self, n_classes):
        return self._phi.bound

    def conjugate(self, dual, y):
        b = np.array(dual)
        b[own(y)] *= -1
        return (self._phi.conjugate(b) - self.margin * b).sum(axis=1)

    def balance(self, residual, priors):
        # Each class is a binary problem of its own: too large a mean is taken back from the
        # class's own samples, too small a one given by the samples of all others.
        mass = np.where(residual > 0, priors, 1 - priors)
        size, tiny = np.abs(residual), np.finfo(float).tiny
        t = np.max(size / np.maximum(mass + size, tiny))
        if t in (0.0, 1.0):
            return t, np.zeros((len(priors), len(priors)))
        share = -(1 - t) / t * residual / np.maximum(mass, tiny)
        diagonal = np.eye(len(priors), dtype=bool)
        return t, np.where(diagonal == (residual > 0), share, 0.0)
