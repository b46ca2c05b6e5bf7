"""What scikit-learn asks of its own linear classifiers, asked of these.

The suites of LogisticRegression (and its CV), LinearSVC and SGDClassifier, gone through test by
test: each behaviour that has a meaning here and that no other file asks for, as a law of these
estimators. Answers come from closed forms, from scikit-learn's own estimators, from glmnet, or
from another way to the same fit.
"""

import inspect
import itertools
import warnings

import numpy as np
import pytest
from scipy import optimize, sparse
from scipy.special import expit, softmax
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer, log_loss
from sklearn.model_selection import GridSearchCV, KFold, train_test_split
from sklearn.svm import LinearSVC, l1_min_c

from sklin import (
    LinearSVMClassifier,
    LinearSVMClassifierCV,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
)
from sklin.losses import CrammerSinger, CrossEntropy, OneVsRest, WestonWatkins
from sklin.optimizers import (
    OPTIMIZERS,
    SGD,
    AdaGrad,
    Adam,
    GradientDescent,
    InverseDecay,
    Newton,
    RandomLocalSearch,
    RandomSearch,
)
from sklin.regularizers import L1, L2, ElasticNet, GroupL2

IRIS, SPECIES = load_iris(return_X_y=True)
IRIS = (IRIS - IRIS.mean(axis=0)) / IRIS.std(axis=0)
NAMES = np.array(["setosa", "versicolor", "virginica"])

SOFTMAX = SoftmaxClassifier(alpha=1e-2, tol=1e-10)
SQUARED = LinearSVMClassifier(loss="squared_hinge", alpha=1e-2, tol=1e-10)
HINGE = LinearSVMClassifier(alpha=1e-2)
ONE_VS_REST = LinearSVMClassifier(multi_class="one_vs_rest", loss="squared_hinge", alpha=1e-2)
CRAMMER_SINGER = LinearSVMClassifier(multi_class="crammer_singer", alpha=1e-2)
SMOOTH = [SOFTMAX, SQUARED, ONE_VS_REST]
ALL = [*SMOOTH, HINGE, CRAMMER_SINGER]
CVS = [
    SoftmaxClassifierCV([1e-1, 1e-2], cv=2),
    LinearSVMClassifierCV([1e-1, 1e-2], cv=2, loss="squared_hinge"),
]
BATCHED = [SGD(0.05), SGD(0.05, nesterov=True), AdaGrad(0.05), Adam(0.01)]


def name(model):
    if not isinstance(model, SoftmaxClassifier | LinearSVMClassifier):
        return type(model).__name__
    loss = getattr(model, "loss", "softmax")
    return f"{loss}-{model.multi_class}" if loss != "softmax" else loss


def each(models, argument="model"):
    return pytest.mark.parametrize(argument, models, ids=name)


def blobs(n_classes=3, n_samples=60, n_features=4, seed=0, class_sep=0.5):
    return make_classification(
        n_samples,
        n_features,
        n_informative=n_features,
        n_redundant=0,
        n_clusters_per_class=1,
        n_classes=n_classes,
        class_sep=class_sep,
        random_state=seed,
    )


