"""The parts of the quasi-Newton methods: the metric, the recursion, the line search, the counts."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse, special

from sklin.losses import CrossEntropy, OneVsRest, WestonWatkins
from sklin.objective import Objective, Samples
from sklin.optimizers import LBFGS, GradientDescent, Newton, _preconditioner
from sklin.optimizers._line_search import line_search
from sklin.optimizers._newton import (
    conjugate_gradients,
    is_minimal,
    is_rough,
    mean_curvature,
    two_loop,
    wide_curvature,
)
from sklin.optimizers._preconditioner import (
    ClassPreconditioner,
    Preconditioner,
    Sketch,
    SketchSolve,
    Solve,
    mean_curvature_of,
)
from sklin.regularizers import L2, Regularizer


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


@pytest.mark.parametrize("size", [1e-14, 1.0, 1e15])
@pytest.mark.parametrize("ridge", [1e-6, 1e-2, 10.0])
def test_solves_in_float32_are_right_whatever_the_size_of_the_features(size, ridge):
    """A factor in float32 is taken where the penalty bears its rounding, at sizes of its range."""
    X = np.random.RandomState(0).standard_normal((50, 6)).astype(np.float32) * np.float32(size)
    moments, ridge = X.T @ X, ridge * size**2
    solve = Solve(np.asfortranarray(moments), ridge, np.finfo(np.float32).eps)
    right = np.random.RandomState(1).standard_normal((3, 6)) * size
    left = solve(right)
    assert left.dtype == np.float64
    product = left @ (moments.astype(np.float64) + ridge * np.eye(6))
    np.testing.assert_allclose(product, right, rtol=0, atol=1e-4 * np.abs(right).max())
    assert not solve(np.zeros((3, 6))).any()


def test_a_factor_is_of_float32_where_the_penalty_outweighs_its_rounding():
    """The condition number, at most trace / ridge, decides; float64 data are solved in float64."""
    moments, eps = np.eye(10, dtype=np.float32, order="F"), np.finfo(np.float32).eps
    for ridge, dtype in ((101 * eps, np.float32), (99 * eps, np.float64), (0.0, np.float64)):
        assert Solve(moments, ridge, eps).factor.dtype == dtype
    assert Solve(moments.astype(float), 1.0, eps).factor.dtype == np.float64


def test_a_factor_serves_the_next_objective_on_its_samples_within_the_slack(problem):
    """On a path of falling alphas a factor is kept; whoever gives no slack gets its own."""
    objective = problem(CrossEntropy(), alpha=0.1)
    first = Preconditioner(objective, 0.2)
    weaker, far, stronger = (
        Objective(objective.samples, objective.loss, objective.regularizer, alpha)
        for alpha in (0.04, 0.02, 0.2)
    )
    assert Preconditioner(weaker, 0.2, slack=4.0).solve is first.solve
    assert Preconditioner(objective, 0.2).solve is first.solve
    for other, slack in ((weaker, 1.0), (far, 4.0), (stronger, 4.0)):
        Preconditioner(objective, 0.2)
        gradient = np.random.RandomState(0).standard_normal(objective.shape)
        fresh = Objective(problem(CrossEntropy()).samples, other.loss, L2(), other.alpha)
        np.testing.assert_array_equal(
            Preconditioner(other, 0.2, slack)(gradient), Preconditioner(fresh, 0.2)(gradient)
        )


def many_features(dtype, fit_intercept=True):
    """Samples with a spectrum, in units far apart, some features constant, zero or equal."""
    rng = np.random.RandomState(0)
    X = rng.standard_normal((200, 30)) / np.arange(1, 31) @ rng.standard_normal((30, 30))
    X = np.column_stack([X, np.full(200, 7.0), np.zeros(200), X[:, 0], 1e3 * X[:, 1] + 1])
    y, weight = np.arange(200) % 3, rng.uniform(0.5, 2, 200)
    return Samples(X.astype(dtype), y, 3, sample_weight=weight, fit_intercept=fit_intercept)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_covariance_multiplies_without_being_made(dtype, fit_intercept):
    samples = many_features(dtype, fit_intercept)
    X = samples.X.astype(float)
    X = X - samples.weight @ X if fit_intercept else X
    basis = np.random.RandomState(1).standard_normal((X.shape[1], 4)) / (X.std(axis=0) + 1)[:, None]
    product = (X.T * samples.weight) @ X @ basis
    # Of a product of two columns, by their sizes (Cauchy and Schwarz).
    size = np.sqrt(samples.weight @ np.square(samples.X, dtype=float))[:, None]
    size = (size + 1e-9) * np.sqrt(samples.weight @ np.square(samples.X.astype(float) @ basis))
    error = np.abs(samples.covariance_times(basis.astype(dtype)) - product) / size
    assert error.max() < 100 * np.finfo(dtype).eps


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_sketch_of_all_eigenvectors_is_the_covariance(fit_intercept):
    samples = many_features(np.float64, fit_intercept)
    X = samples.X - samples.weight @ samples.X if fit_intercept else samples.X
    matrix = (X.T * samples.weight) @ X + 0.01 * np.eye(X.shape[1])
    inverse = SketchSolve(Sketch(samples), 0.01)(np.eye(X.shape[1]))
    root = np.sqrt(np.diag(matrix))
    product = matrix @ inverse * root / root[:, None]
    np.testing.assert_allclose(product, np.eye(len(matrix)), atol=1e-6)


@pytest.mark.parametrize("ridge", [1e-4, 1.0])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_sketch_of_few_eigenvectors_is_an_upper_bound_up_to_its_own_error(
    monkeypatch, dtype, ridge
):
    """Symmetric, positive, and within a small multiple of the moments, where variances are not."""
    monkeypatch.setattr(_preconditioner, "RANK", 12)
    samples = many_features(dtype)
    X = samples.X.astype(float)
    X = X - samples.weight @ X
    matrix = (X.T * samples.weight) @ X + ridge * np.eye(X.shape[1])
    inverse = SketchSolve(Sketch(samples), ridge)(np.eye(X.shape[1]))
    np.testing.assert_allclose(inverse, inverse.T, atol=1e-6 * np.abs(inverse).max())
    assert np.linalg.eigvalsh(inverse + inverse.T).min() > 0
    condition = []
    for each in (inverse, np.diag(1 / np.diag(matrix))):
        values = np.linalg.eigvals(each @ matrix).real
        condition.append(values.max() / values.min())
    assert condition[0] < 0.2 * condition[1]


@pytest.mark.parametrize("value", [0.0, 3.0, 1e15])
def test_a_sketch_bears_features_that_do_not_vary(value):
    samples = Samples(np.full((20, 5), value), np.arange(20) % 2, 2)
    direction = SketchSolve(Sketch(samples), 0.0)(np.ones((2, 5)))
    assert np.isfinite(direction).all()


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


def test_what_all_classes_have_in_common_meets_the_penalty_alone(problem):
    """A common part of a slope moves all templates alike, against R, and nothing else."""
    objective = problem(CrossEntropy(), alpha=0.3)
    rng = np.random.default_rng(0)
    inverse = ClassPreconditioner(objective.evaluate(rng.standard_normal(objective.shape)))
    gradient = rng.standard_normal(objective.shape)
    gradient -= gradient.mean(axis=0)
    common = rng.standard_normal(objective.shape[1])
    apart, together = inverse(gradient), inverse(gradient + common)
    moved = np.append(common[:-1] / (2 * 0.3), 0)  # of L2 the second derivative is 2 alpha
    np.testing.assert_allclose(together - apart, np.tile(moved, (3, 1)), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(apart.mean(axis=0), 0, atol=1e-12)


class Weighed(Regularizer):
    """Sum of d w^4, whose curvature differs from weight to weight."""

    smooth = True
    isotropic = False
    strength = np.array([1.0, 2, 3, 4, 5])

    def value(self, coef):
        return float((self.strength * coef**4).sum())

    def gradient(self, coef):
        return 4 * self.strength * coef**3

    def hessian_product(self, coef, direction):
        return 12 * self.strength * coef**2 * direction


def test_the_mean_curvature_of_a_regularizer_is_that_of_its_diagonal(problem):
    objective = problem(CrossEntropy(), Weighed())
    params = np.random.default_rng(0).standard_normal(objective.shape)
    expected = (12 * Weighed.strength * params[:, :-1] ** 2).mean()
    assert mean_curvature_of(objective, params) == pytest.approx(expected, rel=1e-12)
    assert mean_curvature_of(objective) == 0  # at zero
    assert mean_curvature_of(problem()) == 2  # of L2, everywhere


@pytest.mark.parametrize("tolerance", [0.5, 0.1, 1e-3])
def test_conjugate_gradients_stop_at_the_share_that_may_remain(problem, tolerance):
    objective = problem(CrossEntropy())
    point = objective.evaluate(np.random.default_rng(0).standard_normal(objective.shape))
    inverse = Preconditioner(objective, mean_curvature(point))
    calls = []

    def product(direction):
        calls.append(direction)
        return point.hessian_product(direction)

    seen = SimpleNamespace(
        params=point.params,
        gradient=point.gradient,
        scores=point.scores,
        hessian_product=product,
    )

    def size(solution):
        rest = -point.gradient - point.hessian_product(solution)
        return np.sqrt((rest * inverse(rest)).sum())

    solution = conjugate_gradients(seen, inverse, tolerance, 100)
    start = size(np.zeros(objective.shape))
    assert size(solution) <= tolerance * start * (1 + 1e-9)
    # One iteration less would not have done.
    before = conjugate_gradients(point, inverse, tolerance, len(calls) - 1)
    assert len(calls) == 1 or size(before) > tolerance * start


@pytest.mark.parametrize("dtype, rounding", [(float, 0.0), (float, 1e-17), (np.float32, 1e-8)])
def test_conjugate_gradients_go_down_where_nothing_bends(dtype, rounding):
    """Without any curvature there is no Newton step: the preconditioned slope is what is left.

    What rounding makes of none is none: a step of a hundred million slopes went beyond float32.
    """
    gradient = np.array([[1.0, -2.0]])
    flat = SimpleNamespace(
        params=np.zeros((1, 2)),
        gradient=gradient,
        scores=np.zeros((5, 1), dtype),
        hessian_product=lambda direction: rounding * direction,
    )
    np.testing.assert_array_equal(conjugate_gradients(flat, lambda g: 3 * g, 0.1, 9), -3 * gradient)


def test_the_memory_is_that_of_the_parameter(digits_problem):
    """With one step remembered or ten, the first two directions are the same, and no others."""
    ways = []
    for memory in (1, 10):
        way = []
        LBFGS(memory=memory).minimize(
            digits_problem(CrossEntropy(), 1e-4),
            max_iter=4,
            callback=lambda n_iter, step, way=way: way.append(step.params),
        )
        ways.append(way)
    same = [np.array_equal(one, ten) for one, ten in zip(*ways, strict=True)]
    assert same == [True, True, True, False, False]


@pytest.mark.parametrize("loss", [CrossEntropy(), WestonWatkins("squared_hinge")], ids=repr)
def test_few_parameters_are_followed_to_nearly_all_digits(problem, loss):
    """Four more steps are made once the gap is small enough, and no more."""
    objective = problem(loss, alpha=1e-3)
    size = int(np.prod(objective.shape))
    best = Newton().minimize(objective, tol=1e-11).value
    end = Newton(max_direct=size).minimize(objective, tol=1e-1)
    rough = Newton(max_direct=size - 1).minimize(objective, tol=1e-1)
    assert abs(end.value - best) < 1e-12 < 1e-7 < rough.value - best
    assert end.gap <= 1e-1 * end.value
    seen = []
    Newton().minimize(objective, tol=1e-1, callback=lambda n_iter, step: seen.append(step.value))
    assert seen[-1] == end.value and len(seen) == end.n_iter + 1


def seen(value, bound):
    """What is asked of an evaluation: a value, and the bound that its slope proves."""
    return SimpleNamespace(
        value=value, objective=SimpleNamespace(lower_bound=lambda evaluation: bound)
    )


@pytest.mark.parametrize(
    "gap, cost, expected",
    [(0.5, 2.0, True), (2.0, 2.0, True), (2.1, 2.0, False), (5.1, 9.0, False), (5.0, 9.0, True)],
)
def test_kinks_are_sharpened_where_their_rounding_costs_more_than_is_to_be_gained(
    gap, cost, expected
):
    """And not before the gap of the rounded objective is half its value."""
    smoothed = seen(10.0, 10.0 - gap)
    true = seen(12.0, 12.0 - gap - cost)
    assert is_minimal(smoothed, true, np.nan) is expected


@pytest.mark.parametrize("drop, expected", [(0.1, True), (0.2, True), (0.21, False)])
def test_where_no_bound_tells_small_gains_sharpen_the_kinks(drop, expected):
    assert is_minimal(seen(10.0, -np.inf), seen(12.0, -np.inf), drop) is expected


@pytest.mark.parametrize(
    "gap, distance, tol, expected",
    [
        (np.inf, 0.2, 1e-2, True),
        (np.inf, 0.1, 1e-2, False),  # of ten, as much as was asked for
        (1.0, 0.2, 1e-2, False),  # a bound tells
        (np.inf, 1e-10, 0.0, True),
        (np.inf, 1e-12, 0.0, False),
    ],
)
def test_kinks_are_too_rough_where_nothing_proves_how_much_they_matter(
    gap, distance, tol, expected
):
    assert is_rough(seen(10.0 - distance, 0), seen(10.0, 0), gap, tol) is expected
