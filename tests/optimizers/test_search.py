"""Random searches: the lecture's plain loops, evaluated many candidates at a time."""

import numpy as np
import pytest

from sklin.losses import CrossEntropy, WestonWatkins
from sklin.objective import Objective
from sklin.optimizers import RandomLocalSearch, RandomSearch
from sklin.regularizers import L1, MaxNorm

SEARCHES = [
    RandomSearch(scale=0.1),
    RandomLocalSearch(scale=0.03, start_scale=0.1),
    RandomLocalSearch(scale=0.03, start_scale=0.1, acceptance=0.3),
]
every_search = pytest.mark.parametrize("search", SEARCHES, ids=repr)


class Watched(Objective):
    """Writes down what is evaluated; ``at_once`` candidates in a product."""

    at_once = None

    def __init__(self, *args):
        super().__init__(*args)
        self.seen = []

    @property
    def n_at_once(self):
        return self.at_once or super().n_at_once

    def value(self, params, scores=None):
        value = super().value(params, scores)
        self.seen.append((params.copy(), value))
        return value


def watched(objective, at_once=None):
    new = Watched(objective.samples, objective.loss, objective.regularizer, objective.alpha)
    new.at_once = at_once
    return new


def random_search(objective, search, n_iter, rng):
    """The lecture's first strategy, as on its slide."""
    best = np.zeros(objective.shape)
    values = [objective.value(best)]
    for _ in range(n_iter):
        params = search.scale * rng.standard_normal(objective.shape)
        value = objective.value(params)
        if value < values[-1]:
            best = params
        values.append(min(value, values[-1]))
    return best, values


def random_local_search(objective, search, n_iter, rng):
    """The lecture's second strategy, with its optional acceptance of worse points."""
    chance = np.random.RandomState(rng.randint(2**31 - 1))
    params = search.start_scale * rng.standard_normal(objective.shape)
    value = objective.value(params)
    best, values, worse = params, [value], []
    for _ in range(n_iter):
        new = params + search.scale * rng.standard_normal(objective.shape)
        new_value = objective.value(new)
        better = new_value < value
        if not better and search.acceptance:
            worse.append(chance.uniform() < search.acceptance)
        if better or (worse and worse[-1] and search.acceptance):
            params, value = new, new_value
        if value < values[-1]:
            best = params
        values.append(min(value, values[-1]))
    return best, values


@pytest.mark.parametrize("search", [*SEARCHES, RandomLocalSearch(acceptance=1)], ids=repr)
@pytest.mark.parametrize(
    "parts", [{}, dict(loss=WestonWatkins(), regularizer=L1())], ids=["softmax l2", "hinge l1"]
)
def test_they_are_the_lectures_plain_loops(problem, search, parts):
    objective = problem(**parts)
    plain = random_search if isinstance(search, RandomSearch) else random_local_search
    params, values = plain(objective, search, 300, np.random.RandomState(3))
    result = search.minimize(objective, max_iter=300, random_state=3)
    np.testing.assert_allclose(result.history, values, rtol=1e-10)
    np.testing.assert_allclose(result.params, params, rtol=1e-10, atol=1e-14)
    assert result.value == pytest.approx(objective.value(result.params), rel=1e-10)
    assert result.status == "max_iter"


