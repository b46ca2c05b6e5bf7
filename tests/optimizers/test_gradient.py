"""Following the slope of all samples: the lecture's sign, its numerical gradient, its two ends."""

import itertools

import numpy as np
import pytest

from sklin.losses import CrammerSinger, CrossEntropy, OneVsRest, WestonWatkins
from sklin.objective import Objective, Samples
from sklin.optimizers import (
    CosineDecay,
    GradientDescent,
    InverseDecay,
    ProximalGradient,
    _gradient,
    choose,
)
from sklin.regularizers import L1, L2, ElasticNet, GroupL2

LOSSES = [
    CrossEntropy(),
    WestonWatkins(),
    WestonWatkins("squared_hinge"),
    OneVsRest(),
    CrammerSinger(),
]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=repr)
every_regularizer = pytest.mark.parametrize(
    "regularizer", [L2(), L1(), ElasticNet(), GroupL2()], ids=repr
)


@every_loss
@every_regularizer
def test_the_sign(problem, loss, regularizer):
    """A small step against the gradient lowers the value by eta |g|^2, one along it raises it."""
    objective = problem(loss, regularizer, badly_scaled=False)
    params = np.random.RandomState(0).standard_normal(objective.shape)
    optimizer = GradientDescent(learning_rate=1e-6)
    result = optimizer.minimize(objective, params, max_iter=1, tol=0)
    value, gradient = objective.value_and_gradient(params)
    gain = 1e-6 * np.square(gradient).sum()
    assert result.history[0] - result.history[1] == pytest.approx(gain, rel=1e-3)
    uphill = objective.value(params + 1e-6 * gradient)  # the slides' +=
    assert uphill - value == pytest.approx(gain, rel=1e-3)


