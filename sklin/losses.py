r"""Losses: scores of the classes in, one number per sample and its derivatives out.

Vocabulary. A sample has ``K`` *scores* ``s`` and a *label* ``y``, the index of its own class. A
*margin violation* ``z_j = s_j - s_y + margin`` is positive where class ``j`` comes closer to the
own class than the margin allows. A loss ``l(s, y)`` is convex in ``s``, so it has a *conjugate*

.. math:: l^*(\beta, y) = \sup_s \; \langle\beta, s\rangle - l(s, y),

finite only on the *dual domain*, where every gradient of ``l`` lies, and
``l(s) + l*(beta) >= <beta, s>`` with equality for ``beta`` a gradient at ``s`` (Fenchel and
Young). Lower bounds of the objective, and so certificates, come from it.

All arrays of scores have shape (n_samples, n_classes). They are fastest in Fortran order, where
each class is one contiguous run over the samples: a reduction over ten classes then is nine long
vector operations instead of many short loops.
"""

from __future__ import annotations

import numpy as np
from scipy.special import xlogy

from sklin._component import Component, check_choice, check_number

__all__ = ["LOSSES", "CrammerSinger", "CrossEntropy", "Loss", "OneVsRest", "WestonWatkins"]


def _own(y):
    """Index of each sample's own class in an array of scores."""
    return np.arange(len(y)), y


class Loss(Component):
    """A convex function of the scores of one sample, evaluated for many samples at once.

    A subclass gives `value_and_gradient` and, for what it wants to be used with, the rest.

    Attributes
    ----------
    smooth : bool
        Whether the gradient is continuous. Methods that need curvature ask for it.
    shift_invariant : bool
        Whether adding one number to all scores of a sample changes nothing. Then the intercepts
        are determined up to a common shift.
    """

    smooth = True
    shift_invariant = False

    def value(self, scores, y):
        """Loss of each sample.

        Parameters
        ----------
        scores : ndarray of shape (n_samples, n_classes)
            Scores of the classes.
        y : ndarray of int, shape (n_samples,)
            Index of each sample's own class.

        Returns
        -------
        ndarray of shape (n_samples,)
            The losses.
        """
        return self.value_and_gradient(scores, y)[0]

    def value_and_gradient(self, scores, y, out=None):
        """Loss of each sample, and its derivative by each score.

        Parameters
        ----------
        scores : ndarray of shape (n_samples, n_classes)
            Scores of the classes.
        y : ndarray of int, shape (n_samples,)
            Index of each sample's own class.
        out : ndarray of the shape of ``scores``, optional
            Where to put the gradient; it may be ``scores`` itself.

        Returns
        -------
        value : ndarray of shape (n_samples,)
            The losses.
        gradient : ndarray of shape (n_samples, n_classes)
            The derivatives; where the loss has a kink, one of its subgradients.
        """
        raise NotImplementedError

    def hessian_product(self, scores, y, direction):
        """Second derivative of each sample's loss times a direction in the scores.

        Parameters
        ----------
        scores : ndarray of shape (n_samples, n_classes)
            Where to take the second derivative.
        y : ndarray of int, shape (n_samples,)
            Index of each sample's own class.
        direction : ndarray of shape (n_samples, n_classes)
            What to multiply with it.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            The products. Where the second derivative jumps, one of its limits is used.
        """
        raise NotImplementedError

    def hessian_trace(self, scores, y):
        """Trace of each sample's second derivative by the scores, an array (n_samples,)."""
        raise NotImplementedError

    def curvature(self, n_classes):
        """Bound on the largest eigenvalue of the second derivative; inf where there are kinks."""
        return np.inf

    def conjugate(self, dual, y):
        """Convex conjugate of each sample's loss.

        Parameters
        ----------
        dual : ndarray of shape (n_samples, n_classes)
            Points of the dual domain (convex combinations of gradients).
        y : ndarray of int, shape (n_samples,)
            Index of each sample's own class.

        Returns
        -------
        ndarray of shape (n_samples,)
            The values of the conjugate. Points outside the domain are not detected.
        """
        raise NotImplementedError

    def balance(self, residual, priors):
        r"""Dual points, one a class, that cancel a mean dual residual.

        The dual points of all samples must have mean zero where an intercept is not penalised.
        Given points whose mean is ``residual``, mixing them as
        ``(1 - t) * dual + t * points[y]`` makes the mean exactly zero and stays in the domain.

        Parameters
        ----------
        residual : ndarray of shape (n_classes,)
            Mean of the dual points.
        priors : ndarray of shape (n_classes,)
            Share of each class, positive, of sum one.

        Returns
        -------
        t : float
            Weight of the mixture, in [0, 1]; as small as the residual.
        points : ndarray of shape (n_classes, n_classes)
            The dual point that is mixed into the samples of each class.

        Notes
        -----
        This serves each loss of score differences whose dual domain holds the points
        ``beta_j >= 0`` for ``j != y``, ``sum of them <= 1``, ``beta_y = - sum of them``. Classes
        with too large a mean give up, in proportion, to those with too small a one.
        """
        points = np.zeros((len(priors), len(priors)))
        residual = residual - residual.mean()  # zero but for rounding
        give, take = np.maximum(residual, 0.0), np.maximum(-residual, 0.0)
        t = np.max(give / np.maximum(priors + give, np.finfo(float).tiny))
        if t in (0.0, 1.0) or not take.any():
            # Nothing to cancel; or a class without weight, which only zero points serve.
            return float(t == 1.0), points
        share = (1.0 - t) / t * give / np.maximum(priors, np.finfo(float).tiny)
        points[...] = share[:, None] * take / take.sum()
        np.fill_diagonal(points, -points.sum(axis=1))
        return t, points


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
        own = _own(y)
        p = np.subtract(scores, scores.max(axis=1, keepdims=True), out=out)
        value = -p[own]
        np.exp(p, out=p)
        total = p.sum(axis=1)
        value += np.log(total)
        p /= total[:, None]
        p[own] -= 1
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

    def hessian_trace(self, scores, y):
        return 1 - np.square(self.probabilities(scores)).sum(axis=1)

    def curvature(self, n_classes):
        return 0.5

    def conjugate(self, dual, y):
        p = np.array(dual)
        p[_own(y)] += 1
        np.maximum(p, 0, out=p)  # rounding may leave it just below
        return xlogy(p, p).sum(axis=1)