@every_search
def test_how_many_are_tried_at_once_changes_nothing(problem, search):
    runs = [
        search.minimize(watched(problem(), at_once), max_iter=100, random_state=0)
        for at_once in (1, 2, 7, None)
    ]
    for run in runs[1:]:
        np.testing.assert_allclose(run.history, runs[0].history, rtol=1e-10)
        np.testing.assert_allclose(run.params, runs[0].params, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_float32_and_sparse_samples_are_searched_alike(problem, fit_intercept):
    from scipy.sparse import csr_array

    search = SEARCHES[1]
    options = dict(badly_scaled=False, fit_intercept=fit_intercept)
    values = [
        search.minimize(problem(**options, **kind), max_iter=60, random_state=0).history
        for kind in (dict(), dict(to=csr_array), dict(dtype=np.float32))
    ]
    np.testing.assert_allclose(values[1], values[0], rtol=1e-10)
    np.testing.assert_allclose(values[2], values[0], rtol=1e-4)


def test_acceptance_of_one_is_a_random_walk(problem):
    search = RandomLocalSearch(scale=0.03, start_scale=0.1, acceptance=1)
    objective = watched(problem(), at_once=20)
    result = search.minimize(objective, max_iter=60, random_state=5)
    rng = np.random.RandomState(5)
    rng.randint(2**31 - 1)
    path = np.cumsum(
        [s * rng.standard_normal(objective.shape) for s in (0.1, *[0.03] * 60)], axis=0
    )
    np.testing.assert_allclose([p for p, _ in objective.seen], path, atol=1e-12)
    values = [value for _, value in objective.seen]
    assert (np.diff(values) > 0).any()
    assert result.value == min(values)
    np.testing.assert_allclose(result.params, path[np.argmin(values)], atol=1e-12)


def test_acceptance_of_zero_never_goes_up(problem):
    """Every try is a step from the lowest point so far."""
    search = RandomLocalSearch(scale=0.03, start_scale=0.1)
    objective = watched(problem(), at_once=20)
    search.minimize(objective, max_iter=60, random_state=5)
    rng = np.random.RandomState(5)
    rng.randint(2**31 - 1)
    here, lowest = objective.seen[0]
    np.testing.assert_allclose(here, 0.1 * rng.standard_normal(objective.shape))
    for new, value in objective.seen[1:]:
        np.testing.assert_allclose(new - here, 0.03 * rng.standard_normal(new.shape), atol=1e-12)
        if value < lowest:
            here, lowest = new, value


def test_acceptance_is_the_share_of_worse_points_that_are_taken(problem):
    search = RandomLocalSearch(scale=0.1, acceptance=0.3)
    objective = watched(problem(), at_once=100)
    search.minimize(objective, max_iter=2000, random_state=0)
    (here, lowest), taken = objective.seen[0], []
    for (new, value), (after, _) in zip(objective.seen[1:-1], objective.seen[2:], strict=True):
        # Steps of eighteen numbers have nearly one length: the base of the next one tells.
        stays = np.linalg.norm(after - here) < np.linalg.norm(after - new)
        if value >= lowest:
            taken.append(not stays)
        if not stays:
            here, lowest = new, value
    assert len(taken) > 1000
    assert abs(np.mean(taken) - 0.3) < 4 * np.sqrt(0.3 * 0.7 / len(taken))


@every_search
def test_the_best_is_kept(problem, search):
    objective = watched(problem(), at_once=10)
    result = search.minimize(objective, max_iter=200, random_state=1)
    assert np.diff(result.history).max() <= 0
    assert result.value == result.history[-1] == min(value for _, value in objective.seen[:201])
    # Not as a view that would hold all the candidates it was tried with.
    assert result.params.base is None or result.params.base.size == result.params.size


@every_search
def test_they_are_reproducible(problem, search):
    runs = [search.minimize(problem(), max_iter=50, random_state=seed) for seed in (0, 0, 1)]
    assert runs[0].history == runs[1].history != runs[2].history


@pytest.mark.parametrize("at_once", [1, 5])
@every_search
def test_products_are_counted_by_candidates(problem, search, at_once):
    objective = watched(problem(), at_once)
    search.minimize(objective, max_iter=20, random_state=0)
    # One for the start; a local search computes the scores of the point it stands on anew with
    # each group of tries.
    again = 0 if isinstance(search, RandomSearch) else 20 // at_once
    assert objective.samples.n_passes == 1 + 20 + again


@every_search
def test_patience_ends_a_search_that_gains_nothing(problem, search):
    search = type(search)(**{**search.get_params(), "patience": 15})
    result = search.minimize(problem(), max_iter=5000, tol=1e-3, random_state=0)
    assert result.status == "converged"
    values = np.array(result.history)
    quiet = values[:-1] - values[1:] <= 1e-3 * values[1:]
    assert quiet[-15:].all()
    longest = max(map(len, "".join("x" if q else " " for q in quiet[:-1]).split()), default=0)
    assert longest < 15


@every_search
def test_without_patience_only_the_limit_or_the_target_ends_it(problem, search):
    still = type(search)(**{**search.get_params(), "scale": 0.0})
    result = still.minimize(problem(), max_iter=300, tol=0.5, random_state=0)
    assert (result.status, result.n_iter) == ("max_iter", 300)
    start = result.history[0]
    result = search.minimize(problem(), max_iter=3000, target=0.97 * start, random_state=0)
    assert result.status == "target"
    assert result.history[-1] <= 0.97 * start < result.history[-2]


@pytest.mark.parametrize("acceptance", [None, 0.0, 0.5, 1.0])
def test_a_constraint_is_kept(problem, acceptance):
    objective = watched(problem(regularizer=MaxNorm(0.3)), at_once=10)
    search = RandomSearch(scale=0.02)
    if acceptance is not None:
        search = RandomLocalSearch(scale=0.05, start_scale=1.0, acceptance=acceptance)
    steps = []
    result = search.minimize(
        objective,
        np.ones(objective.shape),
        max_iter=300,
        random_state=0,
        callback=lambda n_iter, step: steps.append(step),
    )
    for step in steps:
        assert np.linalg.norm(step.params[:, :-1], axis=1).max() <= 0.3 * (1 + 1e-12)
    assert np.isfinite(result.history).all()
    outside = np.isinf([value for _, value in objective.seen])
    assert 0 < outside.sum() < 0.95 * len(outside)  # a walk that left would not come back
    assert result.value < result.history[0]


@pytest.mark.parametrize("n_samples, n_features", [(10, 40_000), (20_000, 3), (300, 300), (5, 2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_candidates_tried_at_once_fit_in_memory(n_samples, n_features, dtype):
    from sklin.objective import Samples
    from sklin.regularizers import L2

    X, y = np.zeros((n_samples, n_features), dtype), np.arange(n_samples) % 5
    objective = Objective(Samples(X, y, 5), CrossEntropy(), L2(), 0.1)
    scores = n_samples * 5 * X.itemsize
    candidate = 8 * np.prod(objective.shape)
    assert 4 <= objective.n_at_once <= 32
    assert objective.n_at_once * max(scores, candidate) <= 2**24


@pytest.mark.parametrize(
    ("search", "name"),
    [
        (RandomSearch(scale=-1), "scale"),
        (RandomSearch(patience=0), "patience"),
        (RandomSearch(patience=1.5), "patience"),
        (RandomLocalSearch(scale="1"), "scale"),
        (RandomLocalSearch(start_scale=-1), "start_scale"),
        (RandomLocalSearch(acceptance=1.1), "acceptance"),
        (RandomLocalSearch(acceptance=None), "acceptance"),
    ],
    ids=repr,
)
def test_bad_parameters_are_named(problem, search, name):
    with pytest.raises((ValueError, TypeError), match=rf"\A{name} must be"):
        search.minimize(problem())