def fitted(model, *data, **options):
    """A clone of a model with other parameters, fitted, whether it converges or not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return clone(model).set_params(**options).fit(*data)


def distance(model, n_classes):
    """How far the published coefficients can be from the minimum, by the proven gap.

    alpha |W|^2 is strongly convex: alpha |W - W*|^2 is at most the gap. For two classes what is
    published is the difference of two opposite rows, longer by the root of two. Rounding adds some.
    """
    root = np.sqrt(2) if n_classes == 2 else 1
    noise = 1e-15 * abs(model.objective_)
    return root * np.sqrt((model.duality_gap_ + noise) / model.alpha)


# Predictions


@pytest.mark.parametrize("optimizer", ["auto", *OPTIMIZERS])
@pytest.mark.parametrize("n_classes", [2, 3])
@each([SOFTMAX, HINGE])
def test_corners_of_a_triangle_are_told_apart_by_every_optimizer(model, n_classes, optimizer):
    """Points about corners that are far from each other; a random search needs many tries."""
    corners = np.array([[0, 3], [-3, -2], [3, -2]])
    y = np.arange(12) % n_classes
    X = corners[y] + 0.3 * np.random.RandomState(0).standard_normal((12, 2))
    options = dict(optimizer=optimizer, random_state=0, tol=1e-2, max_iter=300)
    if optimizer != "auto" and OPTIMIZERS[optimizer]().missing(model._make_loss(), L2()):
        with pytest.raises(ValueError, match="needs a"):
            fitted(model, X, NAMES[y], **options)
        return
    model = fitted(model, X, NAMES[y], **options)
    np.testing.assert_array_equal(model.predict(X), NAMES[y])
    np.testing.assert_array_equal(model.predict(sparse.csr_array(X)), NAMES[y])
    np.testing.assert_array_equal(model.predict(corners[:n_classes]), NAMES[:n_classes])


@pytest.mark.parametrize("n_classes", [2, 3])
@each([*ALL, *CVS])
def test_scores_are_linear_and_the_largest_is_predicted(model, n_classes):
    X, y = blobs(n_classes, 90)
    model = fitted(model, X, NAMES[y])
    rows = 1 if n_classes == 2 else 3
    assert model.coef_.shape == (rows, 4) and model.intercept_.shape == (rows,)
    assert isinstance(model.n_iter_, int)
    scores = model.decision_function(X)
    expected = X @ model.coef_.T + model.intercept_
    if n_classes == 2:
        assert scores.shape == (90,)
        np.testing.assert_allclose(scores, expected[:, 0], rtol=1e-12, atol=1e-12)
        best = (scores > 0).astype(int)
    else:
        np.testing.assert_allclose(scores, expected, rtol=1e-12, atol=1e-12)
        best = scores.argmax(axis=1)
    np.testing.assert_array_equal(model.predict(X), NAMES[best])
    assert 1 < len(set(best))


@pytest.mark.parametrize("n_classes", [2, 3])
@each([SOFTMAX, CVS[0]])
def test_probabilities_are_the_softmax_of_the_scores(model, n_classes):
    X, y = blobs(n_classes, 90)
    model = fitted(model, X, y)
    scores = model.decision_function(X)
    proba, log_proba = model.predict_proba(X), model.predict_log_proba(X)
    if n_classes == 2:
        expected = np.column_stack([expit(-scores), expit(scores)])
    else:
        expected = softmax(scores, axis=1)
    # Rounding of a few exponentials.
    np.testing.assert_allclose(proba, expected, rtol=1e-12)
    np.testing.assert_allclose(np.exp(log_proba), proba, rtol=1e-12)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
    assert (proba > 0).all()
    np.testing.assert_array_equal(proba.argmax(axis=1), model.predict(X))
    # They are what the loss was taken of: the objective is their log loss and the penalty.
    square = np.square(model.coef_).sum() / (2 if n_classes == 2 else 1)
    alpha = getattr(model, "alpha_", None) or model.alpha
    value = log_loss(y, proba) + alpha * square
    assert model.objective_ == pytest.approx(value, rel=1e-12)


@each([HINGE, SQUARED, ONE_VS_REST, CVS[1]])
def test_margins_have_no_probabilities(model):
    for method in ("predict_proba", "predict_log_proba"):
        assert not hasattr(model, method)
        with pytest.raises(AttributeError, match=method):
            getattr(model.fit(IRIS[::5], SPECIES[::5]), method)


@pytest.mark.parametrize("n_classes", [2, 3])
@each(ALL)
def test_scores_that_are_all_equal_predict_the_first_class(model, n_classes):
    """At zero samples without an intercept; LIBLINEAR says the last of two there."""
    X, y = blobs(n_classes)
    model = fitted(model, X, NAMES[y], fit_intercept=False, tol=1e-3)
    assert set(model.predict(np.zeros((5, 4)))) == {"setosa"}


@pytest.mark.parametrize("n_classes", [2, 3])
@each([*ALL, *CVS])
def test_without_an_intercept_it_is_zero(model, n_classes):
    X, y = blobs(n_classes)
    model = fitted(model, X + 1, y, fit_intercept=False)
    np.testing.assert_array_equal(model.intercept_, np.zeros(1 if n_classes == 2 else 3))
    np.testing.assert_array_equal(
        model.decision_function(np.zeros((1, 4))).ravel(), model.intercept_
    )
    if not hasattr(model, "alphas"):
        model = clone(model).partial_fit(X + 1, y, classes=range(n_classes))
        np.testing.assert_array_equal(model.intercept_, np.zeros(1 if n_classes == 2 else 3))
        assert model.coef_.any()


@each([*ALL, *CVS])
def test_what_is_published_may_be_written_to_and_predicts(model):
    X, y = IRIS[::3], SPECIES[::3]
    model = fitted(model, X, y)
    scores = model.decision_function(X)
    dense = model.coef_
    model.coef_, model.intercept_ = dense.copy(), model.intercept_.copy()
    np.testing.assert_array_equal(model.decision_function(X), scores)
    # Many weights of an L1 fit are zero: they may be held as what they are.
    for hold in (sparse.csr_array, sparse.csr_matrix):
        model.coef_ = hold(dense)
        for samples in (X, sparse.csr_array(X), sparse.csr_matrix(X)):
            found = model.decision_function(samples)
            assert type(found) is np.ndarray
            np.testing.assert_allclose(found, scores, rtol=1e-10, atol=1e-12)
    model.coef_ = dense
    model.coef_[...] = 0
    model.intercept_[...] = 0
    assert not model.decision_function(X).any()


@each([*ALL[:4], *CVS])
def test_what_is_not_fitted_says_so_whatever_it_is_given(model):
    model = clone(model)
    methods = ["predict", "decision_function"]
    methods += ["predict_proba", "predict_log_proba"] if hasattr(model, "predict_proba") else []
    for method in methods:
        with pytest.raises(NotFittedError, match=rf"{type(model).__name__}.* not fitted yet"):
            getattr(model, method)("foo!")
    with pytest.raises(NotFittedError, match="not fitted yet"):
        model.score(IRIS, SPECIES)


# Closed forms and foreign answers


@pytest.mark.parametrize("alpha", [1e-2, 0.5, 4.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(
    ("model", "minimum"),
    [
        # On samples -1 and 1 with the difference v of the rows: mean loss + alpha v^2 / 2.
        (HINGE, lambda a: min(1, 1 / a)),
        (CRAMMER_SINGER, lambda a: min(1, 1 / a)),
        (SQUARED, lambda a: 2 / (2 + a)),
        # phi(1 - v / 2) counts once for each class.
        (ONE_VS_REST, lambda a: 2 / (1 + a)),
        (SOFTMAX, lambda a: optimize.brentq(lambda v: a * v - expit(-v), 0, 100)),
    ],
    ids=["hinge", "crammer_singer", "squared_hinge", "one_vs_rest", "softmax"],
)
def test_two_samples_have_the_weight_of_the_textbook(model, minimum, fit_intercept, alpha):
    options = dict(alpha=alpha, fit_intercept=fit_intercept, tol=1e-8)
    model = fitted(model, [[-1.0], [1.0]], ["left", "right"], **options)
    atol = max(1e-6, distance(model, 2))
    np.testing.assert_allclose(model.coef_, [[minimum(alpha)]], rtol=0, atol=atol)
    if getattr(model, "loss", "") != "hinge":
        # A hinge leaves the intercept free where no sample is within its margin.
        np.testing.assert_allclose(model.intercept_, [0], atol=atol)


@pytest.mark.parametrize("optimizer", ["auto", "lbfgs", "newton", "proximal_gradient"])
def test_softmax_is_glmnet(optimizer):
    """glmnet 4 in R, ``alpha=0, lambda=1, standardize=F``: its penalty is |w|^2 / 2."""
    X = np.array([[-4, -3, -2, -1, 0, 1, 2, 3, 4], [0, 0, 1, 0, 1, 1, 1, 0, 0]]).T
    options = dict(optimizer=optimizer, tol=1e-14)
    model = fitted(SOFTMAX, X, np.arange(9) > 2, alpha=1.0, **options)
    # To the tolerance that the answers were found with.
    np.testing.assert_allclose(model.coef_, [[0.44464569182, 0.01457563448]], rtol=1e-5)
    np.testing.assert_allclose(model.intercept_, [0.89230405539], rtol=1e-5)
    model = fitted(SOFTMAX, X, np.arange(9) // 3, alpha=0.5, **options)
    coef = [
        [-0.38023389305, -0.01226499932],
        [-8.164030176e-05, 4.734548012e-02],
        [0.3803155334, -0.0350804808],
    ]
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-5, atol=1e-7)
    intercept = [-0.12004759652, 2.251747383e-01, -0.1051271418]
    np.testing.assert_allclose(model.intercept_, intercept, rtol=1e-5)


@pytest.mark.parametrize("p", [-1000.0, -2.0, -0.5, 0.0, 0.5, 3.0, 1000.0])
def test_two_scores_have_the_binary_losses_of_the_textbook(p):
    """Scores -p/2 and p/2, whose difference is the binary score; the slope is that by p."""
    scores = np.array([[-p / 2, p / 2]] * 2)
    y = np.array([0, 1])
    z = np.array([1 + p, 1 - p])  # violations
    sign = np.array([1, -1])
    hinge = np.maximum(z, 0), sign * (z > 0)
    squared = np.maximum(z, 0) ** 2, sign * 2 * np.maximum(z, 0)
    half = np.maximum(1 - sign * -p / 2, 0), sign * (1 - sign * -p / 2 > 0) / 2
    logistic = np.logaddexp(0, sign * p), sign * expit(sign * p)
    cases = [
        (WestonWatkins(), hinge),
        (CrammerSinger(), hinge),
        (WestonWatkins("squared_hinge"), squared),
        (CrammerSinger("squared_hinge"), squared),
        (OneVsRest(), (2 * half[0], 2 * half[1])),
        (CrossEntropy(), logistic),
    ]
    for loss, (value, slope) in cases:
        found, gradient = loss.value_and_gradient(scores.copy(), y)
        np.testing.assert_allclose(found, value, rtol=1e-12, atol=1e-300, err_msg=repr(loss))
        by_p = (gradient[:, 1] - gradient[:, 0]) / 2
        np.testing.assert_allclose(by_p, slope, rtol=1e-12, atol=1e-300, err_msg=repr(loss))


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_for_two_classes_the_machines_are_one(fit_intercept):
    """Crammer-Singer and Weston-Watkins have one other class; one-vs-rest has half the scores."""
    X, y = blobs(2)
    options = dict(fit_intercept=fit_intercept, tol=1e-8)
    for loss in ("hinge", "squared_hinge"):
        ww = fitted(HINGE, X, y, loss=loss, **options)
        cs = fitted(CRAMMER_SINGER, X, y, loss=loss, **options)
        apart = np.linalg.norm(ww.coef_ - cs.coef_)
        assert apart <= distance(ww, 2) + distance(cs, 2)
        assert ww.score(X, y) > 0.7
    wide = fitted(HINGE, X, y, margin=2.0, **options)
    ovr = fitted(HINGE, X, y, multi_class="one_vs_rest", **options)
    assert np.linalg.norm(wide.coef_ - ovr.coef_) <= distance(wide, 2) + distance(ovr, 2)


def test_the_multiclass_machines_differ_and_mostly_agree():
    """On iris hardly a sample violates two margins; on classes that overlap, many do."""
    kinds = ("weston_watkins", "crammer_singer", "one_vs_rest")
    machines = [fitted(HINGE, IRIS, SPECIES, multi_class=kind) for kind in kinds]
    for a, b in itertools.combinations(machines, 2):
        assert (a.predict(IRIS) == b.predict(IRIS)).mean() > 0.9
    X, y = blobs(3)
    machines = [fitted(HINGE, X, y, multi_class=kind, tol=1e-6) for kind in kinds]
    for a, b in itertools.combinations(machines, 2):
        assert np.linalg.norm(a.coef_ - b.coef_) > distance(a, 3) + distance(b, 3)


# Scikit-learn's names for the same penalties before and after release 1.8.
OLD_NAMES = LogisticRegression().get_params()["penalty"] == "l2"


def foreign(l1_ratio, C, **options):
    kind = {} if not OLD_NAMES else {"penalty": "elasticnet"}
    return LogisticRegression(
        solver="saga",
        l1_ratio=l1_ratio,
        C=C,
        tol=1e-8,
        max_iter=20_000,
        random_state=0,
        **kind,
        **options,
    )


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.3, 1.0])
def test_the_elastic_net_is_sagas(l1_ratio, n_classes):
    """C times the sum of losses + r |w|_1 + (1 - r) |w|^2 / 2, in other words."""
    X, y = blobs(n_classes)
    half = 0.25 if n_classes == 2 else 0.5  # two opposite halves of v: |v|_1 and |v|^2 / 2
    strength = l1_ratio + half * 2 * (1 - l1_ratio) / (1 if n_classes == 2 else 2)
    if n_classes == 2:
        strength = l1_ratio + (1 - l1_ratio)
    C = 2.0
    alpha = strength / (C * len(y))
    reference = foreign(l1_ratio, C).fit(X, y)
    regularizer = ElasticNet(l1_ratio / strength)
    # With L1 alone the gap is as the distance of the weights, not as its square: where values no
    # longer tell two weights apart, 1e-16, it is about 1e-8.
    tol = 1e-8 if l1_ratio == 1 else 1e-9
    model = fitted(SOFTMAX, X, y, alpha=alpha, regularizer=regularizer, tol=tol)
    assert model.duality_gap_ <= tol * model.objective_
    # SAGA stops where its weights change by 1e-8 of themselves; the intercepts have a free shift.
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=0, atol=2e-3)
    np.testing.assert_allclose(model.predict_proba(X), reference.predict_proba(X), atol=1e-3)
    if l1_ratio == 1:
        np.testing.assert_array_equal(model.coef_ == 0, reference.coef_ == 0)


@pytest.mark.parametrize("optimizer", ["auto", "lbfgs", "newton", "proximal_newton"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_without_a_penalty_it_is_maximum_likelihood(n_classes, fit_intercept, optimizer):
    X, y = blobs(n_classes, 150)  # not separable: a minimum exists
    none = {"penalty": None} if OLD_NAMES else {"C": np.inf}
    reference = LogisticRegression(
        **none, tol=1e-10, max_iter=1000, solver="newton-cg", fit_intercept=fit_intercept
    ).fit(X, y)
    model = fitted(
        SOFTMAX, X, y, alpha=0, fit_intercept=fit_intercept, optimizer=optimizer, tol=1e-13
    )
    # Nothing is proven here: the change of the objective is all that a fit can go by.
    atol = 1e-6 if optimizer in ("auto", "newton") else 1e-3
    np.testing.assert_allclose(model.predict_proba(X), reference.predict_proba(X), atol=atol)
    # Of three rows a common shift is free; whose sum is zero is asked below.
    coef = model.coef_ - (model.coef_.mean(axis=0) if n_classes == 3 else 0)
    np.testing.assert_allclose(coef, reference.coef_, rtol=0, atol=10 * atol)


@pytest.mark.parametrize(("alpha", "fit_intercept"), [(0, True), (0, False), (1e-2, True)])
@pytest.mark.parametrize(
    "optimizer",
    ["auto", "newton", Newton(max_direct=0), "lbfgs", "gradient_descent", SGD(0.01)],
    ids=str,
)
@each([SOFTMAX, SQUARED, CRAMMER_SINGER])
def test_rows_sum_to_zero_where_a_common_shift_changes_nothing(
    model, optimizer, alpha, fit_intercept
):
    """The penalty is least there, and steps from zero along gradients of differences stay there."""
    if model is CRAMMER_SINGER and optimizer == "gradient_descent":
        optimizer = GradientDescent(0.1)  # a line search needs a smooth loss
    model = fitted(
        model,
        IRIS,
        NAMES[SPECIES],
        alpha=alpha,
        optimizer=optimizer,
        fit_intercept=fit_intercept,
        max_iter=30,
        tol=1e-6,
        random_state=0,
    )
    # Without a penalty the species are nearly separable, and the weights large.
    atol = 1e-10 * np.abs(model.coef_).max()
    np.testing.assert_allclose(model.coef_.sum(axis=0), 0, atol=atol)
    assert model.intercept_.sum() == pytest.approx(0, abs=10 * atol)
    assert np.abs(model.coef_).max() > 0.1


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("regularizer", [L2(), L1(), GroupL2()], ids=repr)
def test_mean_probabilities_are_the_shares_of_the_classes(regularizer, n_classes, weighted):
    """The slope by an intercept outside the penalty, zero at the minimum, is their difference."""
    X, y = blobs(n_classes)
    y[:20] = 0  # unbalanced
    weight = np.random.RandomState(0).uniform(0.1, 3, len(y)) if weighted else np.ones(len(y))
    model = fitted(SOFTMAX, X, y, weight, regularizer=regularizer, tol=1e-12)
    shares = np.bincount(y, weight) / weight.sum()
    mean = np.average(model.predict_proba(X), axis=0, weights=weight)
    # The slope is at most the root of twice the curvature (below 1/2) times the gap.
    atol = np.sqrt(model.duality_gap_) + 1e-12
    assert atol < 1e-4
    np.testing.assert_allclose(mean, shares, rtol=0, atol=atol)
    balanced = fitted(model, X, y, weight, class_weight="balanced")
    weight = weight / np.bincount(y, weight)[y]
    mean = np.average(balanced.predict_proba(X), axis=0, weights=weight)
    np.testing.assert_allclose(mean, 1 / n_classes, rtol=0, atol=1e-4)


@pytest.mark.parametrize("regularizer", ["l2", "l1", "elasticnet", "group_l2"])
def test_an_enormous_alpha_leaves_the_shares_of_the_classes(regularizer):
    X, y = blobs(3)
    y[:20] = 0
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        model = fitted(SOFTMAX, X, y, alpha=1e5, regularizer=regularizer, tol=1e-12)
    shares = np.bincount(y) / len(y)
    # With no penalty of the intercept |W| is at most its gradient at zero, by twice alpha.
    assert np.abs(model.coef_).max() <= np.abs(X).max() / 1e5
    if regularizer != "l2":
        assert not model.coef_.any()
    proba = model.predict_proba(X)
    np.testing.assert_allclose(proba, np.tile(shares, (len(y), 1)), atol=1e-4)


@pytest.mark.parametrize("optimizer", ["auto", "lbfgs", "newton"])
@each([SOFTMAX, SQUARED])
def test_shifting_a_feature_shifts_the_intercept_alone(model, optimizer):
    """The intercept is outside of the penalty, as LinearSVC's is not."""
    X, y = blobs(2)
    shift = np.array([3.0, -2.0, 10.0, 0.0])
    here = fitted(model, X, y, optimizer=optimizer)
    there = fitted(model, X + shift, y, optimizer=optimizer)
    atol = distance(here, 2) + distance(there, 2)
    assert atol < 1e-3
    assert np.linalg.norm(here.coef_ - there.coef_) <= atol
    moved = there.intercept_ + there.coef_ @ shift
    np.testing.assert_allclose(moved, here.intercept_, rtol=0, atol=20 * atol)


