"""What every regularizer gives."""

from __future__ import annotations

import numpy as np

from sklin._component import Component


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
        Whether R is ``curvature / 2`` times the sum of squares: the same in all coordinates.
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

    def support(self, coef):
        """Mask of the weights that can move a little without meeting a kink of R.

        All if it is smooth; None, the default for others, where that is not known. It lets
        `sklin.optimizers.ProximalNewton` use second derivatives of R among these weights.
        """
        return np.ones(coef.shape, dtype=bool) if self.smooth else None

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
