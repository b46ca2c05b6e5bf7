"""The laws of `sklin.testing` hold every regularizer; what is particular to one stands here."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone

from sklin.losses import CrossEntropy
from sklin.regularizers import L1, L2, REGULARIZERS, Dropout, ElasticNet, GroupL2, MaxNorm
from sklin.testing import check_regularizer

CELLS = [0, 0, 1, 1, 1]
ALL = [
    L2(),
    L1(),
    *(ElasticNet(l1_ratio=ratio) for ratio in (0, 0.5, 0.8, 1)),
    GroupL2(),
    GroupL2(groups=CELLS),
    GroupL2(groups=np.array(["word", "cell", "word", "cell", "colour"])),
    MaxNorm(),
    MaxNorm(radius=0.3),
    MaxNorm(radius=20.0),
    Dropout(),
    Dropout(rate=0),
    Dropout(rate=0.99),
]
PENALTIES = [r for r in ALL if not isinstance(r, MaxNorm | Dropout)]

every_regularizer = pytest.mark.parametrize("regularizer", ALL, ids=repr)
every_penalty = pytest.mark.parametrize("regularizer", PENALTIES, ids=repr)
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
def test_laws(regularizer):
    check_regularizer(regularizer, n_features=5)


# What holds of the regularizers here, but need not of others


@every_penalty
def test_smooth_means_a_slope_of_zero_at_zero(regularizer):
    """Each is a sum of even functions with a kink at zero, if anywhere: both ways."""
    flat = regularizer.value(np.full((1, 5), 1e-9)) / 1e-9 < 1e-6
    assert flat == regularizer.smooth


@every_penalty
def test_curvature_is_the_largest_that_may_be_taken_away(regularizer):
    more = regularizer.curvature + 0.01

    def bend(a, b):
        ends, middle = regularizer.value(a) + regularizer.value(b), regularizer.value((a + b) / 2)
        return ends / 2 - middle - more / 8 * square(a - b)

    assert min(bend(draw(seed), 2 * draw(seed)) for seed in range(10)) < -1e-3


@every_penalty
def test_even_and_zero_at_zero_alone(regularizer):
    coef = draw(6)
    assert regularizer.value(np.zeros((3, 5))) == 0
    assert regularizer.value(-coef) == regularizer.value(coef) > 0


@pytest.mark.parametrize("cls", REGULARIZERS.values())
def test_no_features(cls):
    empty = np.zeros((3, 0))
    assert cls().value(empty) == cls().conjugate(empty) == 0


@pytest.mark.parametrize("regularizer, threshold", [(L1(), 1), (ElasticNet(l1_ratio=0.8), 0.8)])
@step_sizes
def test_prox_makes_exact_zeros(regularizer, threshold, step):
    edge = step * threshold
    v = np.array([[edge, -edge, 0.99 * edge, -0.3 * edge, 0, 1.5 * edge, -1.5 * edge]])
    assert_array_equal(regularizer.prox(v, step) != 0, [[False] * 5 + [True] * 2])


@pytest.mark.parametrize("regularizer", [L2(), L1(), ElasticNet(0.5), ElasticNet(1)], ids=repr)
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


# Groups


def test_groups_of_one_feature_and_one_class_are_l1():
    coef, dual = draw(0, shape=(1, 7)), draw(1, 3.0, shape=(1, 7))
    assert_allclose(GroupL2().value(coef), L1().value(coef))
    assert_allclose(GroupL2().gradient(coef), L1().gradient(coef))
    assert_allclose(GroupL2().prox(coef, 0.4), L1().prox(coef, 0.4))
    assert_allclose(GroupL2().shrink(dual), L1().shrink(dual))


def test_groups_by_hand():
    """Two features of norm 5 together, three of norm 1: sqrt(2) * 5 + sqrt(3)."""
    coef = np.array([[3.0, 0, 0, 0.6, 0], [0, 4, 0, 0, 0.8]])
    groups = GroupL2(groups=[7, 7, 1, 1, 1])
    root_2, root_3 = np.sqrt([2, 3])
    assert_allclose(groups.value(coef), 5 * root_2 + root_3)
    slope = [[0.6 * root_2, 0, 0, 0.6 * root_3, 0], [0, 0.8 * root_2, 0, 0, 0.8 * root_3]]
    assert_allclose(groups.gradient(coef), slope)
    assert_allclose(
        groups.prox(coef, 0.5), coef * ([1 - 0.1 * root_2] * 2 + [1 - 0.5 * root_3] * 3)
    )
    assert_array_equal(groups.prox(coef, 1.0)[:, 2:], 0)
    assert_array_equal(np.signbit(groups.prox(-coef, 20.0)), False)


@pytest.mark.parametrize(
    "labels",
    [
        [0, 0, 1, 1, 1],
        [5.5, 5.5, -1, -1, -1],
        ["b", "b", "a", "a", "a"],
        np.array(["b", "b", "a", "a", "a"], dtype=object),
        np.array([True, True, False, False, False]),
        ("cell 2", "cell 2", "cell 10", "cell 10", "cell 10"),
    ],
    ids=repr,
)
def test_labels_of_any_kind(labels):
    groups, coef = GroupL2(groups=labels), draw(3)
    groups.check_parameters()
    groups.check_features(5)
    expected = np.sqrt(2) * np.linalg.norm(coef[:, :2]) + np.sqrt(3) * np.linalg.norm(coef[:, 2:])
    assert_allclose(groups.value(coef), expected)


def test_labels_in_any_order():
    order = np.array([3, 0, 4, 1, 2])
    coef = draw(4)
    shuffled = GroupL2(groups=np.array(CELLS)[order])
    plain = GroupL2(groups=CELLS)
    assert_allclose(shuffled.value(coef[:, order]), plain.value(coef))
    assert_allclose(shuffled.prox(coef[:, order], 0.9), plain.prox(coef, 0.9)[:, order])


def test_no_group_is_mistaken_for_another():
    """Labels of the same bytes are told apart by their type, and changed ones are seen."""
    coef = draw(5, shape=(2, 4))
    two, three = GroupL2(groups=[0, 0, 1, 1]).value(coef), GroupL2(groups=[0, 2, 1, 1]).value(coef)
    labels = np.array([0.0, -0.0, 1.0, 1.0])
    assert abs(three - two) > 0.1
    assert_allclose(GroupL2(groups=labels).value(coef), two)
    assert_allclose(GroupL2(groups=labels.view(np.int64)).value(coef), three)
    groups = GroupL2(groups=labels)
    labels[1] = 2
    assert_allclose(groups.value(coef), three)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shrink_of_large_groups_survives_rounding(dtype):
    groups = GroupL2(groups=np.repeat([0, 1, 2], 1000))
    for seed in range(50):
        dual = draw(seed, 37.0, shape=(10, 3000)).astype(dtype)
        factor = groups.shrink(dual)
        assert groups.conjugate(factor * dual) == 0
        assert groups.conjugate((1 + 1e-6) * factor * dual.astype(np.float64)) == np.inf


def test_groups_hold_nothing_but_their_parameter():
    groups = GroupL2(groups=CELLS)
    check_regularizer(groups, n_features=5)
    assert vars(groups) == vars(clone(groups)) == vars(pickle.loads(pickle.dumps(groups)))
    assert vars(groups) == {"groups": CELLS}


@pytest.mark.parametrize(
    "groups, error, match",
    [
        ([[0, 1], [1, 2]], ValueError, r"groups must be None or .* of shape \(2, 2\)"),
        ([[0], [1, 2]], ValueError, "groups must be one-dimensional"),
        ("words", ValueError, "groups must be None or give one label a feature"),
        (3, ValueError, "groups must be None or give one label a feature"),
        ([1, None], TypeError, "groups must be labels that can be sorted"),
    ],
)
def test_bad_groups_are_named(groups, error, match):
    with pytest.raises(error, match=match):
        GroupL2(groups=groups).check_parameters()


def test_groups_of_another_length_are_named():
    groups = GroupL2(groups=CELLS)
    with pytest.raises(ValueError, match=r"groups must .* it gives 5, and there are 8 features"):
        groups.check_features(8)
    GroupL2().check_features(8)


# Max norm


def test_max_norm_shortens_long_rows_only():
    rows = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]])
    new = MaxNorm(radius=2.5).prox(rows, 1.0)
    assert_allclose(new, [[1.5, 2.0], [0.3, 0.4], [0, 0]])
    assert_array_equal(new[1:], rows[1:])
    assert MaxNorm(radius=2.5).value(rows) == np.inf


def test_projection_in_float32_is_inside():
    for seed in range(50):
        coef = draw(seed, 30.0, shape=(10, 3000))
        single = MaxNorm(radius=0.7)
        assert single.value(single.prox(coef.astype(np.float32), 1.0)) == 0
        assert single.value(single.prox(coef, 1.0).astype(np.float32)) == 0
        assert single.value(1.00001 * single.prox(coef, 1.0)) == np.inf


def test_conjugate_of_max_norm_by_hand():
    assert_allclose(MaxNorm(radius=2.0).conjugate(np.array([[3.0, 4.0], [0, 1]])), 12)


# Dropout


@pytest.mark.parametrize("rate", [0.25, 0.5, 0.75])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, sparse.csr_matrix])
def test_dropout_drops_its_share_and_enlarges_the_rest(rate, dtype, kind):
    X = kind(1 + np.random.RandomState(0).uniform(size=(100, 200)).astype(dtype))
    noisy = Dropout(rate=rate).corrupt(X, np.random.RandomState(1))
    assert type(noisy) is type(X) and noisy.dtype == dtype
    X, noisy = (A.toarray() if sparse.issparse(A) else A for A in (X, noisy))
    kept = noisy != 0
    assert_allclose(noisy[kept], X[kept] / (1 - rate), rtol=1e-6)
    # 20,000 entries: a share has a standard deviation of .0035 at most.
    assert abs(kept.mean() - (1 - rate)) < 0.015
    # Entries are drawn by themselves: so do the shares of rows and of columns vary.
    for axis in (0, 1):
        sigma = np.sqrt(rate * (1 - rate) / kept.shape[axis])
        assert 0.8 < kept.mean(axis=axis).std() / sigma < 1.2


def test_dropout_of_nothing_and_of_nearly_all():
    X = np.ones((4, 5))
    rng = np.random.RandomState(0)
    assert_array_equal(Dropout(rate=0).corrupt(X, rng), X)
    assert np.isfinite(Dropout(rate=1 - 1e-9).corrupt(X, rng)).all()


def test_dropout_of_sparse_samples_shares_no_numbers():
    X = sparse.csr_array(np.ones((4, 5)))
    Dropout().corrupt(X, np.random.RandomState(0)).data[:] = 7
    assert_array_equal(X.toarray(), 1)


def test_dropout_is_the_adaptive_l2_penalty_of_its_docstring():
    """Mean loss of noisy samples: rate / 2 (1 - rate) sum_d x_d^2 w_d' H w_d above that of x."""
    rng = np.random.RandomState(0)
    x, coef, rate = rng.uniform(1, 2, size=40), 0.02 * draw(0, shape=(3, 40)), 0.3
    loss, y = CrossEntropy(), np.array([1])
    scores = (coef @ x)[None]
    noisy = Dropout(rate=rate).corrupt(np.tile(x, (200_000, 1)), rng) @ coef.T
    # The part that is linear in the noise has mean zero, and is most of its variance.
    value, slope = loss.value_and_gradient(scores, y)
    tangent = value + (noisy - scores) @ slope[0]
    found = (loss.value(noisy, np.ones(len(noisy), dtype=int)) - tangent).mean()
    unit = np.eye(3)
    hessian = np.array([loss.hessian_product(scores, y, unit[[k]])[0] for k in range(3)])
    penalty = rate / 2 / (1 - rate) * (x**2 * np.einsum("kd,kl,ld->d", coef, hessian, coef)).sum()
    assert_allclose(found, penalty, rtol=0.05)


# Names and parameters


def test_names():
    assert REGULARIZERS == {
        "l2": L2,
        "l1": L1,
        "elasticnet": ElasticNet,
        "group_l2": GroupL2,
        "max_norm": MaxNorm,
        "dropout": Dropout,
    }


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


@pytest.mark.parametrize("rate, error", [(1, ValueError), (-0.1, ValueError), ("0.5", TypeError)])
def test_bad_rate_is_named(rate, error):
    with pytest.raises(error, match=r"rate must be a number in \[0, 1\)"):
        Dropout(rate=rate).check_parameters()


@pytest.mark.parametrize(
    "radius, error", [(0, ValueError), (np.inf, ValueError), (None, TypeError)]
)
def test_bad_radius_is_named(radius, error):
    with pytest.raises(error, match=r"radius must be a number in \(0, inf\)"):
        MaxNorm(radius=radius).check_parameters()