@each([SOFTMAX, SQUARED, HINGE])
def test_optimizers_agree_as_far_as_they_prove(model):
    """Each is within the root of its gap by alpha of the one minimum: so are any two."""
    X, y = blobs(3)
    tol = 1e-4 if model is HINGE else 1e-5
    regularizers = {"l2": ["lbfgs", "newton", "proximal_gradient"]}
    if model is not HINGE:
        regularizers["l2"].append("gradient_descent")
        regularizers["l2"].append("proximal_newton")
        regularizers["elasticnet"] = ["proximal_newton", "proximal_gradient"]
    for regularizer, optimizers in regularizers.items():
        options = dict(regularizer=regularizer, alpha=5e-2, tol=tol, max_iter=5000)
        fits = [fitted(model, X, y, optimizer=each, **options) for each in optimizers]
        # The square is half of this elastic net.
        root = 1 if regularizer == "l2" else np.sqrt(2)
        for one in fits:
            assert one.duality_gap_ <= tol * one.objective_
            for other in fits:
                apart = np.linalg.norm(one.coef_ - other.coef_)
                assert apart <= root * (distance(one, 3) + distance(other, 3))


# L1 and the elastic net


@pytest.mark.parametrize(
    ("model", "loss"), [(SOFTMAX, "log"), (SQUARED, "squared_hinge")], ids=["softmax", "svm"]
)
def test_the_first_weight_appears_at_the_smallest_c_of_scikit_learn(model, loss):
    """For two classes the rows are v / 2 and -v / 2, and alpha |v|_1 their penalty."""
    X, y = blobs(2)
    top = 1 / (l1_min_c(X, y, loss=loss, fit_intercept=False) * len(y))
    options = dict(regularizer="l1", fit_intercept=False, tol=1e-10)
    assert not fitted(model, X, y, alpha=1.001 * top, **options).coef_.any()
    assert np.count_nonzero(fitted(model, X, y, alpha=0.99 * top, **options).coef_) == 1


