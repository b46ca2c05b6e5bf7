"""The ...CV estimators: what GridSearchCV gives, and what a path adds to it."""

import pickle
import warnings

import joblib
import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.datasets import load_digits, make_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline

from sklin import (
    LinearSVMClassifier,
    LinearSVMClassifierCV,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
)
from sklin.linear_model import _base
from sklin.linear_model._alpha_grid import alpha_grid, intercept_only
from sklin.losses import CrammerSinger, CrossEntropy, Loss, OneVsRest, WestonWatkins
from sklin.objective import Objective, Samples
from sklin.optimizers import LBFGS
from sklin.regularizers import L1, L2, ElasticNet, GroupL2, Regularizer

ALPHAS = [1e-3, 1.0, 1e-2, 1e-1]


def blobs(n_classes=3, n_samples=90, n_features=5, seed=0):
    return make_classification(
        n_samples,
        n_features,
        n_informative=n_features,
        n_redundant=0,
        n_clusters_per_class=1,
        n_classes=n_classes,
        class_sep=0.5,
        weights=np.arange(1, n_classes + 1) / np.arange(1, n_classes + 1).sum(),
        random_state=seed,
    )


def grid_search(plain, alphas, **options):
    search = GridSearchCV(plain, {"alpha": alphas}, **options)
    return search, lambda: np.array(
        [search.cv_results_[f"split{i}_test_score"] for i in range(search.n_splits_)]
    )


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    ("path", "plain"),
    [
        (SoftmaxClassifierCV(), SoftmaxClassifier()),
        (SoftmaxClassifierCV(scoring="neg_log_loss"), SoftmaxClassifier()),
        (SoftmaxClassifierCV(class_weight="balanced"), SoftmaxClassifier(class_weight="balanced")),
        pytest.param(
            SoftmaxClassifierCV(regularizer=ElasticNet(0.3)), None, marks=pytest.mark.slow
        ),
        (SoftmaxClassifierCV(regularizer="group_l2", fit_intercept=False), None),
        (LinearSVMClassifierCV(loss="squared_hinge", margin=2.0), None),
        (LinearSVMClassifierCV(loss=OneVsRest("squared_hinge"), optimizer="lbfgs"), None),
        pytest.param(
            LinearSVMClassifierCV(multi_class="crammer_singer", tol=1e-5),
            None,
            marks=pytest.mark.slow,
        ),
    ],
    ids=str,
)
def test_it_is_grid_search(path, plain, n_classes):
    X, y = blobs(n_classes)
    path = clone(path).set_params(alphas=ALPHAS, cv=3)
    path.set_params(tol=min(path.tol, 1e-10) if path.tol == 1e-4 else path.tol)
    plain = path._model() if plain is None else plain.set_params(tol=path.tol)
    search, scores = grid_search(plain, ALPHAS, cv=3, scoring=path.scoring)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # both are asked for all digits
        path.fit(X, y)
        search.fit(X, y)
    np.testing.assert_allclose(path.scores_path_, scores(), rtol=1e-6)
    assert path.alpha_ == search.best_params_["alpha"]
    assert path.best_score_ == pytest.approx(search.best_score_, rel=1e-6)
    best = search.best_estimator_
    for name in ("coef_", "intercept_", "classes_", "n_iter_", "loss_curve_", "objective_"):
        np.testing.assert_array_equal(getattr(path, name), getattr(best, name))
    assert path.duality_gap_ == best.duality_gap_
    np.testing.assert_array_equal(path.alphas_, ALPHAS)
    assert path.fit_times_path_.shape == path.n_iter_path_.shape == (3, len(ALPHAS))
    assert (path.fit_times_path_ > 0).all()
    assert path.score(X, y) == search.score(X, y)