@every_loss
@every_regularizer
@pytest.mark.parametrize(
    "rate", [0.02, InverseDecay(0.05, power=0.5), CosineDecay(0.05, n_iter=8)], ids=repr
)
def test_it_is_the_lectures_loop(problem, loss, regularizer, rate):
    objective = problem(loss, regularizer, badly_scaled=False)
    params, values = np.zeros(objective.shape), [objective.value(np.zeros(objective.shape))]
    for t in range(10):
        eta = rate if isinstance(rate, float) else rate.rate(t)
        params = params - eta * objective.value_and_gradient(params)[1]
        values.append(objective.value(params))
    steps = []
    GradientDescent(rate).minimize(
        objective, max_iter=10, tol=0, callback=lambda n_iter, step: steps.append(step)
    )
    np.testing.assert_allclose([step.value for step in steps], values, rtol=1e-12)
    np.testing.assert_allclose(steps[-1].params, params, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("rate", [None, 0.02, InverseDecay(0.05)], ids=repr)
@pytest.mark.parametrize("loss", [CrossEntropy(), WestonWatkins("squared_hinge")], ids=repr)
def test_the_numerical_gradient_goes_the_same_way(problem, loss, rate):
    """Differences of step h = 1e-5 have an error of h^2, and of the rounding by h, each 1e-10."""
    objective = problem(loss, badly_scaled=False)
    runs = [
        GradientDescent(rate, gradient).minimize(objective, max_iter=15, tol=0)
        for gradient in ("analytic", "numerical")
    ]
    np.testing.assert_allclose(runs[1].params, runs[0].params, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(runs[1].history, runs[0].history, rtol=1e-8)
    assert not np.array_equal(runs[0].params, runs[1].params)


def test_the_numerical_gradient_costs_two_values_a_weight(problem):
    passes = []
    for gradient in ("analytic", "numerical"):
        objective = problem(alpha=0.0)
        GradientDescent(0.02, gradient).minimize(objective, max_iter=5, tol=0)
        passes.append(objective.samples.n_passes)
    # The value of the start and of each iterate; a gradient from differences or from one pass.
    # (Which iterates are certified, too, does not count: alpha is zero.)
    n_weights = np.prod(objective.shape)
    assert passes[1] - 5 * 2 * n_weights <= passes[0] <= 6 + 6
    assert passes[1] >= 6 + 5 * 2 * n_weights


@pytest.mark.parametrize(
    ("loss", "regularizer"),
    [(WestonWatkins(), L2()), (WestonWatkins(), L1()), (CrossEntropy(), L1())],
    ids=repr,
)
def test_a_subgradient_comes_near_the_minimum_as_its_rate_falls(problem, loss, regularizer):
    """Of a hinge a constant rate stays far off, since its gradients do not shrink."""
    objective = problem(loss, regularizer, alpha=0.1, badly_scaled=False)
    exact = choose(objective).minimize(objective, tol=1e-3, max_iter=20_000)
    assert exact.converged
    options = dict(max_iter=1000, tol=0)
    falling = GradientDescent(InverseDecay(0.5, decay=0.1, power=0.75)).minimize(
        objective, **options
    )
    constant = GradientDescent(0.5).minimize(objective, **options)
    start = falling.history[0] - exact.value
    assert -exact.gap <= falling.value - exact.value <= 0.01 * start
    late = np.array(constant.history[500:]) - exact.value
    assert loss.smooth or late.mean() > 3 * (np.array(falling.history[500:]) - exact.value).mean()


def test_the_line_search_goes_down_and_crosses_few_valleys(problem):
    """Two steps meet nearly at a right angle, the sign of a searched step (exactly if exact)."""
    objective = problem()
    steps = []
    GradientDescent().minimize(
        objective, max_iter=20, tol=0, callback=lambda n_iter, step: steps.append(step)
    )
    values = [step.value for step in steps]
    assert all(b < a for a, b in itertools.pairwise(values))
    slopes = [objective.value_and_gradient(step.params)[1] for step in steps]
    for (a, b), slope in zip(itertools.pairwise(steps), slopes[1:], strict=True):
        before = objective.value_and_gradient(a.params)[1]
        # Half of the slope along the line may be left.
        assert abs((slope * before).sum()) <= 0.5 * np.square(before).sum() * (1 + 1e-9)
        np.testing.assert_allclose(
            (a.params - b.params) / np.linalg.norm(a.params - b.params),
            before / np.linalg.norm(before),
            atol=1e-6,
        )


def test_a_line_search_costs_two_passes_an_iteration(problem):
    objective = problem()
    result = GradientDescent().minimize(objective, max_iter=20, tol=0)
    assert objective.samples.n_passes <= 2 * result.n_iter + 4


def test_divergence_is_told_and_the_best_kept(problem):
    objective = problem(WestonWatkins("squared_hinge"))
    with np.errstate(over="ignore", invalid="ignore"):
        result = GradientDescent(learning_rate=1.0).minimize(objective, max_iter=2000, tol=0)
    assert result.status == "diverged"
    assert "GradientDescent diverged" in result.message
    assert "lower the learning rate" in result.message
    assert result.n_iter < 2000
    assert np.isfinite(result.value)
    assert np.isfinite(result.params).all()
    assert objective.value(result.params) == result.value == np.nanmin(result.history)


def test_a_rate_diverges_beyond_two_by_the_curvature_and_converges_below(problem):
    """About the minimum, where the curvature is that of the second derivative there."""
    objective = problem(alpha=1.0, badly_scaled=False)
    result = ProximalGradient().minimize(objective, tol=1e-12)
    curvature = np.linalg.eigvalsh(objective.evaluate(result.params).hessian())[-1]
    start = result.params + 1e-3 * np.eye(3, 6)
    met = []
    for share, nearer in ((0.95, True), (1.05, False)):
        met.clear()
        GradientDescent(share * 2 / curvature).minimize(
            objective, start, max_iter=60, tol=0, callback=lambda n, step: met.append(step.params)
        )
        distance = [np.linalg.norm((params - result.params)[:, :-1]) for params in met]
        assert (distance[-1] < distance[10]) == nearer


@pytest.mark.parametrize("gradient", ["exact", None, 1])
def test_a_bad_gradient_is_named(problem, gradient):
    with pytest.raises(ValueError, match=r"\Agradient must be one of 'analytic', 'numerical'"):
        GradientDescent(gradient=gradient).minimize(problem())


class Upside(CrossEntropy):
    """A loss whose slope has the wrong sign."""

    def value_and_gradient(self, scores, y, out=None):
        value, gradient = super().value_and_gradient(scores, y)
        return value, -gradient


def test_where_no_step_improves_the_search_ends_and_keeps_what_it_has(problem):
    objective = problem(Upside(), L2())
    start = np.random.default_rng(0).standard_normal(objective.shape)
    end = GradientDescent().minimize(objective, start)
    assert (end.status, end.n_iter) == ("exhausted", 0)
    assert end.message == "No step along the slope improves."
    np.testing.assert_array_equal(end.params, start)
    assert end.value == objective.value(start)


@pytest.mark.parametrize("seed", range(8))
def test_the_search_goes_on_to_nearly_all_digits(seed):
    """Carried along hundreds of lines, the scores' rounding exceeded what a step gains."""
    rng = np.random.RandomState(seed)
    samples = Samples(rng.rand(15, 10), rng.randint(0, 3, 15), 3)
    objective = Objective(samples, CrossEntropy(), L2(), 0.1)
    result = GradientDescent().minimize(objective, tol=1e-12, max_iter=20_000)
    assert result.converged


def test_a_search_begins_with_the_last_step(problem, monkeypatch):
    """The first of all is tried with a step of one, each other with that of the one before."""
    first, search = [], _gradient.line_search

    def watched(point, direction, step=None):
        new = search(point, direction, step)
        first.append((step, new.params - point.params, direction))
        return new

    monkeypatch.setattr(_gradient, "line_search", watched)
    GradientDescent().minimize(problem(), tol=0, max_iter=5)
    assert first[0][0] == 1
    for (_, step, direction), (tried, _, _) in itertools.pairwise(first):
        np.testing.assert_allclose(tried * direction, step, rtol=1e-9, atol=1e-12)
