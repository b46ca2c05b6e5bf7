"""Newton's method and its kin, in the metric of the data: few passes, and a certificate."""

from __future__ import annotations

import itertools
from collections import deque

import numpy as np
from scipy import linalg

from sklin._component import check_number
from sklin._linalg import inner
from sklin.optimizers._base import Optimizer, Stall, Step
from sklin.optimizers._line_search import line_search
from sklin.optimizers._preconditioner import ClassPreconditioner, Preconditioner


class LBFGS(Optimizer):
    r"""L-BFGS that starts from the inverse of the data's second moments.

    A quasi-Newton method learns the curvature of the objective from its last steps. Begun with a
    multiple of the identity it learns slowly where features are correlated, as pixels are; begun
    with ``(c Cov(x) + 2 alpha I)^-1``, one Cholesky factor for all classes, most of the curvature
    is known before the first step, and a fit takes some ten to twenty steps.

    A loss with kinks is minimised through smooth ones: the kink of the hinge is rounded over a
    width, and the width is shrunk as the smoothed objective approaches its minimum. Gradients of
    the smoothed loss are dual points of the unsmoothed, so the certificate is one for the loss
    that was asked for.

    Parameters
    ----------
    memory : int, default=10
        Number of steps from which the curvature is learnt.

    References
    ----------
    J. Nocedal, "Updating quasi-Newton matrices with limited storage", Mathematics of Computation
    35, 1980. D. Boehning, "Multinomial logistic regression algorithm", Annals of the Institute of
    Statistical Mathematics 44, 1992. Y. Nesterov, "Smooth minimization of non-smooth functions",
    Mathematical Programming 103, 2005.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklin import SoftmaxClassifier
    >>> from sklin.optimizers import LBFGS
    >>> X, y = load_digits(return_X_y=True)
    >>> model = SoftmaxClassifier(alpha=1e-2, optimizer=LBFGS(memory=5)).fit(X / 16, y)
    >>> model.n_iter_ < 30
    True
    """

    needs = ("roundable loss", "smooth regularizer")
    in_span = True

    def __init__(self, memory=10):
        self.memory = memory

    def check_parameters(self):
        check_number("memory", self.memory, low=1, integer=True)

    def steps(self, objective, params, tol, rng):
        return descend(objective, params, tol, lambda point: quasi_newton(point, self.memory))


