"""The loop by itself, on optimizers that follow a script: what stops it, what it keeps and says."""

import math
import re

import numpy as np
import pytest

from sklin.losses import Loss
from sklin.optimizers import LBFGS, SGD, Optimizer, Step
from sklin.regularizers import MaxNorm

HERE = np.ones((1, 1))


class Scripted(Optimizer):
    """Yields given values; the parameters count them."""

    def __init__(self, values=(), stochastic=False, batches=False, patience=1):
        self.values = values
        self.stochastic = stochastic
        self.batches = batches
        self.patience = patience

    @property
    def is_stochastic(self):
        return self.stochastic

    @property
    def uses_batches(self):
        return self.batches

    @property
    def n_iter_no_change(self):
        return self.patience

    def steps(self, objective, params, tol, rng):
        for i, value in enumerate(self.values):
            if value is KeyboardInterrupt:
                raise KeyboardInterrupt
            yield value if isinstance(value, Step) else Step(np.full((1, 1), float(i)), value)


@pytest.fixture
def run(problem):
    def run(values, stochastic=False, batches=False, patience=1, **options):
        optimizer = Scripted(values, stochastic, batches, patience)
        return optimizer.minimize(problem(), **options)

    return run


STATUSES = [
    ("converged", [4.0, 2.0, 2.0], dict(tol=1e-3), "changes by less than tol=0.001"),
    ("converged", [Step(HERE, 2.0, 1.0), Step(HERE, 2.0, 1e-4)], dict(tol=1e-3), "proven gap"),
    ("target", [4.0, 3.0, 2.0, 1.0], dict(target=2.5, tol=0), "at most 2.5"),
    ("callback", [4.0, 3.0], dict(callback=lambda n_iter, step: n_iter == 1), "callback"),
    ("max_iter", [4.0, 3.0, 2.0, 1.0], dict(max_iter=2, tol=0), "max_iter=2"),
    ("exhausted", [4.0, Step(HERE, 4.0, done="Nothing gained.")], {}, r"\ANothing gained\.\Z"),
    ("exhausted", [4.0, 3.0], dict(tol=0), "Scripted made no further step"),
    ("exhausted", [], {}, "Scripted made no further step"),
    ("diverged", [4.0, math.inf], {}, "Scripted diverged: the objective is inf.*learning rate"),
    ("diverged", [4.0, math.nan], {}, "Scripted diverged: the objective is nan"),
    ("interrupted", [4.0, KeyboardInterrupt], {}, "Interrupted"),
]


@pytest.mark.parametrize(("status", "values", "options", "message"), STATUSES)
def test_status_and_message_say_why_it_stopped(run, status, values, options, message):
    result = run(values, **options)
    assert result.status == status
    assert re.search(message, result.message)
    assert result.message[0].isupper() and result.message.endswith(".")
    assert result.converged == (status in ("converged", "target"))
    assert len(result.history) == (result.n_iter + 1 if values else 0)


def test_a_target_stops_at_the_first_value_that_is_good_enough(run):
    result = run([4.0, 3.0, 2.0, 1.0], target=3.0, tol=0)
    assert (result.n_iter, result.value, result.params[0, 0]) == (1, 3.0, 1.0)
    assert run([4.0, 3.0], target=5.0).n_iter == 0  # the start may be
    assert run([4.0, 3.0, 2.0], target=-1.0, tol=0).status == "exhausted"


def test_the_loop_stops_on_a_small_change(run):
    result = run([4.0, 2.0, 1.99999, 0.0], tol=1e-3)
    assert (result.converged, result.n_iter, result.value) == (True, 2, 1.99999)
    result = run([4.0, 2.0, 3.0, 1.9999, 1.0], stochastic=True, patience=2, tol=1e-3)
    assert (result.converged, result.n_iter) == (True, 3)


@pytest.mark.parametrize("stochastic", [True, False])
@pytest.mark.parametrize("patience", [1, 2, 5])
def test_it_settles_after_as_many_quiet_iterations_as_it_bears(run, patience, stochastic):
    values = [4.0, 3.0, 3.0, 2.0, *[2.0] * 10]
    result = run(values, stochastic, patience=patience, tol=1e-3)
    assert (result.status, result.n_iter) == ("converged", 2 if patience == 1 else 3 + patience)


@pytest.mark.parametrize("stochastic", [True, False])
def test_without_a_number_of_quiet_iterations_it_never_settles(run, stochastic):
    result = run([1.0] * 200, stochastic, patience=None, tol=0.5, max_iter=150)
    assert (result.status, result.n_iter) == ("max_iter", 150)


def test_the_loop_stops_on_a_proven_gap_only_when_one_is_proven(run):
    params = np.ones((1, 1))
    values = [Step(params, 2.0, 1.0), Step(params, 2.0, 0.9), Step(params, 1.9, 1e-5)]
    result = run([*values, Step(params, 0.0, 0.0)], tol=1e-4)
    assert (result.converged, result.n_iter) == (True, 2)
    assert result.gap == pytest.approx(1e-5)


def test_the_gap_is_that_of_the_value_returned(run):
    """A bound proven at a worse point counts for the best one; none is claimed beyond the best."""
    result = run([Step(HERE, 2.0, 0.5), Step(HERE, 3.0, 1.2)], tol=0)
    assert (result.value, result.gap) == (2.0, pytest.approx(0.2))
    result = run([Step(HERE, 2.0, 0.5), Step(HERE, 1.8, math.inf)], tol=0)
    assert result.value == 1.8
    assert result.value - result.gap <= 1.5 + 1e-12
    assert run([2.0, 1.0], tol=0).gap == math.inf


