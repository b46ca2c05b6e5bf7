"""Training life: partial_fit, early stopping, targets, callbacks, losses of one's own."""

import pickle
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, train_test_split

from sklin import LinearSVMClassifier, SoftmaxClassifier
from sklin.losses import CrammerSinger, CrossEntropy, Loss, WestonWatkins
from sklin.optimizers import (
    OPTIMIZERS,
    SGD,
    AdaGrad,
    Adam,
    GradientDescent,
    InverseDecay,
    MiniBatch,
    RandomSearch,
)
from sklin.regularizers import L2, Dropout, GroupL2, MaxNorm

BATCHED = [SGD(0.05), SGD(0.05, nesterov=True, average=True), AdaGrad(0.05), Adam(0.01)]


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X / 16, y, random_state=0, stratify=y)


def blobs(n_classes=3, n_samples=200, seed=0):
    return make_classification(
        n_samples,
        6,
        n_informative=5,
        n_redundant=1,
        n_classes=n_classes,
        n_clusters_per_class=1,
        random_state=seed,
    )


# Losses of the user's own


class Logistic(Loss):
    """One logistic loss a class: the least a loss must give."""

    def value_and_gradient(self, scores, y, out=None):
        sign = -np.ones_like(scores)
        sign[np.arange(len(y)), y] = 1
        value = np.logaddexp(0, -sign * scores).sum(axis=1)
        gradient = -sign / (1 + np.exp(sign * scores))
        if out is not None:
            out[...] = gradient
            gradient = out
        return value, gradient


def test_a_loss_object_is_the_same_as_its_name():
    X, y = blobs()
    named = LinearSVMClassifier(multi_class="crammer_singer", margin=0.5, alpha=1e-2).fit(X, y)
    given = LinearSVMClassifier(loss=CrammerSinger(margin=0.5), alpha=1e-2).fit(X, y)
    np.testing.assert_array_equal(named.coef_, given.coef_)


def test_a_loss_of_ones_own_reaches_the_minimum_of_a_foreign_solver():
    """One logistic loss a class without coupling is one binary logistic regression a class."""
    from sklearn.linear_model import LogisticRegression

    X, y = blobs()
    model = LinearSVMClassifier(loss=Logistic(), alpha=1e-2, tol=1e-12).fit(X, y)
    for k in range(3):
        reference = LogisticRegression(C=1 / (2 * 1e-2 * len(y)), tol=1e-10).fit(X, y == k)
        np.testing.assert_allclose(model.coef_[k], reference.coef_[0], atol=1e-4)
    assert model.duality_gap_ == np.inf  # it gives no conjugate, so nothing is proven


def test_losses_are_searched_like_any_parameter():
    X, y = blobs()
    grid = {"loss": ["hinge", Logistic(), CrossEntropy()], "alpha": [1e-2, 1e-1]}
    search = GridSearchCV(LinearSVMClassifier(), grid, cv=2, error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 6
    nested = LinearSVMClassifier(loss=WestonWatkins()).set_params(loss__margin=2.0)
    assert nested.loss.margin == 2.0


@pytest.mark.parametrize("params", [{"margin": 2.0}, {"multi_class": "one_vs_rest"}])
def test_a_loss_object_bears_no_second_word_on_the_loss(params):
    with pytest.raises(ValueError, match="is the whole loss: leave multi_class and margin"):
        LinearSVMClassifier(loss=Logistic(), **params).fit(*blobs())


@pytest.mark.parametrize("loss", [Logistic, 3, None])
def test_what_is_no_loss_is_named(loss):
    with pytest.raises(TypeError, match="loss must be one of 'hinge', 'squared_hinge' or a Loss"):
        LinearSVMClassifier(loss=loss).fit(*blobs())


def test_nested_parameters_of_a_name_without_any_are_named():
    with pytest.raises(ValueError, match="loss__margin cannot be set: loss='hinge' has no param"):
        LinearSVMClassifier().set_params(loss__margin=2.0)


# Target


@pytest.mark.parametrize("optimizer", ["auto", "sgd", "gradient_descent", RandomSearch(0.3)])
def test_a_target_ends_the_fit_without_a_warning(optimizer):
    X, y = blobs()
    model = SoftmaxClassifier(optimizer=optimizer, target_objective=1.0, tol=0, random_state=0)
    model.fit(X, y)
    assert model.loss_curve_[-1] <= 1.0
    assert all(value > 1.0 for value in model.loss_curve_[:-1])


def test_why_a_fit_stopped_is_said():
    X, y = blobs()
    with pytest.warns(ConvergenceWarning, match="Reached max_iter=2"):
        SoftmaxClassifier(optimizer="gradient_descent", max_iter=2).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="diverged"), np.errstate(all="ignore"):
        LinearSVMClassifier(
            loss="squared_hinge", optimizer=GradientDescent(10.0), max_iter=2000
        ).fit(X, y)