@pytest.mark.parametrize("alphas", [[1.0, 0.1, 10.0], [10.0, 1.0, 0.1], [0.1, 10.0, 1.0]])
def test_of_equal_scores_the_first_given_wins(alphas):
    rng = np.random.RandomState(0)
    X = np.vstack([rng.randn(30, 2) - 20, rng.randn(30, 2) + 20])
    y = np.repeat([0, 1], 30)
    search, _ = grid_search(SoftmaxClassifier(), alphas, cv=3)
    search.fit(X, y)
    model = SoftmaxClassifierCV(alphas, cv=3).fit(X, y)
    assert model.best_score_ == 1.0
    assert model.alpha_ == search.best_params_["alpha"] == alphas[0]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_it_is_logistic_regression_cv_at_the_mapped_cs(n_classes):
    X, y = blobs(n_classes, n_samples=91)
    folds = list(KFold(3, shuffle=True, random_state=0).split(X))
    n_train = [len(train) for train, _ in folds]
    folds = [(train[: min(n_train)], held) for train, held in folds]  # of one size: C is of a sum
    alphas = np.array([1e-1, 1e-2, 1e-3])
    C = 1 / (alphas * min(n_train) * (1 if n_classes == 2 else 2))
    options = {} if n_classes == 2 else {"scoring": "neg_log_loss"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # names that scikit-learn will change
        reference = LogisticRegressionCV(
            Cs=C, cv=folds, solver="newton-cg", tol=1e-10, max_iter=1000, **options
        ).fit(X, y)
    scores = reference.scores_
    scores = next(iter(scores.values())) if isinstance(scores, dict) else scores
    model = SoftmaxClassifierCV(alphas, cv=folds, tol=1e-10, **options).fit(X, y)
    np.testing.assert_allclose(model.scores_path_, np.reshape(scores, (3, 3)), rtol=1e-6)
    assert model.alpha_ == alphas[np.flatnonzero(C == np.ravel(reference.C_)[0])[0]]


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(
    "regularizer", [L1(), ElasticNet(0.3), GroupL2(), GroupL2([0, 0, 1, 1, 0])], ids=repr
)
def test_weights_vanish_at_the_top_of_the_grid_and_not_below(
    regularizer, fit_intercept, weighted, n_classes
):
    X, y = blobs(n_classes)
    weight = np.random.RandomState(0).uniform(0, 3, len(y)) if weighted else None
    for plain in (SoftmaxClassifier(), LinearSVMClassifier(loss="squared_hinge")):
        plain.set_params(regularizer=regularizer, fit_intercept=fit_intercept, tol=1e-8)
        objective, _ = plain.make_objective(X, y, weight)
        top = alpha_grid(objective, 1)[0]
        assert not plain.set_params(alpha=top).fit(X, y, weight).coef_.any()
        assert plain.set_params(alpha=top / 1.01).fit(X, y, weight).coef_.any()
    # The textbook's formula for the softmax: the classes' priors, less the classes themselves.
    weight = np.ones(len(y)) if weight is None else weight
    priors = np.bincount(y, weight) / weight.sum() if fit_intercept else np.full(n_classes, 1)
    residual = priors / priors.sum() - np.eye(n_classes)[y]
    slope = np.abs((residual * weight[:, None]).T @ X) / weight.sum()
    if isinstance(regularizer, L1 | ElasticNet):
        objective, _ = SoftmaxClassifier(
            regularizer=regularizer, fit_intercept=fit_intercept
        ).make_objective(X, y, weight)
        expected = slope.max() / getattr(regularizer, "l1_ratio", 1)
        assert alpha_grid(objective, 1)[0] == pytest.approx(expected, rel=2e-6)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("loss", [WestonWatkins(), OneVsRest(), CrammerSinger(margin=3)], ids=repr)
def test_at_the_top_of_a_hinges_grid_no_weights_are_better_than_none(
    loss, fit_intercept, n_classes
):
    X, y = blobs(n_classes)
    samples = Samples(X, y, n_classes, fit_intercept=fit_intercept)
    top = alpha_grid(Objective(samples, loss, L1(), 1.0), 1)[0]
    intercept, value, slopes = intercept_only(loss, samples.priors, fit_intercept)
    # The dual points prove it: they are feasible at the top, and as high as zero weights are.
    gradient = samples.coef(slopes.T @ samples.class_sums)
    assert np.abs(gradient).max() <= top
    if fit_intercept:
        np.testing.assert_allclose(samples.priors @ slopes, 0, atol=1e-12)
    bound = -samples.priors @ loss.conjugate(slopes, np.arange(n_classes))
    assert -1e-12 <= value - bound <= 1e-3 * loss.margin * n_classes
    params = np.zeros(samples.shape)
    if fit_intercept:
        params[:, -1] = intercept
    objective = Objective(samples, loss, L1(), top)
    assert objective.value(params) == pytest.approx(value)
    rng = np.random.RandomState(0)
    for scale in (1e-6, 1e-3, 1.0):
        other = params + scale * rng.standard_normal(params.shape)
        assert objective.value(other) >= bound - 1e-12


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_grid_of_l2_is_where_weights_begin_to_count(scale):
    X, y = blobs()
    plain = SoftmaxClassifier(tol=1e-10)
    objective, _ = plain.make_objective(scale * X, y)
    alphas = alpha_grid(objective, 6)
    top, bottom = alphas[0], alphas[-1]
    np.testing.assert_allclose(bottom / top, 1e-5, rtol=1e-5)
    np.testing.assert_allclose(np.diff(np.log(alphas)), np.log(bottom / top) / 5)
    _, value, slopes = intercept_only(CrossEntropy(), objective.samples.priors)
    G = objective.samples.coef(slopes.T @ objective.samples.class_sums)
    np.testing.assert_allclose(top, 2.5 * np.square(G).sum() / value, rtol=2e-6)
    fitted = plain.set_params(alpha=top).fit(scale * X, y)
    assert 0.9 * value <= fitted.objective_ < value
    # Features in other units: the same grid in theirs, so the same fits.
    unit = alpha_grid(plain.make_objective(X, y)[0], 6)
    np.testing.assert_allclose(alphas, unit * scale**2, rtol=1e-5)


def test_one_alpha_is_the_top_and_no_gradient_is_no_failure():
    X, y = blobs()
    model = SoftmaxClassifierCV(1, cv=2).fit(X, y)
    assert model.alphas_.shape == (1,) and model.alpha_ == model.alphas_[0]
    model = SoftmaxClassifierCV(3, cv=2).fit(np.zeros_like(X), y)
    assert model.alphas_[0] == pytest.approx(1) and not model.coef_.any()


@pytest.mark.parametrize("plain", [SoftmaxClassifier(), LinearSVMClassifier()], ids=repr)
def test_a_class_without_weight_has_no_part_in_the_grid(plain):
    X, y = blobs()
    plain = clone(plain).set_params(regularizer="l1")
    weighted, _ = plain.make_objective(X, y, np.where(y == 2, 0.0, 1.0))
    two, _ = plain.make_objective(X[y != 2], y[y != 2])
    np.testing.assert_allclose(alpha_grid(weighted, 3), alpha_grid(two, 3), rtol=1e-6)
    alone, _ = plain.make_objective(X, y, np.where(y == 2, 1.0, 0.0))
    assert alpha_grid(alone, 1)[0] == pytest.approx(1)


class Strange(Regularizer):
    smooth = True

    def value(self, coef):
        return float(np.square(coef).sum())

    def gradient(self, coef):
        return 2 * coef


class Kinked(Loss):
    smooth = False

    def value_and_gradient(self, scores, y, out=None):
        return WestonWatkins().value_and_gradient(scores, y)


def test_what_has_no_conjugate_needs_its_alphas_told():
    X, y = blobs()
    model = SoftmaxClassifierCV(cv=2, regularizer=Strange())
    with pytest.raises(
        ValueError, match=r"conjugate of the regularizer, and Strange\(\) gives none"
    ):
        model.fit(X, y)
    assert model.set_params(alphas=[0.1]).fit(X, y).alpha_ == 0.1
    with pytest.raises(ValueError, match=r"and Kinked\(\) is not. Give alphas as an array"):
        LinearSVMClassifierCV(loss=Kinked(), cv=2).fit(X, y)


def test_a_fold_shares_its_samples_among_all_alphas(monkeypatch):
    X, y = blobs()
    made = []

    class Counting(Samples):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            made.append(self)

    monkeypatch.setattr(_base, "Samples", Counting)
    model = SoftmaxClassifierCV(np.geomspace(1, 1e-5, 7), cv=3, optimizer="lbfgs").fit(X, y)
    assert len(made) == 3 + 1  # the folds, and all of them
    assert all("covariance" in vars(samples) for samples in made)
    # Each fit starts from the last: a path costs less than its fits from zero.
    cold = 0
    for train, _ in StratifiedKFold(3).split(X, y):
        for alpha in model.alphas_:
            cold += (
                SoftmaxClassifier(alpha=alpha, optimizer="lbfgs").fit(X[train], y[train]).n_iter_
            )
    assert model.n_iter_path_.sum() < cold


class Counter(TransformerMixin, BaseEstimator):
    calls = 0

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        type(self).calls += 1
        return X

    def __sklearn_is_fitted__(self):
        return True


def test_in_a_pipeline_the_features_are_made_once():
    X, y = blobs()
    Counter.calls = 0
    pipeline = make_pipeline(Counter(), SoftmaxClassifierCV(5, cv=4)).fit(X, y)
    assert Counter.calls == 1
    assert pipeline.score(X, y) == pipeline[-1].score(X, y)


@pytest.mark.parametrize("n_jobs", [2])
def test_folds_may_be_worked_on_at_once(n_jobs):
    X, y = blobs()
    one = SoftmaxClassifierCV(ALPHAS, cv=3).fit(X, y)
    with joblib.parallel_config(backend="threading"):
        two = SoftmaxClassifierCV(ALPHAS, cv=3, n_jobs=n_jobs).fit(X, y)
    np.testing.assert_allclose(one.scores_path_, two.scores_path_)
    np.testing.assert_allclose(one.coef_, two.coef_)


def test_weights_go_to_the_fits_and_to_the_scores():
    X, y = blobs()
    rng = np.random.RandomState(0)
    weight = rng.randint(0, 4, len(y))
    fold = rng.randint(3, size=len(y))
    again = np.repeat(np.arange(len(y)), weight)
    options = {"alphas": ALPHAS, "tol": 1e-10}
    weighted = SoftmaxClassifierCV(cv=[(fold != i, fold == i) for i in range(3)], **options).fit(
        X, y, weight
    )
    repeated = SoftmaxClassifierCV(
        cv=[(fold[again] != i, fold[again] == i) for i in range(3)], **options
    ).fit(X[again], y[again])
    np.testing.assert_allclose(weighted.scores_path_, repeated.scores_path_)
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-8)
    assert weighted.score(X, y, weight) == pytest.approx(repeated.score(X[again], y[again]))


