"""The laws of `sklin.testing` hold every loss; the lecture's numbers hold each formula."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize

from sklin.losses import LOSSES, CrammerSinger, CrossEntropy, OneVsRest, WestonWatkins
from sklin.testing import check_loss
from sklin.testing._laws import largest_jump

MARGIN_LOSSES = [
    cls(loss=loss, margin=margin, smoothing=smoothing)
    for cls in (WestonWatkins, OneVsRest, CrammerSinger)
    for loss in ("hinge", "squared_hinge")
    for margin in (1.0, 0.5)
    for smoothing in (0.0, 0.3)
]
ALL = [CrossEntropy(), *MARGIN_LOSSES]

every_loss = pytest.mark.parametrize("loss", ALL, ids=repr)


def draw(seed, n=60, n_classes=4):
    """Scores from nearly equal to far apart, so that every branch of a loss is met."""
    rng = np.random.RandomState(seed)
    scores = rng.standard_normal((n, n_classes)) * np.logspace(-1.5, 1, n)[:, None]
    return scores, rng.randint(n_classes, size=n)


def hessians(loss, scores, y):
    """Second derivatives (n, K, K), a column for each unit direction."""
    unit = np.eye(scores.shape[1])
    columns = [loss.hessian_product(scores, y, np.tile(e, (len(y), 1))) for e in unit]
    return np.stack(columns, axis=2)


def dot(a, b):
    return (a * b).sum(axis=1)


def assert_in_domain(loss, dual, y, seed=0, tol=1e-10):
    """l*(dual) is finite and bounds <dual, s> - l(s) for scores s of every size."""
    conjugate = loss.conjugate(dual, y)
    assert np.isfinite(conjugate).all()
    rng = np.random.RandomState(seed)
    for size in (0.1, 1, 10, 1e3, 1e5):
        for _ in range(10):
            scores = size * rng.standard_normal(dual.shape)
            assert (dot(dual, scores) - loss.value(scores, y) <= conjugate + tol * (1 + size)).all()


@every_loss
def test_laws(loss):
    check_loss(loss)


# The lecture's numbers

EXAMPLE = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])
FIVE = [
    (WestonWatkins(), [2.9, 0, 12.9], 5.26667),
    (WestonWatkins(loss="squared_hinge"), [8.41, 0, 83.25], 30.5533),
    (CrammerSinger(), [2.9, 0, 6.6], 3.16667),
    (OneVsRest(), [6.1, 5.3, 10.8], 7.4),
    (CrossEntropy(), [2.04036, 0.07913, 6.15648], 2.75865),
]


@pytest.mark.parametrize("loss, each, mean", FIVE, ids=[repr(row[0]) for row in FIVE])
def test_worked_example(loss, each, mean):
    value = loss.value(EXAMPLE, np.arange(3))
    assert_allclose(value, each, atol=5e-6)
    assert_allclose(value.mean(), mean, atol=4e-5)


@pytest.mark.parametrize(
    "loss, each, mean, atol",
    [
        (WestonWatkins(), [10.58, 0.27, 71.91], 27.5867, 1e-10),
        (CrossEntropy(), [5.1698, 0.5775, 11.2945], 5.6806, 5e-5),
    ],
)
def test_score_table(loss, each, mean, atol):
    """Images of a cat, an automobile and a frog among the ten classes of CIFAR-10."""
    cat = [-3.45, -8.87, 0.09, 2.90, 4.48, 8.02, 3.78, 1.06, -0.36, -0.72]
    automobile = [-0.51, 6.04, 5.31, -4.22, -4.19, 3.58, 4.49, -4.37, -2.09, -2.93]
    frog = [3.42, 4.64, 2.65, 5.10, 2.64, 5.55, -4.34, -1.50, -4.79, 6.14]
    value = loss.value(np.array([cat, automobile, frog]), np.array([3, 1, 6]))
    assert_allclose(value, each, rtol=0, atol=atol)
    assert_allclose(value.mean(), mean, rtol=0, atol=5e-5)


@pytest.mark.parametrize(
    "loss, scores, own, value, atol",
    [
        (WestonWatkins(), [10, -2, 3], 0, 0, 0),
        (WestonWatkins(), [10, 9, 9], 0, 0, 0),
        (WestonWatkins(), [10, 100, -100], 0, 91, 0),
        (CrossEntropy(), [10, -2, 3], 0, 0.000918, 5e-7),
        (CrossEntropy(), [10, 9, 9], 0, 0.55144, 5e-6),
        (CrossEntropy(), [10, 100, -100], 0, 90, 1e-10),
        (WestonWatkins(margin=10), [13, -7, 11], 0, 8, 0),
        (WestonWatkins(), [-2.85, 0.86, 0.28], 2, 1.58, 1e-12),
        (CrossEntropy(), [-2.85, 0.86, 0.28], 2, 1.04, 5e-3),
    ],
)
def test_questions_and_course_notes(loss, scores, own, value, atol):
    found = loss.value(np.array([scores], dtype=float), np.array([own]))
    assert_allclose(found, [value], rtol=0, atol=atol)


def test_question_1_jiggling_scores_with_slack_changes_nothing():
    jiggled = EXAMPLE + np.array([[0, 0, 0], [0.4, -0.5, 0.3], [0, 0, 0]])
    own = np.arange(3)
    assert_array_equal(WestonWatkins().value(jiggled, own)[1], 0)
    assert CrossEntropy().value(jiggled, own)[1] != CrossEntropy().value(EXAMPLE, own)[1]


@every_loss
def test_question_2_range(loss):
    scores, y = draw(0)
    assert (loss.value(scores, y) >= 0).all()
    best, worst = np.array([[1e3, -1e3, -1e3]]), np.array([[-1e3, 1e3, 1e3]])
    assert loss.value(best, np.array([0])) == 0
    assert loss.value(worst, np.array([0])) > 1e3


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_question_3_initial_values(n_classes):
    zero, y = np.zeros((5, n_classes)), np.arange(5) % n_classes
    assert_array_equal(WestonWatkins().value(zero, y), n_classes - 1)
    assert_array_equal(WestonWatkins(loss="squared_hinge").value(zero, y), n_classes - 1)
    assert_array_equal(CrammerSinger().value(zero, y), 1)
    assert_array_equal(OneVsRest().value(zero, y), n_classes)
    assert_allclose(CrossEntropy().value(zero, y), np.log(n_classes))
    assert round(np.log(n_classes), 4) == {2: 0.6931, 3: 1.0986, 10: 2.3026}[n_classes]


def test_question_4_the_own_class_is_left_out():
    violations = EXAMPLE - np.diag(EXAMPLE)[:, None] + 1
    with_own = np.maximum(violations, 0).sum(axis=1)
    assert_allclose(with_own - WestonWatkins().value(EXAMPLE, np.arange(3)), 1)
    assert_allclose(with_own.mean(), 6.26667, atol=5e-6)


def test_zero_loss_is_not_unique():
    assert_allclose(WestonWatkins().value(2 * EXAMPLE, np.arange(3)), [4.8, 0, 23.8], atol=1e-12)


def test_gradient_of_the_worked_example():
    """By hand: one count for each class that violates, less their number for the own class."""
    own = np.arange(3)
    _, gradient = WestonWatkins().value_and_gradient(EXAMPLE, own)
    assert_array_equal(gradient, [[-1, 1, 0], [0, 0, 0], [1, 1, -2]])
    _, gradient = CrammerSinger().value_and_gradient(EXAMPLE, own)
    assert_array_equal(gradient, [[-1, 1, 0], [0, 0, 0], [0, 1, -1]])
    _, gradient = OneVsRest().value_and_gradient(EXAMPLE, own)
    assert_array_equal(gradient, [[0, 1, 0], [1, 0, 1], [1, 1, -1]])
    _, gradient = CrossEntropy().value_and_gradient(EXAMPLE, own)
    odds = np.exp(EXAMPLE)
    assert_allclose(gradient, odds / odds.sum(axis=1, keepdims=True) - np.eye(3), atol=1e-12)


# Derivatives


@pytest.mark.parametrize(
    "loss, scores",
    [
        (CrossEntropy(), [0, 0, -50]),
        (WestonWatkins(loss="squared_hinge"), [0, 0, 0]),
        (WestonWatkins(smoothing=0.3), [0.9, 0, 0]),
        (OneVsRest(loss="squared_hinge"), [0, 0, 0]),
        (OneVsRest(smoothing=0.3), [0.9, 0, 0]),
        (CrammerSinger(smoothing=0.3), [0.9, 0, 0]),
    ],
    ids=repr,
)
def test_curvature_is_attained(loss, scores):
    hessian = hessians(loss, np.array([scores], dtype=float), np.array([0]))
    assert_allclose(np.linalg.eigvalsh(hessian).max(), loss.curvature(3))


@every_loss
def test_what_does_not_declare_smooth_has_kinks(loss):
    """Which `check_loss` cannot demand: a stranger's kinks may be rare."""
    (a, y), (b, _) = draw(4, n=200), draw(5, n=200)
    jumps, _ = largest_jump(lambda scores: loss.value_and_gradient(scores, y)[1], a, b)
    assert (jumps.max() > 0.1) == (not loss.smooth)
    assert np.isfinite(loss.curvature(4)) == loss.smooth