class _Hinge:
    """phi(z) = max(0, z)."""

    smooth, bound = False, np.inf

    def value_and_slope(self, z):
        return np.maximum(z, 0), (z > 0).astype(z.dtype)

    def second(self, z):
        return np.zeros_like(z)

    def conjugate(self, b):
        return np.zeros_like(b)


class _SquaredHinge:
    """phi(z) = max(0, z)^2."""

    smooth, bound = True, 2.0

    def value_and_slope(self, z):
        z = np.maximum(z, 0)
        return np.square(z), 2 * z

    def second(self, z):
        return 2 * (z > 0).astype(z.dtype)

    def conjugate(self, b):
        return np.square(b) / 4


class _SmoothedHinge:
    """phi(z) = z^2 / (2 width) on [0, width], z - width / 2 beyond, 0 before."""

    smooth = True

    def __init__(self, width):
        self.width = width
        self.bound = 1 / width

    def value_and_slope(self, z):
        slope = np.clip(z * z.dtype.type(1 / self.width), 0, 1)
        return slope * (z - z.dtype.type(self.width / 2) * slope), slope

    def second(self, z):
        return ((z > 0) & (z < self.width)).astype(z.dtype) / z.dtype.type(self.width)

    def conjugate(self, b):
        return np.square(b) * (self.width / 2)


class _MarginLoss(Loss):
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


class WestonWatkins(_MarginLoss):
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
        own = _own(y)
        z = scores - (scores[own] - scores.dtype.type(self.margin))[:, None]
        z[own] = 0
        return z

    def value_and_gradient(self, scores, y, out=None):
        value, slope = self._phi.value_and_slope(self._violations(scores, y))
        slope[_own(y)] = -slope.sum(axis=1)
        if out is not None:
            out[...] = slope
            slope = out
        return value.sum(axis=1), slope

    def hessian_product(self, scores, y, direction):
        own = _own(y)
        second = self._phi.second(self._violations(scores, y))
        second[own] = 0
        product = second * (direction - direction[own][:, None])
        product[own] = -product.sum(axis=1)
        return product

    def hessian_trace(self, scores, y):
        second = self._phi.second(self._violations(scores, y))
        second[_own(y)] = 0
        return 2 * second.sum(axis=1)

    def curvature(self, n_classes):
        # The second derivative is phi'' times the Laplacian of a star of n_classes vertices,
        # whose largest eigenvalue is their number.
        return self._phi.bound * n_classes

    def conjugate(self, dual, y):
        b = np.array(dual)
        b[_own(y)] = 0
        return (self._phi.conjugate(b) - self.margin * b).sum(axis=1)


