"""The objective at one point: value, slope, second derivative, and what lies along a line."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy import sparse

from sklin._linalg import inner


def slopes(loss, scores, y):
    """Losses and their gradients in the scores, of the scores' dtype; a loss may be a stranger's.

    Raises
    ------
    ValueError
        If they do not have the shapes that a loss must give.
    """
    losses, dual = loss.value_and_gradient(scores, y)
    if np.shape(losses) != y.shape or np.shape(dual) != scores.shape:
        raise ValueError(
            f"{type(loss).__name__}.value_and_gradient must return the losses, of shape {y.shape}, "
            f"and their gradients, of shape {scores.shape}; it returned {np.shape(losses)} and "
            f"{np.shape(dual)}."
        )
    return losses, np.asarray(dual, dtype=scores.dtype)


class Evaluation:
    """The objective at one point, with the scores that make the next steps cheap.

    Parameters
    ----------
    objective : Objective
        What is evaluated.
    params : ndarray
        Where.
    scores : ndarray of shape (n_samples, n_classes)
        The scores there.

    Attributes
    ----------
    value : float
        Value of the objective, summed in float64.
    data_value : float
        Weighted mean loss.
    dual : ndarray of shape (n_samples, n_classes)
        Gradients of the losses in the scores, not yet weighted.
    gradient, data_gradient : ndarray of the shape of ``params``
        Gradient of the objective (of the mean loss alone); one pass, taken once when first asked.
    """

    def __init__(self, objective, params, scores):
        self.objective = objective
        self.params = params
        self.scores = scores
        losses, self.dual = slopes(objective.loss, scores, objective.samples.y)
        self.data_value = float(objective.samples.weight @ losses)
        self.value = self.data_value + objective.penalty(params)

    @property
    def noise(self):
        """Accuracy with which the value is known, from the size and the precision of the scores."""
        eps = float(np.finfo(self.scores.dtype).eps)
        # Outside of a constraint, where accelerated steps look ahead, the value is infinite.
        value = self.value if np.isfinite(self.value) else self.data_value
        return eps * (abs(value) + float(np.abs(self.scores).mean(dtype=np.float64)))

    @cached_property
    def data_gradient(self):
        return self.objective.samples.weighted_sum(self.dual)

    @cached_property
    def gradient(self):
        return self.objective.add_penalty_gradient(self.params, self.data_gradient.copy())

    def hessian_product(self, direction):
        """Second derivative of the objective times ``direction``, two passes."""
        objective, samples = self.objective, self.objective.samples
        product = samples.weighted_sum(
            objective.loss.hessian_product(self.scores, samples.y, samples.scores(direction))
        )
        coef = samples.coef(product)
        coef += objective.alpha * objective.regularizer.hessian_product(
            samples.coef(self.params), samples.coef(direction)
        )
        return product

    def hessian(self):
        """Second derivative of the objective as a matrix, for the flattened parameters.

        It takes about ``n_samples * (n_classes * n_features)^2`` multiplications, less where the
        loss is curved on few samples only, and 32 MB or so of buffers besides the matrix.
        """
        objective, samples = self.objective, self.objective.samples
        n_classes, width = self.params.shape
        curvature = np.empty((n_classes, n_classes, len(samples.y)))
        unit = np.zeros_like(self.scores)
        for k in range(n_classes):
            unit[:, k] = 1
            curvature[k] = objective.loss.hessian_product(self.scores, samples.y, unit).T
            unit[:, k] = 0
        curvature *= samples.weight
        curved = np.flatnonzero(curvature.any(axis=(0, 1)))
        hessian = np.zeros((n_classes, width, n_classes, width))
        rows = max(1, 2**22 // self.params.size)
        for start in range(0, len(curved), rows):
            index = curved[start : start + rows]
            X = np.ones((len(index), width))
            part = samples.X[index]
            X[:, : part.shape[1]] = part.toarray() if sparse.issparse(part) else part
            for k in range(n_classes):
                # One wide product for class k with itself and all later ones.
                scaled = curvature[k, k:, index][:, :, None] * X[:, None, :]
                product = X.T @ scaled.reshape(len(index), -1)
                hessian[k, :, k:] += product.reshape(width, n_classes - k, width)
        for k in range(n_classes):
            hessian[k + 1 :, :, k] = hessian[k, :, k + 1 :].transpose(1, 2, 0)
            if objective.regularizer.isotropic:
                diagonal = np.einsum("ii->i", samples.coef(samples.coef(hessian[k, :, k]).T))
                diagonal += objective.alpha * objective.regularizer.curvature
        if not objective.regularizer.isotropic:
            self._add_penalty_hessian(hessian)
        return hessian.reshape(self.params.size, self.params.size)

    def _add_penalty_hessian(self, hessian):
        """Add the second derivative of the penalty, a column for each weight, in place."""
        samples, alpha = self.objective.samples, self.objective.alpha
        coef = samples.coef(self.params)
        unit = np.zeros_like(coef)
        for k, d in np.ndindex(coef.shape):
            unit[k, d] = 1
            column = self.objective.regularizer.hessian_product(coef, unit)
            samples.coef(hessian[:, :, k, d])[...] += alpha * column
            unit[k, d] = 0

    def beyond(self, previous, share):
        """Evaluation at ``params + share * (params - previous.params)``, without a pass."""
        if share == 0:
            return self
        return Evaluation(
            self.objective,
            self.params + share * (self.params - previous.params),
            self.scores + self.scores.dtype.type(share) * (self.scores - previous.scores),
        )

    def renewed(self):
        """The same point, its scores computed anew: one pass."""
        return self.objective.evaluate(self.params)

    def under(self, objective):
        """Evaluation of another objective on the same samples at the same point, without a pass."""
        return Evaluation(objective, self.params, self.scores)

    def along(self, direction):
        """Function from a step t to the evaluation at ``params + t * direction`` and its slope.

        The slope is the derivative by t. The first call costs one pass, each step none.
        """
        objective = self.objective
        scores = objective.samples.scores(direction)
        weight = objective.samples.weight

        def step(t):
            new = Evaluation(
                objective,
                self.params + t * direction,
                self.scores + scores.dtype.type(t) * scores,
            )
            slope = float(weight @ np.einsum("ij,ij->i", new.dual, scores))
            penalty = objective.add_penalty_gradient(new.params, np.zeros_like(new.params))
            return new, slope + inner(penalty, direction)

        return step