def test_groups_stay_together():
    X, y = blobs()
    groups = np.random.RandomState(0).randint(9, size=len(y))
    model = SoftmaxClassifierCV(ALPHAS, cv=GroupKFold(3)).fit(X, y, groups=groups)
    splits = list(GroupKFold(3).split(X, y, groups))
    same = SoftmaxClassifierCV(ALPHAS, cv=splits).fit(X, y)
    np.testing.assert_array_equal(model.scores_path_, same.scores_path_)
    with pytest.raises(ValueError, match="groups"):
        SoftmaxClassifierCV(ALPHAS, cv=GroupKFold(3)).fit(X, y)


def test_a_fold_that_misses_a_class_is_what_grid_search_makes_of_it():
    X, y = blobs(4)
    names = np.array(["ant", "bee", "cow", "dog"])[y]
    rare = np.flatnonzero(y == 0)
    splits = [
        (np.setdiff1d(np.arange(90), held), held)
        for held in (np.union1d(rare, np.arange(30)), np.arange(30, 60), np.arange(60, 90))
    ]
    search, scores = grid_search(SoftmaxClassifier(class_weight="balanced"), ALPHAS, cv=splits)
    search.fit(X, names)
    model = SoftmaxClassifierCV(ALPHAS, cv=splits, class_weight="balanced").fit(X, names)
    np.testing.assert_allclose(model.scores_path_, scores())
    assert model.classes_.tolist() == ["ant", "bee", "cow", "dog"]
    assert set(model.predict(X)) <= set(names)
    with pytest.raises(ValueError, match="scoring='neg_log_loss' cannot score fold 0 of cv: "):
        model.set_params(scoring="neg_log_loss").fit(X, names)


