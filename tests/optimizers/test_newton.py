"""The parts of the quasi-Newton methods: the metric, the recursion, the line search, the counts."""

import numpy as np
import pytest
from scipy import sparse, special

from sklin.losses import CrossEntropy, OneVsRest, WestonWatkins
from sklin.objective import Objective, Samples
from sklin.optimizers import LBFGS, GradientDescent, Newton
from sklin.optimizers._line_search import line_search
from sklin.optimizers._newton import mean_curvature, two_loop, wide_curvature
from sklin.optimizers._preconditioner import ClassPreconditioner, Preconditioner
from sklin.regularizers import L2


def test_preconditioner_is_the_inverse_hessian_of_softmax_at_zero(problem):
    """At zero weights the classes' coupling acts as one on gradients, whose columns sum to zero."""
    objective = problem(CrossEntropy())
    point = objective.evaluate(np.zeros(objective.shape))
    direction = Preconditioner(objective, mean_curvature(point))(point.gradient)
    product = point.hessian() @ direction.ravel()
    np.testing.assert_allclose(product, point.gradient.ravel(), atol=1e-8)


@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_preconditioner_is_symmetric_and_positive(problem, fit_intercept, is_sparse):
    objective = problem(CrossEntropy(), fit_intercept=fit_intercept)
    if is_sparse:
        objective.samples.X = sparse.csr_array(objective.samples.X)
    inverse = Preconditioner(objective, 0.2)
    units = np.eye(objective.shape[0] * objective.shape[1]).reshape(-1, *objective.shape)
    matrix = np.array([inverse(unit).ravel() for unit in units])
    np.testing.assert_allclose(matrix, matrix.T, rtol=1e-8, atol=1e-10 * np.abs(matrix).max())
    assert np.linalg.eigvalsh(matrix).min() > 0


def test_preconditioner_bears_constant_and_equal_columns():
    X = np.random.RandomState(0).standard_normal((30, 4))
    X = np.column_stack([X, X[:, 0], np.full(30, 7.0), np.zeros(30), 1e6 * X[:, 1]])
    y = (X[:, 0] > 0).astype(int)
    for alpha in (1e-2, 1e-6):
        objective = Objective(Samples(X, y, 2), CrossEntropy(), L2(), alpha)
        # The feature of size 1e6 brings its rounding to the gradient, and L-BFGS, unlike Newton's
        # method, does not see past it.
        assert LBFGS().minimize(objective, tol=1e-2).converged
        assert Newton().minimize(objective, tol=1e-6).converged


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_all_classes_have_in_common_is_taken_back(dtype):
    """It moves no loss, and costs: conjugate gradients are to see it, too."""
    rng = np.random.RandomState(0)
    X = rng.standard_normal((300, 20)).astype(dtype)
    y = np.argmax(X[:, :3] + rng.standard_normal((300, 3)), axis=1)
    objective = Objective(Samples(X, y, 3), CrossEntropy(), L2(), 1e-3)
    expected = LBFGS().minimize(objective, tol=1e-4).value
    start = rng.standard_normal(objective.shape) + 10
    found = Newton(max_direct=0).minimize(objective, start, tol=1e-4)
    assert found.converged
    assert found.value == pytest.approx(expected, rel=2e-4)


def test_a_class_that_no_sample_is_near_does_not_run_away():
    """Without a violation it has no curvature here; the direction stays in bounds all the same."""
    rng = np.random.RandomState(0)
    X, y = rng.standard_normal((40, 5)), np.arange(40) % 2
    objective = Objective(Samples(X, y, 3), WestonWatkins("squared_hinge"), L2(), 1e-3)
    start = np.zeros(objective.shape)
    start[2, -1] = -10
    point = objective.evaluate(start)
    assert (objective.loss.hessian_diagonal(point.scores, y)[:, 2] == 0).all()
    direction = ClassPreconditioner(point)(rng.standard_normal(objective.shape))
    assert np.abs(direction).max() < 1e6


def test_two_loop_is_the_bfgs_recursion():
    rng = np.random.RandomState(0)
    root = rng.standard_normal((6, 6))
    hessian = root @ root.T + np.eye(6)
    inverse, pairs = 0.7 * np.eye(6), []
    for _ in range(3):
        step = rng.standard_normal((2, 3))
        change = (hessian @ step.ravel()).reshape(2, 3)
        rho = 1 / (step * change).sum()
        pairs.append((step, change, rho))
        left = np.eye(6) - rho * np.outer(step, change)
        inverse = left @ inverse @ left.T + rho * np.outer(step, step)
    gradient = rng.standard_normal((2, 3))
    product = two_loop(gradient, pairs, lambda g: 0.7 * g)
    np.testing.assert_allclose(product.ravel(), inverse @ gradient.ravel(), rtol=1e-10)