def test_l1_of_noise_and_constants_is_linear_svcs():
    X, y = blobs(2, 100)
    noise = np.random.RandomState(0).standard_normal((100, 6))
    X = np.hstack([X, noise, np.ones((100, 1))])
    alpha = 0.05
    reference = LinearSVC(
        penalty="l1",
        C=1 / (alpha * 100),
        dual=False,
        fit_intercept=False,
        tol=1e-8,
        max_iter=100_000,
        random_state=0,
    ).fit(X, y)
    for hold in (np.asarray, sparse.csr_array):
        model = fitted(
            SQUARED, hold(X), y, alpha=alpha, regularizer="l1", fit_intercept=False, tol=1e-12
        )
        # To the tolerance of LIBLINEAR's slope.
        np.testing.assert_allclose(model.coef_, reference.coef_, rtol=0, atol=1e-4)
        np.testing.assert_array_equal(model.coef_ == 0, reference.coef_ == 0)
    assert 0 < np.count_nonzero(model.coef_) < X.shape[1]


@pytest.mark.parametrize("optimizer", ["auto", "proximal_newton", *BATCHED])
@each([SOFTMAX, SQUARED])
def test_the_ends_of_the_elastic_net_are_l1_and_l2(model, optimizer):
    X, y = blobs(3)
    options = dict(optimizer=optimizer, random_state=0, tol=1e-7, max_iter=200)
    ends = [(0, "l2"), (1, "l1"), (1e-10, "l2"), (1 - 1e-10, "l1")]
    if not isinstance(optimizer, str):
        options.update(tol=0, max_iter=5)
        # A smooth penalty enters by its slope, any other by its prox: another path to wander.
        ends = [(0, "l2"), (1, "l1"), (1 - 1e-10, "l1")]
    for ratio, end in ends:
        net = fitted(model, X, y, regularizer=ElasticNet(ratio), **options)
        pure = fitted(model, X, y, regularizer=end, **options)
        # "auto" takes another method for a penalty of some L1; both follow the minimum.
        atol = 1e-3 if optimizer == "auto" else 1e-6
        np.testing.assert_allclose(net.coef_, pure.coef_, rtol=0, atol=atol)


@each([SOFTMAX, SQUARED])
def test_each_penalty_is_best_at_its_own_objective(model):
    X, y = blobs(3)
    penalties = [L2(), ElasticNet(0.1), ElasticNet(0.9), L1()]
    fits = [fitted(model, X, y, regularizer=penalty, tol=1e-9) for penalty in penalties]
    for own in fits:
        objective, _ = own.make_objective(X, y)
        for other in fits:
            value = objective.value(np.column_stack([other.coef_, other.intercept_]))
            if other is own:
                assert value == pytest.approx(own.objective_, rel=1e-12)
            else:
                assert value > own.objective_ * (1 + 1e-8)  # by more than the gap


# Weights of samples and of classes


@pytest.mark.parametrize(
    ("model", "regularizer"),
    [*((model, "l2") for model in ALL), (SOFTMAX, "l1"), (SQUARED, "elasticnet")],
    ids=lambda part: part if isinstance(part, str) else name(part),
)
def test_contradictions_of_no_weight_are_not_heard(model, regularizer):
    X, y = blobs(3)
    order = np.random.RandomState(0).permutation(2 * len(y))
    both, wrong = np.vstack([X, X])[order], np.hstack([y, (y + 1) % 3])[order]
    weight = np.repeat([1.0, 0.0], len(y))[order]
    tol = 1e-9 if model in SMOOTH else 1e-5
    options = dict(regularizer=regularizer, tol=tol)
    plain = fitted(model, X, y, **options)
    heard = fitted(model, both, wrong, weight, **options)
    np.testing.assert_allclose(heard.objective_, plain.objective_, rtol=tol)
    if model in SMOOTH:
        np.testing.assert_allclose(heard.coef_, plain.coef_, rtol=0, atol=1e-5)
        np.testing.assert_array_equal(heard.predict(X), plain.predict(X))
    else:
        atol = distance(plain, 3) + distance(heard, 3)
        assert np.linalg.norm(heard.coef_ - plain.coef_) <= atol


@each(SMOOTH)
def test_the_heavier_side_takes_the_middle(model):
    """Mirrored samples: in the middle neither class leads, unless its samples weigh more there."""
    X = np.array([[-2.0, 0], [-1, -1], [0, -2], [0, 2], [1, 1], [2, 0]])
    y = np.repeat([0, 1], 3)
    middle = [[-1.0, 1.0]]
    even = fitted(model, X, y, alpha=1e-1)
    assert even.decision_function(middle)[0] == pytest.approx(0, abs=1e-5)
    weight = np.array([10, 0.1, 0.1, 0.1, 0.1, 10])
    first = fitted(model, X, y, weight, alpha=1e-1).decision_function(middle)[0]
    mirrored = np.array([0.1, 0.1, 10, 10, 0.1, 0.1])
    second = fitted(model, X, y, mirrored, alpha=1e-1).decision_function(middle)[0]
    assert first < -1e-2
    assert second == pytest.approx(-first, abs=1e-5)


