"""What every loss gives, and the dual points that certificates are made of."""

from __future__ import annotations

import numpy as np

from sklin._component import Component


def own(y):
    """Index of each sample's own class in an array of scores."""
    return np.arange(len(y)), y


class Loss(Component):
    """A convex function of the scores of one sample, evaluated for many samples at once.

    A subclass gives `value_and_gradient`. The second derivatives of a smooth loss are taken from
    differences of its gradient unless it gives them, too. With a `conjugate` (and, for intercepts,
    a `balance`) fits are certified; with `smoothed` besides, a loss that has kinks is minimised by
    the methods for smooth ones, and with `proximal_slope` it is minimised as it is.

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

    @property
    def certifies(self):
        """Whether it gives a conjugate, of which lower bounds are made."""
        return type(self).conjugate is not Loss.conjugate

    @property
    def roundable(self):
        """Whether it is smooth, or can be rounded and the rounded minimum be certified."""
        return self.smooth or (self.certifies and type(self).smoothed is not Loss.smoothed)

    @property
    def proximable(self):
        """Whether it gives the slope of its Moreau envelope, and the minimum can be certified."""
        return self.certifies and type(self).proximal_slope is not Loss.proximal_slope

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
        raise NotImplementedError(f"{type(self).__name__} gives no value_and_gradient.")

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

        Notes
        -----
        Unless a loss gives its own, this is the centred difference of the gradient, in float64.
        """
        scores = np.asarray(scores, dtype=np.float64)
        size = np.abs(direction).max(initial=0.0)
        if size == 0:
            return np.zeros_like(direction)
        # The cube root of eps balances the error of the difference with that of its rounding.
        step = np.cbrt(np.finfo(float).eps) * (1 + np.abs(scores).max(initial=0.0)) / size
        ahead = self.value_and_gradient(scores + step * direction, y)[1]
        behind = self.value_and_gradient(scores - step * direction, y)[1]
        return ((ahead - behind) / (2 * step)).astype(direction.dtype)

    def hessian_diagonal(self, scores, y):
        """Second derivative of each sample's loss by each score, of the shape of ``scores``."""
        diagonal, unit = np.empty_like(scores), np.zeros_like(scores)
        for k in range(scores.shape[1]):
            unit[:, k] = 1
            diagonal[:, k] = self.hessian_product(scores, y, unit)[:, k]
            unit[:, k] = 0
        return diagonal

    def curvature(self, n_classes):
        """Bound on the largest eigenvalue of the second derivative; inf where none is known."""
        return np.inf

    def smoothed(self, width):
        """Return a smooth loss, at most this one, whose kinks are rounded over a width.

        Parameters
        ----------
        width : float
            By how much, in units of score; the rounded loss tends to this one with it.

        Returns
        -------
        Loss
            A loss whose gradients lie in the dual domain of this one.
        """
        raise NotImplementedError

    def proximal_slope(self, scores, y, step, start=None):
        r"""Slope of each sample's Moreau envelope, which is a slope of the loss at its prox.

        .. math:: \beta = (s - z) / \text{step}, \qquad
                  z = \arg\min_z \; l(z, y) + \lVert z - s \rVert^2 / (2\,\text{step})

        Parameters
        ----------
        scores : ndarray of shape (n_samples, n_classes)
            The points s.
        y : ndarray of int, shape (n_samples,)
            Index of each sample's own class.
        step : float
            How far, in units of score for a slope of one; positive.
        start : ndarray of the shape of ``scores``, optional
            A guess of the slopes, for losses that search for them.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            The slopes, points of the dual domain.

        References
        ----------
        J.-J. Moreau, "Proximite et dualite dans un espace hilbertien", Bulletin de la SMF 93,
        1965. N. Parikh and S. Boyd, "Proximal algorithms", 2014.
        """
        raise NotImplementedError

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