@pytest.mark.parametrize(
    "make", [sparse.csr_array, sparse.csr_matrix, np.float32, np.asfortranarray]
)
def test_other_arrays_are_the_same_samples(make):
    X, y = load_digits(n_class=3, return_X_y=True)
    X = X[:200] / 16
    options = {"alphas": [1e-1, 1e-2], "cv": 3, "tol": 1e-5}
    model = SoftmaxClassifierCV(**options).fit(make(X), y[:200])
    plain = SoftmaxClassifierCV(**options).fit(X, y[:200])
    np.testing.assert_allclose(model.scores_path_, plain.scores_path_)
    np.testing.assert_allclose(model.coef_, plain.coef_, atol=1e-3)
    assert model.coef_.dtype == (np.float32 if make is np.float32 else np.float64)


def test_it_is_an_estimator_like_others():
    X, y = blobs(2)
    names = np.array(["no", "yes"])[y]
    model = SoftmaxClassifierCV(cv=2, alphas=3, regularizer="elasticnet")
    model.set_params(regularizer__l1_ratio=0.2)
    assert model.regularizer.l1_ratio == 0.2
    copy = clone(model)
    assert copy.get_params(deep=False).keys() == model.get_params(deep=False).keys()
    with pytest.raises(NotFittedError):
        model.predict(X)
    model.fit(X, names)
    assert model.coef_.shape == (1, 5) and model.decision_function(X).shape == (90,)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert set(again.predict(X)) == {"no", "yes"}
    assert not hasattr(model, "partial_fit") and not hasattr(LinearSVMClassifierCV, "predict_proba")


