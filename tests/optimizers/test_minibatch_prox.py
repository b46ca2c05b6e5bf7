"""Mini-batch methods with regularizers that have kinks or bounds: a prox after each step."""

import numpy as np
import pytest

from sklin.losses import CrossEntropy, WestonWatkins
from sklin.optimizers import SGD, AdaGrad, Adam, InverseDecay, ProximalGradient
from sklin.regularizers import L1, ElasticNet, GroupL2, MaxNorm

METHODS = [
    SGD(momentum=0),
    SGD(momentum=0.8),
    SGD(momentum=0.8, nesterov=True),
    AdaGrad(),
    Adam(beta1=0),
    Adam(),
]
KINKED = [L1(), ElasticNet(0.7), GroupL2(), GroupL2(groups=[0, 0, 1, 1, 2]), MaxNorm(0.3)]
every_regularizer = pytest.mark.parametrize("regularizer", KINKED, ids=repr)


def with_options(method, **options):
    return type(method)(**{**method.get_params(), **options})


def served(regularizers):
    """Parametrize by the methods and the regularizers they serve; see test_refusals.py."""
    pairs = [
        (method, regularizer)
        for method in METHODS
        for regularizer in regularizers
        if not method.missing(CrossEntropy(), regularizer)
    ]
    ids = [" ".join(f"{method!r}-{regularizer!r}".split()) for method, regularizer in pairs]
    return pytest.mark.parametrize(("method", "regularizer"), pairs, ids=ids)


def test_what_is_not_served_is_what_has_no_separable_prox():
    for method in METHODS:
        for regularizer in KINKED:
            refused = bool(method.missing(CrossEntropy(), regularizer))
            assert refused == (not isinstance(method, SGD) and not regularizer.separable)


@pytest.fixture(scope="module")
def minimum(problem):
    """The minimum for a regularizer, to rounding, by the proximal gradient method."""
    found = {}

    def minimum(regularizer, fit_intercept):
        key = repr(regularizer), fit_intercept
        if key not in found:
            alpha = 0.3 if isinstance(regularizer, GroupL2) else 0.05
            objective = problem(
                regularizer=regularizer,
                alpha=alpha,
                fit_intercept=fit_intercept,
                badly_scaled=False,
            )
            # Once the gap is small it is followed to nearly all digits.
            result = ProximalGradient().minimize(
                objective, tol=1e-9, max_iter=20_000, random_state=0
            )
            assert result.converged
            found[key] = objective, result
        return found[key]

    return minimum


@every_regularizer
@pytest.mark.parametrize("rate", [0.05, InverseDecay(0.3)], ids=repr)
@pytest.mark.parametrize("loss", [CrossEntropy(), WestonWatkins()], ids=repr)
def test_without_momentum_it_is_the_plain_proximal_gradient(problem, regularizer, rate, loss):
    """Ista: w <- prox_{eta alpha R}(w - eta grad f(w)), the prox of the weights alone."""
    objective = problem(loss, regularizer, alpha=0.05, badly_scaled=False)
    params = np.random.RandomState(0).standard_normal(objective.shape)
    params = objective.feasible(params)
    steps = []
    SGD(rate, batch_size=80, momentum=0).minimize(
        objective,
        params,
        max_iter=8,
        tol=0,
        callback=lambda n_iter, step: steps.append(step),
        random_state=0,
    )
    for t, step in enumerate(steps):
        np.testing.assert_allclose(step.params, params, rtol=1e-9, atol=1e-12)
        eta = rate if isinstance(rate, float) else rate.rate(t)
        params = params - eta * objective.evaluate(params).data_gradient
        params[:, :-1] = regularizer.prox(params[:, :-1], eta * 0.05)