def test_the_loop_stops_after_max_iter_and_keeps_the_best(run):
    result = run([3.0, 1.0, 2.0, 5.0, 4.0], max_iter=3, tol=0)
    assert (result.converged, result.n_iter, result.value) == (False, 3, 1.0)
    assert result.params[0, 0] == 1.0
    assert "max_iter=3" in result.message
    assert result.history == [3.0, 1.0, 2.0, 5.0]


def test_of_mini_batches_the_latest_is_kept_not_the_luckiest(run):
    result = run([3.0, 1.0, 2.0], stochastic=True, batches=True, tol=0)
    assert (result.value, result.params[0, 0]) == (2.0, 2.0)


def test_the_loop_keeps_the_best_weights_when_interrupted(run):
    result = run([3.0, 1.0, 2.0, KeyboardInterrupt], tol=0)
    assert (result.converged, result.value, result.params[0, 0]) == (False, 1.0, 1.0)
    assert result.message == "Interrupted."


def test_an_interrupt_in_a_callback_is_one(run):
    def callback(n_iter, step):
        raise KeyboardInterrupt

    result = run([3.0, 1.0], callback=callback)
    assert (result.status, result.value) == ("interrupted", 3.0)


def test_the_loop_stops_when_the_callback_says_so(run):
    seen = []

    def callback(n_iter, step):
        seen.append((n_iter, step.value))
        return n_iter == 1

    result = run([3.0, 2.0, 1.0], callback=callback, tol=0)
    assert seen == [(0, 3.0), (1, 2.0)]
    assert (result.converged, result.value) == (False, 2.0)
    assert "callback" in result.message


def test_the_best_before_divergence_is_kept(run):
    result = run([3.0, 1.0, 2.0, math.nan], tol=0)
    assert (result.value, result.params[0, 0]) == (1.0, 1.0)


def test_the_optimizer_is_told_when_the_run_is_over(problem):
    closed = []

    class Holding(Optimizer):
        def steps(self, objective, params, tol, rng):
            try:
                while True:
                    yield Step(params, 1.0)
            finally:
                closed.append(True)

    Holding().minimize(problem(), max_iter=3)
    with pytest.raises(ZeroDivisionError):
        Holding().minimize(problem(), callback=lambda n_iter, step: 1 / 0)
    assert closed == [True, True]


class Standing(Optimizer):
    """Stays at the start."""

    def steps(self, objective, params, tol, rng):
        while True:
            yield Step(params, objective.value(params))


def test_a_start_outside_of_a_constraint_is_projected(problem):
    objective = problem(regularizer=MaxNorm(0.5))
    start = np.arange(float(np.prod(objective.shape))).reshape(objective.shape)
    kept = start.copy()
    assert objective.value(start) == math.inf
    result = Standing().minimize(objective, start)
    np.testing.assert_array_equal(start, kept)
    np.testing.assert_array_equal(result.params, objective.feasible(start))
    np.testing.assert_allclose(np.linalg.norm(result.params[:, :-1], axis=1), 0.5)
    np.testing.assert_array_equal(result.params[:, -1], start[:, -1])
    assert np.isfinite(result.history).all()
    inside = 1e-3 * start
    np.testing.assert_array_equal(Standing().minimize(objective, inside).params, inside)


def test_the_start_is_zero_unless_given_and_of_any_array_like(problem):
    objective = problem()
    np.testing.assert_array_equal(Standing().minimize(objective).params, 0)
    start = np.full(objective.shape, 2, dtype=np.int8)
    np.testing.assert_array_equal(Standing().minimize(objective, start.tolist()).params, 2.0)


def test_randomness_is_that_of_random_state(problem):
    drawn = []

    class Drawing(Optimizer):
        def steps(self, objective, params, tol, rng):
            drawn.append(rng.randint(1_000_000))
            yield Step(params, 1.0)

    rng = np.random.RandomState(7)
    for random_state in (7, rng, rng, 7):
        Drawing().minimize(problem(), random_state=random_state)
    assert drawn[0] == drawn[1] == drawn[3] != drawn[2]


def test_minimize_changes_neither_start_nor_optimizer(problem):
    objective = problem()
    start = np.full(objective.shape, 0.1)
    optimizer = SGD()
    optimizer.minimize(objective, start, max_iter=2, tol=0)
    assert (start == 0.1).all()
    assert vars(optimizer) == vars(SGD())


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("max_iter", 0, ValueError),
        ("max_iter", 2.5, TypeError),
        ("tol", -1e-3, ValueError),
        ("tol", "small", TypeError),
        ("target", math.nan, ValueError),
        ("target", "low", TypeError),
    ],
)
def test_bad_options_are_named(problem, name, value, error):
    with pytest.raises(error, match=f"{name} must be"):
        LBFGS().minimize(problem(), **{name: value})


def test_an_optimizer_may_return_any_iterator_even_an_empty_one(problem):
    class Listed(Optimizer):
        def __init__(self, values=()):
            self.values = values

        def steps(self, objective, params, tol, rng):
            return [Step(params, value) for value in self.values]

    objective = problem()
    result = Listed([3.0, 2.0]).minimize(objective, tol=0)
    assert (result.status, result.value, result.n_iter) == ("exhausted", 2.0, 1)
    result = Listed().minimize(objective)
    assert (result.status, result.n_iter) == ("exhausted", 0)
    assert (result.params == 0).all()


def test_what_a_stranger_forgot_is_named(problem):
    class Idle(Optimizer):
        pass

    class Mute(Loss):
        pass

    with pytest.raises(NotImplementedError, match="Idle gives no steps"):
        Idle().minimize(problem())
    with pytest.raises(NotImplementedError, match="Mute gives no value_and_gradient"):
        SGD().minimize(problem(Mute()))
