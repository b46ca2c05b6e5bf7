"""Schedules are their formulas, can be searched over, and count epochs whatever the batches are."""

import numpy as np
import pytest
from sklearn.base import clone

from sklin.optimizers import (
    SGD,
    AdaGrad,
    Adam,
    ConstantRate,
    CosineDecay,
    GradientDescent,
    InverseDecay,
    Schedule,
    StepDecay,
)

SCHEDULES = [
    ConstantRate(0.8),
    StepDecay(0.8, factor=0.5, every=4),
    StepDecay(0.8, factor=1, every=0.5),
    InverseDecay(0.8, decay=3, power=0.5),
    InverseDecay(0.8, decay=0),
    CosineDecay(0.8, n_iter=6, final=0.2),
    CosineDecay(0.8, n_iter=6),
]
BY_RATE = [GradientDescent, SGD, AdaGrad, Adam]
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
by_rate = pytest.mark.parametrize("kind", BY_RATE)


@pytest.mark.parametrize(
    ("schedule", "points"),
    [
        (SCHEDULES[0], {0: 0.8, 0.5: 0.8, 1e6: 0.8}),
        (SCHEDULES[1], {0: 0.8, 3.999: 0.8, 4: 0.4, 7.5: 0.4, 8: 0.2, 12: 0.1}),
        (SCHEDULES[3], {0: 0.8, 1: 0.4, 5: 0.2, 21: 0.1}),
        (InverseDecay(0.8, decay=1, power=2), {0: 0.8, 1: 0.2, 3: 0.05}),
        # A third, a half and two thirds of the way: the cosines are 1/2, 0 and -1/2.
        (SCHEDULES[5], {0: 0.8, 2: 0.65, 3: 0.5, 4: 0.35, 6: 0.2, 100: 0.2}),
        (SCHEDULES[6], {0: 0.8, 2: 0.6, 3: 0.4, 6: 0.0, 7: 0.0}),
    ],
    ids=repr,
)
def test_the_formulas_at_points_computed_by_hand(schedule, points):
    for t, rate in points.items():
        assert schedule.rate(t) == pytest.approx(rate, abs=1e-15)


@every_schedule
def test_a_rate_begins_at_its_parameter_and_only_falls(schedule):
    rates = [schedule.rate(t) for t in np.linspace(0, 20, 401)]
    assert rates[0] == pytest.approx(0.8)
    assert np.diff(rates).max() <= 1e-15
    assert min(rates) >= 0


def test_inverse_decay_meets_the_condition_of_robbins_and_monro():
    """Sums grow without end, about doubling with the logarithm; sums of squares do not."""
    rates = np.array([InverseDecay(1.0, decay=1.0).rate(t) for t in range(40_000)])
    assert rates.sum() - rates[:20_000].sum() == pytest.approx(np.log(2), rel=1e-3)
    assert np.square(rates).sum() == pytest.approx(np.pi**2 / 6, rel=1e-4)


@pytest.mark.parametrize(
    ("schedule", "name"),
    [
        (ConstantRate(0), "learning_rate"),
        (StepDecay(-1), "learning_rate"),
        (InverseDecay(float("nan")), "learning_rate"),
        (CosineDecay(float("inf")), "learning_rate"),
        (ConstantRate("0.1"), "learning_rate"),
        (ConstantRate(True), "learning_rate"),
        (StepDecay(factor=0), "factor"),
        (StepDecay(factor=1.1), "factor"),
        (StepDecay(every=0), "every"),
        (InverseDecay(decay=-1), "decay"),
        (InverseDecay(power=-0.5), "power"),
        (CosineDecay(n_iter=0), "n_iter"),
        (CosineDecay(final=-1), "final"),
    ],
    ids=repr,
)
@by_rate
def test_bad_parameters_are_named(problem, kind, schedule, name):
    with pytest.raises((ValueError, TypeError), match=rf"\A{name} must be"):
        kind(learning_rate=schedule).minimize(problem())


@pytest.mark.parametrize("rate", ["fast", True, [0.1], StepDecay, 1j], ids=repr)
@by_rate
def test_what_is_no_learning_rate_is_refused(problem, kind, rate):
    with pytest.raises(TypeError, match=r"learning_rate must be a number.* or a schedule.*got"):
        kind(learning_rate=rate).minimize(problem())
    if kind is not GradientDescent:  # where it asks for a line search
        with pytest.raises(TypeError, match="got None"):
            kind(learning_rate=None).minimize(problem())


@pytest.mark.parametrize("number", [0.01, np.float32(0.01), 1], ids=repr)
@by_rate
def test_a_number_stands_for_a_constant_rate(problem, kind, number):
    options = dict(max_iter=3, tol=0, random_state=0)
    runs = [kind(rate).minimize(problem(), **options) for rate in (number, ConstantRate(number))]
    np.testing.assert_array_equal(runs[0].params, runs[1].params)
    assert runs[0].history == runs[1].history


@every_schedule
@by_rate
def test_a_schedule_can_be_searched_over(problem, kind, schedule):
    optimizer = kind(learning_rate=schedule)
    names = {f"learning_rate__{name}" for name in schedule.get_params()}
    assert names <= optimizer.get_params(deep=True).keys()
    copy = clone(optimizer).set_params(learning_rate__learning_rate=0.5)
    assert copy.learning_rate.rate(0) == pytest.approx(0.5)
    assert schedule.rate(0) == pytest.approx(0.8)
    assert repr(schedule) in " ".join(repr(optimizer).split())


class Watched(Schedule):
    """A constant rate that writes down when it was asked for."""

    def __init__(self, learning_rate=1e-3):
        self.learning_rate = learning_rate
        self.times = []

    def rate(self, t):
        self.times.append(t)
        return self.learning_rate


@pytest.mark.parametrize("batch_size", [1, 16, 40, 79, 80, 1000])
@pytest.mark.parametrize("kind", [SGD, AdaGrad, Adam])
def test_time_is_counted_in_epochs_whatever_the_batch_size(problem, kind, batch_size):
    schedule = Watched()
    kind(schedule, batch_size=batch_size).minimize(problem(), max_iter=3, tol=0)
    n_batches = -(-80 // batch_size)
    expected = [epoch + i / n_batches for epoch in range(3) for i in range(n_batches)]
    np.testing.assert_allclose(schedule.times, expected, rtol=1e-12)


def test_time_is_counted_in_iterations_by_gradient_descent(problem):
    schedule = Watched()
    GradientDescent(schedule).minimize(problem(), max_iter=4, tol=0)
    assert schedule.times == [0, 1, 2, 3]


def test_a_decay_by_steps_is_a_rate_for_each_epoch(problem):
    """Two epochs under a schedule are an epoch at each of its rates, one after the other."""
    objective, optimizer = problem(), SGD(StepDecay(0.01, factor=0.1, every=1), batch_size=16)
    state, twin = (optimizer.begin(np.zeros(objective.shape)) for _ in range(2))
    for rate in (0.01, 0.001):
        batches = optimizer.batches(80)
        optimizer.epoch(objective, state, batches, None)
        SGD(rate, batch_size=16).epoch(objective, twin, batches, None)
    np.testing.assert_allclose(state.params, twin.params, rtol=1e-12)
