"""Certificates: mixtures of planes bound the minimum, and better than each plane."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import optimize
from sklearn.datasets import make_classification

from sklin.losses import CrossEntropy, OneVsRest, WestonWatkins
from sklin.objective import Objective, Samples
from sklin.objective._certificate import SHRUNK, maximize_on_simplex
from sklin.optimizers import LBFGS, Newton, ProximalGradient, ProximalNewton
from sklin.optimizers._preconditioner import ClassPreconditioner
from sklin.regularizers import L1, L2, ElasticNet

X, Y = make_classification(
    n_samples=120,
    n_features=8,
    n_informative=6,
    n_classes=4,
    random_state=0,
    n_clusters_per_class=1,
)
LOSSES = [CrossEntropy(), WestonWatkins(), WestonWatkins(loss="squared_hinge"), OneVsRest()]


def make(loss, regularizer, alpha=1e-3, fit_intercept=True):
    return Objective(Samples(X, Y, 4, fit_intercept=fit_intercept), loss, regularizer, alpha)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(
    "regularizer", [L2(), L1(), pytest.param(ElasticNet(), marks=pytest.mark.slow)], ids=repr
)
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_bounds_of_random_points_are_below_the_minimum(loss, regularizer, fit_intercept):
    objective = make(loss, regularizer, 1e-2, fit_intercept)
    optimizer = Newton() if regularizer.smooth else ProximalGradient()
    low = optimizer.minimize(objective, tol=1e-4, max_iter=3000).value
    certificate, rng = objective.certificate(), np.random.RandomState(0)
    for _ in range(40):
        bound = certificate.add(objective.evaluate(0.3 * rng.standard_normal(objective.shape)))
        assert bound <= low


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_mixture_bounds_no_worse_than_every_plane(loss):
    """On the way of L-BFGS at a small alpha, where one plane says little."""
    objective = make(loss, L2(), 1e-4)
    certificate, single, points = objective.certificate(), -np.inf, []
    LBFGS().minimize(
        objective, tol=0, max_iter=30, callback=lambda _, step: points.append(step.params)
    )
    for params in points[:15]:
        evaluation = objective.evaluate(params)
        single = max(single, objective.lower_bound(evaluation))
        certificate.add(evaluation)
    low = Newton().minimize(objective, tol=1e-6).value
    assert single <= certificate.bound <= low * (1 + 1e-12)
    if isinstance(loss, WestonWatkins) and not loss.smooth:
        assert certificate.bound > single  # its slopes jump from step to step; their mean does not


def test_more_planes_than_are_kept():
    objective = make(CrossEntropy(), L2())
    certificate, rng, bounds = objective.certificate(), np.random.RandomState(0), []
    certificate.n_planes = 4
    for _ in range(23):
        point = objective.evaluate(rng.standard_normal(objective.shape))
        bounds.append(certificate.add(point))
    assert len(certificate.planes) == 4
    slopes = np.array([plane.slope.ravel() for plane in certificate.planes])
    assert_allclose(certificate.products, slopes @ slopes.T)
    assert (np.diff(bounds) >= 0).all()


def test_the_best_mixture_of_two_is_found():
    """-a'c - a'Qa/2 on a segment: a parabola, whose top is known."""
    share = maximize_on_simplex(np.array([0.0, 0.3]), np.diag([1.0, 1.0]), np.array([0.0, 1.0]))
    assert_allclose(share, [0.65, 0.35], atol=1e-6)


def best_mixture(offsets, matrix):
    """The largest -a'c - a'Qa/2, by a solver of constrained programmes."""
    n, scale = len(offsets), np.abs(matrix).max()
    # At values of hundreds the solver of scipy 1.11 stops 2e-6 short.
    offsets, matrix = offsets / scale, matrix / scale
    result = optimize.minimize(
        lambda a: offsets @ a + a @ matrix @ a / 2,
        np.full(n, 1 / n),
        jac=lambda a: offsets + matrix @ a,
        bounds=[(0, 1)] * n,
        constraints={"type": "eq", "fun": lambda a: a.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    return -result.fun * scale


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("seed", range(5))
def test_the_best_mixture_of_many_is_found(seed, scale):
    rng = np.random.default_rng(seed)
    slopes = rng.standard_normal((7, 4))  # more planes than dimensions: the optimum is no vertex
    slopes[3] = slopes[2]
    offsets, matrix = scale * rng.uniform(0, 1, 7), scale * slopes @ slopes.T
    start = rng.uniform(0, 5, 7)  # of any sum
    share = maximize_on_simplex(offsets, matrix, start, max_iter=2000)
    assert (share >= 0).all() and share.sum() == pytest.approx(1, rel=1e-12)
    found = -(offsets @ share + share @ matrix @ share / 2)
    best = best_mixture(offsets, matrix)
    assert best - 1e-5 * abs(best) <= found <= best + 1e-7 * abs(best)
    assert_allclose(maximize_on_simplex(offsets, matrix, start, max_iter=0), start / start.sum())


def test_no_move_is_made_where_one_plane_is_best():
    """Alone, or so much higher than the others that nothing of them helps."""
    assert_allclose(maximize_on_simplex(np.zeros(1), np.eye(1), np.array([3.0])), 1)
    assert_allclose(
        maximize_on_simplex(np.array([0.0, 9.0]), np.eye(2), np.array([1.0, 1.0])), [1, 0]
    )


def test_the_bound_is_that_of_the_best_mixture_of_all_planes():
    objective = make(CrossEntropy(), L2(), 1e-2)
    certificate, points = objective.certificate(), []
    LBFGS().minimize(objective, tol=0, max_iter=9, callback=lambda _, step: points.append(step))
    for point in points:
        certificate.add(objective.evaluate(point.params))
    assert len(certificate.planes) == 10 == 2 * certificate.every
    offsets = np.array([plane.offset for plane in certificate.planes])
    slopes = np.array([plane.slope.ravel() for plane in certificate.planes])
    # |U|^2 / (4 alpha) is the conjugate of alpha |W|^2.
    best = best_mixture(offsets, slopes @ slopes.T / (2 * 1e-2))
    assert best - 1e-4 * abs(best) <= certificate.bound <= best + 1e-9 * abs(best)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_the_conjugate_of_shrunk_dual_points_is_bounded(loss):
    objective = make(loss, L1())
    rng = np.random.RandomState(1)
    evaluation = objective.evaluate(rng.standard_normal(objective.shape))
    samples = objective.samples
    evaluation = make(loss, L1(), fit_intercept=False).evaluate(evaluation.params[:, :-1])
    plane = evaluation.objective.plane(evaluation)
    for factor in (0.0, 0.3, SHRUNK, 0.97, 1.0):
        exact = samples.weight @ loss.conjugate(factor * evaluation.dual, samples.y)
        assert exact <= plane.offset_at(factor) + 1e-12


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("loss", [CrossEntropy(), OneVsRest(loss="squared_hinge")], ids=repr)
def test_the_class_preconditioner_inverts_the_blocks_of_the_hessian(loss, fit_intercept):
    objective = make(loss, L2(), 1e-2, fit_intercept)
    point = objective.evaluate(0.2 * np.random.RandomState(0).standard_normal(objective.shape))
    n_classes, width = objective.shape
    hessian = point.hessian().reshape(n_classes, width, n_classes, width)
    gradient = point.gradient
    if loss.shift_invariant:  # at weights of mean zero, where fits stay, it has mean zero
        gradient = gradient - gradient.mean(axis=0)
    expected = np.array([np.linalg.solve(hessian[k, :, k], gradient[k]) for k in range(n_classes)])
    if loss.shift_invariant:
        expected -= expected.mean(axis=0)
    assert_allclose(ClassPreconditioner(point)(gradient), expected, rtol=1e-6, atol=1e-9)


def test_the_class_preconditioner_without_a_penalty_leaves_a_common_shift_alone():
    """Nothing bends along what all classes share: neither a penalty nor the loss."""
    objective = make(CrossEntropy(), L2(), 0.0, True)
    point = objective.evaluate(np.zeros(objective.shape))
    direction = ClassPreconditioner(point)(point.gradient + 1.0)
    assert np.isfinite(direction).all()
    assert_allclose(direction.mean(axis=0), 0, atol=1e-12 * np.abs(direction).max())


def test_conjugate_gradients_take_few_passes_at_small_alpha():
    """Correlated features of unequal scale, more parameters than Newton's method assembles."""
    rng = np.random.RandomState(0)
    mixed = rng.standard_normal((400, 150)) @ rng.standard_normal((150, 150)) / 12
    mixed *= np.geomspace(1, 30, 150)
    y = np.argmax(mixed[:, :8] + 3 * rng.standard_normal((400, 8)), axis=1)
    samples = Samples(mixed, y, 8)
    objective = Objective(samples, CrossEntropy(), L2(), 1e-5)
    result = Newton(warm_up=100, max_direct=0).minimize(objective, tol=1e-4)
    assert result.converged
    # 150 when written; 650 without the blocks of the classes.
    assert samples.n_passes < 400


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("regularizer", [L1(), ElasticNet(0.3)], ids=repr)
@pytest.mark.parametrize("loss", [CrossEntropy(), WestonWatkins(loss="squared_hinge")], ids=repr)
def test_proximal_newton_and_proximal_gradient_agree(loss, regularizer, dtype):
    samples = Samples(X.astype(dtype), Y, 4)
    objective = Objective(samples, loss, regularizer, 1e-2)
    newton = ProximalNewton(max_finish=0).minimize(objective, tol=1e-5)
    passes = samples.n_passes
    gradient = ProximalGradient().minimize(objective, tol=1e-5, max_iter=10_000)
    assert newton.converged and gradient.converged
    assert newton.value == pytest.approx(gradient.value, rel=2e-5)
    assert (newton.params[:, :-1] == 0).any()
    assert passes < samples.n_passes - passes
