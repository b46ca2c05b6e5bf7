"""Right gradients pass, planted bugs fail, and kinks are told apart from bugs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone

from sklin import LinearSVMClassifier, SoftmaxClassifier
from sklin.gradient_check import check_gradient, numerical_gradient
from sklin.losses import CrossEntropy, OneVsRest, WestonWatkins
from sklin.objective import Objective, Samples
from sklin.regularizers import L1, L2


def data(n=30, n_features=4, n_classes=3):
    rng = np.random.RandomState(0)
    y = np.arange(n) % n_classes
    return rng.standard_normal((n, n_features)) + y[:, None], y


def make(loss=None, regularizer=None, alpha=0.1):
    X, y = data()
    return Objective(Samples(X, y, 3), loss or CrossEntropy(), regularizer or L2(), alpha)


def draw(shape, seed=0):
    return np.random.RandomState(seed).standard_normal(shape)


# The numerical gradient


def test_the_lecture_table():
    """W, its loss, and the losses with h = 1e-4 added to one entry each."""
    W = np.array([0.34, -1.11, 0.78, 0.12, 0.55, 0.33])
    perturbed = [1.25322, 1.25353, 1.25347, 1.25247, 1.25387, 1.25346]

    def loss(w):
        moved = np.flatnonzero(w != W)
        if len(moved) == 0:
            return 1.25347
        (k,) = moved
        assert_allclose(w[k] - W[k], 1e-4, rtol=1e-9)
        return perturbed[k]

    gradient = numerical_gradient(loss, W, step=1e-4, scheme="forward")
    assert_allclose(gradient, [-2.5, 0.6, 0, -10, 4, -0.1], atol=1e-9)


def test_central_differences_are_exact_on_quadratics():
    A, w = draw((6, 6)), draw((2, 3))
    gradient = numerical_gradient(lambda w: w.ravel() @ A @ w.ravel(), w, step=0.1)
    assert gradient.shape == w.shape
    assert_allclose(gradient, ((A + A.T) @ w.ravel()).reshape(w.shape), rtol=1e-12)


@pytest.mark.parametrize("scheme, order", [("forward", 1), ("central", 2)])
def test_error_falls_with_the_order_of_the_scheme(scheme, order):
    w = np.array([0.3, 1.2])
    errors = [
        np.abs(numerical_gradient(lambda w: np.exp(w).sum(), w, step=h, scheme=scheme) - np.exp(w))
        for h in (1e-2, 1e-3)
    ]
    assert_allclose(errors[0] / errors[1], 10**order, rtol=0.02)


def test_params_may_be_a_list_and_are_left_alone():
    assert_allclose(numerical_gradient(lambda w: 3.0 * w[0] * w[1], [1, 2]), [6, 3])
    w = draw(4)
    kept = w.copy()

    def spoils(w):
        w *= 2
        return float(w.sum())

    assert_allclose(numerical_gradient(spoils, w), 2)
    assert_array_equal(w, kept)


@pytest.mark.parametrize("step", [0, -1e-5, np.nan, np.inf])
def test_bad_step(step):
    with pytest.raises(ValueError, match="step"):
        numerical_gradient(np.sum, np.ones(2), step=step)
    with pytest.raises(ValueError, match="step"):
        check_gradient(lambda w: (w @ w, 2 * w), params=np.ones(2), step=step)


def test_bad_scheme():
    with pytest.raises(ValueError, match="scheme must be one of 'central', 'forward'"):
        numerical_gradient(np.sum, np.ones(2), scheme="backward")


# Right gradients pass


def test_a_quadratic_passes_to_rounding():
    A = draw((5, 5)) + 5 * np.eye(5)
    report = check_gradient(lambda w: (w @ A @ w, (A + A.T) @ w), params=draw(5), tol=1e-9)
    assert report.passed and not report.kinks.any()
    assert report.entries == [(k,) for k in range(5)]
    assert_allclose(report.analytic, (A + A.T) @ draw(5))
    assert_allclose(report.numerical, report.analytic, rtol=1e-8)


@pytest.mark.parametrize(
    "target",
    [
        SoftmaxClassifier(),
        SoftmaxClassifier(regularizer="l1", alpha=0.1),
        LinearSVMClassifier(),
        LinearSVMClassifier(loss="squared_hinge", multi_class="one_vs_rest"),
        LinearSVMClassifier(multi_class="crammer_singer", fit_intercept=False),
    ],
    ids=repr,
)
@pytest.mark.parametrize("kind", ["float64", "float32", "list", "csr", "integers"])
def test_classifiers(target, kind):
    X, y = data()
    X = {
        "float64": X,
        "float32": X.astype(np.float32),
        "list": X.tolist(),
        "csr": sparse.csr_array(X),
        "integers": (5 * X).astype(int),
    }[kind]
    names = np.array(["cat", "dog", "frog"])[y]
    report = check_gradient(target, X, names)
    assert report.passed, str(report)
    assert len(report.entries) == 3 * (4 + target.fit_intercept)


def test_a_classifier_is_left_as_it_is():
    X, y = data()
    fresh = SoftmaxClassifier()
    check_gradient(fresh, X, y)
    assert vars(fresh) == vars(SoftmaxClassifier())
    fitted = clone(fresh).fit(X, y)
    check_gradient(fitted, X[:, :2], y)
    assert fitted.predict(X).shape == y.shape


@pytest.mark.parametrize("loss", [CrossEntropy(), WestonWatkins(), OneVsRest()], ids=repr)
@pytest.mark.parametrize("regularizer", [L2(), L1()], ids=repr)
def test_objectives(loss, regularizer):
    objective = make(loss, regularizer)
    assert check_gradient(objective).passed
    params = draw(objective.shape)
    assert check_gradient(objective, params=params).passed
    assert check_gradient(objective.value_and_gradient, params=params.tolist()).passed


def test_params_are_left_alone_and_results_repeat():
    objective, params = make(), draw((3, 5))
    kept = params.copy()
    one, two = (check_gradient(objective, params=params, n_entries=4) for _ in range(2))
    assert_array_equal(params, kept)
    assert one.entries == two.entries and len(one.entries) == 4
    other = check_gradient(objective, params=params, n_entries=4, random_state=1)
    assert other.entries != one.entries
    rng = np.random.RandomState(0)
    assert check_gradient(objective, params=params, n_entries=4, random_state=rng).passed


def test_only_the_entries_that_are_asked_for_cost_evaluations():
    calls = []

    def function(w):
        calls.append(1)
        return float(w @ w), 2 * w

    report = check_gradient(function, params=draw(1000), n_entries=3)
    assert report.passed and len(set(report.entries)) == 3
    assert len(calls) <= 1 + 6 * 3


def test_a_reused_gradient_buffer_is_read_in_time():
    """A function may hand out the same array at every call."""
    buffer = np.empty(3)

    def function(w):
        buffer[...] = 4 * w**3
        return float((w**4).sum()), buffer

    params = np.array([1.0, -2.0, 3.0])
    report = check_gradient(function, params=params)
    assert_allclose(report.analytic, 4 * params**3, rtol=1e-14)
    assert report.passed


# Planted bugs fail

X_, Y_ = data()
N_ = len(Y_)


def softmax(W, *, sign=1, scale=1.0, own=1, strength=2):
    """The lecture's loss with its L2 penalty, and four places for a slip in the gradient."""
    scores = X_ @ W.T
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    value = -np.log(p[np.arange(N_), Y_]).mean() + 0.1 * np.square(W).sum()
    p[np.arange(N_), Y_] -= own
    return value, sign * scale * p.T @ X_ / N_ + strength * 0.1 * W