@each([SQUARED, HINGE, ONE_VS_REST])
def test_a_weight_of_nearly_nothing_gives_a_class_away(model):
    X = np.array([[-1.0, -1.0], [-1.0, 0], [-0.8, -1.0], [1.0, 1.0], [1.0, 0.0]])
    y = ["own", "own", "own", "other", "other"]
    options = dict(alpha=0.05, fit_intercept=False)
    between = [[0.2, -1.0]]
    assert fitted(model, X, y, **options).predict(between) == "own"
    light = fitted(model, X, y, class_weight={"own": 1e-3}, **options)
    assert light.predict(between) == "other"
    weighed = fitted(model, X, y, [1e-3] * 3 + [1] * 2, **options)
    np.testing.assert_allclose(light.coef_, weighed.coef_, rtol=1e-6)


@each(ALL)
def test_a_class_of_no_weight_is_never_predicted(model):
    X, y = IRIS, NAMES[SPECIES]
    weights = {"setosa": 1, "versicolor": 2, "virginica": 0}
    found = fitted(model, X, y, class_weight=weights, tol=1e-4)
    assert set(found.predict(X)) == {"setosa", "versicolor"}
    assert list(found.classes_) == list(NAMES)
    # It is told by its label, whatever the order.
    again = fitted(
        model, X, y, class_weight={k: weights[k] for k in reversed(NAMES.tolist())}, tol=1e-4
    )
    np.testing.assert_array_equal(found.coef_, again.coef_)


@pytest.mark.parametrize("optimizer", ["auto", "lbfgs", SGD(0.1)], ids=str)
@each([SOFTMAX, SQUARED, HINGE])
def test_balanced_undoes_repetition_and_changes_nothing_that_is_balanced(model, optimizer):
    """Iris has fifty of each; then ten times as many of one species."""
    rare = np.flatnonzero(SPECIES == 0)
    again = np.concatenate([np.arange(150), np.tile(rare, 10)])
    batches = not isinstance(optimizer, str)
    tol = 1e-6 if model in SMOOTH else 1e-4
    options = dict(optimizer=optimizer, random_state=0, tol=0 if batches else tol)
    options["max_iter"] = 3 if batches else 1000
    plain = fitted(model, IRIS, SPECIES, **options)
    balanced = fitted(model, IRIS, SPECIES, class_weight="balanced", **options)
    np.testing.assert_allclose(balanced.coef_, plain.coef_, rtol=1e-6, atol=1e-9)
    if batches:
        return  # other samples make other mini-batches
    undone = fitted(model, IRIS[again], SPECIES[again], class_weight="balanced", **options)
    heard = fitted(model, IRIS[again], SPECIES[again], **options)
    atol = distance(plain, 3) + distance(undone, 3)
    assert np.linalg.norm(undone.coef_ - plain.coef_) <= atol
    assert np.linalg.norm(heard.coef_ - plain.coef_) > atol


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 1.0, 1: 10.0, 2: 1.0}])
@each([SOFTMAX, SQUARED, *CVS])
def test_weights_are_left_as_they_were_given(model, class_weight):
    weight = np.where(np.arange(150) < 75, 2.0, 1.0)
    kept = weight.copy()
    given = dict(class_weight) if isinstance(class_weight, dict) else class_weight
    weight.flags.writeable = False
    fitted(model, IRIS, SPECIES, weight, class_weight=given)
    np.testing.assert_array_equal(weight, kept)
    assert given == class_weight


@pytest.mark.parametrize("class_weight", [{"rose": 0.5}, {"setosa": 1, "rose": 2}])
@each([SOFTMAX, HINGE, *CVS])
def test_a_weight_for_no_class_is_named(model, class_weight):
    with pytest.raises(ValueError, match=r"class.*class_weight"):
        clone(model).set_params(class_weight=class_weight).fit(IRIS, NAMES[SPECIES])


@pytest.mark.parametrize("optimizer", BATCHED, ids=repr)
def test_class_weights_of_a_stream_are_sample_weights(optimizer):
    X, y = blobs(3)
    by_class = SoftmaxClassifier(
        optimizer=optimizer, class_weight={0: 2.0, 1: 1.0, 2: 3.0}, random_state=0
    )
    by_sample = SoftmaxClassifier(optimizer=optimizer, random_state=0)
    for part in (slice(0, 30), slice(30, 60)):
        by_class.partial_fit(X[part], y[part], classes=[0, 1, 2])
        weight = np.array([2.0, 1.0, 3.0])[y[part]]
        by_sample.partial_fit(X[part], y[part], classes=[0, 1, 2], sample_weight=weight)
    np.testing.assert_allclose(by_class.coef_, by_sample.coef_, rtol=1e-12)


# Iterations, warm starts and new data

EVERY_OPTIMIZER = [
    "lbfgs",
    "newton",
    "proximal_gradient",
    "proximal_newton",
    "gradient_descent",
    *BATCHED,
    RandomSearch(0.1),
    RandomLocalSearch(0.1, start_scale=0),
]


@pytest.mark.parametrize("max_iter", [1, 4])
@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER, ids=str)
@each([SOFTMAX, SQUARED])
def test_max_iter_is_the_number_of_iterations_and_a_warning(model, optimizer, max_iter):
    model = clone(model).set_params(
        optimizer=optimizer, max_iter=max_iter, tol=1e-15, alpha=1e-4, random_state=0
    )
    with pytest.warns(ConvergenceWarning, match=f"did not converge.*max_iter={max_iter}") as seen:
        model.fit(IRIS, SPECIES)
    assert len(seen) == 1 and seen[0].filename == __file__
    assert model.n_iter_ == max_iter == len(model.loss_curve_) - 1


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("alpha", [0, 1e-2])
@pytest.mark.parametrize("optimizer", ["newton", GradientDescent(0.1)], ids=str)
def test_two_steps_are_one_and_another_where_nothing_is_remembered(
    optimizer, alpha, n_classes, fit_intercept
):
    X, y = blobs(n_classes)
    options = dict(optimizer=optimizer, fit_intercept=fit_intercept, alpha=alpha, tol=0)
    at_once = fitted(SOFTMAX, X, y, max_iter=2, **options)
    one = SoftmaxClassifier(max_iter=1, warm_start=True, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        one.fit(X, y).fit(X, y)
    np.testing.assert_allclose(one.coef_, at_once.coef_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(one.intercept_, at_once.intercept_, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("n_classes", "fit_intercept"), [(2, True), (3, True), (3, False)])
@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER, ids=str)
@each([SOFTMAX, SQUARED])
def test_a_warm_start_begins_at_the_weights_and_a_cold_one_at_zero(
    model, optimizer, n_classes, fit_intercept
):
    """Those of the last fit, or whatever was written over them."""
    X, y = blobs(n_classes)
    options = dict(optimizer=optimizer, fit_intercept=fit_intercept, random_state=0, max_iter=20)
    model = fitted(model, X, y, **options)
    zero = model.loss_curve_[0]
    written = 0.5 * np.cos(np.arange(model.coef_.size)).reshape(model.coef_.shape)
    for coef in (model.coef_, written):
        model.coef_ = coef.copy()
        model.set_params(warm_start=True, max_iter=1)
        rows = np.column_stack([coef, model.intercept_]) if fit_intercept else coef
        if n_classes == 2:
            rows = np.vstack([-rows, rows]) / 2
        expected = model.make_objective(X, y)[0].value(rows)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y)
        assert model.loss_curve_[0] == pytest.approx(expected, rel=1e-9)
        assert abs(expected - zero) > 1e-6
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.set_params(warm_start=False).fit(X, y)
    assert model.loss_curve_[0] == zero