# Duality


@every_loss
def test_conjugate_is_the_supremum(loss):
    """Smooth losses by BFGS; others on a grid that holds every vertex of a hinge."""
    y = np.zeros(5, dtype=int)
    scores = 0.5 * np.random.RandomState(0).standard_normal((3, 5, 3))
    dual = np.mean([loss.value_and_gradient(s, y)[1] for s in scores], axis=0)
    conjugate = loss.conjugate(dual, y)

    if loss.smooth:
        for beta, expected in zip(dual, conjugate, strict=True):

            def negative(s, beta=beta):
                value, gradient = loss.value_and_gradient(s[None], y[:1])
                return value[0] - beta @ s, gradient[0] - beta

            found = -minimize(negative, np.zeros(3), jac=True, method="BFGS").fun
            assert_allclose(found, expected, atol=1e-6)
    else:
        fine = np.linspace(-2, 2, 257)
        axes = ([0.0], fine, fine) if loss.shift_invariant else (fine[::8],) * 3
        grid = np.stack([axis.ravel() for axis in np.meshgrid(*axes)], axis=1)
        value = loss.value(grid, np.zeros(len(grid), dtype=int))
        found = (grid @ dual.T - value[:, None]).max(axis=0)
        assert_allclose(found, conjugate, atol=1e-3 if loss.loss == "squared_hinge" else 1e-12)