class Newton(Optimizer):
    r"""Newton's method, for small problems and high accuracy.

    Each step solves ``H d = -g`` with the second derivative H at the current point: by a Cholesky
    factor of the assembled H where there are few parameters, else by conjugate gradients in the
    metric of the data (truncated Newton). Near the minimum every step doubles the number of right
    digits. It takes more passes than `LBFGS` at first, and wins on small data and at small alpha.
    Kinks of the hinge are rounded and sharpened as in `LBFGS`.

    Parameters
    ----------
    warm_up : int, default=0
        Number of L-BFGS steps before the first of Newton's. They are cheaper, and often enough.
    max_direct : int, default=1000
        Largest number of parameters for which H is assembled.
    max_cg : int, default=200
        Largest number of conjugate-gradient iterations, of two passes each, in a step.

    References
    ----------
    J. Nocedal and S. Wright, "Numerical Optimization", 2nd edition, chapters 3 and 7. R. Dembo,
    S. Eisenstat and T. Steihaug, "Inexact Newton methods", SIAM Journal on Numerical Analysis 19,
    1982.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklin import SoftmaxClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> model = SoftmaxClassifier(optimizer="newton", tol=1e-9).fit(X / 16, y)
    >>> bool(model.duality_gap_ < 1e-9)
    True
    """

    needs = ("roundable loss", "smooth regularizer")
    in_span = True

    def __init__(self, warm_up=0, max_direct=1000, max_cg=200):
        self.warm_up = warm_up
        self.max_direct = max_direct
        self.max_cg = max_cg

    def check_parameters(self):
        check_number("warm_up", self.warm_up, low=0, integer=True)
        check_number("max_direct", self.max_direct, low=0, integer=True)
        check_number("max_cg", self.max_cg, low=1, integer=True)

    def steps(self, objective, params, tol, rng):
        steps = descend(objective, params, tol, self._directions)
        for step in steps:
            if self._is_direct(params) and step.gap <= tol * abs(step.value):
                # A few more steps make nearly all digits right. They cost little here, and with
                # them a weight of two and a sample given twice agree to rounding, whatever tol is.
                for finer in itertools.islice(steps, 4):
                    step = step if finer.done else finer
            yield step

    def _is_direct(self, params):
        return params.size <= self.max_direct

    def _directions(self, point):
        source, samples = quasi_newton(point), point.objective.samples
        start, price = samples.n_passes, ClassPreconditioner.price(samples)
        if not point.objective.regularizer.isotropic:
            price = np.inf  # its part of the second derivative is in no class's block alone
        for index in range(self.warm_up):
            if not self._is_direct(point.params) and samples.n_passes - start > price:
                break
            point = yield source.send(point) if index else next(source)
        if self._is_direct(point.params):
            yield from damped_newton(point)
        precondition = Preconditioner(point.objective, mean_curvature(point), slack=4.0)
        while True:
            # Renting skis: once as many passes are spent as the better matrices cost, they are
            # bought, and bought anew when the last have been used for as many. Whatever comes, that
            # takes at most twice as long as the best choice known beforehand.
            if samples.n_passes - start > price:
                precondition, start = ClassPreconditioner(point), samples.n_passes
            new = yield conjugate_gradients(point, precondition, 0.1, self.max_cg)
            # Where the loss is flat and nothing is penalised (the intercept), Newton's equations
            # have no solution, and what the iterations give is out of all bounds.
            point = (yield -precondition(point.gradient)) if new is point else new


def descend(objective, params, tol, directions, search=line_search):
    """Go down along directions, sharpening the kinks of the loss on the way.

    Parameters
    ----------
    objective : Objective
        What to minimise.
    params : ndarray
        Where to start.
    tol : float
        Relative gap that will be asked for.
    directions : callable
        Given an `Evaluation`, a generator of descent directions: it yields the first, and each
        evaluation sent to it is answered by the next. Being sent the same one again means that
        nothing was gained along the last, and asks for a more cautious one.
    search : callable
        Given an `Evaluation` and a direction, the evaluation to go to, or None.

    Yields
    ------
    Step
        The state after each line search.
    """
    smooth = objective.loss.smooth
    # Twice the margin, so that at zero weights every violation lies inside the rounded part.
    width = 2 * getattr(objective.loss, "margin", 1.0)
    point = (objective if smooth else objective.smoothed(width)).evaluate(params)
    source = directions(point)
    direction = next(source)
    certificate, age, drop = objective.certificate(), 0, np.inf
    # Rounded hinges creep: with a patience of ten, fits in float32 ended at gaps of 2e-3.
    stalled, stalled_for_good = Stall(40), Stall(1)
    while True:
        true = point if smooth else point.under(objective)
        gap = true.value - certificate.add(point)
        goal = tol * abs(true.value)
        if gap <= goal and age * point.noise > 0.01 * goal:
            # The scores were carried along the lines, and their rounding with them: what is to be
            # certified is computed anew.
            point, age = point.renewed(), 0
            direction = source.send(point)
            continue
        rough = is_rough(point, true, gap, tol)
        yield Step(point.params, true.value, gap, rough=rough)
        # What is good enough is not sharpened any more, so that further steps go to one point.
        if not smooth and gap > goal and is_minimal(point, true, drop):
            width /= 2
            point, drop = point.under(objective.smoothed(width)), np.inf
            direction, stalled = source.send(point), Stall(40)
        for _ in range(5):
            new = search(point, direction)
            if new is not None:
                break
            direction = source.send(point)
        if new is None or stalled(point.value, gap, point.noise):
            if rough:
                drop = 0.0  # what does not go down any more is sharpened
                continue
            if age == 0 or stalled_for_good(point.value, gap, point.noise):
                accuracy = point.scores.dtype
                reason = f"No step improves the objective at the accuracy of {accuracy}."
                yield Step(point.params, true.value, gap, reason)
                return
            new, age, stalled = point.renewed(), -1, Stall(40)
        drop, point = point.value - new.value, new
        age += 1
        direction = source.send(point)


