"""Proximal gradient: for regularizers that have kinks, and set weights to exactly zero."""

from __future__ import annotations

import numpy as np

from sklin._linalg import inner
from sklin.optimizers._base import Optimizer, Stall, Step
from sklin.optimizers._newton import is_minimal


class ProximalGradient(Optimizer):
    r"""Accelerated proximal gradient (FISTA) with restarts.

    .. math:: W \leftarrow \mathrm{prox}_{R,\, \alpha/L} \bigl(V - \nabla f(V) / L\bigr), \qquad
              V \leftarrow W + \tfrac{t - 1}{t'} (W - W_{\text{old}})

    f is the mean loss, L a bound on its curvature along the step: it begins at the bound of the
    loss times the largest eigenvalue of the samples' second moments, and doubles where a step
    shows it too small. The momentum is dropped whenever it points uphill. Kinks of the hinge are
    rounded, the rounding shrinking with the gap.

    References
    ----------
    A. Beck and M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear inverse
    problems", SIAM Journal on Imaging Sciences 2, 2009. B. O'Donoghue and E. Candes, "Adaptive
    restart for accelerated gradient schemes", Foundations of Computational Mathematics 15, 2015.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklin import SoftmaxClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> model = SoftmaxClassifier(regularizer="l1", alpha=1e-2, tol=1e-2).fit(X / 16, y)
    >>> bool((model.coef_ == 0).mean() > 0.5)
    True
    """

    def steps(self, objective, params, tol, rng):
        smooth = objective.loss.smooth
        width = 2 * getattr(objective.loss, "margin", 1.0)
        current = objective if smooth else objective.smoothed(width)
        moment = objective.samples.largest_moment
        lipschitz = moment * current.loss.curvature(objective.shape[0])
        point = ahead = current.evaluate(params)
        momentum, bound, stalled = 1.0, -np.inf, Stall(200)
        while True:
            true = point if smooth else point.under(objective)
            bound = max(bound, objective.lower_bound(ahead))
            yield Step(point.params, true.value, true.value - bound)
            if not smooth and is_minimal(point, true):
                width /= 2
                current = objective.smoothed(width)
                lipschitz *= 2
                point = ahead = point.under(current)
                momentum, stalled = 1.0, Stall(200)
            while True:
                target = ahead.params - ahead.data_gradient / lipschitz
                new = current.evaluate(objective.prox(target, 1 / lipschitz))
                step = new.params - ahead.params
                model = ahead.data_value + inner(ahead.data_gradient, step)
                model += lipschitz / 2 * inner(step, step)
                if new.data_value <= model + new.noise:
                    break
                lipschitz *= 2
            if not step.any() or stalled(point.value, true.value - bound, new.noise):
                reason = f"No step improves the objective at the accuracy of {new.scores.dtype}."
                yield Step(point.params, true.value, true.value - bound, reason)
                return
            if inner(step, new.params - point.params) < 0:
                momentum = 1.0
            following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            ahead = new.beyond(point, (momentum - 1) / following)
            point, momentum = new, following
