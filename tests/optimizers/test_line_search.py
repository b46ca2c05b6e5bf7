"""The line search on lines whose lowest point is known."""

from types import SimpleNamespace

import numpy as np
import pytest

from sklin.optimizers._line_search import line_search


def line(f, slope, noise=0.0):
    """A point at t = 0 of a line, and the steps that were tried along it."""
    tried = []

    def along(t):
        tried.append(t)
        return SimpleNamespace(t=t, value=f(t)), slope(t)

    point = SimpleNamespace(
        value=f(0.0), noise=noise, gradient=np.array([slope(0.0)]), along=lambda direction: along
    )
    return point, tried


def search(f, slope, *args, noise=0.0, **kwargs):
    point, tried = line(f, slope, noise)
    return line_search(point, np.array([1.0]), *args, **kwargs), tried


def parabola(lowest):
    return lambda t: (t - lowest) ** 2, lambda t: 2 * (t - lowest)


def test_the_first_step_that_serves_is_taken():
    found, tried = search(*parabola(1.0))
    assert found.t == 1.0 and tried == [1.0]
    found, tried = search(*parabola(1.0), 1.5)  # half the slope is left, just
    assert found.t == 1.5 and tried == [1.5]
    found, tried = search(*parabola(1.0), 0.5)
    assert found.t == 0.5 and tried == [0.5]


def test_short_steps_grow_fourfold_and_the_secant_closes_in():
    found, tried = search(*parabola(10.0), ratio=0.1)
    assert tried[:3] == [1.0, 4.0, 16.0]
    assert found.t == pytest.approx(10.0) and len(tried) == 4  # of a parabola the secant knows all


@pytest.mark.parametrize(
    "power, lowest", [(2, 1e-6), (2, 0.03), (2, 5.0), (2, 1e4), (4, 0.03), (4, 0.7), (4, 1e4)]
)
def test_few_tries_find_the_valley_however_far(lowest, power):
    found, tried = search(
        lambda t: abs(t / lowest - 1) ** power,
        lambda t: power / lowest * np.sign(t / lowest - 1) * abs(t / lowest - 1) ** (power - 1),
        ratio=0.1,
    )
    assert found.value < 1
    assert abs(found.t / lowest - 1) ** (power - 1) <= 0.1 * (1 + 1e-9)
    assert len(tried) <= 30


def test_a_far_side_that_is_gentle_and_higher_is_not_served():
    """Steep down to t = 0.1, and gently up from there: the slope alone would end beyond."""
    found, _ = search(
        lambda t: 10 * abs(t - 0.1) if t < 0.1 else 0.2 * (t - 0.1),
        lambda t: -10.0 if t < 0.1 else 0.2,
        100.0,
    )
    assert found.value <= 1.0  # that of the start


def test_one_end_that_stays_is_bisected():
    """Regula falsi alone creeps along a wall."""
    found, tried = search(
        lambda t: np.exp(50 * (t - 1)) - t, lambda t: 50 * np.exp(50 * (t - 1)) - 1, 1.0, ratio=0.1
    )
    assert found.t == pytest.approx(1 - np.log(50) / 50, abs=0.003)
    assert len(tried) <= 12


def test_steps_that_overflow_are_shortened():
    f, slope = parabola(1.0)
    for overflow in (np.inf, np.nan):
        found, tried = search(
            lambda t, o=overflow: f(t) if t < 2 else o,
            lambda t, o=overflow: slope(t) if t < 2 else o,
            64.0,
        )
        assert tried == [64.0, 32.0, 16.0, 8.0, 4.0, 2.0, 1.0] and found.t == 1.0
        # A value that overflows is refused though its slope were a number, and the reverse.
        found, _ = search(lambda t, o=overflow: f(t) if t < 2 else o, slope, 3.0)
        assert found.t < 2
        found, _ = search(f, lambda t, o=overflow: slope(t) if t < 1.2 else o, 1.4)
        assert found.t < 1.2


@pytest.mark.parametrize("slope", [0.0, 1e-12, 0.5, 3.0])
def test_nothing_is_tried_uphill(slope):
    found, tried = search(lambda t: slope * t, lambda t: slope)
    assert found is None and tried == []


def test_the_last_of_all_tries_is_taken_where_it_is_no_worse():
    f, slope = parabola(1e9)
    found, tried = search(f, slope, max_evaluations=3)
    assert len(tried) == 3 and found.t == tried[-1] == 16.0
    # Always beyond the valley, and higher: nothing serves.
    found, tried = search(*parabola(1e-9), max_evaluations=1)
    assert len(tried) == 1 and found is None


def test_values_may_rise_by_rounding_and_no_more():
    for rise, found_one in ((1e-9, True), (1e-6, False)):
        found, _ = search(
            lambda t, r=rise: 0.0 if t == 0 else r,
            lambda t: -1.0 if t == 0 else -0.9,
            noise=1e-8,
            max_evaluations=4,
        )
        assert (found is not None) == found_one