@pytest.mark.parametrize("fit_intercept", [True, False])
@served(KINKED)
def test_the_minimiser_is_a_fixed_point(minimum, method, regularizer, fit_intercept):
    """In the metric of the steps, too: what the gradient takes, the prox gives back.

    The intercept's gradient is all rounding there, and AdaGrad and Adam divide it by its size: an
    epsilon above it keeps the steps to those that shrink an error.
    """
    objective, result = minimum(regularizer, fit_intercept)
    options = dict(learning_rate=0.05, batch_size=80)
    if not isinstance(method, SGD):
        options["epsilon"] = 0.1
    steps = []
    with_options(method, **options).minimize(
        objective,
        result.params,
        max_iter=25,
        tol=0,
        callback=lambda n_iter, step: steps.append(step.params),
        random_state=0,
    )
    zeros = result.params == 0
    assert zeros.any() or isinstance(regularizer, MaxNorm)
    for params in steps:
        np.testing.assert_allclose(params, result.params, rtol=0, atol=1e-12)
        assert (params[zeros] == 0).all()


@served(KINKED)
def test_they_find_the_minimum(minimum, method, regularizer):
    """Full batches from zero: within a thousandth of what there was to gain, zeros and all."""
    objective, exact = minimum(regularizer, True)
    rate = 0.3 if isinstance(method, AdaGrad) or method is METHODS[0] else 0.05
    method = with_options(method, learning_rate=rate, batch_size=80)
    result = method.minimize(objective, max_iter=400, tol=0, random_state=0)
    gained = objective.value(np.zeros(objective.shape)) - exact.value
    assert -exact.gap - 1e-12 <= objective.value(result.params) - exact.value <= 1e-3 * gained
    if not isinstance(regularizer, MaxNorm):
        assert ((result.params == 0) == (exact.params == 0))[:, :-1].mean() > 0.8


@served([L1(), ElasticNet(0.7), GroupL2()])
def test_exact_zeros_appear_and_not_by_chance(problem, method, regularizer):
    """Features that say nothing are dropped, by mini-batches; the telling one is not."""
    rng = np.random.RandomState(0)
    objective = problem(regularizer=regularizer, alpha=0.2, badly_scaled=False)
    X = rng.standard_normal(objective.samples.X.shape)
    X[:, 2] += 3 * objective.samples.y
    objective.samples.X[...] = X
    method = with_options(method, learning_rate=0.02, batch_size=20)
    coef = method.minimize(objective, max_iter=60, tol=0, random_state=0).params[:, :-1]
    assert coef[:, 2].any()
    zeros = np.delete(coef, 2, axis=1) == 0
    assert zeros.mean() > 0.5
    if isinstance(regularizer, GroupL2):
        assert (zeros.all(axis=0) == zeros.any(axis=0)).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("method", METHODS[:3], ids=repr)
def test_a_constraint_holds_after_every_step(problem, method, average, dtype):
    objective = problem(regularizer=MaxNorm(0.2), dtype=dtype)
    lengths = []

    class Spy(SGD):
        def update(self, state, gradient, rate, objective):
            super().update(state, gradient, rate, objective)
            lengths.append(np.linalg.norm(state.params[:, :-1].astype(float), axis=1))

    spy = Spy(0.05, 16, method.momentum, method.nesterov, average)
    result = spy.minimize(objective, np.ones(objective.shape), max_iter=5, tol=0, random_state=0)
    assert np.max(lengths) <= 0.2 * (1 + 4 * np.finfo(dtype).eps)
    assert np.max(lengths) >= 0.2 * (1 - 4 * np.finfo(dtype).eps)  # and it was needed
    assert np.isfinite(result.history).all()
    assert np.isfinite(objective.value(result.params))


@pytest.mark.parametrize("momentum", [0.5, 0.9])
def test_momentum_ends_at_a_bound(problem, momentum):
    """It remembers the step that was made, not the one that the prox undid.

    Of a step against a wall nothing is left to carry on with: pulled back, it leaves at once.
    """
    objective = problem(regularizer=MaxNorm(0.2), fit_intercept=False)
    method = SGD(0.01, batch_size=80, momentum=momentum)
    state = method.begin(np.zeros(objective.shape))
    pull = np.zeros(objective.shape)
    pull[0, 0] = -1.0
    for _ in range(100):
        state.n_updates += 1
        method.update(state, pull.copy(), 0.01, objective)
    assert state.params[0, 0] == pytest.approx(0.2)
    assert abs(state.memory[0]).max() < 1e-12
    method.update(state, -pull, 0.01, objective)
    assert state.params[0, 0] == pytest.approx(0.19)
