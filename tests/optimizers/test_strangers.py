"""Losses and regularizers of a user's own, of value and gradient alone, against scipy's minima."""

import numpy as np
import pytest
from scipy import optimize
from scipy.sparse import csr_array
from scipy.special import expit

from sklin.losses import CrossEntropy, Loss
from sklin.optimizers import LBFGS, Newton, ProximalGradient, choose
from sklin.regularizers import L1, L2, ElasticNet, Regularizer


class Logistic(Loss):
    """One-vs-rest logistic loss."""

    def value_and_gradient(self, scores, y, out=None):
        sign = np.ones_like(scores)
        sign[np.arange(len(y)), y] = -1
        z = sign * scores
        return np.logaddexp(0, z).sum(axis=1), np.multiply(sign, expit(z), out=out)


class Huber(Loss):
    """One-vs-rest hinge, rounded over a width: its second derivative jumps."""

    def __init__(self, width=0.5):
        self.width = width

    def value_and_gradient(self, scores, y, out=None):
        sign = np.ones_like(scores)
        sign[np.arange(len(y)), y] = -1
        z = 1 + sign * scores
        slope = np.clip(z / self.width, 0, 1)
        value = (slope * (z - self.width / 2 * slope)).sum(axis=1)
        return value, np.multiply(sign, slope, out=out)


class Neighbours(Regularizer):
    """Neighbouring features shall have like weights: no prox, no conjugate, flat directions."""

    smooth = True

    def value(self, coef):
        return float(np.square(np.diff(coef, axis=1)).sum())

    def gradient(self, coef):
        step = 2 * np.diff(coef, axis=1)
        return np.pad(step, [(0, 0), (1, 0)]) - np.pad(step, [(0, 0), (0, 1)])


class Quartic(Regularizer):
    """A curvature that differs from place to place."""

    smooth = True

    def value(self, coef):
        return float((coef**4 + coef**2).sum())

    def gradient(self, coef):
        return 4 * coef**3 + 2 * coef


LOSSES = [Logistic(), Huber(), Huber(2.0)]
METHODS = [LBFGS(), Newton(), Newton(max_direct=0), Newton(warm_up=5)]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=repr)


def foreign_minimum(objective):
    """By scipy, on formulas of the objective that are written out."""
    samples, alpha = objective.samples, objective.alpha
    X = np.asarray(samples.X, dtype=float)
    X = np.column_stack([X, np.ones(len(X))]) if samples.fit_intercept else X
    coef = np.s_[:, :-1] if samples.fit_intercept else np.s_[:]

    def function(flat):
        params = flat.reshape(objective.shape)
        losses, dual = objective.loss.value_and_gradient(X @ params.T, samples.y)
        gradient = dual.T @ (X * samples.weight[:, None])
        gradient[coef] += alpha * objective.regularizer.gradient(params[coef])
        value = samples.weight @ losses + alpha * objective.regularizer.value(params[coef])
        return value, gradient.ravel()

    found = np.zeros(np.prod(objective.shape))
    for _ in range(3):  # it stops early now and then; begun anew it goes on
        options = dict(maxiter=5000, gtol=1e-12, ftol=1e-16)
        result = optimize.minimize(function, found, jac=True, method="L-BFGS-B", options=options)
        found = result.x
    assert np.abs(result.jac).max() < 1e-6
    return result.fun


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("method", [*METHODS, ProximalGradient()], ids=repr)
@every_loss
def test_a_loss_reaches_the_foreign_minimum(problem, method, loss, fit_intercept):
    objective = problem(loss, badly_scaled=False, fit_intercept=fit_intercept)
    result = method.minimize(objective, tol=1e-9, max_iter=5000)
    assert result.converged or result.status == "exhausted"
    assert result.gap == np.inf  # nothing is proven without a conjugate, and nothing claimed
    assert result.value == pytest.approx(foreign_minimum(objective), rel=1e-6)


@pytest.mark.parametrize("method", METHODS, ids=repr)
@pytest.mark.parametrize("regularizer", [Neighbours(), Quartic()], ids=repr)
@pytest.mark.parametrize("loss", [CrossEntropy(), Logistic()], ids=repr)
def test_a_regularizer_reaches_the_foreign_minimum(problem, method, regularizer, loss):
    objective = problem(loss, regularizer, badly_scaled=False)
    result = method.minimize(objective, tol=1e-9, max_iter=2000)
    assert result.converged or result.status == "exhausted"
    assert result.gap == np.inf
    assert result.value == pytest.approx(foreign_minimum(objective), rel=1e-6)


@pytest.mark.parametrize("method", [*METHODS, ProximalGradient()], ids=repr)
@every_loss
def test_float32_is_served_to_its_accuracy(problem, method, loss):
    exact = problem(loss, badly_scaled=False)
    minimum = foreign_minimum(exact)
    single = problem(loss, badly_scaled=False, dtype=np.float32)
    for tol in (1e-6, 0.0):
        result = method.minimize(single, tol=tol, max_iter=2000)
        assert result.status in ("converged", "exhausted")
        assert exact.value(result.params) == pytest.approx(minimum, rel=1e-4 if tol else 1e-5)


@every_loss
@pytest.mark.parametrize("method", [*METHODS[:3], ProximalGradient()], ids=repr)
def test_sparse_samples_are_served(problem, method, loss):
    dense, sparse = (problem(loss, badly_scaled=False, to=to) for to in (None, csr_array))
    values = [method.minimize(o, tol=1e-9, max_iter=5000).value for o in (dense, sparse)]
    assert values[1] == pytest.approx(values[0], rel=1e-6)


@pytest.mark.parametrize("regularizer", [L1(), ElasticNet()], ids=repr)
@every_loss
def test_kinks_of_the_regularizer_are_met(problem, loss, regularizer):
    """By the conditions of optimality: what the gradient asks for, the kink holds back."""
    objective = problem(loss, regularizer, alpha=0.05, badly_scaled=False)
    result = ProximalGradient().minimize(objective, tol=1e-9, max_iter=5000)
    gradient = objective.evaluate(result.params).data_gradient
    image = objective.prox(result.params - gradient, 1.0)
    np.testing.assert_allclose(image, result.params, atol=1e-4)
    assert (result.params == 0).any()


@every_loss
@pytest.mark.parametrize("regularizer", [L2(), L1(), Neighbours()], ids=repr)
def test_auto_serves_them(problem, loss, regularizer):
    objective = problem(loss, regularizer)
    chosen = choose(objective)
    assert not chosen.is_stochastic
    assert chosen.minimize(objective, tol=1e-6, max_iter=2000).converged
