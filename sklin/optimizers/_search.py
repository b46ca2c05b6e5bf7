"""Random searches: the lecture's first two strategies, which ask for values alone.

They are here to be compared with: following the slope is better by far. Scores are linear in the
parameters, so many candidates are evaluated in one product with the data, which the machine does at
full speed, where one candidate after the other reads the data anew each time.
"""

from __future__ import annotations

import numpy as np

from sklin._component import check_number
from sklin.optimizers._base import Optimizer, Step


class _Search(Optimizer):
    """What the random searches share."""

    is_stochastic = True

    @property
    def n_iter_no_change(self):
        """Draws without a gain after which the search ends."""
        return self.patience

    def check_parameters(self):
        check_number("scale", self.scale, low=0)
        if self.patience is not None:
            check_number("patience", self.patience, low=1, integer=True)


class RandomSearch(_Search):
    r"""Draw parameters at random, keep the best.

    .. math:: \theta_t = \theta_0 + \sigma \epsilon_t, \qquad \epsilon_t \sim N(0, I)

    An iteration is one draw. On CIFAR-10 the lecture reaches 15.5% with a thousand of them.

    Parameters
    ----------
    scale : float, default=1e-4
        Standard deviation sigma of the draws about the start; 1e-4 is the lecture's.
    patience : int or None, default=None
        Draws in a row that gain less than ``tol`` after which to stop; None goes on to the
        iteration limit or the target.

    References
    ----------
    CS231n, lecture 3.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklin import LinearSVMClassifier
    >>> from sklin.optimizers import RandomSearch
    >>> X, y = load_digits(return_X_y=True)
    >>> search = RandomSearch(scale=5e-2)
    >>> model = LinearSVMClassifier(optimizer=search, target_objective=8.3, random_state=0)
    >>> model.fit(X / 16, y).score(X / 16, y) > 0.15
    True
    """

    def __init__(self, scale=1e-4, patience=None):
        self.scale = scale
        self.patience = patience

    def steps(self, objective, params, tol, rng):
        best, value = params, objective.value(params)
        yield Step(best, value)
        while True:
            draws = params + self.scale * rng.standard_normal((objective.n_at_once, *params.shape))
            for draw, scores in zip(draws, objective.scores_of_all(draws), strict=True):
                new = objective.value(draw, scores)
                if new < value:
                    best, value = draw.copy(), new
                yield Step(best, value)


class RandomLocalSearch(_Search):
    r"""Try a random step, keep it if it is better.

    .. math:: \theta' = \theta + \sigma \epsilon, \qquad \epsilon \sim N(0, I), \qquad
              \theta \leftarrow \theta' \text{ if } F(\theta') < F(\theta)

    An iteration is one try. On CIFAR-10 the lecture reaches 21.4% with a thousand of them.

    Parameters
    ----------
    scale : float, default=1e-4
        Standard deviation sigma of the steps.
    start_scale : float, default=1e-3
        Standard deviation of the random start about the given one.
    acceptance : float, default=0.0
        Probability of taking a step to a worse point all the same, in [0, 1]. The best point met
        is kept in any case.
    patience : int or None, default=None
        Tries in a row that gain less than ``tol`` after which to stop; None goes on to the
        iteration limit or the target.

    References
    ----------
    CS231n, lecture 3.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklin import LinearSVMClassifier
    >>> from sklin.optimizers import RandomLocalSearch
    >>> X, y = load_digits(return_X_y=True)
    >>> search = RandomLocalSearch(scale=1e-2)
    >>> model = LinearSVMClassifier(optimizer=search, target_objective=6.0, random_state=0)
    >>> model.fit(X / 16, y).score(X / 16, y) > 0.3
    True
    """

    def __init__(self, scale=1e-4, start_scale=1e-3, acceptance=0.0, patience=None):
        self.scale = scale
        self.start_scale = start_scale
        self.acceptance = acceptance
        self.patience = patience

    def check_parameters(self):
        super().check_parameters()
        check_number("start_scale", self.start_scale, low=0)
        check_number("acceptance", self.acceptance, low=0, high=1, closed="both")

    def steps(self, objective, params, tol, rng):
        # A source of its own, so that how many steps are tried at once changes no outcome.
        chance = np.random.RandomState(rng.randint(2**31 - 1))
        params = objective.feasible(params + self.start_scale * rng.standard_normal(params.shape))
        value = objective.value(params)
        best, lowest = params, value
        yield Step(best, lowest)
        while True:
            tries = self.scale * rng.standard_normal((objective.n_at_once, *params.shape))
            # The steps do not depend on where they are taken from, and scores are linear: those of
            # a point are the sum of those of the steps that led to it.
            here, *ahead = objective.scores_of_all(np.concatenate([params[None], tries]))
            for step, scores in zip(tries, ahead, strict=True):
                scores = here + scores
                new = objective.value(params + step, scores)
                # A walk that left a constraint, where all values are infinite, would not return.
                if new < value or (
                    self.acceptance and np.isfinite(new) and chance.uniform() < self.acceptance
                ):
                    params, here, value = params + step, scores, new
                if value < lowest:
                    best, lowest = params, value
                yield Step(best, lowest)