def hinge(W, *, own=1):
    scores = X_ @ W.T
    margins = np.maximum(0, scores - scores[np.arange(N_), Y_][:, None] + 1)
    margins[np.arange(N_), Y_] = 0
    counts = (margins > 0).astype(float)
    counts[np.arange(N_), Y_] = -own * counts.sum(axis=1)
    return margins.sum() / N_, counts.T @ X_ / N_


@pytest.mark.parametrize("function", [softmax, hinge])
def test_no_slip(function):
    assert check_gradient(function, params=draw((3, 4))).passed


@pytest.mark.parametrize(
    "function, slip",
    [
        (softmax, {"sign": -1}),
        (softmax, {"scale": N_}),  # the missing 1/N
        (softmax, {"scale": 1.001}),
        (softmax, {"own": 0}),  # the forgotten own class
        (softmax, {"strength": 1}),  # the penalty without its 2
        (softmax, {"strength": 0}),
        (hinge, {"own": 0}),
        (hinge, {"own": -1}),
    ],
)
@pytest.mark.parametrize("size", [0.01, 1.0])
def test_slips_fail(function, slip, size):
    params = size * draw((3, 4))
    report = check_gradient(lambda W: function(W, **slip), params=params)
    assert not report.passed
    assert "FAILED" in str(report)


