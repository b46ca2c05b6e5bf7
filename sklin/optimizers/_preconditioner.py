r"""The one matrix that cures bad conditioning.

For scores ``W x + b`` the second derivative of the mean loss is at most a matrix in the classes
times the second moments of the features (Boehning's bound, for the softmax). Taking the classes as
independent and the features exactly,

.. math:: H \approx I_K \otimes \begin{pmatrix} c\,\mathrm{Cov}(x) + r I & \\ & c \end{pmatrix}

in the coordinates ``(W, b + W mean)``, in which the intercept decouples from the weights. ``c`` is
the mean curvature of the loss for a class, ``r`` the curvature of ``alpha R``. One Cholesky factor
serves all classes. At zero weights the softmax's H is exactly this.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg, sparse


class Preconditioner:
    """Approximate inverse of the objective's second derivative.

    Parameters
    ----------
    objective : Objective
        The objective; its samples' covariance is computed once and kept with them.
    curvature : float
        Mean curvature c of the loss, for a class.
    """

    # Beyond, the factor (and the time for X' X) outgrows what it saves; the diagonal is used.
    largest_dense = 8192

    def __init__(self, objective, curvature):
        self.samples = samples = objective.samples
        self.curvature = curvature
        ridge = objective.alpha * self._mean_curvature(objective)
        n_features = samples.X.shape[1]
        self.dense = not sparse.issparse(samples.X) and n_features <= self.largest_dense
        if not self.dense:
            diagonal = curvature * samples.variances + ridge
            # A feature without variance and without penalty moves nothing: any positive will do.
            floor = np.finfo(samples.X.dtype).eps * max(diagonal.max(initial=0.0), 1e-300)
            self.diagonal = np.maximum(diagonal, floor)
            return
        # In float64: with alpha = 1e-5 on pixels the condition number is near float32's limit.
        matrix = np.array(samples.covariance, dtype=np.float64, order="F")
        matrix *= curvature
        step = matrix.ravel(order="K")[:: n_features + 1]
        size = step.max(initial=0.0) + ridge
        step += max(ridge, np.finfo(samples.X.dtype).eps * size, 1e-300)
        lift = np.finfo(samples.X.dtype).eps * size
        while True:
            try:
                self.factor = linalg.cholesky(
                    matrix, lower=True, overwrite_a=False, check_finite=False
                )
                return
            except linalg.LinAlgError:
                # Rounding in X' X can leave it slightly indefinite; any lift that succeeds serves,
                # since the preconditioner shapes the path and not the minimum.
                lift *= 10
                step += lift

    @staticmethod
    def _mean_curvature(objective):
        """Curvature of R in all directions, or its mean at zero weights if they differ."""
        regularizer = objective.regularizer
        if regularizer.isotropic:
            return regularizer.curvature
        # Signs drawn at random give the trace up to its off-diagonal part (Hutchinson 1990).
        coef = np.zeros(objective.samples.coef(np.zeros(objective.shape)).shape)
        signs = np.random.RandomState(0).choice([-1.0, 1.0], size=coef.shape)
        trace = float((signs * regularizer.hessian_product(coef, signs)).sum())
        return max(trace / max(coef.size, 1), regularizer.curvature)

    def __call__(self, gradient):
        """Multiply the approximate inverse with a gradient, of the shape of the parameters."""
        samples = self.samples
        direction = np.array(gradient)
        coef = samples.coef(direction)
        if samples.fit_intercept:
            coef -= np.outer(gradient[:, -1], samples.mean)
        if self.dense:
            coef[...] = linalg.cho_solve((self.factor, True), coef.T, check_finite=False).T
        else:
            coef /= self.diagonal
        if samples.fit_intercept:
            direction[:, -1] = gradient[:, -1] / self.curvature - coef @ samples.mean
        return direction
