"""Proximal Newton methods: kinks of the regularizer met exactly, curvature from the data."""

from __future__ import annotations

from collections import deque

import numpy as np

from sklin._component import check_number
from sklin._linalg import inner
from sklin.optimizers._base import Optimizer, Step
from sklin.optimizers._newton import descend, mean_curvature
from sklin.optimizers._preconditioner import ClassPreconditioner, Solve, of_each_class
from sklin.optimizers._proximal import finish


class ProximalNewton(Optimizer):
    r"""Proximal quasi-Newton steps in the metric of the data, and Newton steps on the support.

    A step minimises a model of the objective that keeps the regularizer whole,

    .. math:: \min_D \; \langle \nabla f(W), D\rangle + \tfrac12 \langle D, B D\rangle
              + \alpha R(W + D),

    with f the mean loss and B the second moments of the features times the mean curvature of the
    loss, refined as in L-BFGS by what the last steps have shown. The model is minimised by
    accelerated proximal gradient steps on the weights alone, which cost no pass over the data.
    Among the weights that are not zero the objective is smooth; when these steps have taken as
    long as a step of Newton's method would there, one is taken, and so on in turns. Weights that
    would change their sign in it stop at zero.

    Hinges with kinks are left to `ProximalGradient`: the narrower their kinks are rounded, the less
    a quadratic model says.

    Parameters
    ----------
    memory : int, default=10
        Number of steps from which the curvature is learnt.
    max_inner : int, default=100
        Largest number of steps on the model.
    max_cg : int, default=50
        Largest number of conjugate-gradient iterations, of two passes each, in a Newton step.
    max_finish : int, default=1000
        Largest number of parameters for which the minimum, once within the tolerance, is followed
        to nearly all digits, as in `ProximalGradient`.

    References
    ----------
    J. Lee, Y. Sun and M. Saunders, "Proximal Newton-type methods for minimizing composite
    functions", SIAM Journal on Optimization 24, 2014. J. Nocedal, "Updating quasi-Newton matrices
    with limited storage", Mathematics of Computation 35, 1980.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklin import SoftmaxClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> model = SoftmaxClassifier(regularizer="l1", alpha=1e-3, optimizer="proximal_newton")
    >>> model = model.fit(X / 16, y)
    >>> bool(model.duality_gap_ <= 1e-4 * model.objective_)
    True
    """

    needs = ("smooth loss", "separable prox")

    # Where nothing is proven: a single step may be short, where the model was poor.
    n_iter_no_change = 10

    def __init__(self, memory=10, max_inner=100, max_cg=50, max_finish=1000):
        self.memory = memory
        self.max_inner = max_inner
        self.max_cg = max_cg
        self.max_finish = max_finish

    def check_parameters(self):
        check_number("memory", self.memory, low=1, integer=True)
        check_number("max_inner", self.max_inner, low=1, integer=True)
        check_number("max_cg", self.max_cg, low=1, integer=True)
        check_number("max_finish", self.max_finish, low=0, integer=True)

    def steps(self, objective, params, tol, rng):
        steps = descend(objective, params, tol, self._directions, search=backtrack)
        for step in steps:
            reached = step.gap <= tol * abs(step.value)
            if reached and params.size <= self.max_finish:
                bound = step.value - step.gap
                lipschitz = objective.loss.curvature(objective.shape[0])
                lipschitz *= objective.samples.largest_moment
                if 0 < lipschitz < np.inf:
                    point = finish(objective.evaluate(step.params), lipschitz)
                    step = Step(point.params, point.value, point.value - bound)
            yield step

    def _directions(self, point):
        model, samples = Model(point, self.memory), point.objective.samples
        start, price = samples.n_passes, ClassPreconditioner.price(samples)
        while True:
            new = yield model.step(point, self.max_inner)
            if new is point:
                model.forget(point)
            else:
                model.learn(point, new)
            point = new
            # As much is spent on the one kind of steps as on the other: whichever is better, that
            # takes at most twice as long as it alone.
            if samples.n_passes - start > price:
                start = samples.n_passes
                direction = newton_step(point, self.max_cg)
                if direction is not None:
                    point = yield direction
                price = max(price, samples.n_passes - start)
                start = samples.n_passes


def support(point):
    """Mask of the weights that can move without meeting a kink of R; None where not known."""
    objective = point.objective
    return objective.regularizer.support(objective.samples.coef(point.params))


