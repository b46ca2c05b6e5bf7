r"""The objective: mean loss over the samples plus alpha times the regularizer.

.. math:: F(W, b) = \sum_i w_i \, l(W x_i + b,\; y_i) + \alpha R(W), \qquad \sum_i w_i = 1

Vocabulary. ``params`` is one float64 array (n_classes, n_features + 1), the intercept last (absent
without intercept; never in R). A *pass* is one product of all the samples with n_classes vectors;
passes are what a fit costs, so they are counted. Scores are linear in the parameters, so an
`Evaluation` keeps them, and a whole line search along a direction costs one pass.

Everything an optimizer asks of the data is a sum over samples: the value, the gradient ``dual' X``,
the Hessian product, the second moments ``X' X``, the sums of each class.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.linalg import blas

from sklin._linalg import inner

__all__ = ["Evaluation", "Objective", "Samples"]


class Samples:
    """Weighted samples, and the sums over them that optimizers ask for.

    They know neither loss nor regularizer, so objectives that differ only in those (a path of
    alphas, a loss with its kinks rounded) share one `Samples` and what it has computed.

    Parameters
    ----------
    X : ndarray or CSR array of shape (n_samples, n_features), float32 or float64
        The samples. Never copied.
    y : ndarray of int, shape (n_samples,)
        Index of each sample's class.
    n_classes : int
        Number of classes.
    sample_weight : ndarray of shape (n_samples,), optional
        Weights; only their ratios matter. A weight of two is the sample given twice.
    fit_intercept : bool
        Whether the parameters hold an intercept.

    Attributes
    ----------
    weight : ndarray of shape (n_samples,)
        The weights, divided by their sum.
    n_passes : int
        Products of all the data with n_classes vectors so far; a forward product and a gradient
        are one each.
    """

    def __init__(self, X, y, n_classes, *, sample_weight=None, fit_intercept=True):
        self.X = X
        self.y = y
        self.n_classes = n_classes
        self.fit_intercept = fit_intercept
        self.n_passes = 0
        if sample_weight is None:
            self.weight = np.full(X.shape[0], 1.0 / X.shape[0])
        else:
            self.weight = sample_weight / np.sum(sample_weight, dtype=np.float64)

    @property
    def shape(self):
        """Shape of the parameters."""
        return self.n_classes, self.X.shape[1] + self.fit_intercept

    def coef(self, params):
        """View of the coefficients (n_classes, n_features) in parameters."""
        return params[:, :-1] if self.fit_intercept else params

    def rows(self, index):
        """The samples of an index array, of weights in the same ratios."""
        return Samples(
            self.X[index],
            self.y[index],
            self.n_classes,
            sample_weight=self.weight[index],
            fit_intercept=self.fit_intercept,
        )

    def scores(self, params):
        """Scores ``X W' + b`` of shape (n_samples, n_classes), one pass."""
        self.n_passes += 1
        params = params.astype(self.X.dtype, copy=False)
        # Whole products, and in this order: on 10,000 x 3,072 float32 they took 32 ms, the same as
        # (W X')' 56; on 50,000 row blocks took .14-.17 s against .12.
        scores = np.asfortranarray(self.X @ np.ascontiguousarray(self.coef(params).T))
        if self.fit_intercept:
            scores += params[:, -1]
        return scores

    def weighted_sum(self, dual):
        """``sum_i w_i dual_i (x_i, 1)``, of the shape of the parameters, one pass.

        For ``dual`` the gradients in the scores it is the gradient in the parameters.
        """
        self.n_passes += 1
        dual = dual * self.weight.astype(dual.dtype)[:, None]
        total = np.empty((dual.shape[1], self.shape[1]))
        self.coef(total)[...] = (self.X.T @ dual).T
        if self.fit_intercept:
            total[:, -1] = dual.sum(axis=0, dtype=np.float64)
        return total

    @cached_property
    def priors(self):
        """Share of each class in the weights, (n_classes,)."""
        return np.bincount(self.y, self.weight, minlength=self.n_classes)

    @cached_property
    def class_sums(self):
        """``sum_i w_i (x_i, 1)`` over each class's samples, of the shape of the parameters."""
        own = np.zeros((len(self.y), self.n_classes), dtype=self.X.dtype, order="F")
        own[np.arange(len(self.y)), self.y] = 1
        return self.weighted_sum(own)

    @cached_property
    def mean(self):
        """Weighted mean of the samples, float64 (n_features,)."""
        return self.coef(self.class_sums).sum(axis=0)

    @cached_property
    def covariance(self):
        """Weighted ``X' X``, less the outer product of the means if there is an intercept.

        Dense X only; shape (n_features, n_features), dtype of X, the lower triangle filled.
        """
        X, n_features = self.X, self.X.shape[1]
        syrk = blas.ssyrk if X.dtype == np.float32 else blas.dsyrk
        total = np.zeros((n_features, n_features), dtype=X.dtype, order="F")
        # Equal weights need no scaled copy of the rows; others are scaled block by block.
        equal = self.weight.min() == self.weight.max() and X.flags.c_contiguous
        step = len(self.y) if equal else max(1, 2**22 // n_features)
        for start in range(0, len(self.y), step):
            block = X[start : start + step]
            if not equal:
                root = np.sqrt(self.weight[start : start + step]).astype(X.dtype)
                block = np.ascontiguousarray(block * root[:, None])
            scale = self.weight[0] if equal else 1.0
            total = syrk(scale, block.T, beta=1.0, c=total, lower=1, overwrite_c=1)
        if self.fit_intercept:
            total -= np.outer(self.mean, self.mean).astype(X.dtype)
        return total

    @cached_property
    def variances(self):
        """The diagonal of `covariance`, float64 (n_features,); for sparse X too."""
        weight = self.weight.astype(self.X.dtype)
        if sparse.issparse(self.X):
            # `power` sums up duplicate entries in place, and X is the caller's.
            X = self.X if self.X.has_canonical_format else self.X.copy()
            second = X.power(2).T @ weight
        else:
            second = np.einsum("ij,ij,i->j", self.X, self.X, weight, optimize=False)
        second = np.asarray(second, dtype=np.float64).ravel()
        return np.maximum(second - self.mean**2, 0) if self.fit_intercept else second

    @cached_property
    def largest_moment(self):
        """Largest eigenvalue of the weighted second moments of ``(x, 1)``, by subspace iteration.

        An estimate from below, mostly within some per cent; twenty passes.
        """
        rng = np.random.RandomState(0)
        basis = rng.standard_normal(self.shape)
        for _ in range(10):
            basis = np.linalg.qr(basis.T)[0].T
            moments = self.weighted_sum(self.scores(basis))
            basis = moments
        return float(np.linalg.norm(moments, 2))


class Objective:
    """Mean loss + alpha R(W) on given samples.

    Parameters
    ----------
    samples : Samples
        The data.
    loss : Loss
        The loss of the scores.
    regularizer : Regularizer
        The regularizer of the coefficients.
    alpha : float
        Strength of the regularizer (the lecture's lambda).

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.losses import CrossEntropy
    >>> from sklin.objective import Objective, Samples
    >>> from sklin.regularizers import L2
    >>> samples = Samples(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0, 1]), n_classes=2)
    >>> objective = Objective(samples, CrossEntropy(), L2(), alpha=0.1)
    >>> value, gradient = objective.value_and_gradient(np.zeros(objective.shape))
    >>> round(value, 4)  # log K at zero weights
    0.6931
    """

    def __init__(self, samples, loss, regularizer, alpha):
        regularizer.check_features(samples.X.shape[1])
        self.samples = samples
        self.loss = loss
        self.regularizer = regularizer
        # A constraint holds or does not: zero times infinity is not meant by alpha = 0.
        self.alpha = 1.0 if regularizer.is_constraint else alpha

    @property
    def shape(self):
        """Shape of the parameters."""
        return self.samples.shape

    def smoothed(self, width):
        """Objective with the kinks of the loss rounded over ``width``, on the same samples."""
        return Objective(self.samples, self.loss.smoothed(width), self.regularizer, self.alpha)

    def shuffled(self, rng):
        """The objective on a copy of the samples in random order, those without weight left out."""
        rows = self.samples.rows(rng.permutation(np.flatnonzero(self.samples.weight)))
        return Objective(rows, self.loss, self.regularizer, self.alpha)

    def batch_slope(self, params, index, rng=None):
        """Value and slope on a mini-batch: of the loss, and of the regularizer if it is smooth.

        Parameters
        ----------
        params : ndarray
            Where, best of the dtype of the samples: a batch is small, and so converting large
            parameters costs as much as the products with it.
        index : slice or ndarray of int
            The samples of the mini-batch. Slices cost no copy.
        rng : numpy.random.RandomState, optional
            Source of the noise of a regularizer that works by it.

        Returns
        -------
        value : float
            Estimate of the mean loss.
        gradient : ndarray of the shape of ``params``
            Estimate of the gradient.
        share : float
            Share of the mini-batch in the number of samples. Means weighted by the shares of all
            mini-batches are the mean loss, and the gradient, of all samples; dividing by the
            weights in the mini-batch instead would favour samples among lighter ones.
        """
        samples = self.samples
        X = self.regularizer.corrupt(samples.X[index], rng)
        y = samples.y[index]
        share = len(y) / len(samples.y)
        weight = samples.weight[index] / share
        gradient = np.empty_like(params)
        # Fortran order for the loss; 12 us of 26 are saved by it at 256 x 10.
        scores = np.asfortranarray(X @ samples.coef(params).T, dtype=X.dtype)
        if samples.fit_intercept:
            scores += params[:, -1]
        losses, dual = slopes(self.loss, scores, y)
        dual = dual * weight.astype(dual.dtype)[:, None]
        coef = samples.coef(gradient)
        coef[...] = (X.T @ dual).T if sparse.issparse(X) else dual.T @ X
        if samples.fit_intercept:
            gradient[:, -1] = dual.sum(axis=0)
        if self.regularizer.smooth:
            coef += self.alpha * self.regularizer.gradient(samples.coef(params))
        return float(weight @ losses), gradient, share

    @property
    def n_at_once(self):
        """Number of candidates that a random search evaluates at once: 32, or 16 MB of them.

        On 10,000 x 3,072 numbers and ten classes a candidate took 28 ms by itself, 11 among four
        and 8 among eight to sixty-four. More at once leave the cache: on 50,000 x 100 a candidate
        took 8 ms by itself, 7 among eight, 12 among sixty-four.
        """
        largest = max(len(self.samples.y) * self.samples.X.dtype.itemsize, 8 * self.shape[1])
        return min(32, max(1, 2**24 // (self.shape[0] * largest)))

    def scores_of_all(self, candidates):
        """Scores of many parameters in one product.

        Parameters
        ----------
        candidates : ndarray of shape (n_candidates, n_classes, n_features + 1)
            The parameters.

        Returns
        -------
        list of ndarray of shape (n_samples, n_classes)
            The scores of each.
        """
        scores = self.samples.scores(candidates.reshape(-1, candidates.shape[-1]))
        self.samples.n_passes += len(candidates) - 1
        return np.split(scores, len(candidates), axis=1)

    def feasible(self, params):
        """The parameters themselves, or if the regularizer is a constraint, their projection."""
        return self.prox(params, 1.0) if self.regularizer.is_constraint else params

    def penalty(self, params):
        """``alpha R(W)``."""
        return self.alpha * self.regularizer.value(self.samples.coef(params))

    def add_penalty_gradient(self, params, gradient):
        """Add ``alpha`` times the gradient of R to ``gradient``, in place; return it."""
        if self.regularizer.has_gradient:  # a constraint has none, and is flat inside
            coef = self.samples.coef(gradient)
            coef += self.alpha * self.regularizer.gradient(self.samples.coef(params))
        return gradient

    def prox(self, params, step):
        """Proximal operator of ``step * alpha * R``; the intercept is left as it is."""
        new = params.copy()
        # A step of each parameter's own, for those who scale them; none is for the intercept.
        step = self.samples.coef(step) if np.ndim(step) else step
        self.samples.coef(new)[...] = self.regularizer.prox(
            self.samples.coef(params), step * self.alpha
        )
        return new

    def evaluate(self, params):
        """Evaluate the objective at ``params``: an `Evaluation`, at the cost of one pass."""
        return Evaluation(self, params, self.samples.scores(params))

    def value(self, params, scores=None):
        """Value of the objective, a float; one pass unless the scores are given."""
        scores = self.samples.scores(params) if scores is None else scores
        losses = self.loss.value(scores, self.samples.y)
        return float(self.samples.weight @ losses) + self.penalty(params)

    def value_and_gradient(self, params):
        """Value (float) and gradient (shape of the parameters), at the cost of two passes."""
        evaluation = self.evaluate(params)
        return evaluation.value, evaluation.gradient

    def lower_bound(self, evaluation):
        r"""Bound below the minimum, from a dual point.

        For dual points ``beta_i`` of the loss with ``G = sum_i w_i beta_i x_i`` and, if there is an
        intercept, ``sum_i w_i beta_i = 0``, weak duality says

        .. math:: \min F \ge -\sum_i w_i l^*(\beta_i, y_i) - \alpha R^*(-G / \alpha).

        The gradients of the loss at the current scores are such points once their mean is made zero
        by `Loss.balance`. At the minimum they are the best ones, and the bound is tight.

        Parameters
        ----------
        evaluation : Evaluation
            Where to take the dual points: of this objective, or of it smoothed, whose gradients
            lie in the domain of the unsmoothed conjugate too.

        Returns
        -------
        float
            The lower bound; -inf where there is none (alpha = 0, or a loss or regularizer
            without conjugate).
        """
        if self.alpha == 0 or not (self.loss.certifies and self.regularizer.certifies):
            return -np.inf
        total = evaluation.data_gradient
        if evaluation.objective is self:
            # Fenchel and Young: l*(beta) = <beta, s> - l(s) for gradients, without a look at them.
            conjugate = inner(total, evaluation.params) - evaluation.data_value
        else:
            conjugate = float(
                self.samples.weight @ self.loss.conjugate(evaluation.dual, self.samples.y)
            )
        if self.samples.fit_intercept:
            t, points = self.loss.balance(total[:, -1], self.samples.priors)
            if t > 0:
                own = self.loss.conjugate(points, np.arange(len(points)))
                conjugate = (1 - t) * conjugate + t * float(self.samples.priors @ own)
                total = (1 - t) * total + t * (points.T @ self.samples.class_sums)
        dual = -self.samples.coef(total) / self.alpha
        # Where R* is finite on a bounded set only, the dual point is shrunk into it: losses are not
        # negative, so l*(0) <= 0 and, l* being convex, l*(f beta) <= f l*(beta).
        factor = self.regularizer.shrink(dual)
        bound = -factor * conjugate - self.alpha * self.regularizer.conjugate(factor * dual)
        # The sums that it is made of are known to within rounding only.
        return bound - evaluation.noise


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
