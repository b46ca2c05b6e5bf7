"""The parts of the proximal Newton method, each held to its law."""

import numpy as np
import pytest
from scipy import linalg

from sklin.losses import CrossEntropy, Loss, OneVsRest
from sklin.optimizers import ProximalNewton
from sklin.optimizers._newton import mean_curvature
from sklin.optimizers._proximal_newton import (
    Model,
    SupportPreconditioner,
    backtrack,
    free_parameters,
    newton_step,
    up_to_the_kinks,
)
from sklin.regularizers import L1, L2, ElasticNet

LOSSES = [CrossEntropy(), OneVsRest("squared_hinge")]


def sparse_weights(objective, seed=0):
    """Weights of which every third is zero; intercepts that are not."""
    params = 0.3 * np.random.default_rng(seed).standard_normal(objective.shape)
    coef = objective.samples.coef(params)
    coef.ravel()[::3] = 0
    coef[...] = np.where(np.arange(coef.size).reshape(coef.shape) % 3 == 0, 0, coef)
    return params


def hessian_by_products(point):
    units = np.eye(point.params.size).reshape(-1, *point.params.shape)
    return np.array([point.hessian_product(unit).ravel() for unit in units])


# Steps on the model


def learnt(problem, loss, fit_intercept, n_steps=3, memory=10):
    """A model that has seen some steps, the last of them, and its points."""
    objective = problem(loss, L1(), alpha=0.02, fit_intercept=fit_intercept)
    rng = np.random.default_rng(0)
    points = [objective.evaluate(0.1 * rng.standard_normal(objective.shape))]
    model = Model(points[0], memory)
    for _ in range(n_steps):
        points.append(
            objective.evaluate(points[-1].params + 0.05 * rng.standard_normal(objective.shape))
        )
        model.learn(points[-2], points[-1])
    return model, points


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_model_begins_with_the_moments_times_the_mean_curvature(problem, fit_intercept):
    objective = problem(CrossEntropy(), L1(), fit_intercept=fit_intercept)
    point = objective.evaluate(sparse_weights(objective))
    direction = np.random.default_rng(1).standard_normal(objective.samples.coef(point.params).shape)
    X, weight = objective.samples.X, objective.samples.weight
    centred = X - weight @ X if fit_intercept else X
    expected = mean_curvature(point) * direction @ (centred.T * weight) @ centred
    np.testing.assert_allclose(Model(point, 10).product(direction), expected, rtol=1e-8)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_model_has_the_curvature_that_the_last_step_has_shown(problem, loss, fit_intercept):
    """The secant equation of quasi-Newton methods, and a symmetric matrix that falls nowhere."""
    model, points = learnt(problem, loss, fit_intercept)
    assert len(model.pairs) == 3
    step, change = model.pairs[-1]
    coef = model.samples.coef
    np.testing.assert_array_equal(step, coef(points[-1].params) - coef(points[-2].params))
    np.testing.assert_allclose(model.product(step), change, rtol=1e-7, atol=1e-10)
    units = np.eye(step.size).reshape(-1, *step.shape)
    matrix = np.array([model.product(unit).ravel() for unit in units])
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-9 * np.abs(matrix).max())
    # One feature is a sum of others.
    assert np.linalg.eigvalsh(matrix).min() > -1e-12 * np.abs(matrix).max()


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_slope_of_a_model_is_that_at_a_fixed_centred_intercept(problem, fit_intercept):
    """Weights move, and the intercept with them so that the mean sample keeps its scores."""
    objective = problem(CrossEntropy(), L1(), fit_intercept=fit_intercept)
    point = objective.evaluate(sparse_weights(objective))
    slope, intercept = Model(point, 10).slope(point)
    direction = np.random.default_rng(1).standard_normal(slope.shape)
    moved = direction
    if fit_intercept:
        moved = np.column_stack([direction, -direction @ objective.samples.mean])
        np.testing.assert_array_equal(intercept, point.data_gradient[:, -1])
    else:
        assert intercept is None
    h = 1e-6
    ends = [objective.evaluate(point.params + t * moved).data_value for t in (h, -h)]
    assert (slope * direction).sum() == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-5)


