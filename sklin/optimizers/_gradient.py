"""Following the slope of all samples at once."""

from __future__ import annotations

import numpy as np

from sklin._component import check_choice
from sklin.gradient_check import numerical_gradient
from sklin.optimizers._base import Optimizer, Step
from sklin.optimizers._line_search import line_search
from sklin.optimizers._schedules import schedule_of


class GradientDescent(Optimizer):
    r"""Batch gradient descent, with a fixed step or a line search.

    .. math:: \theta \leftarrow \theta - \eta \nabla F(\theta)

    Two code slides of the lecture have ``+=`` here, with which the loss goes up.

    Parameters
    ----------
    learning_rate : float, Schedule or None, default=None
        The step eta. None searches along the slope for the lowest point (this needs a smooth
        objective, and costs no further pass over the data). Too small a step crawls, too large
        a one diverges.
    gradient : {"analytic", "numerical"}, default="analytic"
        How the slope is found. "numerical" is the lecture's first attempt, by differences of the
        value, twice for each weight: approximate, slow, easy to write. See `numerical_gradient`.

    References
    ----------
    CS231n, lecture 3.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklin import SoftmaxClassifier
    >>> from sklin.optimizers import GradientDescent
    >>> X, y = load_digits(return_X_y=True)
    >>> model = SoftmaxClassifier(optimizer=GradientDescent(), alpha=1e-2, tol=1e-2)
    >>> model.fit(X / 16, y).score(X / 16, y) > 0.9
    True
    """

    def __init__(self, learning_rate=None, gradient="analytic"):
        self.learning_rate = learning_rate
        self.gradient = gradient

    @property
    def needs(self):
        """What it needs of the loss and the regularizer: no kinks, for a line search."""
        if self.learning_rate is None:
            return ("smooth loss", "smooth regularizer")
        return ("gradient",)

    def remedy(self, loss, regularizer):
        if self.learning_rate is None and not GradientDescent(0.01).missing(loss, regularizer):
            return "Give it a learning_rate: it then follows a subgradient, without a search."
        return ""

    def check_parameters(self):
        if self.learning_rate is not None:
            schedule_of(self.learning_rate)
        check_choice("gradient", self.gradient, ("analytic", "numerical"))

    def steps(self, objective, params, tol, rng):
        schedule = None if self.learning_rate is None else schedule_of(self.learning_rate)
        point, step, t = objective.evaluate(params), 1.0, 0
        certificate, fresh = objective.certificate(), point
        while True:
            gap = point.value - certificate.add(point)
            yield Step(point.params, point.value, gap)
            slope = point.gradient
            if self.gradient == "numerical":
                slope = numerical_gradient(objective.value, point.params)
            if schedule is not None:
                point = objective.evaluate(point.params - schedule.rate(t) * slope)
                t += 1
                continue
            new = line_search(point, -slope, step)
            if new is None and fresh is not point:
                # Scores are carried along the lines, and after hundreds of them their rounding
                # exceeds what a step gains: of 30 small fits 16 ended at gaps of 1e-8.
                fresh = point = point.renewed()
                for shorter in (1.0, 0.3, 0.1):
                    new = new or line_search(point, -slope, shorter * step)
            if new is None:
                yield Step(point.params, point.value, gap, "No step along the slope improves.")
                return
            # The last step is the best guess for the next.
            step = np.linalg.norm(new.params - point.params) / np.linalg.norm(slope)
            point = new