@pytest.mark.parametrize("loss", [loss for loss in MARGIN_LOSSES if not loss.smoothing], ids=repr)
def test_smoothed_keeps_the_other_parameters(loss):
    smooth = loss.smoothed(0.2)
    assert (smooth.loss, smooth.margin, smooth.smoothing) == (loss.loss, loss.margin, 0.2)


@every_loss
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_balance_where_a_class_weighs_nothing(loss, n_classes):
    rng = np.random.RandomState(n_classes)
    scores, y = draw(n_classes, 40, n_classes)
    weight = rng.uniform(size=len(y)) * (y > 0)
    weight /= weight.sum()
    dual = loss.value_and_gradient(scores, y)[1]
    t, points = loss.balance(weight @ dual, np.bincount(y, weight, n_classes))
    mixed = (1 - t) * dual + t * points[y]
    assert 0 <= t <= 1
    assert_allclose(weight @ mixed, 0, atol=1e-13)
    assert_in_domain(loss, points, np.arange(n_classes))
    assert_in_domain(loss, mixed[y > 0], y[y > 0])


@every_loss
def test_balance_with_a_class_without_weight(loss):
    """Its samples cannot give back what they were given; only the zero dual points are left."""
    t, points = loss.balance(np.array([-0.1, -0.1, 0.2]), np.array([0.5, 0.5, 0.0]))
    assert t == 1
    assert_array_equal(points, 0)


# Symmetry, number types


@every_loss
def test_renaming_the_classes_renames_the_gradient(loss):
    scores, y = draw(14)
    order = np.array([2, 0, 3, 1])
    value, gradient = loss.value_and_gradient(scores, y)
    renamed, renamed_gradient = loss.value_and_gradient(scores[:, order], np.argsort(order)[y])
    assert_allclose(renamed, value, rtol=1e-13)
    assert_allclose(renamed_gradient, gradient[:, order], atol=1e-13)


@every_loss
def test_float32_stays(loss):
    """Values too, and second derivatives, which `check_loss` does not ask for."""
    scores, y = draw(16)
    single, direction = scores.astype(np.float32), draw(18)[0].astype(np.float32)
    assert loss.value(single, y).dtype == np.float32
    assert loss.value(scores, y).dtype == np.float64
    if loss.smooth:
        double = single.astype(np.float64)
        product = loss.hessian_product(single, y, direction)
        expected = loss.hessian_product(double, y, direction)
        assert_allclose(product, expected, rtol=1e-4, atol=1e-4)
        diagonal = loss.hessian_diagonal(single, y)
        assert diagonal.dtype == np.float32
        assert_allclose(diagonal, loss.hessian_diagonal(double, y), rtol=1e-4, atol=1e-7)


@every_loss
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_scores(loss, dtype):
    rng = np.random.RandomState(0)
    scores = rng.uniform(-1e4, 1e4, size=(200, 10)).astype(dtype)
    scores[::2] = np.sign(scores[::2]) * 1e4
    y = rng.randint(10, size=200)
    value, dual = loss.value_and_gradient(scores, y)
    assert np.isfinite(value).all() and np.isfinite(dual).all() and (value >= 0).all()
    if loss.smooth:
        assert np.isfinite(loss.hessian_product(scores, y, scores)).all()
        assert np.isfinite(loss.hessian_diagonal(scores, y)).all()
    dual, scores = dual.astype(np.float64), scores.astype(np.float64)
    eps = 1e3 * np.finfo(dtype).eps
    assert_allclose(loss.value(scores, y), value, rtol=eps, atol=eps)
    assert_in_domain(loss, dual, y, tol=max(1e-10, eps * (1 + np.abs(dual).max())))


# Parameters


def test_names():
    assert {name: cls.__name__ for name, cls in LOSSES.items()} == {
        "weston_watkins": "WestonWatkins",
        "crammer_singer": "CrammerSinger",
        "one_vs_rest": "OneVsRest",
    }


@pytest.mark.parametrize("cls", LOSSES.values())
@pytest.mark.parametrize(
    "name, value, error",
    [
        ("loss", "logistic", ValueError),
        ("loss", None, ValueError),
        ("margin", 0, ValueError),
        ("margin", -1.0, ValueError),
        ("margin", np.nan, ValueError),
        ("margin", np.inf, ValueError),
        ("margin", "1", TypeError),
        ("smoothing", -0.1, ValueError),
        ("smoothing", True, TypeError),
    ],
)
def test_bad_parameters_are_named(cls, name, value, error):
    loss = cls(**{name: value})
    with pytest.raises(error, match=f"^{name} must"):
        loss.check_parameters()
