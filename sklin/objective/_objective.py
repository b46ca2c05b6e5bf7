"""Mean loss plus alpha times the regularizer, on given samples."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from sklin.objective._certificate import SHRUNK, Certificate, Plane
from sklin.objective._evaluation import Evaluation, slopes
from sklin.objective._samples import LARGEST_DENSE

# Numbers of the samples that are turned to double precision at once, 1 MB.
BLOCK = 2**17


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

    @property
    def is_wide(self):
        """Whether features outnumber samples and the minimum lies in the span of the samples.

        So it does where the penalty is a multiple of the squared norm. X is to be dense; the
        products of all samples with each other, to be no larger than any X'X that is made.
        """
        n_samples, n_features = self.samples.X.shape
        return (
            self.regularizer.isotropic
            and not sparse.issparse(self.samples.X)
            and n_samples < n_features
            and n_samples <= LARGEST_DENSE
            and self.samples.is_even
        )

    def in_span(self):
        """The objective in coordinates of the span of the samples; itself unless `is_wide`."""
        if not self.is_wide:
            return self
        return Objective(self.samples.in_span, self.loss, self.regularizer, self.alpha)

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

    def precise_value(self, params):
        """Value of the objective in double precision, whatever the samples are in; one pass.

        Of float32 samples whose scores are large and cancel, `value` can be off by more than the
        gap that is proven: one was below the minimum by 1.5%.
        """
        samples = self.samples
        samples.n_passes += 1
        coef = np.asarray(samples.coef(params), dtype=np.float64)
        total, step = 0.0, max(1, BLOCK // max(1, samples.X.shape[1]))
        for start in range(0, len(samples.y), step):
            rows = slice(start, start + step)
            scores = np.asfortranarray(samples.X[rows].astype(np.float64, copy=False) @ coef.T)
            if samples.fit_intercept:
                scores += params[:, -1]
            total += float(samples.weight[rows] @ self.loss.value(scores, samples.y[rows]))
        return total + self.penalty(params)

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
        plane = self.plane(evaluation)
        return -np.inf if plane is None else self.bound_of(plane)

    def certificate(self):
        """A new `Certificate` of this objective."""
        return Certificate(self)

    def plane(self, evaluation):
        """`Plane` below the mean loss from the dual points of an evaluation, no pass.

        Parameters
        ----------
        evaluation : Evaluation
            As for `lower_bound`.

        Returns
        -------
        Plane or None
            None where nothing can be bounded: alpha = 0, or no conjugates.
        """
        conjugate = None
        if self.certifies and evaluation.objective is self:
            # Fenchel and Young: l*(beta) = <beta, s> - l(s) for gradients, without a look at them.
            # By the scores, not as <total, params>: carried scores drift from the parameters.
            product = np.einsum("ij,ij->i", evaluation.dual, evaluation.scores)
            conjugate = float(self.samples.weight @ product) - evaluation.data_value
        # What bounds nothing needs no gradient, which would cost a pass.
        total = evaluation.data_gradient if self.certifies else None
        return self.plane_at(evaluation.dual, total, evaluation.noise, conjugate)

    @property
    def certifies(self):
        """Whether lower bounds are known: not for alpha = 0, nor without conjugates."""
        return self.alpha > 0 and self.loss.certifies and self.regularizer.certifies

    def plane_at(self, dual, total, noise, conjugate=None):
        """`Plane` below the mean loss from given dual points, no pass.

        Parameters
        ----------
        dual : ndarray of shape (n_samples, n_classes)
            Points of the loss's dual domain.
        total : ndarray of the shape of the parameters
            Their `Samples.weighted_sum`.
        noise : float
            Accuracy with which the bound is known.
        conjugate : float, optional
            Their mean conjugate, if it is known.

        Returns
        -------
        Plane or None
            None where nothing can be bounded.
        """
        if not self.certifies:
            return None
        samples = self.samples
        if conjugate is None:
            conjugate = float(samples.weight @ self.loss.conjugate(dual, samples.y))
        # Only regularizers whose R* is infinite somewhere ever ask for less than the whole.
        shrunk = SHRUNK * conjugate
        if self.regularizer.curvature == 0:
            less = dual * dual.dtype.type(SHRUNK)
            shrunk = float(samples.weight @ self.loss.conjugate(less, samples.y))
        if samples.fit_intercept:
            t, points = self.loss.balance(total[:, -1], samples.priors)
            if t > 0:
                own, less = (
                    float(samples.priors @ self.loss.conjugate(f * points, np.arange(len(points))))
                    for f in (1.0, SHRUNK)
                )
                conjugate = (1 - t) * conjugate + t * own
                shrunk = (1 - t) * shrunk + t * less
                total = (1 - t) * total + t * (points.T @ samples.class_sums)
        return Plane(conjugate, shrunk, samples.coef(total), noise)

    def bound_of(self, plane):
        """Lower bound on the minimum from a `Plane` below the mean loss, a float."""
        dual = -plane.slope / self.alpha
        # Where R* is finite on a bounded set only, the dual point is shrunk into it.
        factor = self.regularizer.shrink(dual)
        bound = -plane.offset_at(factor) - self.alpha * self.regularizer.conjugate(factor * dual)
        # The sums that it is made of are known to within rounding only.
        return bound - plane.noise
