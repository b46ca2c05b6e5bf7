"""Optimizers: they reach the minimum known from elsewhere, prove it, stop, and refuse."""

import itertools

import numpy as np
import pytest
from scipy import optimize
from sklearn.datasets import load_digits, make_classification

from sklin.losses import CrammerSinger, CrossEntropy, OneVsRest, WestonWatkins
from sklin.objective import Objective, Samples
from sklin.optimizers import (
    LBFGS,
    SGD,
    GradientDescent,
    Newton,
    Optimizer,
    ProximalGradient,
    Step,
    choose,
)
from sklin.optimizers._line_search import line_search
from sklin.optimizers._newton import mean_curvature, two_loop
from sklin.optimizers._preconditioner import Preconditioner
from sklin.regularizers import L1, L2, ElasticNet

SMOOTH = [CrossEntropy(), WestonWatkins("squared_hinge"), OneVsRest("squared_hinge")]
KINKED = [WestonWatkins(), OneVsRest(), CrammerSinger(), CrammerSinger("squared_hinge")]


def problem(loss, regularizer=None, alpha=1e-2, fit_intercept=True, badly_scaled=True):
    X, y = make_classification(80, 5, n_informative=4, n_redundant=1, n_classes=3, random_state=0)
    if badly_scaled:
        X = X * [1, 3, 0.3, 1, 10] + [0, 5, 0, 0, 1]
    samples = Samples(X, y, 3, fit_intercept=fit_intercept)
    return Objective(samples, loss, regularizer or L2(), alpha)


def digits_problem(loss, alpha, dtype=np.float64):
    X, y = load_digits(return_X_y=True)
    return Objective(Samples((X / 16).astype(dtype), y, 10), loss, L2(), alpha)


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
def test_auto_reaches_the_foreign_minimum(loss, regularizer, fit_intercept):
    objective = problem(loss, regularizer, fit_intercept=fit_intercept, badly_scaled=False)
    result = choose(objective).minimize(objective, tol=1e-6, max_iter=20_000)
    assert result.converged
    assert result.value == pytest.approx(foreign_minimum(objective), rel=2e-6)


@pytest.mark.parametrize("alpha", [1e-1, 1e-3])
@pytest.mark.parametrize("loss", KINKED, ids=repr)
def test_kinked_losses_are_minimised_and_certified(loss, alpha):
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
def test_digits_are_certified_down_to_tiny_alpha(loss, alpha):
    objective = digits_problem(loss, alpha)
    result = choose(objective).minimize(objective, tol=1e-3, max_iter=300)
    assert result.converged
    assert 0 < result.gap <= 1e-3 * result.value


@pytest.mark.parametrize("optimizer", [LBFGS(), Newton(max_direct=0), GradientDescent()], ids=repr)
@pytest.mark.parametrize("loss", SMOOTH, ids=repr)
def test_gap_is_a_bound_at_every_step(loss, optimizer):
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
def test_plain_descent_comes_near_the_minimum(loss, optimizer):
    """Stated gap: a tenth of what there was to gain, since fixed steps wander or crawl."""
    objective = problem(loss, alpha=1e-1, badly_scaled=False)
    minimum = Newton().minimize(objective, tol=1e-6).value
    start = objective.value(np.zeros(objective.shape))
    result = optimizer.minimize(objective, tol=1e-6, max_iter=3000, random_state=0)
    assert objective.value(result.params) - minimum <= 0.1 * (start - minimum)


