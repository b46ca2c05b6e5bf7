"""Every loss is held by the same laws; the lecture's numbers hold each formula."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize

from sklin.losses import LOSSES, CrammerSinger, CrossEntropy, OneVsRest, WestonWatkins

MARGIN_LOSSES = [
    cls(loss=loss, margin=margin, smoothing=smoothing)
    for cls in (WestonWatkins, OneVsRest, CrammerSinger)
    for loss in ("hinge", "squared_hinge")
    for margin in (1.0, 0.5)
    for smoothing in (0.0, 0.3)
]
ALL = [CrossEntropy(), *MARGIN_LOSSES]
SMOOTH = [loss for loss in ALL if loss.smooth]

every_loss = pytest.mark.parametrize("loss", ALL, ids=repr)
smooth_loss = pytest.mark.parametrize("loss", SMOOTH, ids=repr)
margin_loss = pytest.mark.parametrize("loss", MARGIN_LOSSES, ids=repr)


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


@every_loss
def test_gradient_is_the_slope(loss):
    scores, y = draw(1)
    value, gradient = loss.value_and_gradient(scores, y)
    assert_array_equal(value, loss.value(scores, y))
    for k, unit in enumerate(1e-5 * np.eye(4)):
        slope = (loss.value(scores + unit, y) - loss.value(scores - unit, y)) / 2e-5
        assert_allclose(gradient[:, k], slope, rtol=1e-7, atol=1e-7)


@smooth_loss
def test_hessian_product_is_the_slope_of_the_gradient(loss):
    scores, y = draw(2)
    direction = np.random.RandomState(0).standard_normal(scores.shape)
    ahead = loss.value_and_gradient(scores + 1e-5 * direction, y)[1]
    behind = loss.value_and_gradient(scores - 1e-5 * direction, y)[1]
    product = loss.hessian_product(scores, y, direction)
    assert_allclose(product, (ahead - behind) / 2e-5, rtol=1e-7, atol=1e-7)
    assert np.abs(product).max() > 0.1


@smooth_loss
@pytest.mark.parametrize("n_classes", [2, 3, 6])
def test_hessian_is_symmetric_with_its_trace_and_below_curvature(loss, n_classes):
    scores, y = draw(3, n=400, n_classes=n_classes)
    hessian = hessians(loss, scores, y)
    assert_allclose(hessian, hessian.transpose(0, 2, 1), atol=1e-12)
    assert_allclose(loss.hessian_trace(scores, y), np.trace(hessian, axis1=1, axis2=2), atol=1e-12)
    eigenvalues = np.linalg.eigvalsh(hessian)
    assert eigenvalues.min() >= -1e-12
    assert eigenvalues.max() <= loss.curvature(n_classes) * (1 + 1e-12)


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
def test_smooth_means_a_gradient_without_jumps(loss):
    """Follow the half of a segment with the larger change of gradient down to a point."""
    (a, y), (b, _) = draw(4, n=200), draw(5, n=200)

    def gradient(scores):
        return loss.value_and_gradient(scores, y)[1]

    for _ in range(40):
        middle = (a + b) / 2
        left = np.abs(gradient(a) - gradient(middle)).max(axis=1)
        right = np.abs(gradient(b) - gradient(middle)).max(axis=1)
        first = (left > right)[:, None]
        a, b = np.where(first, a, middle), np.where(first, middle, b)
    jumps = np.abs(gradient(a) - gradient(b)).max()
    assert jumps < 1e-6 if loss.smooth else jumps > 0.1
    assert np.isfinite(loss.curvature(4)) == loss.smooth


@every_loss
def test_convex_along_segments(loss):
    (a, y), (b, _) = draw(6, n=300), draw(7, n=300)
    for t in (0.1, 0.5, 0.8):
        chord = (1 - t) * loss.value(a, y) + t * loss.value(b, y)
        assert (loss.value((1 - t) * a + t * b, y) <= chord + 1e-12 * (1 + chord)).all()


# Duality


@every_loss
def test_fenchel_young(loss):
    scores, y = draw(8)
    value, dual = loss.value_and_gradient(scores, y)
    assert_allclose(value + loss.conjugate(dual, y), dot(dual, scores), rtol=1e-12, atol=1e-12)
    assert_in_domain(loss, dual, y)
    other = loss.value_and_gradient(draw(9)[0], y)[1]
    assert_in_domain(loss, 0.3 * dual + 0.7 * other, y)
    slack = value + loss.conjugate(other, y) - dot(other, scores)
    assert slack.max() > 0.1


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
def test_smoothed_is_a_smooth_minorant(loss):
    scores, y = draw(13)
    sharp = loss.value(scores, y)
    for width in (1.0, 0.1):
        smooth = loss.smoothed(width)
        value, dual = smooth.value_and_gradient(scores, y)
        assert smooth.smooth and smooth.margin == loss.margin and smooth.loss == loss.loss
        assert (value <= sharp + 1e-12 * (1 + sharp)).all()
        assert_in_domain(loss, dual, y)
    assert_allclose(loss.smoothed(1e-7).value(scores, y), sharp, rtol=1e-6, atol=1e-6)


def mixtures(loss):
    """Duals of random scores with weights, one class of which may weigh nothing."""
    for seed in range(12):
        rng = np.random.RandomState(seed)
        n_classes = 2 + seed % 4
        scores, y = draw(seed, 40, n_classes)
        y[:n_classes] = np.arange(n_classes)
        weight = rng.uniform(size=len(y)) * rng.uniform(0.01, 1, n_classes)[y]
        if seed % 5 == 4:
            weight[y == 0] = 0
        yield loss.value_and_gradient(scores, y)[1], y, weight / weight.sum(), n_classes


@every_loss
def test_balance_cancels_the_residual_inside_the_domain(loss):
    for dual, y, weight, n_classes in mixtures(loss):
        priors = np.bincount(y, weight, n_classes)
        residual = weight @ dual
        t, points = loss.balance(residual, priors)
        mixed = (1 - t) * dual + t * points[y]
        assert 0 <= t <= 1
        assert_allclose(weight @ mixed, 0, atol=1e-13)
        assert_in_domain(loss, points, np.arange(n_classes))
        assert_in_domain(loss, mixed[weight > 0], y[weight > 0])


@every_loss
def test_balance_is_as_small_as_the_residual(loss):
    priors = np.array([0.5, 0.3, 0.2])
    residual = np.array([3e-9, -2e-9, -1e-9])
    t, points = loss.balance(residual, priors)
    assert 0 < t < 1e-7
    assert_allclose(residual + t * (priors @ points - residual), 0, atol=1e-22)
    assert loss.balance(np.zeros(3), priors)[0] == 0


@every_loss
@pytest.mark.parametrize("residual", [[1e-17, 0, 0], [-1e-17, 0, 0], [1e-17, 2e-17, 0]], ids=repr)
def test_balance_of_a_residual_that_is_rounding_only(loss, residual):
    """It need not even sum to zero."""
    t, points = loss.balance(np.array(residual), np.array([0.5, 0.3, 0.2]))
    assert 0 <= t < 1e-15
    assert_in_domain(loss, points, np.arange(3))


@every_loss
def test_balance_with_a_class_without_weight(loss):
    """Its samples cannot give back what they were given; only the zero dual points are left."""
    t, points = loss.balance(np.array([-0.1, -0.1, 0.2]), np.array([0.5, 0.5, 0.0]))
    assert t == 1
    assert_array_equal(points, 0)


# Symmetry, number types, memory


@every_loss
def test_renaming_the_classes_renames_the_gradient(loss):
    scores, y = draw(14)
    order = np.array([2, 0, 3, 1])
    value, gradient = loss.value_and_gradient(scores, y)
    renamed, renamed_gradient = loss.value_and_gradient(scores[:, order], np.argsort(order)[y])
    assert_allclose(renamed, value, rtol=1e-13)
    assert_allclose(renamed_gradient, gradient[:, order], atol=1e-13)


@every_loss
def test_shift_invariance(loss):
    scores, y = draw(15)
    value, gradient = loss.value_and_gradient(scores, y)
    moved = loss.value(scores + np.linspace(-3, 3, len(y))[:, None], y)
    assert np.allclose(moved, value, atol=1e-12) == loss.shift_invariant
    assert np.allclose(gradient.sum(axis=1), 0, atol=1e-12) == loss.shift_invariant


@every_loss
def test_float32_agrees_with_float64_and_stays(loss):
    scores, y = draw(16)
    scores = scores.astype(np.float32)
    for single, double in zip(
        loss.value_and_gradient(scores, y),
        loss.value_and_gradient(scores.astype(np.float64), y),
        strict=True,
    ):
        assert single.dtype == np.float32 and double.dtype == np.float64
        assert_allclose(single, double, rtol=1e-5, atol=1e-5)


@smooth_loss
def test_second_derivatives_of_float32(loss):
    scores, y = draw(17)
    scores, direction = scores.astype(np.float32), draw(18)[0].astype(np.float32)
    product = loss.hessian_product(scores, y, direction)
    assert product.dtype == np.float32
    double = scores.astype(np.float64), y
    assert_allclose(product, loss.hessian_product(*double, direction), rtol=1e-4, atol=1e-4)
    assert_allclose(loss.hessian_trace(scores, y), loss.hessian_trace(*double), rtol=1e-4)


@every_loss
def test_memory_order_does_not_matter(loss):
    scores, y = draw(19)
    for c, f in zip(
        loss.value_and_gradient(np.ascontiguousarray(scores), y),
        loss.value_and_gradient(np.asfortranarray(scores), y),
        strict=True,
    ):
        assert_allclose(f, c, rtol=1e-14, atol=1e-14)


@every_loss
@pytest.mark.parametrize("order", "CF")
def test_out_is_filled(loss, order):
    scores, y = draw(20)
    kept = scores.copy()
    value, gradient = loss.value_and_gradient(scores, y)
    assert_array_equal(scores, kept)
    for out in (np.full(scores.shape, np.nan, order=order), scores.copy(order)):
        source = out if np.isfinite(out).all() else scores
        found, returned = loss.value_and_gradient(source, y, out=out)
        assert returned is out
        assert_allclose(found, value, rtol=1e-14)
        assert_allclose(out, gradient, rtol=1e-14, atol=1e-14)


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
        assert np.isfinite(loss.hessian_trace(scores, y)).all()
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
    with pytest.raises(error, match=name):
        loss.check_parameters()


@every_loss
def test_good_parameters_pass(loss):
    loss.check_parameters()
