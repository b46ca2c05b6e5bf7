"""What "auto" stands for: the documented table, on both sides of each of its edges."""

from types import SimpleNamespace

import numpy as np
import pytest

from sklin.losses import CrossEntropy, WestonWatkins
from sklin.optimizers import ADMM, LBFGS, Newton, ProximalGradient, ProximalNewton, choose
from sklin.regularizers import L1, L2, GroupL2


class Ridges(L2):
    """A smooth penalty that is no multiple of the squared norm."""

    isotropic = False


def problem(
    loss, n, p, k=2, fit_intercept=False, regularizer=None, is_wide=False, is_dense=True, alpha=1.0
):
    """What is looked at: n samples, p parameters in k classes."""
    samples = SimpleNamespace(
        y=np.zeros(n, dtype=int), fit_intercept=fit_intercept, is_dense=is_dense
    )
    return SimpleNamespace(
        loss=loss,
        regularizer=regularizer or L2(),
        samples=samples,
        shape=(k, p // k),
        alpha=alpha,
        is_wide=is_wide,
    )


def most(p, work):
    """The most samples whose Newton steps of p parameters take less than some multiplications."""
    return int((work - p**3 / 3) / p**2)


KINKED, SQUARED, SOFTMAX = WestonWatkins(), WestonWatkins("squared_hinge"), CrossEntropy()
SMOOTH = [SOFTMAX, SQUARED]


@pytest.mark.parametrize("loss", [*SMOOTH, KINKED], ids=repr)
@pytest.mark.parametrize("p", [10, 100, 500])
def test_where_a_step_costs_little_it_is_newtons(loss, p):
    n = most(p, 5e7)
    assert repr(choose(problem(loss, n, p))) == repr(Newton())
    expected = Newton(warm_up=30) if loss.smooth else ADMM()
    assert repr(choose(problem(loss, n + 1, p))) == repr(expected)


@pytest.mark.parametrize("loss", SMOOTH, ids=repr)
def test_smooth_losses_are_warmed_up_and_factored_up_to_a_thousand_parameters(loss):
    for n in (100, 100_000):
        assert repr(choose(problem(loss, n, 1000))) == repr(Newton(warm_up=30))
        assert repr(choose(problem(loss, n, 1002))) == repr(Newton(warm_up=100, max_direct=0))


# What the alternating direction method cannot serve, or not soon.
ROUNDED = [dict(is_dense=False), dict(alpha=0.0), dict(regularizer=Ridges())]


@pytest.mark.parametrize("options", ROUNDED, ids=str)
def test_rounded_hinges_leave_moderate_steps_to_newton_and_larger_ones_to_lbfgs(options):
    n = most(300, 2e9)
    assert repr(choose(problem(KINKED, n, 300, **options))) == repr(Newton())
    assert repr(choose(problem(KINKED, n + 1, 300, **options))) == repr(LBFGS())
    assert repr(choose(problem(KINKED, 100, 1002, **options))) == repr(LBFGS())


@pytest.mark.parametrize("is_wide, is_dense", [(False, True), (True, True), (True, False)])
def test_hinges_that_need_no_rounding_alternate(is_wide, is_dense):
    options = dict(is_wide=is_wide, is_dense=is_dense)
    for n in (most(1000, 5e7) + 1, 100_000):
        assert repr(choose(problem(KINKED, max(n, 1002), 1000, **options))) == repr(ADMM())
    assert repr(choose(problem(KINKED, 2_000, 100_000, **options))) == repr(ADMM())


@pytest.mark.parametrize("loss", [*SMOOTH, KINKED], ids=repr)
def test_second_derivatives_that_take_too_much_memory_are_not_assembled(loss):
    """2^25 numbers for n samples of K classes, K^2 each."""
    k, p = 64, 128
    n = 2**25 // k**2
    factored = Newton(warm_up=30) if loss.smooth else Newton()
    products = Newton(warm_up=100, max_direct=0) if loss.smooth else LBFGS()
    for m, expected in ((n, factored), (n + 1, products)):
        assert repr(choose(problem(loss, m, p, k, is_dense=False))) == repr(expected)


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_features_that_outnumber_the_samples_count_as_many_as_these(fit_intercept):
    """In coordinates of the samples' span, and the intercept."""
    width = 40 + fit_intercept
    wide = problem(SOFTMAX, 40, 2 * 10_000, 2, fit_intercept, is_wide=True)
    assert repr(choose(wide)) == repr(choose(problem(SOFTMAX, 40, 2 * width, 2, fit_intercept)))
    assert repr(choose(wide)) == repr(Newton())
    # At the edge of a thousand parameters a column more or less decides.
    for k, direct in ((10, True), (11, False)):
        n = 1000 // 10 - fit_intercept
        wide = problem(SOFTMAX, n, k * 10_000, k, fit_intercept, is_wide=True)
        assert (choose(wide).max_direct > 0) == direct


def test_kinks_of_the_penalty_choose_by_its_prox():
    assert repr(choose(problem(SOFTMAX, 100, 10, regularizer=L1()))) == repr(ProximalNewton())
    assert repr(choose(problem(KINKED, 100, 10, regularizer=L1()))) == repr(ProximalGradient())
    grouped = problem(SOFTMAX, 100, 10, regularizer=GroupL2())
    assert repr(choose(grouped)) == repr(ProximalGradient())