def is_rough(smoothed, true, gap, tol):
    """Whether the kinks are rounded by more than ``tol``, and no gap tells how much it matters."""
    return gap == np.inf and true.value - smoothed.value > max(tol, 1e-12) * abs(true.value)


def is_minimal(smoothed, true, drop):
    """Whether the rounding of the kinks costs more of the proven gap than what can be gained at it.

    A wide rounding is quickly minimised and proves little, a narrow one the reverse: on 20,000
    CIFAR-10 images, until a gap of 1e-3 at alpha 1e-3 was proven, it took 571 passes on pixels and
    1,706 on HoG and colour to sharpen at equal shares; 524 and 2,569 at a fifth, 720 and 1,396 at
    twice. Where no bound tells (``alpha=0``), whether the last step's ``drop`` is small beside the
    distance to the true objective.
    """
    gap = smoothed.value - smoothed.objective.lower_bound(smoothed)
    if gap == np.inf:
        return drop <= 0.1 * (true.value - smoothed.value)
    cost = true.value - true.objective.lower_bound(smoothed) - gap
    return gap <= min(cost, 0.5 * smoothed.value)


def mean_curvature(point):
    """Mean second derivative of the loss by the score of one class."""
    objective = point.objective
    n_classes = objective.shape[0]
    diagonal = objective.loss.hessian_diagonal(point.scores, objective.samples.y)
    mean = float((objective.samples.weight @ diagonal).sum()) / (n_classes - 1)
    # Few samples lie on the rounded part of a hinge; none at all is an accident of this point.
    bound = objective.loss.curvature(n_classes)
    if np.isfinite(bound):
        return max(mean, 0.01 * bound / n_classes)
    return max(mean, 0.1 * wide_curvature(point), 1e-6)


def wide_curvature(point):
    """Mean slope, over two units of score, of the loss's derivative by the score of one class."""
    loss, samples = point.objective.loss, point.objective.samples
    unit, total = np.zeros_like(point.scores), 0.0
    for k in range(unit.shape[1]):
        unit[:, k] = 1
        ahead, behind = (
            loss.value_and_gradient(point.scores + t * unit, samples.y)[1][:, k] for t in (1, -1)
        )
        total += float(samples.weight @ (ahead - behind)) / 2
        unit[:, k] = 0
    return total / (unit.shape[1] - 1)


def damped_newton(point):
    """Newton directions by Cholesky factors; a generator as `descend` wants it.

    Where a rounded hinge is flat the second derivative says nothing, and the full step goes astray.
    A multiple of the mean curvature is added to the diagonal then, more after a short step, less
    after a long one (Levenberg 1944, Marquardt 1963). Smooth problems never need it.
    """
    samples = point.objective.samples
    scale = np.ones(point.params.shape)
    samples.coef(scale)[...] = samples.variances
    damping, factor = 0.0, None
    while True:
        if factor is None:
            factor = factor_of_hessian(point, scale.ravel(), damping)
        direction = linalg.cho_solve(factor, -point.gradient.ravel(), check_finite=False)
        direction = direction.reshape(point.params.shape)
        if point.objective.loss.shift_invariant:
            # Nothing determines a common shift of what is not penalised: without alpha, of all.
            free = direction[:, 0 if point.objective.alpha == 0 else samples.X.shape[1] :]
            free -= free.mean(axis=0)
        new = yield direction
        share = np.linalg.norm(new.params - point.params) / max(np.linalg.norm(direction), 1e-300)
        if new is point or 0 < share < 0.1:
            damping = max(10 * damping, 1e-6)
        elif share > 0.5:
            damping = damping / 10 if damping > 1e-8 else 0.0
        # A factor that has just gained a digit is good for one more (Shamanskii 1967), at a
        # twentieth of the price on digits.
        gained = np.linalg.norm(new.gradient) <= 0.1 * np.linalg.norm(point.gradient)
        if not (gained and share > 0.5):
            factor = None
        point = new


