"""The classifiers: what they minimise, what they publish, and what they refuse."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit
from sklearn.base import clone
from sklearn.datasets import load_digits, make_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklin import LinearSVMClassifier, SoftmaxClassifier
from sklin.losses import CrossEntropy, WestonWatkins
from sklin.objective import Samples
from sklin.optimizers import LBFGS, SGD, GradientDescent, Newton, ProximalGradient
from sklin.regularizers import L1, L2, ElasticNet


def blobs(n_classes=3, n_samples=60, n_features=4, seed=0):
    return make_classification(
        n_samples,
        n_features,
        n_informative=n_features,
        n_redundant=0,
        n_clusters_per_class=1,
        n_classes=n_classes,
        class_sep=0.5,
        random_state=seed,
    )


def digits(n_classes):
    X, y = load_digits(n_class=n_classes, return_X_y=True)
    return X / 16, y


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_classes", [2, 10])
@pytest.mark.parametrize("alpha", [1e-2, 1e-4])
def test_softmax_is_logistic_regression_at_the_mapped_c(n_classes, alpha, weighted):
    X, y = digits(n_classes)
    weight = np.random.RandomState(0).uniform(0, 3, len(y)) if weighted else np.ones(len(y))
    C = 1 / (alpha * weight.sum() * (1 if n_classes == 2 else 2))
    reference = LogisticRegression(C=C, tol=1e-12, max_iter=10_000, solver="newton-cholesky")
    reference.fit(X, y, sample_weight=weight)
    model = SoftmaxClassifier(alpha=alpha, optimizer="newton").fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=0, atol=1e-6)
    centre = reference.intercept_.mean() if n_classes > 2 else 0
    np.testing.assert_allclose(model.intercept_, reference.intercept_ - centre, rtol=0, atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(X), reference.predict_proba(X), atol=1e-7)


@pytest.mark.parametrize(
    ("loss", "multi_class", "n_classes", "factor"),
    [
        ("hinge", "weston_watkins", 2, 1),
        ("squared_hinge", "weston_watkins", 2, 1),
        ("hinge", "crammer_singer", 3, 2),
        ("hinge", "one_vs_rest", 3, 2),
        ("squared_hinge", "one_vs_rest", 3, 2),
    ],
)
def test_svm_is_linear_svc_at_the_mapped_c(loss, multi_class, n_classes, factor):
    X, y = blobs(n_classes)
    alpha = 1e-2
    reference = LinearSVC(
        C=1 / (factor * alpha * len(y)),
        loss=loss,
        multi_class="crammer_singer" if multi_class == "crammer_singer" else "ovr",
        fit_intercept=False,  # LinearSVC penalises its intercept
        tol=1e-6,
        max_iter=1_000_000,
        random_state=0,
    )
    with warnings.catch_warnings():
        # Scikit-learn 1.6 says of Crammer-Singer, now and then, that it has not converged after a
        # million iterations. How near it came is what is compared below.
        warnings.simplefilter("ignore", ConvergenceWarning)
        reference.fit(X, y)
    model = LinearSVMClassifier(
        alpha=alpha, loss=loss, multi_class=multi_class, fit_intercept=False, tol=1e-8
    ).fit(X, y)
    # alpha |W|^2 is strongly convex, so what a value lies above the lower bound says how far its
    # weights can be from the minimum; the published difference of two rows, root 2 as far.
    rows = reference.coef_ if n_classes > 2 else np.vstack([-reference.coef_, reference.coef_]) / 2
    objective, _ = model.make_objective(X, y)
    above = objective.value(rows) - (model.objective_ - model.duality_gap_)
    assert 0 <= above <= 1e-4 * model.objective_
    distance = np.sqrt(2 / factor) * (np.sqrt(above / alpha) + np.sqrt(model.duality_gap_ / alpha))
    assert np.linalg.norm(model.coef_ - reference.coef_) <= distance


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("regularizer", [L2(), L1(), ElasticNet(0.3)], ids=repr)
@pytest.mark.parametrize(
    "estimator",
    [SoftmaxClassifier(), LinearSVMClassifier(), LinearSVMClassifier(loss="squared_hinge")],
    ids=repr,
)
def test_objective_is_the_lectures_formula_at_the_published_weights(
    estimator, regularizer, n_classes
):
    X, y = blobs(n_classes)
    model = clone(estimator).set_params(regularizer=regularizer, alpha=0.02, tol=1e-2).fit(X, y)
    coef, intercept = model.coef_, model.intercept_
    if n_classes == 2:
        coef, intercept = np.vstack([-coef, coef]) / 2, np.hstack([-intercept, intercept]) / 2
    scores = X @ coef.T + intercept
    own = scores[np.arange(len(y)), y]
    if isinstance(estimator, SoftmaxClassifier):
        losses = np.log(np.exp(scores).sum(axis=1)) - own
    else:
        violations = np.maximum(scores - own[:, None] + 1, 0)
        violations[np.arange(len(y)), y] = 0
        power = 1 if estimator.loss == "hinge" else 2
        losses = (violations**power).sum(axis=1)
    ratio = {"L2": 0.0, "L1": 1.0}.get(type(regularizer).__name__, 0.3)
    penalty = (ratio * np.abs(coef) + (1 - ratio) * coef**2).sum()
    expected = losses.mean() + 0.02 * penalty
    assert model.objective_ == pytest.approx(expected, rel=1e-12)
    assert 0 <= model.duality_gap_ <= 1e-2 * model.objective_


def test_only_score_differences_are_published_for_two_classes():
    X, y = blobs(2)
    model = SoftmaxClassifier().fit(X, np.array(["no", "yes"])[y])
    assert model.coef_.shape == (1, X.shape[1])
    assert model.intercept_.shape == (1,)
    scores = model.decision_function(X)
    assert scores.shape == (len(X),)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], expit(scores), rtol=1e-12)
    assert set(model.predict(X)) == {"no", "yes"}


@pytest.mark.parametrize("estimator", [SoftmaxClassifier(), LinearSVMClassifier()], ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept_and_sparse_is_dense(estimator, dtype):
    X, y = blobs()
    X = X.astype(dtype)
    X[np.abs(X) < 0.5] = 0
    dense = clone(estimator).fit(X, y)
    assert dense.coef_.dtype == dense.intercept_.dtype == dtype
    assert dense.decision_function(X).dtype == dtype
    for container in (sparse.csr_array, sparse.csr_matrix):
        other = clone(estimator).fit(container(X), y)
        scores = other.decision_function(container(X))
        np.testing.assert_allclose(scores, dense.decision_function(X), atol=1e-2)
        assert other.objective_ == pytest.approx(dense.objective_, rel=2e-4)


def test_caller_data_is_not_copied_or_changed():
    X, y = digits(3)
    X = X.astype(np.float32)
    X.flags.writeable = False
    objective, _ = SoftmaxClassifier().make_objective(X, y)
    assert np.shares_memory(objective.samples.X, X)
    SoftmaxClassifier().fit(X, y)


@pytest.mark.parametrize(
    "estimator",
    [SoftmaxClassifier(), LinearSVMClassifier(), LinearSVMClassifier(loss="squared_hinge")],
    ids=repr,
)
def test_weights_are_repetition(estimator):
    X, y = blobs()
    weight = np.random.RandomState(1).randint(0, 4, len(y))
    weighted = clone(estimator).fit(X, y, sample_weight=weight)
    repeated = clone(estimator).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-6, atol=1e-9)
    scaled = clone(estimator).fit(X, y, sample_weight=1000.0 * weight)
    np.testing.assert_allclose(weighted.coef_, scaled.coef_, rtol=1e-6, atol=1e-9)


def test_class_weight_is_sample_weight():
    X, y = blobs()
    y[:20] = 0
    by_class = SoftmaxClassifier(class_weight={0: 2.0, 1: 1.0, 2: 3.0}).fit(X, y)
    by_sample = SoftmaxClassifier().fit(X, y, sample_weight=np.array([2.0, 1.0, 3.0])[y])
    np.testing.assert_allclose(by_class.coef_, by_sample.coef_, rtol=1e-8)
    balanced = SoftmaxClassifier(class_weight="balanced").fit(X, y)
    by_sample = SoftmaxClassifier().fit(X, y, sample_weight=1 / np.bincount(y)[y])
    np.testing.assert_allclose(balanced.coef_, by_sample.coef_, rtol=1e-8)


def test_class_weight_multiplies_sample_weight():
    X, y = blobs()
    weight = np.random.RandomState(0).uniform(0.5, 2, len(y))
    both = SoftmaxClassifier(class_weight={0: 2.0, 1: 1.0, 2: 3.0}).fit(X, y, weight)
    product = SoftmaxClassifier().fit(X, y, weight * np.array([2.0, 1.0, 3.0])[y])
    np.testing.assert_allclose(both.coef_, product.coef_, rtol=1e-8)
    # "balanced" counts weights, so that a sample given twice counts as one of weight two.
    weight = 1 + (y == 0)
    balanced = SoftmaxClassifier(class_weight="balanced").fit(X, y, weight)
    mass = np.bincount(y, weight)
    product = SoftmaxClassifier().fit(X, y, weight / mass[y])
    np.testing.assert_allclose(balanced.coef_, product.coef_, rtol=1e-8)


@pytest.mark.parametrize("passes", [0, 1, 7])
def test_an_interrupted_fit_is_fitted_and_warns(passes, monkeypatch):
    X, y = digits(10)
    scores = Samples.scores
    done = iter(range(passes))

    def interrupted(self, params):
        if next(done, None) is None:
            monkeypatch.setattr(Samples, "scores", scores)
            raise KeyboardInterrupt
        return scores(self, params)

    monkeypatch.setattr(Samples, "scores", interrupted)
    with pytest.warns(ConvergenceWarning, match="Interrupted"):
        model = SoftmaxClassifier().fit(X, y)
    assert model.objective_ <= np.log(10) + 1e-12
    assert model.duality_gap_ > 0  # inf before anything is proven, never nan
    assert model.predict(X).shape == y.shape


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_scaling_features_and_alpha_together_changes_nothing(scale):
    X, y = blobs()
    model = SoftmaxClassifier(alpha=1e-2, tol=1e-8).fit(X, y)
    scaled = SoftmaxClassifier(alpha=1e-2 * scale**2, tol=1e-8).fit(X * scale, y)
    np.testing.assert_allclose(scaled.coef_ * scale, model.coef_, rtol=1e-5, atol=1e-8)


def test_warm_start_begins_where_the_last_fit_ended():
    X, y = digits(10)
    model = SoftmaxClassifier(alpha=1e-3, optimizer="lbfgs", warm_start=True).fit(X, y)
    cold = model.n_iter_
    assert model.fit(X, y).n_iter_ == 0
    assert model.set_params(alpha=2e-3).fit(X, y).n_iter_ < cold
    with pytest.raises(ValueError, match="warm_start needs the classes of the last fit"):
        model.fit(X, y + 1)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_l1_sets_weights_to_exactly_zero(n_classes):
    X, y = blobs(n_classes, n_samples=100, n_features=8)
    X = np.hstack([X, np.random.RandomState(0).standard_normal((100, 20))])
    model = SoftmaxClassifier(regularizer="l1", alpha=0.1).fit(X, y)
    assert (model.coef_ == 0).mean() > 0.5
    reference = SoftmaxClassifier(alpha=0.1).fit(X, y)
    assert not (reference.coef_ == 0).any()


def test_parameters_of_a_name_can_be_searched():
    X, y = digits(3)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), SoftmaxClassifier(optimizer="sgd", random_state=0)),
        {
            "softmaxclassifier__optimizer__learning_rate": [0.01, 0.1],
            "softmaxclassifier__alpha": [1e-2, 1e-1],
        },
        cv=2,
    ).fit(X, y)
    chosen = search.best_estimator_[-1]
    assert isinstance(chosen.optimizer, SGD)
    assert (
        chosen.optimizer.learning_rate
        == search.best_params_["softmaxclassifier__optimizer__learning_rate"]
    )
    model = SoftmaxClassifier().set_params(
        regularizer__l1_ratio=0.2, regularizer="elasticnet", optimizer=SGD(), optimizer__momentum=0
    )
    assert model.regularizer.l1_ratio == 0.2
    assert model.optimizer.momentum == 0
    with pytest.raises(ValueError, match="optimizer='auto' has no parameters"):
        SoftmaxClassifier().set_params(optimizer__learning_rate=0.1)
    with pytest.raises(ValueError, match="Invalid parameter 'rate'"):
        SoftmaxClassifier(optimizer="sgd").set_params(optimizer__rate=0.1)


def test_fit_changes_no_parameter():
    X, y = blobs()
    model = LinearSVMClassifier(optimizer="lbfgs", regularizer="l2")
    before = model.get_params()
    assert model.fit(X, y).get_params() == before


def test_a_fit_that_stops_short_warns_with_its_gap():
    X, y = digits(10)
    with pytest.warns(ConvergenceWarning, match=r"max_iter=3.*at most .*% lower"):
        model = SoftmaxClassifier(alpha=1e-2, max_iter=3).fit(X, y)
    assert model.n_iter_ == 3
    assert len(model.loss_curve_) == 4
    assert 1e-4 * model.objective_ < model.duality_gap_ < np.inf


def test_loss_curve_starts_at_the_loss_of_zero_weights():
    X, y = digits(10)
    assert SoftmaxClassifier().fit(X, y).loss_curve_[0] == pytest.approx(np.log(10))
    assert LinearSVMClassifier(tol=1e-2).fit(X, y).loss_curve_[0] == pytest.approx(9)


BAD = [
    (dict(alpha=-1.0), ValueError, r"alpha must be a number in \[0, .*got -1.0"),
    (dict(alpha="big"), TypeError, "alpha must be a number"),
    (dict(alpha=np.inf), ValueError, "alpha must be"),
    (dict(tol=-1), ValueError, "tol must be"),
    (dict(max_iter=0), ValueError, "max_iter must be an integer"),
    (dict(max_iter=1.5), TypeError, "max_iter must be an integer"),
    (dict(fit_intercept="yes"), TypeError, "fit_intercept must be True or False"),
    (dict(regularizer="l3"), ValueError, "regularizer must be one of 'l2', 'l1', 'elasticnet'"),
    (dict(regularizer=L2), TypeError, "It is a class: give an instance"),
    (dict(regularizer=ElasticNet(l1_ratio=2)), ValueError, "l1_ratio must be"),
    (dict(optimizer="adam9"), ValueError, "optimizer must be one of 'auto', .*got 'adam9'"),
    (dict(optimizer=3), TypeError, "optimizer must be one of"),
    (dict(optimizer=SGD(learning_rate=0)), ValueError, "learning_rate must be"),
    (dict(optimizer=SGD(batch_size=0)), ValueError, "batch_size must be"),
    (dict(optimizer=SGD(momentum=1.0)), ValueError, "momentum must be"),
    (dict(optimizer=LBFGS(memory=0)), ValueError, "memory must be"),
    (
        dict(optimizer=LBFGS(), regularizer="l1"),
        ValueError,
        r"LBFGS\(\) needs a smooth regularizer",
    ),
    (
        dict(optimizer=Newton(), regularizer="l1"),
        ValueError,
        "'auto' or one of .*'proximal_gradient'",
    ),
    (dict(class_weight="heavy"), ValueError, "class_weight must be"),
    (dict(class_weight={0: -1, 1: 1, 2: 1}), ValueError, "class_weight must not be negative"),
]


@pytest.mark.parametrize(("params", "error", "message"), BAD)
@pytest.mark.parametrize("estimator", [SoftmaxClassifier, LinearSVMClassifier])
def test_bad_parameters_are_named(estimator, params, error, message):
    X, y = blobs()
    with pytest.raises(error, match=message):
        estimator(**params).fit(X, y)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (dict(loss="log"), "loss must be one of 'hinge', 'squared_hinge'; got 'log'"),
        (dict(multi_class="all"), "multi_class must be one of"),
        (dict(margin=0), "margin must be"),
        (dict(optimizer=GradientDescent()), "has kinks. Give it a learning_rate"),
    ],
)
def test_bad_parameters_of_the_svm_are_named(params, message):
    X, y = blobs()
    with pytest.raises(ValueError, match=message):
        LinearSVMClassifier(**params).fit(X, y)


def test_bad_data_is_named():
    X, y = blobs()
    model = SoftmaxClassifier()
    with pytest.raises(NotFittedError):
        model.predict(X)
    for value in (np.nan, np.inf):
        bad = X.copy()
        bad[3, 1] = value
        with pytest.raises(ValueError, match="Input X contains"):
            model.fit(bad, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.fit(X, y[:-1])
    with pytest.raises(ValueError, match="at least two classes; y holds one class"):
        model.fit(X, np.zeros(len(y)))
    with pytest.raises(ValueError, match="Unknown label type"):
        model.fit(X, np.linspace(0, 1, len(y)))
    with pytest.raises(ValueError, match=r"expected 2D|Found array with dim 3"):
        model.fit(X[:, :, None], y)
    with pytest.raises(ValueError, match=r"[Nn]egative"):
        model.fit(X, y, sample_weight=-np.ones(len(y)))
    with pytest.raises(ValueError, match=r"zero"):
        model.fit(X, y, sample_weight=np.zeros(len(y)))
    model.fit(X, y)
    with pytest.raises(ValueError, match="4 features"):
        model.predict(X[:, :2])


def test_one_class_of_weight_is_no_trouble():
    """All weight on one class: the losses' infimum, zero, is approached and certified."""
    X, y = blobs(2)
    model = SoftmaxClassifier().fit(X, y, sample_weight=(y == 1).astype(float))
    assert (model.predict(X) == 1).all()
    assert model.objective_ < 1e-12