@pytest.mark.parametrize("optimizer", ["auto", "lbfgs", "newton"])
@each([SOFTMAX, SQUARED, HINGE])
def test_warm_starts_end_where_cold_ones_do(model, optimizer):
    X, y = blobs(3)
    options = dict(optimizer=optimizer, tol=1e-5)
    cold = fitted(model, X, y, **options)
    warm = fitted(model, X, y, warm_start=True, alpha=1.0, optimizer=optimizer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for alpha in (0.1, model.alpha, model.alpha):
            warm.set_params(alpha=alpha, tol=1e-5).fit(X, y)
    assert np.linalg.norm(warm.coef_ - cold.coef_) <= distance(warm, 3) + distance(cold, 3)
    assert warm.duality_gap_ <= 1e-5 * warm.objective_


@each([*ALL, *CVS])
def test_another_fit_forgets_the_last(model):
    """Other classes, features, names of features, kinds of samples."""
    pd = pytest.importorskip("pandas")
    model = fitted(model, pd.DataFrame(IRIS, columns=list("abcd")), NAMES[SPECIES], tol=1e-4)
    assert model.n_features_in_ == 4 and list(model.feature_names_in_) == list("abcd")
    X, y = blobs(2, n_features=3)
    for samples in (sparse.csr_array(X), X.astype(np.float32), X):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            again = model.fit(samples, y)
        fresh = fitted(model, samples, y)
        assert vars(again).keys() == vars(fresh).keys()
        np.testing.assert_array_equal(again.coef_, fresh.coef_)
        np.testing.assert_array_equal(again.predict(samples), fresh.predict(samples))
        assert list(again.classes_) == [0, 1] and again.n_features_in_ == 3


@pytest.mark.parametrize("optimizer", BATCHED, ids=repr)
def test_a_fit_after_a_stream_starts_anew_or_from_its_weights(optimizer):
    X, y = blobs(3)
    options = dict(optimizer=optimizer, random_state=0, max_iter=3, tol=0)
    streamed = SoftmaxClassifier(**options).partial_fit(X, y, classes=[0, 1, 2])
    rows = np.column_stack([streamed.coef_, streamed.intercept_])
    expected = streamed.make_objective(X, y)[0].value(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        anew = clone(streamed).partial_fit(X, y, classes=[0, 1, 2]).fit(X, y)
        on = streamed.set_params(warm_start=True).fit(X, y)
    np.testing.assert_array_equal(anew.coef_, fitted(SoftmaxClassifier(**options), X, y).coef_)
    assert on.loss_curve_[0] == pytest.approx(expected, rel=1e-9)
    assert not hasattr(on, "optimizer_state_")


@each([SOFTMAX, SQUARED, HINGE])
def test_a_clone_with_another_parameter_is_a_new_one_with_it(model):
    X, y = blobs(3)
    model = fitted(model, X, y, regularizer="l1", alpha=0.1, tol=1e-3)
    copy = clone(model)
    assert not hasattr(copy, "coef_")
    found = fitted(copy, X, y, regularizer="l2")
    params = {**model.get_params(deep=False), "regularizer": "l2"}
    new = fitted(type(model)(**params), X, y)
    np.testing.assert_array_equal(found.coef_, new.coef_)
    # Midway, too: a fit hears the parameters that are set when it begins.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.set_params(regularizer="l2").fit(X, y)
    np.testing.assert_array_equal(model.coef_, new.coef_)


@pytest.mark.parametrize("optimizer", BATCHED, ids=repr)
@each([SOFTMAX, SQUARED, HINGE])
def test_more_patience_goes_on_where_less_gave_up(model, optimizer):
    """With one seed it is one path: of ``early_stopping`` by n_iter_no_change, else by tol."""
    options = dict(optimizer=optimizer, random_state=0, alpha=1e-3, max_iter=200)
    early = [
        fitted(model, IRIS, SPECIES, early_stopping=True, n_iter_no_change=n, tol=1e-3, **options)
        for n in (2, 3, 10)
    ]
    plain = [fitted(model, IRIS, SPECIES, tol=tol, **options) for tol in (0.1, 1e-2, 1e-3)]
    for runs in (early, plain):
        for less, more in itertools.pairwise(runs):
            assert less.n_iter_ <= more.n_iter_ <= 200
            np.testing.assert_array_equal(
                less.loss_curve_, more.loss_curve_[: len(less.loss_curve_)]
            )
        assert runs[0].n_iter_ < runs[-1].n_iter_
    assert all(run.n_iter_ < 200 for run in early)
    all_of_them = fitted(model, IRIS, SPECIES, **{**options, "tol": 0, "max_iter": 42})
    assert all_of_them.n_iter_ == 42


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.4])
@each([SOFTMAX, SQUARED, HINGE])
def test_held_out_samples_are_not_learnt_from(model, fraction):
    """However they look, as long as they are held out, the weights of each step are the same."""
    model = clone(model).set_params(
        optimizer=GradientDescent(0.1),
        early_stopping=True,
        validation_fraction=fraction,
        n_iter_no_change=10,
        max_iter=10,
        tol=0,
        random_state=0,
    )
    held = train_test_split(np.arange(150), test_size=fraction, stratify=SPECIES, random_state=0)[1]
    assert len(held) == pytest.approx(150 * fraction)
    other = IRIS.copy()
    other[held] = 100.0
    plain = fitted(model, IRIS, SPECIES)
    found = fitted(model, other, SPECIES)
    np.testing.assert_array_equal(found.loss_curve_, plain.loss_curve_)
    # All look alike, so one species of the three is right.
    np.testing.assert_allclose(found.validation_scores_, 1 / 3)
    other[np.setdiff1d(np.arange(150), held)[0]] = 100.0
    assert not np.array_equal(fitted(model, other, SPECIES).loss_curve_, plain.loss_curve_)


@pytest.mark.parametrize("fraction", [0.99, 0.001])
def test_too_few_samples_to_hold_out_or_to_keep_are_named(fraction):
    model = SoftmaxClassifier(early_stopping=True, validation_fraction=fraction)
    with pytest.raises(
        ValueError, match=f"early_stopping holds out.*={fraction} of the 60 samples"
    ):
        model.fit(*blobs(3))


@each([SOFTMAX, HINGE])
def test_held_out_samples_of_no_weight_are_scored_as_they_are(model):
    held = train_test_split(np.arange(150), test_size=0.1, stratify=SPECIES, random_state=0)[1]
    weight = np.ones(150)
    weight[held] = 0
    options = dict(early_stopping=True, random_state=0, tol=1e-4)
    found = fitted(model, IRIS, SPECIES, weight, **options)
    plain = fitted(model, IRIS, SPECIES, **options)
    np.testing.assert_array_equal(found.validation_scores_, plain.validation_scores_)


