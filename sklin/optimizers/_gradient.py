"""Following the slope: gradient descent and its mini-batch kin."""

from __future__ import annotations

import numpy as np

from sklin._component import check_number
from sklin.optimizers._base import Optimizer, Step
from sklin.optimizers._line_search import line_search


class GradientDescent(Optimizer):
    r"""Batch gradient descent, with a fixed step or a line search.

    .. math:: \theta \leftarrow \theta - \eta \nabla F(\theta)

    Two code slides of the lecture have ``+=`` here, with which the loss goes up.

    Parameters
    ----------
    learning_rate : float or None, default=None
        The step eta. None searches along the slope for the lowest point (this needs a smooth
        objective, and costs no further pass over the data). Too small a step crawls, too large
        a one diverges.

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

    def __init__(self, learning_rate=None):
        self.learning_rate = learning_rate

    def check_parameters(self):
        if self.learning_rate is not None:
            check_number("learning_rate", self.learning_rate, low=0, closed="neither")

    def check_objective(self, objective):
        if self.learning_rate is None and not (
            objective.loss.smooth and objective.regularizer.smooth
        ):
            kinked = objective.regularizer if objective.loss.smooth else objective.loss
            raise ValueError(
                f"optimizer GradientDescent searches along the slope, which needs a smooth "
                f"objective, and {kinked!r} has kinks. Give it a learning_rate (it then follows "
                "a subgradient), or use optimizer='auto'."
            )

    def steps(self, objective, params, tol, rng):
        point = objective.evaluate(params)
        rate = 1.0
        while True:
            gap = point.value - objective.lower_bound(point)
            yield Step(point.params, point.value, gap)
            if self.learning_rate is not None:
                point = objective.evaluate(point.params - self.learning_rate * point.gradient)
                continue
            new = line_search(point, -point.gradient, rate)
            if new is None:
                yield Step(point.params, point.value, gap, "No step along the slope improves.")
                return
            # The last step is the best guess for the next.
            rate = np.linalg.norm(new.params - point.params) / np.linalg.norm(point.gradient)
            point = new


class SGD(Optimizer):
    r"""Mini-batch stochastic gradient descent with momentum.

    .. math:: v \leftarrow \mu v - \eta \nabla F_B(\theta), \qquad \theta \leftarrow \theta + v

    where ``F_B`` is the objective on a mini-batch B. An iteration is an epoch: every sample is
    visited once, in a new random order. The value that it reports is the mean over its
    mini-batches, which costs no extra pass.

    Parameters
    ----------
    learning_rate : float, default=0.01
        The step eta.
    batch_size : int, default=256
        Samples in a mini-batch; 1 is the lecture's stochastic gradient descent.
    momentum : float, default=0.9
        The share mu of the last step that is kept, in [0, 1); 0 is plain descent.

    Notes
    -----
    Stochastic steps do not reach the minimum, they wander about it: on standardised CIFAR-10 pixels
    the objective stays some per cent above. They are for streams and for teaching; "auto" is
    exact. Sample weights scale the gradients; a weight of two is close to, and not the same as, the
    sample given twice, because the mini-batches differ.

    References
    ----------
    CS231n, lecture 3. B. Polyak, "Some methods of speeding up the convergence of iteration
    methods", USSR Computational Mathematics and Mathematical Physics 4, 1964.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklin import SoftmaxClassifier
    >>> from sklin.optimizers import SGD
    >>> X, y = load_digits(return_X_y=True)
    >>> model = SoftmaxClassifier(optimizer=SGD(learning_rate=0.1), tol=1e-3, random_state=0)
    >>> model.fit(X / 16, y).score(X / 16, y) > 0.9
    True
    """

    is_stochastic = True
    n_iter_no_change = 5

    def __init__(self, learning_rate=0.01, batch_size=256, momentum=0.9):
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.momentum = momentum

    def check_parameters(self):
        check_number("learning_rate", self.learning_rate, low=0, closed="neither")
        check_number("batch_size", self.batch_size, low=1, integer=True)
        check_number("momentum", self.momentum, low=0, high=1)

    def steps(self, objective, params, tol, rng):
        params = params.copy()
        velocity = np.zeros_like(params)
        yield Step(params.copy(), objective.value(params))
        while True:
            total = weight = 0.0
            for batch, share in objective.batches(self.batch_size, rng):
                value, gradient = batch.value_and_gradient(params)
                velocity *= self.momentum
                velocity -= self.learning_rate * gradient
                params += velocity
                total, weight = total + share * value, weight + share
            yield Step(params.copy(), total / weight)