def backtrack(point, direction, *, max_evaluations=30):
    """Find a step along a direction at which the objective, which may have kinks, is lower.

    Parameters
    ----------
    point : Evaluation
        Where to start.
    direction : ndarray of the shape of the parameters
        Where to go; the model of it must fall along it.
    max_evaluations : int
        Largest number of steps to try.

    Returns
    -------
    Evaluation or None
        The new point; None if none was found.
    """
    objective = point.objective
    change = inner(point.data_gradient, direction)
    change += objective.penalty(point.params + direction) - objective.penalty(point.params)
    if not change < 0:
        return None
    along = point.along(direction)
    step = 1.0
    for _ in range(max_evaluations):
        new, _ = along(step)
        if new.value <= point.value + 1e-4 * step * change + point.noise:
            return new
        # The lowest point of the parabola through the value, its slope and the new value.
        parabola = -change * step / (2 * max(new.value - point.value - step * change, 1e-300))
        step *= min(max(parabola if np.isfinite(parabola) else 0.1, 0.1), 0.5)
    return None


class Model:
    """Quadratic model of the mean loss, in the coordinates ``(W, b + W mean)``.

    In these the intercept decouples from the weights; a point's gradient by W at a fixed centred
    intercept is ``G - g mean'``, with g the gradient by the intercept.
    """

    def __init__(self, point, memory):
        samples = point.objective.samples
        self.samples = samples
        self.mean = samples.mean if samples.fit_intercept else None
        if samples.is_dense:
            moments = samples.covariance
            self.moments = np.tril(moments) + np.tril(moments, -1).T
        # The inner steps are as long for each feature as its variance allows, as far as that is
        # known beside its mean.
        noise = np.finfo(samples.X.dtype).eps * (samples.variances + samples.mean**2)
        least = max(1e-12 * samples.variances.max(initial=0.0), 1e-30)
        self.scale = np.maximum(samples.variances, np.maximum(noise, least))
        if samples.is_dense:  # rounding must not make it fall anywhere
            np.fill_diagonal(self.moments, np.maximum(np.diag(self.moments), self.scale))
        else:
            self.moments = self.scale.astype(samples.X.dtype)
        self.pairs = deque(maxlen=memory)
        self.forget(point)

    def forget(self, point):
        """Begin anew, with the mean curvature of the loss at a point."""
        self.objective = point.objective
        self.curvature = mean_curvature(point)
        self.pairs.clear()
        self._forget_corrections()

    def _forget_corrections(self):
        """No rank-one terms of the quasi-Newton update, and no bound on the largest eigenvalue."""
        self.vectors = np.zeros((0, self.samples.coef(np.empty(self.objective.shape)).size))
        self.weights = np.zeros(0)
        self.largest = None

    def slope(self, point):
        """Gradient of the mean loss by W at a fixed centred intercept, and by the intercept."""
        gradient = point.data_gradient
        if self.mean is None:
            return gradient, None
        return gradient[:, :-1] - np.outer(gradient[:, -1], self.mean), gradient[:, -1]

    def learn(self, point, new):
        """Take the change of the gradient along a step into account."""
        if new.objective is not self.objective:
            self.forget(new)
        elif new.objective is point.objective:
            coef = self.samples.coef
            step = coef(new.params) - coef(point.params)
            change = self.slope(new)[0] - self.slope(point)[0]
            # Neither is far from the other's multiple, in the scale of the features.
            if inner(step, change) > 1e-12 * inner(change / self.scale, change):
                self.pairs.append((step, change))
        self._forget_corrections()
        for step, change in self.pairs:
            product = self.product(step)
            if not inner(step, product) > 0:  # of separable classes: underflown
                continue
            self.vectors = np.vstack([self.vectors, product.ravel(), change.ravel()])
            weights = [-1 / inner(step, product), 1 / inner(step, change)]
            self.weights = np.append(self.weights, weights)

    def product(self, direction):
        """The model's second derivative times a direction in the weights."""
        if self.moments.ndim == 1:
            product = self.curvature * self.moments * direction
        else:
            product = self.curvature * (direction.astype(self.moments.dtype) @ self.moments)
        product = product.astype(np.float64, copy=False)
        if len(self.weights):
            share = self.weights * (self.vectors @ direction.ravel())
            product += (share @ self.vectors).reshape(product.shape)
        return product

    def bound(self, shape):
        """A bound on the largest eigenvalue for features scaled to unit variance.

        By power iteration, and a little more.
        """
        if self.largest is None:
            vector = np.random.RandomState(0).standard_normal(shape)
            size, root = 1.0, np.sqrt(self.scale)
            for _ in range(10):
                vector = self.product(vector / (size * root)) / root
                size = max(np.linalg.norm(vector), 1e-300)
            self.largest = 1.1 * size
        return self.largest

    def step(self, point, max_inner):
        """Direction to the minimum of the model plus the penalty, nearly."""
        self.objective = point.objective
        regularizer, alpha = point.objective.regularizer, point.objective.alpha
        slope, intercept = self.slope(point)
        coef = self.samples.coef(point.params)
        step = 1 / (self.bound(coef.shape) * self.scale) * np.ones(coef.shape)
        new, ahead, momentum, first = coef, coef, 1.0, None
        for _ in range(max_inner):
            gradient = slope + self.product(ahead - coef) if ahead is not coef else slope
            old, new = new, regularizer.prox(ahead - step * gradient, step * alpha)
            residual = (new - ahead) * np.sqrt(self.scale)
            size = np.linalg.norm(residual)
            first = size if first is None else first
            if size <= 0.02 * first:
                break
            if inner(residual, (new - old) * np.sqrt(self.scale)) < 0:
                momentum = 1.0
            following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            ahead = new + (momentum - 1) / following * (new - old)
            momentum = following
        direction = np.empty_like(point.params)
        self.samples.coef(direction)[...] = new - coef
        if intercept is not None:
            direction[:, -1] = -intercept / self.curvature - (new - coef) @ self.mean
            if point.objective.loss.shift_invariant:  # nothing determines a common shift
                direction[:, -1] -= direction[:, -1].mean()
        return direction