# Early stopping


@pytest.mark.parametrize("optimizer", ["auto", "sgd", "adam", "gradient_descent"])
def test_early_stopping_keeps_the_most_accurate_weights(digits, optimizer):
    X, _, y, _ = digits
    model = SoftmaxClassifier(
        optimizer=optimizer, early_stopping=True, n_iter_no_change=3, random_state=0, tol=1e-9
    ).fit(X, y)
    scores = np.array(model.validation_scores_)
    assert len(scores) == len(model.loss_curve_) == model.n_iter_ + 1
    held = train_test_split(np.arange(len(y)), test_size=0.1, stratify=y, random_state=0)[1]
    held = np.sort(held)
    assert model.score(X[held], y[held]) == pytest.approx(scores.max())
    # The best was followed by no more than the three iterations that are borne.
    assert len(scores) - 1 - scores.argmax() <= 3 + 1


def test_early_stopping_by_hand():
    """The weights are those of the fit to the other samples, at the most accurate iteration."""
    X, y = blobs(n_samples=120)
    kept, held = train_test_split(np.arange(120), test_size=0.25, stratify=y, random_state=3)
    kept, held = np.sort(kept), np.sort(held)
    options = dict(optimizer=GradientDescent(0.1), tol=0)
    curve = []
    for max_iter in range(1, 12):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = SoftmaxClassifier(max_iter=max_iter, **options).fit(X[kept], y[kept])
        curve.append(model.score(X[held], y[held]))
    early = SoftmaxClassifier(
        early_stopping=True, validation_fraction=0.25, n_iter_no_change=2, random_state=3, **options
    ).fit(X, y)
    found = early.validation_scores_[1:]
    np.testing.assert_allclose(found, curve[: len(found)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        best = SoftmaxClassifier(max_iter=1 + int(np.argmax(found)), **options)
        best.fit(X[kept], y[kept])
    np.testing.assert_allclose(early.coef_, best.coef_, rtol=1e-12)


def test_early_stopping_proves_a_gap_of_what_it_publishes(digits):
    X, _, y, _ = digits
    early = SoftmaxClassifier(alpha=1e-2, early_stopping=True, n_iter_no_change=1, random_state=0)
    early.fit(X, y)
    kept = train_test_split(np.arange(len(y)), test_size=0.1, stratify=y, random_state=0)[0]
    exact = SoftmaxClassifier(alpha=1e-2, tol=1e-10).fit(X[np.sort(kept)], y[np.sort(kept)])
    assert early.objective_ - early.duality_gap_ <= exact.objective_ * (1 + 1e-9)
    assert early.objective_ >= exact.objective_ * (1 - 1e-9)


def test_held_out_accuracy_is_weighted():
    X, y = blobs()
    weight = np.where(y == 0, 1.0, 0.0) + 1e-12
    model = SoftmaxClassifier(early_stopping=True, random_state=0).fit(X, y, sample_weight=weight)
    # Only class 0 counts, and weights learnt from it alone always predict it.
    assert model.validation_scores_[-1] == pytest.approx(1.0)


def test_early_stopping_that_cannot_hold_out_says_so():
    X, y = blobs(n_samples=20)
    with pytest.raises(ValueError, match=r"early_stopping holds out validation_fraction=0.1 of"):
        SoftmaxClassifier(early_stopping=True).fit(X, y)
    with pytest.raises(ValueError, match=r"validation_fraction must be a number in \(0, 1"):
        SoftmaxClassifier(early_stopping=True, validation_fraction=1.0).fit(X, y)
    with pytest.raises(ValueError, match="n_iter_no_change must be an integer"):
        SoftmaxClassifier(n_iter_no_change=0).fit(X, y)
    with pytest.raises(TypeError, match="early_stopping must be True or False"):
        SoftmaxClassifier(early_stopping="yes").fit(X, y)


def test_a_later_fit_without_it_leaves_no_validation_scores():
    X, y = blobs()
    model = SoftmaxClassifier(early_stopping=True, random_state=0).fit(X, y)
    assert not hasattr(model.set_params(early_stopping=False).fit(X, y), "validation_scores_")


# partial_fit


@pytest.mark.parametrize("optimizer", BATCHED, ids=repr)
@pytest.mark.parametrize("estimator", [SoftmaxClassifier(), LinearSVMClassifier()], ids=repr)
def test_a_stream_is_learnt(digits, estimator, optimizer):
    X, X_test, y, y_test = digits
    model = clone(estimator).set_params(optimizer=optimizer, random_state=0)
    for _ in range(30):
        for start in range(0, len(y), 200):
            model.partial_fit(X[start : start + 200], y[start : start + 200], classes=range(10))
    assert model.score(X_test, y_test) > 0.93
    assert model.n_iter_ == len(model.loss_curve_) == 30 * -(-len(y) // 200)


@pytest.mark.parametrize("optimizer", BATCHED, ids=repr)
def test_partial_fit_goes_on_from_a_pickle_as_if_nothing_had_been(optimizer):
    X, y = blobs()
    whole = SoftmaxClassifier(optimizer=optimizer, random_state=0)
    for _ in range(4):
        whole.partial_fit(X, y, classes=[0, 1, 2])
    halves = SoftmaxClassifier(optimizer=optimizer, random_state=0)
    for _ in range(2):
        halves.partial_fit(X, y, classes=[0, 1, 2])
    halves = pickle.loads(pickle.dumps(halves))
    for _ in range(2):
        halves.partial_fit(X, y)
    np.testing.assert_array_equal(whole.coef_, halves.coef_)
    np.testing.assert_array_equal(whole.loss_curve_, halves.loss_curve_)


def test_partial_fit_is_the_lectures_loop():
    """Momentum lives on between calls; a call is an epoch to the schedule."""
    X, y = blobs()
    schedule = InverseDecay(0.1, decay=1.0)
    model = SoftmaxClassifier(optimizer=SGD(schedule, batch_size=200, momentum=0.5), alpha=1e-2)
    objective, _ = SoftmaxClassifier(alpha=1e-2).make_objective(X, y)
    params, velocity = np.zeros(objective.shape), 0
    for t in range(5):
        model.partial_fit(X, y, classes=[0, 1, 2])
        velocity = 0.5 * velocity - 0.1 / (1 + t) * objective.value_and_gradient(params)[1]
        params = params + velocity
    np.testing.assert_allclose(model.coef_, params[:, :-1], rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(model.intercept_, params[:, -1], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_partial_fit_after_fit_starts_from_its_weights(n_classes):
    X, y = blobs(n_classes)
    model = SoftmaxClassifier(alpha=1e-2, optimizer=SGD(1e-12)).set_params(optimizer="newton")
    coef = model.fit(X, y).coef_
    model.set_params(optimizer=SGD(1e-12)).partial_fit(X, y)
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-8)
    assert not hasattr(model.set_params(optimizer="newton").fit(X, y), "optimizer_state_")


def test_another_optimizer_starts_its_memory_anew_from_the_same_weights():
    X, y = blobs()
    model = SoftmaxClassifier(optimizer=SGD(0.1)).partial_fit(X, y, classes=[0, 1, 2])
    coef = model.coef_
    model.set_params(optimizer=Adam(1e-12)).partial_fit(X, y)
    np.testing.assert_allclose(model.coef_, coef, atol=1e-9)
    assert model.optimizer_state_.n_epochs == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_partial_fit_takes_sparse_and_keeps_the_dtype(dtype):
    X, y = blobs()
    X = X.astype(dtype)
    dense = LinearSVMClassifier(random_state=0).partial_fit(X, y, classes=[0, 1, 2])
    thin = LinearSVMClassifier(random_state=0)
    thin.partial_fit(sparse.csr_array(X), y, classes=[0, 1, 2])
    assert dense.coef_.dtype == thin.coef_.dtype == dtype
    np.testing.assert_allclose(thin.coef_, dense.coef_, rtol=1e-4 if dtype == np.float32 else 1e-9)


def test_a_batch_need_not_hold_every_class():
    X, y = blobs()
    model = SoftmaxClassifier(class_weight={0: 2.0}, random_state=0)
    for k in (0, 1, 2, 0, 1, 2):
        model.partial_fit(X[y == k], y[y == k], classes=[0, 1, 2])
    assert model.coef_.shape == (3, 6)


@pytest.mark.parametrize("regularizer", [Dropout(0.2), MaxNorm(0.5), GroupL2()], ids=repr)
def test_partial_fit_serves_every_regularizer(regularizer):
    X, y = blobs()
    model = SoftmaxClassifier(regularizer=regularizer, optimizer=SGD(0.1), alpha=1e-2)
    for _ in range(5):
        model.partial_fit(X, y, classes=[0, 1, 2])
    assert model.score(X, y) > 0.6
    if isinstance(regularizer, MaxNorm):
        assert np.linalg.norm(model.coef_, axis=1).max() <= 0.5 * (1 + 1e-9)


def test_partial_fit_refuses_in_sentences():
    X, y = blobs()
    with pytest.raises(ValueError, match="classes must be given in the first call"):
        SoftmaxClassifier().partial_fit(X, y)
    with pytest.raises(ValueError, match="y holds labels that are not in classes"):
        SoftmaxClassifier().partial_fit(X, y, classes=[0, 1])
    model = SoftmaxClassifier().partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="classes must stay those of the first call"):
        model.partial_fit(X, y, classes=[0, 1, 2, 3])
    with pytest.raises(ValueError, match="X has 5 features"):
        model.partial_fit(X[:, :5], y)
    with pytest.raises(AttributeError) as caught:
        _ = SoftmaxClassifier(early_stopping=True).partial_fit
    assert "early_stopping needs all samples at once" in str(caught.value.__cause__)
    with pytest.raises(ValueError, match="class_weight='balanced' needs all samples at once"):
        SoftmaxClassifier(class_weight="balanced").partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(AttributeError) as caught:
        _ = SoftmaxClassifier(optimizer="newton").partial_fit
    assert "goes by all samples at once" in str(caught.value.__cause__)
    with pytest.raises(ValueError, match=r"Adam.* needs a regularizer that is smooth or has a sep"):
        SoftmaxClassifier(optimizer="adam", regularizer="group_l2").partial_fit(X, y, [0, 1, 2])


def test_partial_fit_is_there_for_mini_batch_methods_alone():
    for name, kind in OPTIMIZERS.items():
        assert hasattr(SoftmaxClassifier(optimizer=name), "partial_fit") == issubclass(
            kind, MiniBatch
        )


def test_divergence_loses_nothing():
    X, y = blobs()
    model = LinearSVMClassifier(loss="squared_hinge", random_state=0)
    model.partial_fit(X, y, classes=[0, 1, 2])
    coef, state = model.coef_.copy(), model.optimizer_state_
    model.set_params(optimizer=SGD(1e8, batch_size=1))
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="partial_fit diverged"):
        for _ in range(5):
            model.partial_fit(1e6 * X, y)
    np.testing.assert_array_equal(model.coef_, coef)
    assert model.optimizer_state_ is state


# Stochastic fits


@pytest.mark.parametrize("optimizer", [*BATCHED, RandomSearch(0.1)], ids=repr)
def test_stochastic_fits_are_reproducible(optimizer):
    X, y = blobs()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        a, b, c = (
            SoftmaxClassifier(optimizer=optimizer, max_iter=5, random_state=seed).fit(X, y)
            for seed in (0, 0, 1)
        )
    np.testing.assert_array_equal(a.coef_, b.coef_)
    assert not np.array_equal(a.coef_, c.coef_)


@pytest.mark.parametrize("optimizer", BATCHED, ids=repr)
def test_weights_of_mini_batches_are_repetition_in_the_limit(optimizer):
    """Not to rounding, as for the exact methods: the mini-batches differ, the minimum does not."""
    X, y = blobs()
    weight = np.random.RandomState(0).randint(0, 4, size=len(y))
    # The steps of the adaptive methods shrink by themselves.
    decay = 0.2 if isinstance(optimizer, SGD) else 0.05
    schedule = InverseDecay(2 * optimizer.learning_rate, decay=decay)
    optimizer = clone(optimizer).set_params(learning_rate=schedule, batch_size=32)
    options = dict(alpha=1e-1, tol=0, max_iter=200, random_state=0, optimizer=optimizer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        weighted = SoftmaxClassifier(**options).fit(X, y, sample_weight=weight)
        repeated = SoftmaxClassifier(**options).fit(np.repeat(X, weight, 0), np.repeat(y, weight))
    exact = SoftmaxClassifier(alpha=1e-1, tol=1e-9).fit(X, y, sample_weight=weight)
    for model in (weighted, repeated):
        np.testing.assert_allclose(model.coef_, exact.coef_, atol=0.01)


@pytest.mark.parametrize("optimizer", BATCHED, ids=repr)
def test_samples_without_weight_are_as_good_as_gone(optimizer):
    """Full batches in an order that only rounding knows of, so exactly."""
    X, y = blobs()
    weight = np.arange(len(y)) % 2
    optimizer = clone(optimizer).set_params(batch_size=len(y))
    options = dict(optimizer=optimizer, tol=0, max_iter=20, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        with_all = SoftmaxClassifier(**options).fit(X, y, sample_weight=weight)
        without = SoftmaxClassifier(**options).fit(X[weight > 0], y[weight > 0])
    np.testing.assert_allclose(with_all.coef_, without.coef_, rtol=1e-7, atol=1e-9)


def test_interrupting_keeps_the_most_accurate_weights_of_early_stopping(monkeypatch):
    X, y = blobs()
    seen = []
    from sklin.linear_model._watch import Watch

    kept = Watch.__call__

    def interrupting(self, n_iter, step):
        kept(self, n_iter, step)
        seen.append(n_iter)
        if n_iter == 3:
            raise KeyboardInterrupt
        return ""

    monkeypatch.setattr(Watch, "__call__", interrupting)
    model = SoftmaxClassifier(early_stopping=True, optimizer="sgd", random_state=0)
    with pytest.warns(ConvergenceWarning, match="Interrupted"):
        model.fit(X, y)
    assert len(model.validation_scores_) == 4
    held = train_test_split(np.arange(len(y)), test_size=0.1, stratify=y, random_state=0)[1]
    assert model.score(X[held], y[held]) == pytest.approx(max(model.validation_scores_))


def test_regularizers_that_do_not_fit_the_features_are_named():
    X, y = blobs()
    with pytest.raises(ValueError, match="groups"):
        SoftmaxClassifier(regularizer=GroupL2([0, 0, 1])).fit(X, y)


def test_groups_are_dropped_in_all_classes_at_once():
    X, y = load_digits(return_X_y=True)
    X = X / 16
    rows = np.repeat(np.arange(8), 8)
    model = SoftmaxClassifier(regularizer=GroupL2(rows), alpha=2e-2, tol=1e-3).fit(X, y)
    gone = [np.all(model.coef_[:, rows == row] == 0) for row in range(8)]
    some = [np.any(model.coef_[:, rows == row] == 0) for row in range(8)]
    assert 0 < sum(gone) < 8
    # The corners of the pictures are never inked; such a feature keeps its zero weights.
    inked = X.any(axis=0)
    assert all(
        np.all(model.coef_[:, (rows == row) & inked] != 0) for row in range(8) if not gone[row]
    )
    assert all(some[row] for row in range(8) if gone[row])


def test_l2_is_the_default_and_the_same_by_any_name():
    X, y = blobs()
    a = SoftmaxClassifier().fit(X, y)
    b = SoftmaxClassifier(regularizer=L2()).fit(X, y)
    np.testing.assert_array_equal(a.coef_, b.coef_)


class Upside(Logistic):
    """A loss of a user's whose slope has the wrong sign."""

    def value_and_gradient(self, scores, y, out=None):
        value, gradient = super().value_and_gradient(scores, y)
        return value, -gradient


def test_a_wrong_slope_is_suspected_where_no_first_step_improves():
    X, y = blobs()
    with pytest.warns(ConvergenceWarning, match="in 0 iterations.*check_gradient"):
        LinearSVMClassifier(loss=Upside(), optimizer="gradient_descent").fit(X, y)