@pytest.mark.parametrize("badly_scaled", [True, False])
@pytest.mark.parametrize("first", [1e-8, 1e-3, 0.1, 0.3, 1.0, 1e4])
@pytest.mark.parametrize("ratio", [0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("loss", [CrossEntropy(), WestonWatkins("squared_hinge")], ids=repr)
def test_line_search_ends_where_the_slope_has_mostly_gone(
    problem, loss, ratio, first, badly_scaled
):
    """Also where the far side of the valley is gentle, and higher than the start."""
    objective = problem(loss, badly_scaled=badly_scaled)
    point = objective.evaluate(np.zeros(objective.shape))
    direction = -point.gradient
    new = line_search(point, direction, first, ratio=ratio)
    start, end = ((p.gradient * direction).sum() for p in (point, new))
    assert abs(end) <= ratio * abs(start) * (1 + 1e-9)
    assert new.value < point.value
    assert line_search(point, -direction) is None  # uphill


def test_a_line_search_costs_one_pass_whatever_it_tries(problem):
    objective = problem(CrossEntropy())
    point = objective.evaluate(np.zeros(objective.shape))
    direction = -point.gradient
    before = objective.samples.n_passes
    assert line_search(point, direction, 1e-9) is not None
    assert objective.samples.n_passes == before + 1


def test_lbfgs_takes_two_passes_an_iteration_and_few_iterations(digits_problem):
    """The counts that its speed rests on; without the data's metric the same takes far more."""
    objective = digits_problem(CrossEntropy(), 1e-2)
    for once in ("covariance", "class_sums"):  # counted apart
        getattr(objective.samples, once)
    objective.samples.n_passes = 0
    result = LBFGS().minimize(objective, tol=1e-4)
    assert result.converged
    assert objective.samples.n_passes <= 2 * result.n_iter + 3
    assert result.n_iter <= 20  # 12 when written
    objective.samples.n_passes = 0
    plain = GradientDescent().minimize(objective, tol=1e-4, max_iter=2000)
    assert plain.n_iter > 5 * result.n_iter


def test_wide_curvature_is_the_mean_change_of_a_classs_slope(problem):
    objective = problem(CrossEntropy())
    point = objective.evaluate(np.random.RandomState(0).standard_normal(objective.shape))
    changes = []
    for unit in np.eye(objective.shape[0]):
        ahead, behind = (special.softmax(point.scores + t * unit, axis=1) @ unit for t in (1, -1))
        changes.append(objective.samples.weight @ (ahead - behind) / 2)
    expected = sum(changes) / (objective.shape[0] - 1)
    assert wide_curvature(point) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_class_preconditioner_of_sparse_samples_knows_variances_alone(problem, fit_intercept):
    dense = problem(OneVsRest("squared_hinge"), fit_intercept=fit_intercept)
    X = dense.samples.X
    samples = Samples(
        sparse.csr_array(X),
        dense.samples.y,
        dense.samples.n_classes,
        sample_weight=dense.samples.weight,
        fit_intercept=fit_intercept,
    )
    objective = Objective(samples, dense.loss, L2(), 0.3)
    rng = np.random.RandomState(0)
    point = objective.evaluate(rng.standard_normal(objective.shape))
    gradient = rng.standard_normal(objective.shape)
    direction = ClassPreconditioner(point)(gradient)
    for k, weight in enumerate(samples.weight * _curved(point).T):
        squares = weight @ X**2
        if not fit_intercept:
            expected = gradient[k] / (squares + 2 * 0.3)
        else:
            total, mean = weight.sum(), weight @ X / weight.sum()
            slope = gradient[k, :-1] - gradient[k, -1] * mean
            coef = slope / (squares - total * mean**2 + 2 * 0.3)
            expected = np.append(coef, gradient[k, -1] / total - coef @ mean)
        np.testing.assert_allclose(direction[k], expected, rtol=1e-8)


def _curved(point):
    """Second derivatives of the squared hinges, 2 where a margin of 1 is violated."""
    own = np.eye(point.scores.shape[1])[point.objective.samples.y] * 2 - 1
    return 2.0 * (own * point.scores < 1)