# partial_fit


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("schedule", [None, InverseDecay(0.05, decay=1.0)], ids=["rate", "decay"])
@pytest.mark.parametrize("optimizer", BATCHED, ids=repr)
@each([SOFTMAX, SQUARED])
def test_a_stream_of_the_same_samples_is_a_fit(model, optimizer, schedule, n_classes):
    """A call is an epoch. In one mini-batch their order matters to rounding alone."""
    X, y = blobs(n_classes)
    optimizer = clone(optimizer).set_params(batch_size=60)
    if schedule is not None:
        optimizer.set_params(learning_rate=schedule)
    model = clone(model).set_params(optimizer=optimizer, random_state=0)
    whole = fitted(model, X, y, max_iter=4, tol=0)
    for _ in range(4):
        model.partial_fit(X, y, classes=range(n_classes))
    np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(model.intercept_, whole.intercept_, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(model.loss_curve_, whole.loss_curve_[1:], rtol=1e-10)
    assert model.n_iter_ == whole.n_iter_ == 4


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
@each(ALL)
def test_a_stream_publishes_what_a_fit_does(model, n_classes, average):
    X, y = blobs(n_classes)
    model = clone(model).set_params(optimizer=SGD(0.1, average=average), random_state=0)
    model.partial_fit(X[:20], NAMES[y[:20]], classes=NAMES[:n_classes][::-1])
    first = model.coef_
    kept = first.copy()
    rows = 1 if n_classes == 2 else 3
    for part in (slice(20, 40), slice(40, 60)):
        model.partial_fit(X[part], NAMES[y[part]])
        assert model.coef_.shape == (rows, 4) and model.intercept_.shape == (rows,)
    np.testing.assert_array_equal(first, kept)  # which may have been kept by someone
    assert not np.array_equal(model.coef_, kept)
    assert list(model.classes_) == list(NAMES[:n_classes])
    assert model.decision_function(X).shape == ((60,) if n_classes == 2 else (60, 3))


@pytest.mark.parametrize("classes", [[0], [1, 1, 1]])
def test_a_stream_of_one_class_is_refused(classes):
    X, y = blobs(2)
    kept = y == classes[0]
    with pytest.raises(ValueError, match="at least two classes"):
        SoftmaxClassifier().partial_fit(X[kept], y[kept], classes=classes)


@pytest.mark.parametrize("regularizer", ["l2", "l1", "elasticnet", "group_l2", "max_norm"])
@each([SOFTMAX, SQUARED, HINGE])
def test_steep_slopes_stay_finite(model, regularizer):
    """Raw, large features, a small rate: nothing overflows and nothing is divided by zero."""
    optimizer = SGD(InverseDecay(1e-4), momentum=0, batch_size=16)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        found = fitted(
            model,
            30 * IRIS + 50,
            SPECIES,
            regularizer=regularizer,
            optimizer=optimizer,
            max_iter=10,
            tol=0,
            random_state=0,
        )
    assert np.isfinite(found.coef_).all() and found.coef_.any()
    assert np.isfinite(found.loss_curve_).all()


@pytest.mark.parametrize("regularizer", ["l1", "elasticnet", "group_l2"])
def test_an_enormous_alpha_leaves_no_weight_to_steps_either(regularizer):
    options = dict(alpha=1e5, regularizer=regularizer, max_iter=6, tol=0, random_state=0)
    found = fitted(SQUARED, IRIS, SPECIES, optimizer=SGD(0.1, momentum=0), **options)
    np.testing.assert_array_equal(found.coef_, 0)


# Paths


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "scoring",
    [
        "accuracy",
        "precision_macro",
        "precision_weighted",
        "f1_macro",
        "recall_weighted",
        "neg_log_loss",
    ],
)
def test_a_path_scores_as_the_scorer_does(scoring, n_classes):
    X, y = blobs(n_classes, 100, class_sep=1.5)
    train, held = np.arange(80), np.arange(80, 100)
    path = SoftmaxClassifierCV(
        [1e-2, 1e-3], cv=[(train, held)], scoring=scoring, tol=1e-10, optimizer="newton"
    ).fit(X, y)
    for alpha, score in zip(path.alphas_, path.scores_path_[0], strict=True):
        plain = fitted(SOFTMAX, X[train], y[train], alpha=alpha, optimizer="newton")
        expected = get_scorer(scoring)(plain, X[held], y[held])
        assert score == pytest.approx(expected, rel=1e-6)
        assert 0 < abs(expected) < 1.5


@each(CVS)
def test_a_path_takes_the_alpha_that_the_scorer_likes(model):
    liked = {1.0: 0.1, 0.3: 0.4, 0.1: 0.8, 0.03: 0.5}
    calls = []

    def scorer(estimator, X, y):
        calls.append((estimator.alpha if hasattr(estimator, "alpha") else None, len(y)))
        return liked.get(calls[-1][0], 0.6)

    model = clone(model).set_params(alphas=list(liked), scoring=scorer, cv=3)
    model.fit(IRIS, SPECIES)
    assert model.alpha_ == 0.1 and model.best_score_ == pytest.approx(0.8)
    assert isinstance(model.alpha_, float) and isinstance(model.best_score_, float)
    np.testing.assert_allclose(model.scores_path_, np.tile(list(liked.values()), (3, 1)))
    assert model.n_iter_path_.shape == (3, 4) and isinstance(model.n_iter_, int)
    # Beside the rehearsals, once for each fold and alpha.
    assert len([size for alpha, size in calls if alpha in liked and size == 50]) == 12
    calls.clear()
    assert model.score(IRIS[:7], SPECIES[:7]) == 0.6
    assert calls == [(None, 7)]


@pytest.mark.parametrize("regularizer", ["l2", "l1", ElasticNet(0.3)], ids=str)
@each(CVS)
def test_a_path_of_one_alpha_is_the_plain_fit(model, regularizer):
    X, y = blobs(3)
    path = clone(model).set_params(alphas=[0.02], regularizer=regularizer).fit(X, y)
    plain = path._plain(alpha=0.02, regularizer=regularizer)
    if isinstance(plain, LinearSVMClassifier):
        plain.set_params(loss="squared_hinge")
    np.testing.assert_array_equal(path.coef_, fitted(plain, X, y).coef_)
    assert path.alpha_ == 0.02


@each([*ALL[:4], *CVS])
def test_labels_are_names_and_nothing_else(model):
    """In sorted order; renaming the classes renames the predictions."""
    X, y = blobs(3)
    names = np.array(["bar", "baz", "foo"])
    numbers = fitted(model, X, y - 1)
    named = fitted(model, X, names[y])
    np.testing.assert_array_equal(numbers.coef_, named.coef_)
    np.testing.assert_array_equal(names[numbers.predict(X) + 1], named.predict(X))
    assert list(named.classes_) == list(names) and list(numbers.classes_) == [-1, 0, 1]
    # In another order the rows are another.
    order = np.array([2, 0, 1])
    renamed = fitted(model, X, names[order][y])
    tol = getattr(model, "tol", 1e-4)
    atol = 1e-3 if tol > 1e-6 and isinstance(model, SoftmaxClassifierCV) else 1e-6
    if model not in (HINGE, *CVS):
        np.testing.assert_allclose(renamed.coef_[order], named.coef_, rtol=0, atol=atol)
    else:
        assert renamed.objective_ == pytest.approx(named.objective_, rel=2e-4)


@each(CVS)
def test_folds_that_were_never_shown_a_class_score_nothing(model):
    """Iris in its own order: each third is one species, of which the others know nothing."""
    model = clone(model).set_params(cv=KFold(3)).fit(IRIS, SPECIES)
    np.testing.assert_array_equal(model.scores_path_, np.zeros((3, 2)))
    assert model.alpha_ == 0.1 and model.score(IRIS, SPECIES) > 0.8


