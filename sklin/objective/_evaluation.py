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

        Its block of classes k and l is the sum of c_kl(i) x_i x_i', with c_kl the loss's second
        derivative by the two scores. Both c and x x' are symmetric: one product of (K^2 + K) / 2
        curvatures with (D^2 + D) / 2 products of features has all of it, in about ``n_samples *
        (n_classes n_features)^2 / 4`` multiplications, fewer where the loss is curved on few
        samples only. On digits that took 18 ms, a product for each class 40.
        """
        objective, samples = self.objective, self.objective.samples
        n_classes, width = self.params.shape
        one, other = np.triu_indices(n_classes)
        curvature = np.empty((len(one), len(samples.y)))
        unit, found = np.zeros_like(self.scores), 0
        for k in range(n_classes):
            unit[:, k] = 1
            column = objective.loss.hessian_product(self.scores, samples.y, unit)
            curvature[found : found + n_classes - k] = column[:, k:].T
            found += n_classes - k
            unit[:, k] = 0
        curvature *= samples.weight
        curved = np.flatnonzero(curvature.any(axis=0))
        row, column = np.tril_indices(width)
        total = np.zeros((len(one), len(row)))
        step = max(1, 2**20 // max(len(row), 1))
        buffer = np.empty((len(row), min(step, len(curved))))
        for start in range(0, len(curved), step):
            index = curved[start : start + step]
            part = samples.X[index]
            X = np.ones((width, len(index)))
            X[: part.shape[1]] = (part.toarray() if sparse.issparse(part) else part).T
            products, made = buffer[:, : len(index)], 0
            for j in range(width):
                np.multiply(X[: j + 1], X[j], out=products[made : made + j + 1])
                made += j + 1
            total += curvature[:, index] @ products.T
        hessian = np.empty((n_classes, width, n_classes, width))
        block = np.empty((width, width))
        for k, m, entries in zip(one, other, total, strict=True):
            block[row, column] = block[column, row] = entries
            hessian[k, :, m] = hessian[m, :, k] = block
        if objective.regularizer.isotropic:
            for k in range(n_classes):
                diagonal = np.einsum("ii->i", samples.coef(samples.coef(hessian[k, :, k]).T))
                diagonal += objective.alpha * objective.regularizer.curvature
        else:
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