def free_parameters(point):
    """Mask of the parameters that can move without meeting a kink, the intercepts among them."""
    used = support(point)
    if used is None:
        return None
    mask = np.ones(point.params.shape, dtype=bool)
    point.objective.samples.coef(mask)[...] = used
    return mask


def up_to_the_kinks(point, direction, max_halvings=20):
    """The part of a direction, halved until it improves, that stops weights at zero.

    Parameters
    ----------
    point : Evaluation
        Where to start.
    direction : ndarray of the shape of the parameters
        Where to go.
    max_halvings : int
        Largest number of halvings; each trial costs a pass.

    Returns
    -------
    ndarray or None
        The step; None if none improves.
    """
    objective, coef = point.objective, point.objective.samples.coef
    weights = coef(point.params)
    for _ in range(max_halvings):
        step = direction.copy()
        part = coef(step)
        crossed = (weights != 0) & ((weights + part) * np.sign(weights) < 0)
        part[crossed] = -weights[crossed]
        if objective.value(point.params + step) <= point.value:
            return step
        direction = direction / 2
    return None


def newton_step(point, max_cg):
    """Newton step on the support by conjugate gradients; None where there is none, or no gain."""
    mask = free_parameters(point)
    if mask is None or not point.objective.samples.is_dense:
        return None
    precondition = SupportPreconditioner(point, point.objective.samples.coef(mask))
    rest = np.where(mask, -point.gradient, 0.0)
    solution = np.zeros_like(rest)
    direction = preconditioned = precondition(rest)
    start = size = inner(rest, preconditioned)
    for _ in range(max_cg):
        product = np.where(mask, point.hessian_product(direction), 0.0)
        curvature = inner(direction, product)
        if curvature <= np.finfo(float).eps * size:
            break
        solution += size / curvature * direction
        rest = rest - size / curvature * product
        preconditioned = precondition(rest)
        size, previous = inner(rest, preconditioned), size
        # Where float32 sees no curvature the equations have no solution, and the rest grows.
        if not 1e-4 * start < size < 1e6 * start:
            break
        direction = preconditioned + size / previous * direction
    if point.objective.samples.fit_intercept and point.objective.loss.shift_invariant:
        solution[:, -1] -= solution[:, -1].mean()
    return up_to_the_kinks(point, solution) if solution.any() else None


class SupportPreconditioner:
    """Inverse of the diagonal blocks of the second derivative among the weights of a support."""

    def __init__(self, point, used):
        objective = point.objective
        self.samples = samples = objective.samples
        weight = objective.loss.hessian_diagonal(point.scores, samples.y).astype(np.float64)
        weight *= samples.weight[:, None]
        self.curvature = of_each_class(weight)
        self.mean = (samples.X.T @ weight.astype(samples.X.dtype)).T / self.curvature[:, None]
        ridge = objective.alpha * objective.regularizer.curvature
        self.parts = []
        for k, row in enumerate(used):
            index = np.flatnonzero(row)
            moments = samples.moments(weight[:, k], index).astype(np.float64)
            if samples.fit_intercept:
                mean = self.mean[k, index]
                moments -= self.curvature[k] * np.outer(mean, mean)
            self.parts.append((index, Solve(moments, ridge, np.finfo(samples.X.dtype).eps)))

    def __call__(self, gradient):
        direction = np.zeros_like(gradient)
        for k, (index, solve) in enumerate(self.parts):
            rest = gradient[k, index]
            if not self.samples.fit_intercept:
                direction[k, index] = solve(rest[None])[0]
                continue
            mean = self.mean[k, index]
            direction[k, index] = solve((rest - gradient[k, -1] * mean)[None])[0]
            direction[k, -1] = gradient[k, -1] / self.curvature[k] - direction[k, index] @ mean
        return direction
