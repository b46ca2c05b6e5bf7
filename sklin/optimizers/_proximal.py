"""Proximal gradient: for regularizers that have kinks, and set weights to exactly zero."""

from __future__ import annotations

import numpy as np

from sklin._component import check_number
from sklin._linalg import inner
from sklin.optimizers._base import Optimizer, Stall, Step
from sklin.optimizers._newton import is_minimal, is_rough, mean_curvature


class ProximalGradient(Optimizer):
    r"""Accelerated proximal gradient (FISTA) with restarts.

    .. math:: W \leftarrow \mathrm{prox}_{R,\, \alpha/L} \bigl(V - \nabla f(V) / L\bigr), \qquad
              V \leftarrow W + \tfrac{t - 1}{t'} (W - W_{\text{old}})

    f is the mean loss, L a bound on its curvature along the step: it begins at the bound of the
    loss times the largest eigenvalue of the samples' second moments, and doubles where a step
    shows it too small. The momentum is dropped whenever it points uphill. Kinks of the hinge are
    rounded, the rounding shrinking with the gap.

    Parameters
    ----------
    max_finish : int, default=1000
        Largest number of parameters for which the minimum, once within the tolerance, is followed
        to nearly all digits: it costs little there, and a weight of two and a sample given twice
        agree then to rounding.

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

    needs = ("roundable loss", "prox")

    # A step of 1 / L may be small long before the minimum: where nothing is proven, it is a small
    # change in many of them together that tells.
    n_iter_no_change = 100

    def __init__(self, max_finish=1000):
        self.max_finish = max_finish

    def check_parameters(self):
        check_number("max_finish", self.max_finish, low=0, integer=True)

    def steps(self, objective, params, tol, rng):
        smooth = objective.loss.smooth
        width = 2 * getattr(objective.loss, "margin", 1.0)
        current = objective if smooth else objective.smoothed(width)
        point = ahead = current.evaluate(params)
        curvature = current.loss.curvature(objective.shape[0])
        if not np.isfinite(curvature):  # not known: it begins with the mean, and doubles from there
            curvature = mean_curvature(point)
        lipschitz = objective.samples.largest_moment * curvature
        momentum, stalled, exhausted, first = 1.0, Stall(200), False, None
        certificate = objective.certificate()
        # What twenty steps gain: a single one may gain little at any time.
        drop, age, mark = np.inf, 0, point.value
        while True:
            true = point if smooth else point.under(objective)
            bound = certificate.add(ahead)
            # As `Stop` has it, also for a tolerance of zero.
            first = abs(true.value) if first is None else first
            reached = true.value - bound <= max(tol * abs(true.value), 1e-15 * first)
            if (reached or exhausted) and params.size <= self.max_finish:
                point = finish(point, lipschitz)
                true = point if smooth else point.under(objective)
                bound = certificate.add(point)
            gap = true.value - bound
            rough = is_rough(point, true, gap, tol)
            yield Step(point.params, true.value, gap, rough=rough)
            if exhausted and rough:
                drop = 0.0  # what does not go down any more is sharpened
            elif exhausted:
                reason = f"No step improves the objective at the accuracy of {point.scores.dtype}."
                yield Step(point.params, true.value, true.value - bound, reason)
                return
            if not smooth and is_minimal(point, true, drop):
                width /= 2
                current = objective.smoothed(width)
                lipschitz *= 2
                point = ahead = point.under(current)
                momentum, stalled = 1.0, Stall(200)
                drop, age, mark = np.inf, 0, point.value
            while np.isfinite(lipschitz):
                target = ahead.params - ahead.data_gradient / lipschitz
                new = current.evaluate(objective.prox(target, 1 / lipschitz))
                step = new.params - ahead.params
                model = ahead.data_value + inner(ahead.data_gradient, step)
                model += lipschitz / 2 * inner(step, step)
                # Ten times the noise: rounding must not pass for curvature, or L doubles without
                # end near the minimum, and the steps die away before they have reached it.
                if new.data_value <= model + 10 * new.noise:
                    break
                lipschitz *= 2
            exhausted = not (np.isfinite(lipschitz) and step.any()) or stalled(
                point.value, true.value - bound, new.noise
            )
            if exhausted:
                continue
            if inner(step, new.params - point.params) < 0:
                momentum = 1.0
            following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            ahead = new.beyond(point, (momentum - 1) / following)
            point, momentum, age = new, following, age + 1
            if age % 20 == 0:
                drop, mark = mark - point.value, point.value


def finish(point, lipschitz, *, memory=20, patience=40):
    r"""Solve ``W = prox(W - grad f(W) / L)`` to rounding, from close by, by Anderson's mixing.

    Near the minimum the zeros of W are settled and the fixed-point map is smooth. The next point is
    then taken where the residuals of the last ones, mixed linearly, are smallest. Residuals go on
    falling long after the values have become equal to within rounding.

    Parameters
    ----------
    point : Evaluation
        Where to start.
    lipschitz : float
        The bound L on the curvature.
    memory : int
        Number of points that are mixed.
    patience : int
        Evaluations in a row without a smaller residual that are borne.

    Returns
    -------
    Evaluation
        The point of smallest residual, or the first if its value is none the worse for rounding.

    References
    ----------
    D. Anderson, "Iterative procedures for nonlinear integral equations", Journal of the ACM 12,
    1965. V. Mai and M. Johansson, "Anderson acceleration of proximal gradient methods", ICML 2020.
    """
    objective, start = point.objective, point
    images, residuals, shift = [], [], start.params[:, -1].mean()
    best, smallest, idle = point, np.inf, 0
    while idle < patience:
        image = objective.prox(point.params - point.data_gradient / lipschitz, 1 / lipschitz)
        residual = (image - point.params).ravel()
        size = np.linalg.norm(residual)
        if not np.isfinite(size):
            break
        if size < 0.999 * smallest:
            best, smallest, idle = image, size, 0
        else:
            idle += 1
        if size <= 4 * np.finfo(float).eps * np.linalg.norm(image):
            break
        images, residuals = [*images[-memory:], image], [*residuals[-memory:], residual]
        if len(residuals) > 1:
            changes = np.diff(residuals, axis=0)
            mix = np.linalg.lstsq(changes.T, residual, rcond=None)[0]
            image = image - np.tensordot(mix, np.diff(images, axis=0), axes=1)
        if objective.samples.fit_intercept and objective.loss.shift_invariant:
            # Nothing determines a common shift, so rounding would drift along it.
            image[:, -1] += shift - image[:, -1].mean()
        point = objective.evaluate(image)
    end = start if best is start else objective.evaluate(best)
    return end if end.value <= start.value + start.noise else start