def bare_scorer(estimator, X, y):
    return accuracy_score(y, estimator.predict(X))


def test_scorers_are_taken_as_scikit_learn_takes_them():
    X, y = blobs()
    named = SoftmaxClassifierCV(ALPHAS, cv=2, scoring="accuracy").fit(X, y)
    for scoring in (None, make_scorer(accuracy_score), bare_scorer):
        model = SoftmaxClassifierCV(ALPHAS, cv=2, scoring=scoring).fit(X, y)
        np.testing.assert_array_equal(model.scores_path_, named.scores_path_)
        assert model.score(X, y) == named.score(X, y)
    loss = SoftmaxClassifierCV(ALPHAS, cv=2, scoring="neg_log_loss").fit(X, y)
    assert loss.score(X, y) < 0 and loss.best_score_ < 0


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"alphas": 0}, ValueError, "alphas must be an integer of at least 1, or .* got 0"),
        ({"alphas": True}, TypeError, "alphas must be .* got True, a bool"),
        ({"alphas": 2.5}, TypeError, "alphas must be .* got 2.5, a float"),
        ({"alphas": "many"}, TypeError, "alphas must be .* got 'many', a str"),
        ({"alphas": []}, ValueError, "alphas must be .* got none"),
        ({"alphas": [1.0, 0.0]}, ValueError, "alphas must be .* got 0.0 at index 1"),
        ({"alphas": [np.nan]}, ValueError, "alphas must be .* got nan at index 0"),
        ({"alphas": [[1.0]]}, TypeError, "alphas must be .* one-dimensional"),
        ({"cv": "five"}, ValueError, "cv"),
        ({"cv": 1}, ValueError, "n_splits=1"),
        ({"cv": []}, ValueError, "cv must give at least one split; got .., which gives none"),
        ({"cv": [([0, 50, 80], [999])]}, ValueError, "indices of the 90 samples; fold 0 .* 999"),
        ({"cv": [([0, 50, 80], [0.5])]}, ValueError, "two arrays of indices; fold 0"),
        ({"cv": [([0, 50, 80], [])]}, ValueError, "Fold 0 of cv holds out no sample"),
        ({"cv": "ONE"}, ValueError, "Fold 0 of cv trains on one class, 2"),
        ({"scoring": "best"}, ValueError, "scoring|best"),
        ({"scoring": ["accuracy"]}, TypeError, "scoring must be None, the name .* got \\['acc"),
        ({"scoring": accuracy_score}, ValueError, "scoring|scorer"),
        ({"scoring": lambda *_: "good"}, ValueError, "cannot score fold 0 of cv: .* a str"),
        ({"regularizer": "max_norm"}, ValueError, "alpha plays no part in regularizer='max_norm'"),
        ({"regularizer": "dropout"}, ValueError, "alpha plays no part in regularizer='dropout'"),
        ({"regularizer": "l3"}, ValueError, "regularizer must be one of 'l2'"),
        ({"regularizer": "l1", "optimizer": "lbfgs"}, ValueError, "needs a smooth regularizer"),
        ({"tol": -1}, ValueError, "tol must be"),
        ({"max_iter": 0}, ValueError, "max_iter must be"),
        ({"fit_intercept": 1}, TypeError, "fit_intercept must be True or False"),
        ({"class_weight": "fair"}, ValueError, "class_weight must be None"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_is_wrong_is_said_before_the_first_fit(parameters, error, message, monkeypatch):
    X, y = blobs()
    if parameters.get("cv") == "ONE":
        parameters = {"cv": [(np.flatnonzero(y == 2), [0, 1])]}
    monkeypatch.setattr("sklin.linear_model._path.follow", None)
    with pytest.raises(error, match=message):
        SoftmaxClassifierCV().set_params(**parameters).fit(X, y)


def test_a_scorer_that_cannot_is_refused_before_the_first_fit(monkeypatch):
    X, y = blobs()
    monkeypatch.setattr("sklin.linear_model._path.follow", None)
    with pytest.raises(ValueError, match=r"cannot score fold 0 of cv: .*predict_proba"):
        LinearSVMClassifierCV(scoring="neg_log_loss").fit(X, y)
    with pytest.raises(ValueError, match=r"cannot score fold 0 of cv with sample_weight: .*weight"):
        SoftmaxClassifierCV(scoring=bare_scorer).fit(X, y, np.ones(len(y)))
    halves = [(np.arange(45), np.arange(45, 90)), (np.arange(45, 90), np.arange(45))]
    first = np.arange(90) < 45
    with pytest.raises(ValueError, match="Fold 0 of cv holds out no sample, of any sample_weight"):
        SoftmaxClassifierCV(cv=halves).fit(X, y, first)


def test_nan_scores_rank_last():
    X, y = blobs()

    def moody(estimator, X, y):
        return np.nan if estimator.alpha > 0.5 else estimator.alpha

    assert SoftmaxClassifierCV(ALPHAS, cv=2, scoring=moody).fit(X, y).alpha_ == 0.1
    with pytest.raises(ValueError, match="gave nan for every alpha"):
        SoftmaxClassifierCV([1.0], cv=2, scoring=moody).fit(X, y)


def test_one_warning_tells_of_all_fits_that_stopped_short():
    X, y = blobs()
    with pytest.warns(ConvergenceWarning) as caught:
        SoftmaxClassifierCV([1e-2, 1e-1], cv=3, max_iter=3, tol=1e-9, optimizer="lbfgs").fit(X, y)
    (warning,) = caught
    assert warning.filename == __file__
    message = str(warning.message)
    assert message.startswith(
        "SoftmaxClassifierCV: 6 of the 6 fits of the path did not converge to"
    )
    assert "% lower" in message and "The fit to all samples at alpha_=" in message


def test_an_interrupt_ends_the_path_and_is_passed_on(monkeypatch):
    X, y = blobs()
    count = 0

    class Interrupted(LBFGS):
        def steps(self, objective, params, tol, rng):
            nonlocal count
            count += 1
            if count > 2:
                raise KeyboardInterrupt
            return super().steps(objective, params, tol, rng)

    model = SoftmaxClassifierCV(ALPHAS, cv=3, optimizer=Interrupted())
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert count == 3 and not hasattr(model, "coef_")


def test_paths_know_l2_by_name_and_by_object():
    X, y = blobs()
    one, other = (SoftmaxClassifierCV(3, cv=2, regularizer=r).fit(X, y) for r in ("l2", L2()))
    np.testing.assert_array_equal(one.alphas_, other.alphas_)