def test_probabilities_are_exact_where_they_underflow():
    X = np.array([[1e4], [-1e4]])
    model = SoftmaxClassifier(alpha=1.0).fit(np.array([[1.0], [-1.0], [2.0]]), [0, 1, 0])
    model.coef_ *= 100
    log_proba = model.predict_log_proba(X)
    scores = model.decision_function(X)
    np.testing.assert_allclose(np.diff(log_proba, axis=1).ravel(), scores)
    assert np.isfinite(log_proba).all()


def test_the_losses_behind_the_names():
    assert isinstance(SoftmaxClassifier()._make_loss(), CrossEntropy)
    loss = LinearSVMClassifier(loss="squared_hinge", margin=2.0)._make_loss()
    assert isinstance(loss, WestonWatkins)
    assert (loss.loss, loss.margin) == ("squared_hinge", 2.0)


def test_names_and_objects_are_the_same():
    X, y = blobs()
    for name, thing in [("lbfgs", LBFGS()), ("newton", Newton())]:
        a = SoftmaxClassifier(optimizer=name).fit(X, y)
        b = SoftmaxClassifier(optimizer=thing).fit(X, y)
        np.testing.assert_array_equal(a.coef_, b.coef_)
    a = SoftmaxClassifier(regularizer="elasticnet", optimizer="proximal_gradient").fit(X, y)
    b = SoftmaxClassifier(regularizer=ElasticNet(), optimizer=ProximalGradient()).fit(X, y)
    np.testing.assert_array_equal(a.coef_, b.coef_)
