"""Optimizers reach the minimum known from elsewhere, and prove it."""

import itertools

import numpy as np
import pytest
from scipy import optimize

from sklin.losses import CrammerSinger, CrossEntropy, OneVsRest, WestonWatkins
from sklin.optimizers import LBFGS, SGD, GradientDescent, Newton, ProximalGradient, choose
from sklin.regularizers import L1, L2, ElasticNet

SMOOTH = [CrossEntropy(), WestonWatkins("squared_hinge"), OneVsRest("squared_hinge")]
KINKED = [WestonWatkins(), OneVsRest(), CrammerSinger(), CrammerSinger("squared_hinge")]


def foreign_minimum(objective):
    """The minimum by scipy, on weights split in parts of either sign so that L1 is smooth."""
    shape = objective.shape
    size = shape[0] * shape[1]

    def split(z):
        params = (z[:size] - z[size:]).reshape(shape)
        evaluation = objective.evaluate(params)
        gradient, coef = evaluation.data_gradient.copy(), objective.samples.coef(params)
        rho = {L1: 1.0, L2: 0.0}.get(type(objective.regularizer))
        rho = objective.regularizer.l1_ratio if rho is None else rho
        absolute, up, down = np.zeros(shape), gradient.copy(), -gradient
        objective.samples.coef(absolute)[...] = objective.alpha * rho
        smooth = np.zeros(shape)
        objective.samples.coef(smooth)[...] = 2 * objective.alpha * (1 - rho) * coef
        value = evaluation.data_value + objective.alpha * (1 - rho) * np.square(coef).sum()
        value += (absolute.ravel() * (z[:size] + z[size:])).sum()
        return value, np.concatenate(
            [(up + absolute + smooth).ravel(), (down + absolute - smooth).ravel()]
        )

    z = np.zeros(2 * size)
    for _ in range(10):  # it stops early now and then; begun anew it goes on
        result = optimize.minimize(
            split,
            z,
            jac=True,
            method="L-BFGS-B",
            bounds=[(0, None)] * (2 * size),
            options=dict(maxiter=50_000, maxfun=100_000, ftol=1e-15, gtol=1e-10, maxcor=50),
        )
        z = result.x
    return result.fun


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("regularizer", [L2(), L1(), ElasticNet(0.5)], ids=repr)
@pytest.mark.parametrize("loss", SMOOTH, ids=repr)
def test_auto_reaches_the_foreign_minimum(problem, loss, regularizer, fit_intercept):
    objective = problem(loss, regularizer, fit_intercept=fit_intercept, badly_scaled=False)
    result = choose(objective).minimize(objective, tol=1e-6, max_iter=20_000)
    assert result.converged
    assert result.value == pytest.approx(foreign_minimum(objective), rel=2e-6)


@pytest.mark.parametrize("alpha", [1e-1, 1e-3])
@pytest.mark.parametrize("loss", KINKED, ids=repr)
def test_kinked_losses_are_minimised_and_certified(problem, loss, alpha):
    """The bound is below every value, and two methods that know nothing of each other meet."""
    objective = problem(loss, alpha=alpha)
    newton = Newton().minimize(objective, tol=1e-6)
    assert newton.converged
    assert newton.gap <= 1e-6 * newton.value
    other = LBFGS().minimize(objective, tol=1e-3, max_iter=5000)
    assert newton.value - newton.gap <= other.value
    assert other.value - other.gap <= newton.value
    rng = np.random.RandomState(0)
    for size in (1e-6, 1e-3, 1e-1):
        near = newton.params + size * rng.standard_normal(newton.params.shape)
        assert objective.value(near) >= newton.value - newton.gap


@pytest.mark.parametrize("alpha", [1e-1, 1e-3, 1e-5])
@pytest.mark.parametrize("loss", [*SMOOTH, WestonWatkins()], ids=repr)
def test_digits_are_certified_down_to_tiny_alpha(digits_problem, loss, alpha):
    objective = digits_problem(loss, alpha)
    result = choose(objective).minimize(objective, tol=1e-3, max_iter=300)
    assert result.converged
    assert 0 < result.gap <= 1e-3 * result.value


@pytest.mark.parametrize("optimizer", [LBFGS(), Newton(max_direct=0), GradientDescent()], ids=repr)
@pytest.mark.parametrize("loss", SMOOTH, ids=repr)
def test_gap_is_a_bound_at_every_step(problem, loss, optimizer):
    objective = problem(loss)
    minimum = Newton().minimize(objective, tol=1e-13).value
    steps = []
    optimizer.minimize(
        objective, tol=1e-6, max_iter=40, callback=lambda n_iter, step: steps.append(step)
    )
    assert len(steps) >= 3
    for step in steps:
        assert step.value - step.gap <= minimum * (1 + 1e-12)
    values = [step.value for step in steps]
    assert all(later <= earlier * (1 + 1e-12) for earlier, later in itertools.pairwise(values))


@pytest.mark.parametrize("loss", [CrossEntropy(), WestonWatkins()], ids=repr)
@pytest.mark.parametrize(
    "optimizer",
    [SGD(learning_rate=1e-3, batch_size=16), GradientDescent(learning_rate=1e-2)],
    ids=repr,
)
def test_plain_descent_comes_near_the_minimum(problem, loss, optimizer):
    """Stated gap: a tenth of what there was to gain, since fixed steps wander or crawl."""
    objective = problem(loss, alpha=1e-1, badly_scaled=False)
    minimum = Newton().minimize(objective, tol=1e-6).value
    start = objective.value(np.zeros(objective.shape))
    result = optimizer.minimize(objective, tol=1e-6, max_iter=3000, random_state=0)
    assert objective.value(result.params) - minimum <= 0.1 * (start - minimum)


@pytest.mark.parametrize("optimizer", [LBFGS(), Newton(), ProximalGradient()], ids=repr)
def test_float32_stops_at_its_noise_and_says_so(digits_problem, optimizer):
    objective = digits_problem(CrossEntropy(), 1e-3, np.float32)
    result = optimizer.minimize(objective, tol=0.0, max_iter=3000)
    exact = digits_problem(CrossEntropy(), 1e-3)
    minimum = Newton().minimize(exact, tol=1e-12).value
    assert result.n_iter < 3000
    assert "float32" in result.message
    assert exact.value(result.params) == pytest.approx(minimum, rel=1e-5)