def test_sgd_is_reproducible_and_full_batches_are_gradient_descent():
    objective = problem(CrossEntropy())
    runs = [
        SGD(0.01, batch_size=16).minimize(objective, max_iter=3, tol=0, random_state=seed)
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(runs[0].params, runs[1].params)
    assert not np.array_equal(runs[0].params, runs[2].params)
    whole = SGD(0.01, batch_size=80, momentum=0).minimize(objective, max_iter=5, tol=0)
    plain = GradientDescent(0.01).minimize(objective, max_iter=5, tol=0)
    np.testing.assert_allclose(whole.params, plain.params, rtol=1e-10)


def test_momentum_is_polyaks_recursion():
    objective = problem(CrossEntropy())
    params, velocity = np.zeros(objective.shape), 0
    for _ in range(4):
        velocity = 0.5 * velocity - 0.01 * objective.value_and_gradient(params)[1]
        params = params + velocity
    result = SGD(0.01, batch_size=80, momentum=0.5).minimize(objective, max_iter=4, tol=0)
    np.testing.assert_allclose(result.params, params, rtol=1e-10)


def test_preconditioner_is_the_inverse_hessian_of_softmax_at_zero():
    """At zero weights the classes' coupling acts as one on gradients, whose columns sum to zero."""
    objective = problem(CrossEntropy())
    point = objective.evaluate(np.zeros(objective.shape))
    direction = Preconditioner(objective, mean_curvature(point))(point.gradient)
    product = point.hessian() @ direction.ravel()
    np.testing.assert_allclose(product, point.gradient.ravel(), atol=1e-8)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_preconditioner_is_symmetric_and_positive(fit_intercept, sparse):
    from scipy.sparse import csr_array

    objective = problem(CrossEntropy(), fit_intercept=fit_intercept)
    if sparse:
        objective.samples.X = csr_array(objective.samples.X)
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


@pytest.mark.parametrize("first", [1e-8, 1e-3, 1.0, 1e4])
@pytest.mark.parametrize("loss", [CrossEntropy(), WestonWatkins("squared_hinge")], ids=repr)
def test_line_search_ends_where_the_slope_has_mostly_gone(loss, first):
    objective = problem(loss)
    point = objective.evaluate(np.zeros(objective.shape))
    direction = -point.gradient
    new = line_search(point, direction, first, ratio=0.3)
    start, end = ((p.gradient * direction).sum() for p in (point, new))
    assert abs(end) <= 0.3 * abs(start) * (1 + 1e-9)
    assert new.value < point.value
    assert line_search(point, -direction) is None  # uphill


def test_a_line_search_costs_one_pass_whatever_it_tries():
    objective = problem(CrossEntropy())
    point = objective.evaluate(np.zeros(objective.shape))
    direction = -point.gradient
    before = objective.samples.n_passes
    assert line_search(point, direction, 1e-9) is not None
    assert objective.samples.n_passes == before + 1


def test_lbfgs_takes_two_passes_an_iteration_and_few_iterations():
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


@pytest.mark.parametrize("optimizer", [LBFGS(), Newton(), ProximalGradient()], ids=repr)
def test_float32_stops_at_its_noise_and_says_so(optimizer):
    objective = digits_problem(CrossEntropy(), 1e-3, np.float32)
    result = optimizer.minimize(objective, tol=0.0, max_iter=3000)
    exact = digits_problem(CrossEntropy(), 1e-3)
    minimum = Newton().minimize(exact, tol=1e-12).value
    assert result.n_iter < 3000
    assert "float32" in result.message
    assert exact.value(result.params) == pytest.approx(minimum, rel=1e-5)


class Scripted(Optimizer):
    """Yields given values, to test the loop by itself."""

    def __init__(self, values=(), stochastic=False):
        self.values = values
        self.stochastic = stochastic

    @property
    def is_stochastic(self):
        return self.stochastic

    @property
    def n_iter_no_change(self):
        return 2 if self.stochastic else 1

    def steps(self, objective, params, tol, rng):
        for i, value in enumerate(self.values):
            if value is KeyboardInterrupt:
                raise KeyboardInterrupt
            yield value if isinstance(value, Step) else Step(np.full((1, 1), float(i)), value)


def run(values, stochastic=False, **options):
    return Scripted(values, stochastic).minimize(problem(CrossEntropy()), **options)


def test_the_loop_stops_on_a_small_change():
    result = run([4.0, 2.0, 1.99999, 0.0], tol=1e-3)
    assert (result.converged, result.n_iter, result.value) == (True, 2, 1.99999)
    result = run([4.0, 2.0, 3.0, 1.9999, 1.0], stochastic=True, tol=1e-3)
    assert (result.converged, result.n_iter) == (True, 3)


def test_the_loop_stops_on_a_proven_gap_only_when_one_is_proven():
    params = np.ones((1, 1))
    values = [Step(params, 2.0, 1.0), Step(params, 2.0, 0.9), Step(params, 1.9, 1e-5)]
    result = run([*values, Step(params, 0.0, 0.0)], tol=1e-4)
    assert (result.converged, result.n_iter) == (True, 2)
    assert result.gap == pytest.approx(1e-5)


def test_the_loop_stops_after_max_iter_and_keeps_the_best():
    result = run([3.0, 1.0, 2.0, 5.0, 4.0], max_iter=3, tol=0)
    assert (result.converged, result.n_iter, result.value) == (False, 3, 1.0)
    assert result.params[0, 0] == 1.0
    assert "max_iter=3" in result.message


def test_the_loop_keeps_the_best_weights_when_interrupted():
    result = run([3.0, 1.0, 2.0, KeyboardInterrupt], tol=0)
    assert (result.converged, result.value, result.params[0, 0]) == (False, 1.0, 1.0)
    assert result.message == "Interrupted."


def test_the_loop_stops_when_the_callback_says_so():
    seen = []

    def callback(n_iter, step):
        seen.append((n_iter, step.value))
        return n_iter == 1

    result = run([3.0, 2.0, 1.0], callback=callback, tol=0)
    assert seen == [(0, 3.0), (1, 2.0)]
    assert (result.converged, result.value) == (False, 2.0)
    assert "callback" in result.message


def test_divergence_is_told_and_the_best_kept():
    objective = problem(WestonWatkins("squared_hinge"))
    with np.errstate(over="ignore", invalid="ignore"):
        result = GradientDescent(learning_rate=1.0).minimize(objective, max_iter=2000, tol=0)
    assert "diverged" in result.message
    assert np.isfinite(result.value)
    assert np.isfinite(result.params).all()


@pytest.mark.parametrize(
    ("optimizer", "loss", "regularizer", "missing"),
    [
        (LBFGS(), CrossEntropy(), L1(), "LBFGS needs a smooth regularizer.*L1"),
        (Newton(), CrossEntropy(), ElasticNet(), "Newton needs a smooth regularizer"),
        (GradientDescent(), WestonWatkins(), L2(), "needs a smooth objective, and WestonWatkins"),
        (GradientDescent(), CrossEntropy(), L1(), "needs a smooth objective, and L1"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(optimizer, loss, regularizer, missing):
    with pytest.raises(ValueError, match=missing) as caught:
        optimizer.minimize(problem(loss, regularizer))
    assert "auto" in str(caught.value)


def test_an_optimizer_that_declares_a_smooth_loss_refuses_kinks():
    class Smooth(Scripted):
        needs_smooth_loss = True

    with pytest.raises(ValueError, match="Smooth needs a smooth loss, and WestonWatkins"):
        Smooth([1.0]).minimize(problem(WestonWatkins()))
    assert Smooth([1.0, 1.0]).minimize(problem(CrossEntropy())).converged


@pytest.mark.parametrize(
    ("optimizer", "name"),
    [
        (LBFGS(memory=0), "memory"),
        (Newton(warm_up=-1), "warm_up"),
        (Newton(max_direct=1.5), "max_direct"),
        (Newton(max_cg=0), "max_cg"),
        (SGD(batch_size=0), "batch_size"),
        (GradientDescent(learning_rate=-1), "learning_rate"),
    ],
)
def test_bad_parameters_are_named(optimizer, name):
    with pytest.raises((ValueError, TypeError), match=f"{name} must be"):
        optimizer.minimize(problem(CrossEntropy()))
    with pytest.raises(ValueError, match="max_iter must be"):
        LBFGS().minimize(problem(CrossEntropy()), max_iter=0)


def test_minimize_changes_neither_start_nor_optimizer():
    objective = problem(CrossEntropy())
    start = np.full(objective.shape, 0.1)
    optimizer = SGD()
    optimizer.minimize(objective, start, max_iter=2, tol=0)
    assert (start == 0.1).all()
    assert vars(optimizer) == vars(SGD())