def factor_of_hessian(point, scale, damping):
    """Cholesky factor of the second derivative plus ``damping`` times the mean curvature."""
    hessian = point.hessian()
    diagonal = np.einsum("ii->i", hessian)
    if damping:
        diagonal += damping * mean_curvature(point) * scale
    # Flat directions (a common shift of all intercepts, say) have no curvature at all: a trace of
    # it is lent to all, as little as the factor bears, and in proportion to what they have.
    np.maximum(diagonal, max(np.finfo(float).eps * diagonal.max(initial=0.0), 1e-300), out=diagonal)
    lift = np.finfo(float).eps * len(hessian)
    while True:
        diagonal *= 1 + lift
        try:
            return linalg.cho_factor(hessian, lower=True, check_finite=False)
        except linalg.LinAlgError:
            lift *= 10


def conjugate_gradients(point, precondition, tolerance, max_iter):
    """Solve the Newton equations at a point, approximately.

    Parameters
    ----------
    point : Evaluation
        Where the gradient and the second derivative are taken.
    precondition : callable
        Approximate inverse of the second derivative.
    tolerance : float
        Share of the gradient, in the preconditioner's norm, that may remain.
    max_iter : int
        Largest number of iterations.

    Returns
    -------
    ndarray
        A descent direction, of the shape of the parameters.
    """
    solution = np.zeros_like(point.params)
    rest = -point.gradient
    preconditioned = precondition(rest)
    direction = first = preconditioned
    start = size = inner(rest, preconditioned)
    eps = np.finfo(point.scores.dtype).eps
    for _ in range(max_iter):
        product = point.hessian_product(direction)
        curvature = inner(direction, product)
        # A flat direction (a common shift of all intercepts, say) needs no step, and one that is
        # flat but for the rounding of the products would get one beyond all bounds.
        if curvature <= eps * size:
            break
        solution += size / curvature * direction
        rest = rest - size / curvature * product
        preconditioned = precondition(rest)
        size, previous = inner(rest, preconditioned), size
        if size <= tolerance**2 * start:
            break
        direction = preconditioned + size / previous * direction
    return solution if solution.any() else first


def quasi_newton(point, memory=10):
    """L-BFGS directions in the metric of the data; a generator as `descend` wants it."""
    precondition = Preconditioner(point.objective, mean_curvature(point), slack=4.0)
    pairs = deque(maxlen=memory)
    while True:
        new = yield -two_loop(point.gradient, pairs, precondition)
        if new is point:
            pairs.clear()
            continue
        step, change = new.params - point.params, new.gradient - point.gradient
        # A change of the loss at one point (a kink sharpened) is no pair: its step is zero.
        product = inner(step, change)
        if product > 0:
            pairs.append((step, change, 1 / product))
        point = new


def two_loop(gradient, pairs, precondition):
    """Product of the L-BFGS inverse with a gradient.

    Parameters
    ----------
    gradient : ndarray
        The gradient.
    pairs : sequence of (step, change, 1 / <step, change>)
        The last steps and the changes of the gradient along them, oldest first.
    precondition : callable
        The initial inverse.

    Returns
    -------
    ndarray
        The product, of the shape of ``gradient``.

    References
    ----------
    J. Nocedal and S. Wright, "Numerical Optimization", 2nd edition, algorithm 7.4.
    """
    rest, weights = gradient.copy(), []
    for step, change, inverse in reversed(pairs):
        weight = inverse * inner(step, rest)
        weights.append(weight)
        rest -= weight * change
    product = precondition(rest)
    for (step, change, inverse), weight in zip(pairs, reversed(weights), strict=True):
        product += (weight - inverse * inner(change, product)) * step
    return product