def test_one_wrong_entry_of_many_is_found_and_shown():
    def function(w):
        gradient = 2 * w
        gradient[7] *= 1.01
        return float(w @ w), gradient

    report = check_gradient(function, params=draw(20) + 3)
    assert_array_equal(np.flatnonzero(report.errors > report.tol), [7])
    assert str(report).splitlines()[2].split()[0] == "7"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_no_number_fails_and_is_shown(bad):
    def function(w):
        gradient = 2 * w
        gradient[7] = bad
        return float(w @ w), gradient

    report = check_gradient(function, params=draw(20) + 3)
    assert not report.passed
    assert any(line.split()[0] == "7" for line in str(report).splitlines()[2:])


# Kinks


def test_an_exact_kink_passes_as_a_kink():
    """A lead of exactly the margin; at zero weights every hinge is well inside."""
    objective = Objective(Samples(np.eye(3), np.arange(3), 3), WestonWatkins(), L2(), 0.0)
    params = np.column_stack([np.eye(3), np.zeros(3)])
    report = check_gradient(objective, params=params)
    assert report.passed and report.kinks.any()
    assert "kink" in str(report)
    assert not check_gradient(objective, params=0 * params).kinks.any()


@pytest.mark.parametrize(
    "offset, slope, passes",
    [(0.0, slope, 0 <= slope <= 1) for slope in (-0.1, 0.0, 0.6, 1.0, 1.1)]
    + [(3e-6, 1.0, True), (3e-6, 1.1, False), (-3e-6, 0.0, True), (-3e-6, -0.1, False)],
)
def test_at_a_kink_every_slope_between_the_two_sides_is_right(offset, slope, passes):
    def function(w):
        return float(np.maximum(w, 0).sum()), np.array([slope])

    report = check_gradient(function, params=np.array([offset]))
    assert report.kinks.all()
    assert report.passed == passes


def test_l1_at_zero_weights():
    report = check_gradient(make(regularizer=L1(), alpha=1.0), params=np.zeros((3, 5)))
    assert report.passed
    at_weight = np.array([entry[1] < 4 for entry in report.entries])
    assert_array_equal(report.kinks, at_weight)


def test_a_kink_does_not_excuse_the_other_entries():
    def function(w):
        return float(abs(w[0]) + w[1] ** 2), np.array([0.0, 3 * w[1]])

    report = check_gradient(function, params=np.array([0.0, 1.0]))
    assert_array_equal(report.kinks, [True, False])
    assert_array_equal(report.errors > report.tol, [False, True])
    assert not report.passed


@pytest.mark.parametrize(
    "function",
    [
        lambda w: (float(np.exp(20 * w).sum()), 20 * np.exp(20 * w)),
        lambda w: (float(w.sum() + 1), np.ones_like(w)),
        lambda w: (float(w.sum()), np.ones_like(w)),
        lambda w: (float(np.square(np.maximum(w, 0)).sum()), 2 * np.maximum(w, 0)),
        lambda w: (1e6 + float(np.sin(w).sum()), np.cos(w)),
        lambda w: (0.0, np.zeros_like(w)),
    ],
    ids=["steep", "linear", "linear of value 0", "squared hinge", "large value", "constant"],
)
def test_bends_are_no_kinks(function):
    report = check_gradient(function, params=np.array([0.0, 0.5, -0.5]))
    assert report.passed and not report.kinks.any(), str(report)


# The report and the refusals


def test_report_is_readable():
    report = check_gradient(lambda w: (float(w @ w), 2 * w), params=np.ones((7,)))
    first, head, *rows = str(report).splitlines()
    assert first.startswith("Gradient check passed: 7 entries, largest relative error ")
    assert first.endswith("(allowed 1e-05); 0 at a kink.")
    assert head.split() == ["entry", "analytic", "numerical", "error"]
    assert len(rows) == 5
    assert all(float(row.split()[1]) == 2 for row in rows)


@pytest.mark.parametrize(
    "target, options, error, message",
    [
        (SoftmaxClassifier(), {}, TypeError, "X and y must be given"),
        (SoftmaxClassifier(), {"X": X_}, TypeError, "X and y must be given"),
        (lambda w: (w @ w, 2 * w), {}, TypeError, "params must be given"),
        ("softmax", {}, TypeError, "target must be a classifier .* got 'softmax'"),
        (SoftmaxClassifier(alpha=-1), {"X": X_, "y": Y_}, ValueError, "alpha"),
        (lambda w: (w @ w, w[:1]), {"params": [1.0, 2.0]}, ValueError, r"shape.* \(2,\).*\(1,\)"),
        (lambda w: (w @ w, w), {"params": [1.0], "n_entries": 0}, ValueError, "n_entries"),
        (lambda w: (w @ w, w), {"params": [1.0], "n_entries": 2.5}, TypeError, "n_entries"),
    ],
)
def test_errors_say_what_is_missing(target, options, error, message):
    with pytest.raises(error, match=message):
        check_gradient(target, **options)
