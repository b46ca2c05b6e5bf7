"""Every regularizer is held by the same laws; the lecture's numbers hold each formula."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklin.gradient_check import numerical_gradient
from sklin.regularizers import L1, L2, REGULARIZERS, ElasticNet

ALL = [L2(), L1(), *(ElasticNet(l1_ratio=ratio) for ratio in (0, 0.5, 0.8, 1))]

every_regularizer = pytest.mark.parametrize("regularizer", ALL, ids=repr)
step_sizes = pytest.mark.parametrize("step", [0.05, 1.0, 20.0])


def draw(seed, scale=1.0, shape=(3, 5)):
    return scale * np.random.RandomState(seed).standard_normal(shape)


def square(coef):
    return float((coef * coef).sum())


@pytest.mark.parametrize(
    "regularizer, strength, first, second",
    [
        (L2(), 1, 1, 0.25),
        (L1(), 1, 1, 1),
        (ElasticNet(l1_ratio=0.5), 2, 2, 1.25),
    ],
)
def test_lecture(regularizer, strength, first, second):
    """w1 = [1, 0, 0, 0] and w2 = [1/4] * 4 score alike; beta = 1 is l1_ratio 1/2 at twice alpha."""
    assert strength * regularizer.value(np.array([[1.0, 0, 0, 0]])) == first
    assert strength * regularizer.value(np.full((1, 4), 0.25)) == second


@pytest.mark.parametrize("ratio", [0.1, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("alpha", [0.3, 2.0])
def test_lambda_and_beta_of_the_lecture(ratio, alpha):
    coef = draw(0)
    lam, beta = alpha * ratio, (1 - ratio) / ratio
    lecture = lam * (beta * coef**2 + np.abs(coef)).sum()
    assert_allclose(alpha * ElasticNet(l1_ratio=ratio).value(coef), lecture)


@pytest.mark.parametrize("ratio, limit", [(0, L2()), (1, L1())])
def test_elastic_net_ends_in_l2_and_l1(ratio, limit):
    net, coef = ElasticNet(l1_ratio=ratio), draw(1)
    assert_allclose(net.value(coef), limit.value(coef))
    assert_allclose(net.gradient(coef), limit.gradient(coef))
    assert_allclose(net.prox(coef, 0.7), limit.prox(coef, 0.7))
    for dual in (draw(2), 0.1 * draw(2)):
        assert_allclose(net.conjugate(dual), limit.conjugate(dual))
        assert net.shrink(dual) == limit.shrink(dual)
    assert (net.smooth, net.curvature) == (limit.smooth, limit.curvature)


@every_regularizer
def test_gradient_is_the_slope(regularizer):
    coef = draw(3)
    kept = coef.copy()
    slope = numerical_gradient(regularizer.value, coef)
    assert_allclose(regularizer.gradient(coef), slope, rtol=1e-8, atol=1e-8)
    assert_array_equal(coef, kept)


@every_regularizer
def test_gradient_at_a_kink_is_a_subgradient(regularizer):
    coef = draw(4) * (draw(5) > 0)
    slope = regularizer.gradient(coef)
    for seed in range(50):
        other = draw(seed)
        bound = regularizer.value(coef) + (slope * (other - coef)).sum()
        assert regularizer.value(other) >= bound - 1e-12


@every_regularizer
def test_smooth_means_a_slope_of_zero_at_zero(regularizer):
    """Each is a sum of even functions of one weight: smooth there means flat there."""
    assert (regularizer.value(np.full((1, 1), 1e-9)) / 1e-9 < 1e-6) == regularizer.smooth


@every_regularizer
@step_sizes
def test_prox_three_point_inequality(regularizer, step):
    """R(p) + |p-v|^2/2s + |u-p|^2/2s <= R(u) + |u-v|^2/2s for every u holds of the prox alone."""
    for seed in range(5):
        v = draw(seed, 3.0)
        kept = v.copy()
        p = regularizer.prox(v, step)
        assert_array_equal(v, kept)
        left = regularizer.value(p) + square(p - v) / (2 * step)
        others = [u for k in range(10) for u in (draw(k, 2.0), p + draw(k, 1e-3))]
        for u in [*others, v, 0 * v, 2 * p]:
            right = regularizer.value(u) + square(u - v) / (2 * step)
            assert left + square(u - p) / (2 * step) <= right + 1e-11 * (1 + right)


@pytest.mark.parametrize("regularizer, threshold", [(L1(), 1), (ElasticNet(l1_ratio=0.8), 0.8)])
@step_sizes
def test_prox_makes_exact_zeros(regularizer, threshold, step):
    edge = step * threshold
    v = np.array([[edge, -edge, 0.99 * edge, -0.3 * edge, 0, 1.5 * edge, -1.5 * edge]])
    assert_array_equal(regularizer.prox(v, step) != 0, [[False] * 5 + [True] * 2])


@every_regularizer
def test_fenchel_young(regularizer):
    for seed in range(10):
        coef = draw(seed) * (draw(seed + 100) > -0.5)
        dual = regularizer.gradient(coef)
        conjugate = regularizer.conjugate(dual)
        assert_allclose(regularizer.value(coef) + conjugate, (dual * coef).sum(), rtol=1e-12)
        for size in (0.1, 1, 10, 1e3):
            other = draw(seed + 200, size)
            gain = (dual * other).sum() - regularizer.value(other)
            assert gain <= conjugate + 1e-12 * (1 + size**2)


@every_regularizer
def test_conjugate_is_the_supremum(regularizer):
    """One weight, on a grid; where the supremum is infinite it grows with the grid."""
    for dual in (-2.6, -0.9, 0.0, 0.4, 1.0, 1.7):
        weights = np.linspace(-5, 5, 1001)
        gain = np.max([dual * w - regularizer.value(np.array([[w]])) for w in weights])
        conjugate = regularizer.conjugate(np.array([[dual]]))
        if np.isinf(conjugate):
            far = np.sign(dual) * 1e6
            assert dual * far - regularizer.value(np.array([[far]])) > 1e5
        else:
            assert_allclose(conjugate, gain, atol=1e-4)


@every_regularizer
@pytest.mark.parametrize("size", [0.1, 1.0, 37.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shrink_is_the_largest_factor_into_the_domain(regularizer, size, dtype):
    for seed in range(20):
        dual = draw(seed, size).astype(dtype)
        factor = regularizer.shrink(dual)
        assert 0 < factor <= 1
        assert np.isfinite(regularizer.conjugate(factor * dual))
        if factor < 1:
            assert np.isinf(regularizer.conjugate(1.00001 * factor * dual))


@every_regularizer
def test_curvature_is_the_least_there_is(regularizer):
    """R - curvature/2 |W|^2 is convex along segments, and with any more it is not."""

    def bend(curvature, a, b):
        def value(coef):
            return regularizer.value(coef) - curvature / 2 * square(coef)

        return (value(a) + value(b)) / 2 - value((a + b) / 2)

    segments = [(draw(seed), draw(seed + 100)) for seed in range(100)]
    segments += [(np.abs(a), np.abs(b)) for a, b in segments]
    assert min(bend(regularizer.curvature, a, b) for a, b in segments) >= -1e-12
    assert min(bend(regularizer.curvature + 0.01, a, b) for a, b in segments) < -1e-3


@every_regularizer
def test_convex_even_and_zero_at_zero(regularizer):
    a, b = draw(6), draw(7)
    assert regularizer.value(np.zeros((3, 5))) == 0
    assert regularizer.value(-a) == regularizer.value(a) > 0
    chord = 0.3 * regularizer.value(a) + 0.7 * regularizer.value(b)
    assert regularizer.value(0.3 * a + 0.7 * b) <= chord


@every_regularizer
def test_float32_stays(regularizer):
    coef = draw(8).astype(np.float32)
    assert isinstance(regularizer.value(coef), float)
    for function in (regularizer.gradient, lambda w: regularizer.prox(w, 0.3)):
        assert function(coef).dtype == np.float32
        assert_allclose(function(coef), function(coef.astype(np.float64)), rtol=1e-5, atol=1e-6)


@every_regularizer
def test_no_features(regularizer):
    empty = np.zeros((3, 0))
    assert regularizer.value(empty) == regularizer.conjugate(empty) == 0
    assert regularizer.prox(empty, 1.0).shape == regularizer.gradient(empty).shape == (3, 0)
    assert regularizer.shrink(empty) == 1


def test_names():
    assert REGULARIZERS == {"l2": L2, "l1": L1, "elasticnet": ElasticNet}


@pytest.mark.parametrize(
    "ratio, error",
    [
        (-0.1, ValueError),
        (1.1, ValueError),
        (np.nan, ValueError),
        ("0.5", TypeError),
        (None, TypeError),
        (True, TypeError),
    ],
)
def test_bad_l1_ratio_is_named(ratio, error):
    with pytest.raises(error, match=r"l1_ratio must be a number in \[0, 1\]"):
        ElasticNet(l1_ratio=ratio).check_parameters()


@every_regularizer
def test_good_parameters_pass(regularizer):
    regularizer.check_parameters()