def test_a_model_remembers_the_last_steps_alone(problem):
    model, _ = learnt(problem, CrossEntropy(), True, n_steps=4, memory=2)
    assert len(model.pairs) == 2 and len(model.weights) == 4


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_bound_is_that_of_the_largest_eigenvalue(problem, fit_intercept):
    model, points = learnt(problem, CrossEntropy(), fit_intercept)
    shape = model.samples.coef(points[-1].params).shape
    root = np.sqrt(model.scale)
    units = np.eye(np.prod(shape)).reshape(-1, *shape)
    matrix = np.array([(model.product(unit / root) / root).ravel() for unit in units])
    largest = np.linalg.eigvalsh(matrix).max()
    assert largest <= model.bound(shape) <= 1.2 * largest


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("regularizer", [L1(), ElasticNet(0.5), L2()], ids=repr)
def test_a_step_minimises_the_model(problem, regularizer, fit_intercept):
    """Nearly, as far as the residual of two per cent allows that it stops at."""
    objective = problem(CrossEntropy(), regularizer, alpha=0.02, fit_intercept=fit_intercept)
    point = objective.evaluate(sparse_weights(objective))
    model, coef = Model(point, 10), objective.samples.coef
    slope, intercept = model.slope(point)
    start = coef(point.params)

    def gain(part):
        linear = (slope * part).sum() + (part * model.product(part)).sum() / 2
        penalties = [regularizer.value(start + p) for p in (part, 0)]
        return -(linear + objective.alpha * (penalties[0] - penalties[1]))

    part = np.zeros_like(start)
    rate = 1 / (model.bound(start.shape) * model.scale) * np.ones(start.shape)
    for _ in range(5000):
        ahead = start + part - rate * (slope + model.product(part))
        part = regularizer.prox(ahead, rate * objective.alpha) - start
    direction = model.step(point, 1000)
    assert gain(part) * 0.95 <= gain(coef(direction)) <= gain(part) * (1 + 1e-9)
    if fit_intercept:  # it decouples: Newton's step of its own, in centred coordinates
        shift = direction[:, -1] + coef(direction) @ objective.samples.mean
        expected = -intercept / model.curvature
        difference = shift - expected
        np.testing.assert_allclose(difference, difference.mean(), atol=1e-12)
        assert direction[:, -1].sum() == pytest.approx(0, abs=1e-12)


def test_acceleration_spares_most_steps_on_the_model(digits_problem, monkeypatch):
    """Of correlated features the plain method is slow; counted in uses of the prox."""
    objective = digits_problem(CrossEntropy(), 1e-3)
    objective.regularizer = L1()
    point = objective.evaluate(np.zeros(objective.shape))
    counts, prox = [], L1.prox

    def counted(self, coef, step):
        counts.append(1)
        return prox(self, coef, step)

    monkeypatch.setattr(L1, "prox", counted)
    Model(point, 10).step(point, 1000)
    assert len(counts) <= 60  # 44 when written


# Steps of Newton's method among the weights that are not zero


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_the_preconditioner_inverts_the_blocks_of_the_support(problem, loss, fit_intercept):
    weight = np.random.default_rng(2).uniform(0.5, 2, 80)
    objective = problem(
        loss, ElasticNet(0.5), alpha=0.05, fit_intercept=fit_intercept, weight=weight
    )
    point = objective.evaluate(sparse_weights(objective))
    mask = free_parameters(point)
    inverse = SupportPreconditioner(point, objective.samples.coef(mask))
    gradient = np.where(mask, np.random.default_rng(1).standard_normal(mask.shape), 0)
    direction = inverse(gradient)
    assert not direction[~mask].any()
    hessian = hessian_by_products(point).reshape(mask.shape * 2)
    for k, row in enumerate(mask):
        block = hessian[k, row][:, k][:, row]
        np.testing.assert_allclose(block @ direction[k, row], gradient[k, row], atol=1e-7)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_newton_step_solves_the_equations_of_the_support(problem, loss, fit_intercept):
    objective = problem(loss, ElasticNet(0.5), alpha=0.05, fit_intercept=fit_intercept)
    # So near the minimum that the full step serves, and no weight of zero moved.
    near = ProximalNewton().minimize(objective, tol=1e-8).params
    near = near * (1 + 0.02 * np.random.default_rng(0).standard_normal(near.shape))
    point = objective.evaluate(near)
    mask = free_parameters(point)
    assert not mask.all()
    step = newton_step(point, 200)
    assert objective.value(point.params + step) < point.value
    assert not step[~mask].any()
    hessian = hessian_by_products(point)[mask.ravel()][:, mask.ravel()]
    exact = np.zeros(mask.shape)
    exact[mask] = linalg.lstsq(hessian, -point.gradient[mask])[0]

    def gain(d):
        return -((point.gradient * d).sum() + (d * point.hessian_product(d)).sum() / 2)

    assert 0.99 * gain(exact) <= gain(step) <= gain(exact) * (1 + 1e-6)
    if fit_intercept and loss.shift_invariant:
        assert step[:, -1].sum() == pytest.approx(0, abs=1e-12)


def test_where_nothing_is_free_there_is_no_newton_step(problem):
    """Of weights of zero and a gradient of zero nothing moves."""
    objective = problem(CrossEntropy(), L1(), alpha=10.0, fit_intercept=False)
    assert newton_step(objective.evaluate(np.zeros(objective.shape)), 10) is None