@pytest.mark.parametrize("regularizer", [L2(), L1(), GroupL2()], ids=repr)
@each([SOFTMAX, SQUARED])
def test_weights_grow_as_alpha_falls(model, regularizer):
    """The penalty at the minimum falls with its strength, whatever the loss."""
    penalties = [
        regularizer.value(
            fitted(model, IRIS, SPECIES, alpha=alpha, regularizer=regularizer, tol=1e-5).coef_
        )
        for alpha in (1.0, 0.3, 0.1, 0.03)
    ]
    assert (np.diff(penalties) > 0).all()


# What is asked of every estimator of scikit-learn's


@pytest.mark.parametrize("enable", [False, True])
@each([SOFTMAX, SQUARED, *CVS])
def test_weights_are_routed_where_they_are_asked_for(model, enable):
    X, y = blobs(3)
    weight = np.random.RandomState(0).uniform(0, 3, len(y))
    alone = fitted(model, X, y, weight)
    with config_context(enable_metadata_routing=enable):
        again = fitted(model, X, y, weight)
        np.testing.assert_array_equal(again.coef_, alone.coef_)
        if hasattr(model, "alphas"):
            np.testing.assert_array_equal(again.scores_path_, alone.scores_path_)
        assert "sample_weight" in inspect.signature(model.fit).parameters
        with pytest.raises(TypeError, match="unexpected keyword argument 'extra'"):
            clone(model).fit(X, y, extra=1.0)
    if not enable:
        return
    with config_context(enable_metadata_routing=True):
        asked = clone(model).set_fit_request(sample_weight=True)
        asked.set_score_request(sample_weight=True)
        grid = {"tol": [1e-6]}
        search = GridSearchCV(asked, grid, cv=2).fit(X, y, sample_weight=weight)
        not_asked = clone(model).set_fit_request(sample_weight=False)
        not_asked.set_score_request(sample_weight=False)
        with pytest.raises(TypeError, match="not routed to any object"):
            GridSearchCV(not_asked, grid, cv=2).fit(X, y, sample_weight=weight)
    direct = fitted(model, X, y, weight, tol=1e-6)
    np.testing.assert_array_equal(search.best_estimator_.coef_, direct.coef_)


@pytest.mark.parametrize("kind", [type(model) for model in (SOFTMAX, HINGE, *CVS)])
def test_parameters_that_are_none_are_named(kind):
    with pytest.raises(TypeError, match="unexpected keyword argument 'C'"):
        kind(C=1.0)
    with pytest.raises(ValueError, match=rf"Invalid parameter 'verbose' for .*{kind.__name__}"):
        kind().set_params(verbose=1)
    with pytest.raises(ValueError, match="Invalid parameter 'optimiser'"):
        kind().set_params(optimiser__learning_rate=0.1)
    with pytest.raises(ValueError, match="Invalid parameter 'penalty'"):
        GridSearchCV(kind(), {"penalty": ["l1"]}, cv=2).fit(IRIS, SPECIES)


@each([SOFTMAX, HINGE, *CVS])
def test_several_labels_a_sample_are_refused(model):
    y = np.column_stack([SPECIES, SPECIES])
    with pytest.raises(
        ValueError, match=r"y should be a 1d array, got an array of shape \(150, 2\)"
    ):
        clone(model).fit(IRIS, y)
    if not hasattr(model, "alphas"):
        with pytest.raises(ValueError, match="y should be a 1d array"):
            clone(model).partial_fit(IRIS, y, classes=[0, 1, 2])


@each([SOFTMAX, HINGE, *CVS])
def test_bad_samples_are_refused_wherever_they_come_in(model):
    model = clone(model).set_params(tol=1e-3)
    streamed = None if hasattr(model, "alphas") else clone(model)
    for bad, what in ((np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")):
        X = IRIS.copy()
        X[7, 2] = bad
        for samples in (X, sparse.csr_array(X), X.astype(np.float32)):
            with pytest.raises(ValueError, match=f"Input X contains {what}"):
                model.fit(samples, SPECIES)
            if streamed is not None:
                with pytest.raises(ValueError, match=f"Input X contains {what}"):
                    streamed.partial_fit(samples, SPECIES, classes=[0, 1, 2])
    assert not hasattr(model, "coef_")
    model.fit(IRIS, SPECIES)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        model.predict(np.full((1, 4), np.nan))
    with pytest.raises(ValueError, match=r"X has 12 features, but .* is expecting 4 features"):
        model.predict(np.zeros((3, 12)))


def read_only(array):
    array = np.array(array)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("optimizer", ["auto", *EVERY_OPTIMIZER], ids=str)
@each([SOFTMAX, SQUARED])
def test_arrays_that_may_not_be_written_to_are_enough(model, optimizer):
    X, y, weight = read_only(IRIS), read_only(SPECIES), read_only(np.linspace(1, 2, 150))
    options = dict(optimizer=optimizer, max_iter=5, random_state=0)
    found = fitted(model, X, y, weight, **options)
    plain = fitted(model, IRIS, SPECIES, np.linspace(1, 2, 150), **options)
    np.testing.assert_array_equal(found.coef_, plain.coef_)
    labels = np.repeat(SPECIES, 2)[::2]  # every other number of what holds them
    np.testing.assert_array_equal(fitted(model, X, labels, weight, **options).coef_, plain.coef_)
    if hasattr(found, "partial_fit"):
        streams = [
            clone(found).partial_fit(*data, sample_weight=weight, classes=read_only([0, 1, 2]))
            for data in ((X, y), (IRIS, labels))
        ]
        np.testing.assert_array_equal(streams[0].coef_, streams[1].coef_)


@pytest.mark.parametrize(
    ("hold", "fit_intercept"),
    [(np.asarray, True), (np.asarray, False), (sparse.csr_array, True)],
    ids=["dense", "dense-no-intercept", "sparse"],
)
@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER, ids=str)
@each([SOFTMAX, SQUARED])
def test_every_optimizer_keeps_the_precision(model, optimizer, hold, fit_intercept):
    options = dict(
        optimizer=optimizer, fit_intercept=fit_intercept, random_state=0, max_iter=5, tol=0
    )
    # Unbalanced: where a slope is zero but for rounding, AdaGrad's step is of any size.
    X, y = IRIS[20:], SPECIES[20:]
    single = fitted(model, hold(X.astype(np.float32)), y, **options)
    double = fitted(model, hold(X), y, **options)
    for found, dtype in ((single, np.float32), (double, np.float64)):
        assert found.coef_.dtype == found.intercept_.dtype == dtype
        assert found.decision_function(hold(X.astype(dtype))).dtype == dtype
    # The same five steps: what a float32 is off by grows in them, a thousandfold at most.
    size = np.abs(double.coef_).max()
    np.testing.assert_allclose(single.coef_, double.coef_, rtol=0, atol=1e-4 * (1 + size))


@pytest.mark.parametrize("optimizer", BATCHED, ids=repr)
@each([SOFTMAX, SQUARED, HINGE])
def test_one_seed_is_one_stream_and_another_is_another(model, optimizer):
    optimizer = clone(optimizer).set_params(batch_size=8)
    streams = []
    for seed in (3, np.random.RandomState(3), 4):
        stream = clone(model).set_params(optimizer=optimizer, random_state=seed)
        for _ in range(2):
            stream.partial_fit(IRIS, SPECIES, classes=[0, 1, 2])
        streams.append(stream.coef_)
    np.testing.assert_array_equal(streams[0], streams[1])
    assert not np.array_equal(streams[0], streams[2])
