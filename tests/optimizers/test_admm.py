"""The alternating direction method: its two steps by their laws, its ends by other methods."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.datasets import load_digits

from sklin.losses import LOSSES, CrossEntropy, OneVsRest, WestonWatkins
from sklin.objective import Objective, Samples
from sklin.optimizers import ADMM, Newton
from sklin.optimizers._admm import Balance, metric_of
from sklin.regularizers import L2, ElasticNet

HINGES = [kind() for kind in LOSSES.values() if kind is not CrossEntropy]
every_hinge = pytest.mark.parametrize("loss", HINGES, ids=repr)


def problem(loss, alpha, *, n=150, d=6, k=3, seed=0, fit_intercept=True, dtype=float, wrap=None):
    rng = np.random.RandomState(seed)
    X = (rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + 2).astype(dtype)
    y = (X @ rng.standard_normal((d, k)) + 3 * rng.standard_normal((n, k))).argmax(axis=1)
    samples = Samples(
        wrap(X) if wrap else X,
        y,
        k,
        sample_weight=rng.uniform(0.1, 3, n),
        fit_intercept=fit_intercept,
    )
    return Objective(samples, loss, L2(), alpha)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [1e-1, 1e-2])
@pytest.mark.parametrize("loss", [*HINGES, CrossEntropy()], ids=repr)
def test_it_ends_where_newtons_method_ends(loss, alpha, fit_intercept):
    objective = problem(loss, alpha, fit_intercept=fit_intercept)
    result = ADMM().minimize(objective, tol=1e-6, max_iter=5_000)
    other = Newton().minimize(objective, tol=1e-6)
    assert result.converged and other.converged
    assert result.value - result.gap <= other.value
    assert other.value - other.gap <= result.value
    # 2 alpha is the least curvature, so values this close mean coefficients this close.
    distance = np.linalg.norm(objective.samples.coef(result.params - other.params))
    assert distance <= np.sqrt((result.gap + other.gap) / alpha)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_step_of_the_weights_is_their_least_squares(fit_intercept):
    """For given scores: against the normal equations of all parameters, by numpy."""
    objective = problem(WestonWatkins(), 0.03, fit_intercept=fit_intercept)
    samples, rng, rho = objective.samples, np.random.RandomState(1), 0.7
    X = np.column_stack([samples.X, np.ones(len(samples.y))]) if fit_intercept else samples.X
    hessian = rho * X.T @ (samples.weight[:, None] * X)
    hessian += np.diag([2 * 0.03] * samples.X.shape[1] + [0.0] * fit_intercept)
    slope = rng.standard_normal(objective.shape)
    expected = np.linalg.solve(hessian, slope.T).T
    assert_allclose(metric_of(objective, rho)(slope), expected, rtol=1e-9)


@every_hinge
def test_samples_without_a_factor_are_served_too(loss):
    """Sparse ones, by a bound on their moments."""
    objective = problem(loss, 1e-1, wrap=sparse.csr_array, d=3)
    result = ADMM().minimize(objective, tol=1e-6, max_iter=5_000)
    assert result.converged
    dense = ADMM().minimize(problem(loss, 1e-1, d=3), tol=1e-6)
    assert result.value == pytest.approx(dense.value, rel=2e-6)


@pytest.mark.parametrize("rho", [1e-3, 1e3])
def test_a_bad_rho_is_mended(rho):
    X, y = load_digits(return_X_y=True)
    objective = Objective(Samples(X[:500] / 16, y[:500], 10), WestonWatkins(), L2(), 1e-3)
    good = ADMM().minimize(objective, tol=1e-3)
    mended = ADMM(rho).minimize(objective, tol=1e-3)
    assert mended.converged
    assert mended.n_iter <= 4 * good.n_iter
    assert not ADMM(rho, adaptive=False).minimize(objective, tol=1e-3, max_iter=200).converged


def test_what_an_intercept_lacks_counts_for_the_weights():
    """Counted for the loss it drove rho the wrong way, and the gap stood still at 6e-4."""
    X, y = load_digits(return_X_y=True)
    objective = Objective(Samples(X[:898] / 16, y[:898], 10), WestonWatkins(), L2(), 1e-2)
    assert ADMM().minimize(objective, tol=1e-4, max_iter=80).converged


def test_rho_follows_the_part_that_is_larger_and_slow():
    even, falling = np.ones(10), np.exp(-np.arange(10))
    for of_loss, of_weights, towards in (
        (even, even, 0),
        (100 * even, even, 1),
        (even, 100 * even, -1),
        (1e9 * falling, even, 0),
        (even, 1e9 * falling, 0),
        (even, np.zeros(10), 1),
    ):
        balance = Balance()
        factors = [balance(*parts) for parts in zip(of_loss, of_weights, strict=True)]
        assert factors[:-1] == [1.0] * 9
        assert np.sign(np.log(factors[-1])) == towards
        assert 0.4 <= factors[-1] <= 2.5
    # After a change the next is waited for longer.
    changed = [balance(1.0, 0.0) != 1.0 for _ in range(20)]
    assert changed.index(True) == 13


@every_hinge
def test_the_margin_is_the_unit_of_scores(loss):
    """W for a margin of one is m W for a margin of m at alpha / m, turn by turn."""
    m = 50.0
    plain = ADMM().minimize(problem(loss, 1e-2), tol=1e-6)
    wide = ADMM().minimize(problem(type(loss)(margin=m), 1e-2 / m), tol=1e-6)
    assert wide.n_iter == plain.n_iter
    assert_allclose(wide.params, m * plain.params, rtol=1e-6, atol=1e-6 * m)
    assert wide.value == pytest.approx(m * plain.value, rel=1e-9)


@pytest.mark.parametrize("loss", [*HINGES, CrossEntropy()], ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_gap_is_a_bound(loss, dtype):
    points = []
    objective = problem(loss, 1e-3, dtype=dtype)
    ADMM(turns=1).minimize(
        objective, tol=1e-4, callback=lambda _, step: points.append((step.value, step.gap))
    )
    minimum = Newton().minimize(problem(loss, 1e-3, dtype=dtype).in_span(), tol=1e-6)
    assert all(value - gap <= minimum.value for value, gap in points)
    assert all(value >= minimum.value - minimum.gap for value, _ in points)
    assert points[-1][1] <= 1e-4 * points[-1][0]


def test_a_run_in_single_precision_comes_to_an_end():
    """At the noise of float32 nothing is gained any more, and that is said."""
    objective = problem(OneVsRest(), 1e-2, dtype=np.float32)
    result = ADMM().minimize(objective, tol=1e-12, max_iter=100_000)
    assert result.status == "exhausted" and "float32" in result.message
    assert result.gap <= 1e-5 * result.value


def test_turns_change_nothing_but_what_is_told():
    objective = problem(WestonWatkins(), 1e-2)
    every, fifth = (ADMM(turns=turns).minimize(objective, tol=1e-6) for turns in (1, 5))
    assert fifth.n_iter == -(-every.n_iter // 5)
    assert_allclose(fifth.params, every.params, rtol=1e-12)


def test_without_a_penalty_nothing_is_proven_and_it_goes_down_all_the_same():
    objective = problem(WestonWatkins(), 0.0)
    result = ADMM().minimize(objective, tol=1e-9)
    assert result.gap == np.inf
    assert result.value <= Newton().minimize(objective, tol=1e-9).value * (1 + 1e-4)


def test_an_elastic_net_of_no_l1_is_a_squared_norm():
    objective = problem(WestonWatkins(), 1e-2)
    net = Objective(objective.samples, objective.loss, ElasticNet(0.0), 1e-2)
    expected = ADMM().minimize(objective).value
    assert ADMM().minimize(net).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e4])
@pytest.mark.parametrize("loss", [*HINGES, CrossEntropy()], ids=repr)
def test_proxes_of_many_classes_and_large_scores_come_to_an_end(loss, size):
    """l(z) + l*(beta) = <beta, z> at the prox z; and float32 has the digits that scores leave."""
    rng = np.random.RandomState(0)
    scores = size * rng.standard_normal((40, 300))
    y = rng.randint(300, size=40)
    for step in (0.01, 1.0, 100.0):
        dual = loss.proximal_slope(scores, y, step)
        z = scores - step * dual
        left = loss.value(z, y) + loss.conjugate(dual, y)
        scale = 1 + (1 + np.abs(z).max(axis=1) + step) * np.abs(dual).sum(axis=1)
        assert_allclose(left / scale, (dual * z).sum(axis=1) / scale, atol=1e-12)
        single = loss.proximal_slope(scores.astype(np.float32), y, step)
        # Scores are rounded to 6e-8 of themselves, and a slope is a difference of them by the step.
        rounding = 1e-6 * (1 + np.abs(scores).max()) / step
        # The own class has the sum of the others'.
        rounding *= np.where(np.arange(300) == y[:, None], 300, 1)
        assert (np.abs(single - dual) <= 1e-5 + rounding).all()


def test_a_start_that_is_good_enough_is_the_end():
    objective = problem(CrossEntropy(), 0.1)
    best = Newton().minimize(objective, tol=1e-9).params
    result = ADMM().minimize(objective, best, tol=1e-6)
    assert result.converged and result.n_iter == 0
    assert_allclose(result.params, best)


def test_it_gives_up_after_three_hundred_idle_turns_and_no_sooner():
    """The iterates circle about the minimum: a gap that stands still may fall again."""
    objective = problem(WestonWatkins(), 0.1, dtype=np.float32)
    result = ADMM(turns=1).minimize(objective, tol=0.0, max_iter=20_000)
    assert result.status == "exhausted"
    assert result.n_iter >= 300
    assert result.gap < 1e-5 * result.value