def test_weights_that_would_change_their_sign_stop_at_zero(problem):
    objective = problem(CrossEntropy(), L1(), alpha=0.1)
    params = np.zeros(objective.shape)
    params[0, :2] = [0.5, -0.5]
    point = objective.evaluate(params)
    direction = np.zeros(objective.shape)
    direction[0, :2] = [-0.6, 0.1]
    step = up_to_the_kinks(point, direction)
    assert (point.params + step)[0, 0] == 0
    assert step[0, 1] == 0.1
    assert not step[1:].any()
    assert objective.value(params + step) <= point.value
    assert direction[0, 0] == -0.6  # left alone


def test_too_long_a_direction_is_halved_until_it_improves(problem):
    objective = problem(CrossEntropy(), L1(), alpha=1e-6, badly_scaled=False)
    params = np.zeros(objective.shape)  # from zero no sign is changed
    point = objective.evaluate(params)
    uphill = 0.01 * point.data_gradient
    assert up_to_the_kinks(point, uphill) is None
    step = up_to_the_kinks(point, -1000 * uphill)
    share = np.linalg.norm(step) / np.linalg.norm(1000 * uphill)
    assert np.log2(share) == pytest.approx(round(np.log2(share)))
    assert share < 1
    assert objective.value(params + step) <= point.value < objective.value(params + 2 * step)


# The line search and the whole


class Square(Loss):
    """A parabola along every line."""

    smooth = True

    def value_and_gradient(self, scores, y, out=None):
        difference = scores - np.eye(scores.shape[1])[y]
        return np.square(difference).sum(axis=1) / 2, difference


@pytest.mark.parametrize("factor, share", [(1, 1), (3, 1 / 3), (8, 1 / 8), (15, 0.1), (1.2, 1)])
def test_a_line_search_goes_to_the_lowest_point_of_a_parabola(problem, factor, share):
    """At its second try, if that is a half to a tenth of the first; at the first, if it serves."""
    objective = problem(Square(), L1(), alpha=0.0)
    point = objective.evaluate(np.zeros(objective.shape))
    direction = -point.gradient
    curvature = (direction * point.hessian_product(direction)).sum()
    long = factor * np.square(direction).sum() / curvature * direction
    new = backtrack(point, long, max_evaluations=2)
    np.testing.assert_allclose(new.params, share * long, rtol=1e-6)


@pytest.mark.parametrize("factor", [1e-3, 1.0, 30.0, 1e6])
@pytest.mark.parametrize("regularizer", [L1(), ElasticNet(0.5)], ids=repr)
def test_a_line_search_gains_its_share_of_what_the_model_promises(problem, regularizer, factor):
    objective = problem(CrossEntropy(), regularizer, alpha=0.05)
    point = objective.evaluate(sparse_weights(objective))
    direction = factor * Model(point, 10).step(point, 100)
    promised = (point.data_gradient * direction).sum()
    promised += objective.penalty(point.params + direction) - objective.penalty(point.params)
    new = backtrack(point, direction)
    if promised >= 0:  # so long that the penalty alone costs more than the slope gains
        assert new is None
        return
    step = new.params - point.params
    share = np.linalg.norm(step) / np.linalg.norm(direction)
    assert 0 < share <= 1 + 1e-12
    np.testing.assert_allclose(step, share * direction, atol=1e-9 * np.abs(step).max())
    assert new.value <= point.value + 1e-4 * share * promised + point.noise


def test_no_step_is_made_uphill(problem):
    objective = problem(CrossEntropy(), L1(), alpha=0.05)
    point = objective.evaluate(sparse_weights(objective))
    assert backtrack(point, point.gradient) is None
    assert backtrack(point, np.zeros(objective.shape)) is None


@pytest.mark.parametrize("regularizer, tol", [(L1(), 1e-2), (ElasticNet(0.5), 1e-4)], ids=repr)
def test_small_problems_are_followed_to_nearly_all_digits(problem, regularizer, tol):
    """Once the zeros have settled, as they have at these tolerances."""
    objective = problem(CrossEntropy(), regularizer, alpha=0.02)
    best = ProximalNewton().minimize(objective, tol=1e-8)
    size = int(np.prod(objective.shape))
    finished = ProximalNewton(max_finish=size).minimize(objective, tol=tol)
    rough = ProximalNewton(max_finish=size - 1).minimize(objective, tol=tol)
    np.testing.assert_array_equal(rough.params == 0, best.params == 0)
    assert abs(finished.value - best.value) < 1e-14 < 5e-12 < rough.value - best.value
    assert finished.value - finished.gap <= best.value
    assert finished.gap <= tol * finished.value