class OneVsRest(_MarginLoss):
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
        own = _own(y)
        z = scores + scores.dtype.type(self.margin)
        z[own] = scores.dtype.type(self.margin) - scores[own]
        return z

    def value_and_gradient(self, scores, y, out=None):
        value, slope = self._phi.value_and_slope(self._violations(scores, y))
        slope[_own(y)] *= -1
        if out is not None:
            out[...] = slope
            slope = out
        return value.sum(axis=1), slope

    def hessian_product(self, scores, y, direction):
        return self._phi.second(self._violations(scores, y)) * direction

    def hessian_trace(self, scores, y):
        return self._phi.second(self._violations(scores, y)).sum(axis=1)

    def curvature(self, n_classes):
        return self._phi.bound

    def conjugate(self, dual, y):
        b = np.array(dual)
        b[_own(y)] *= -1
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
        own = np.eye(len(priors), dtype=bool)
        return t, np.where(own == (residual > 0), share, 0.0)


class CrammerSinger(_MarginLoss):
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
        own = _own(y)
        z = scores - (scores[own] - scores.dtype.type(self.margin))[:, None]
        z[own] = -np.inf
        return z

    def _multipliers(self, z):
        """Solution b (n, K) of the rounded problem, and whether the sum of b is held at one."""
        width, squared = self.smoothing, self.loss == "squared_hinge"
        # Measured from the worst class: sums of far larger numbers would round width away.
        worst = z.max(axis=1, keepdims=True).astype(np.float64)
        z = z - worst
        top = -np.sort(-z, axis=1)
        count = np.arange(1, z.shape[1] + 1)
        total = np.cumsum(top, axis=1)
        if squared:
            theta = (total - 2 * width * worst) / (2 * width + count)
        else:
            theta = (total - width) / count
        theta = np.maximum(theta, -worst)
        # The number of positive entries of b is the last at which its smallest is positive.
        active = np.maximum((top > theta).sum(axis=1), 1)
        theta = theta[np.arange(len(z)), active - 1][:, None]
        held = (theta > -worst)[:, 0] & (not squared)
        return np.maximum(z - theta, 0) / width, held

    def value_and_gradient(self, scores, y, out=None):
        own = _own(y)
        z = self._violations(scores, y)
        if self.smoothing:
            b, _ = self._multipliers(z)
            b = b.astype(scores.dtype, copy=False)
            z[own] = 0
            total = b.sum(axis=1)
            value = (b * (z - scores.dtype.type(self.smoothing / 2) * b)).sum(axis=1)
            if self.loss == "squared_hinge":
                value -= np.square(total) / 4
        else:
            worst = (own[0], z.argmax(axis=1))
            value, total = self._phi.value_and_slope(z[worst])
            b = np.zeros_like(z)
            b[worst] = total
        b[own] = -total
        if out is not None:
            out[...] = b
            b = out
        return value, b

    def hessian_product(self, scores, y, direction):
        own = _own(y)
        b, held = self._multipliers(self._violations(scores, y))
        active = (b > 0).astype(scores.dtype)
        size = active.sum(axis=1)
        d = active * (direction - direction[own][:, None])
        mean = d.sum(axis=1) * self._pull(size, held)
        d -= active * mean[:, None]
        d /= scores.dtype.type(self.smoothing)
        d[own] = -d.sum(axis=1)
        return d

    def _pull(self, size, held):
        """Coefficient of 11' in the derivative of the multipliers on their active set."""
        if self.loss == "squared_hinge":
            return 1 / (2 * self.smoothing + size)
        return held / np.maximum(size, 1)

    def hessian_trace(self, scores, y):
        b, held = self._multipliers(self._violations(scores, y))
        size = (b > 0).sum(axis=1)
        pull = self._pull(size, held)
        return (2 * size - pull * size - pull * size**2) / self.smoothing

    def curvature(self, n_classes):
        return n_classes / self.smoothing if self.smoothing else np.inf

    def conjugate(self, dual, y):
        b = np.array(dual)
        b[_own(y)] = 0
        total = b.sum(axis=1)
        value = self.smoothing / 2 * np.square(b).sum(axis=1) - self.margin * total
        if self.loss == "squared_hinge":
            value += np.square(total) / 4
        return value


LOSSES = {
    "weston_watkins": WestonWatkins,
    "crammer_singer": CrammerSinger,
    "one_vs_rest": OneVsRest,
}
