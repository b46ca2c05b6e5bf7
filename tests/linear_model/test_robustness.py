"""What once went wrong: found by trying to break fits, each written down before it was mended."""

import threading

import numpy as np
import pytest
from scipy import optimize, sparse
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_info

from sklin import LinearSVMClassifier, SoftmaxClassifier
from sklin._linalg import threads_for
from sklin.losses import Loss, WestonWatkins
from sklin.optimizers import (
    ADMM,
    LBFGS,
    SGD,
    InverseDecay,
    Newton,
    ProximalGradient,
    choose,
)
from sklin.regularizers import MaxNorm, Regularizer


def samples(n=90):
    rng = np.random.RandomState(0)
    y = np.arange(n) % 3
    return rng.standard_normal((n, 5)) + np.eye(5)[y], y


def least_hinge(X, y, n_classes=3):
    """The minimum of the mean Weston-Watkins hinge alone, a linear programme."""
    n, width = len(y), X.shape[1] + 1
    Z = np.column_stack([X, np.ones(n)])
    rows, own = [], []
    for i in range(n):
        for j in range(n_classes):
            if j != y[i]:
                row = np.zeros((n_classes, width))
                row[j], row[y[i]] = Z[i], -Z[i]
                rows.append(row.ravel())
                own.append(len(own))
    slack = -np.eye(len(own))
    cost = np.r_[np.zeros(n_classes * width), np.full(len(own), 1 / n)]
    bounds = [(None, None)] * (n_classes * width) + [(0, None)] * len(own)
    result = optimize.linprog(cost, np.hstack([rows, slack]), -np.ones(len(own)), bounds=bounds)
    assert result.status == 0
    return result.fun


@pytest.mark.parametrize("optimizer", ["auto", Newton(), LBFGS(), ProximalGradient()], ids=str)
def test_a_hinge_without_a_regularizer_is_sharpened_too(optimizer):
    """Where alpha is zero no bound tells when; the rounded hinge stayed 23% above its minimum."""
    X, y = samples()
    model = LinearSVMClassifier(alpha=0, optimizer=optimizer, max_iter=3000).fit(X, y)
    # Nothing is proven here, and small changes are all that a first-order method can go by.
    tolerance = 1e-2 if isinstance(optimizer, ProximalGradient) else 2e-3
    assert model.objective_ == pytest.approx(least_hinge(X, y), rel=tolerance)


@pytest.mark.parametrize("optimizer", ["sgd", SGD(100.0)], ids=str)
def test_mini_batches_that_lead_up_are_no_convergence(optimizer):
    X, y = samples()
    model = SoftmaxClassifier(optimizer=optimizer, random_state=0)
    with pytest.warns(ConvergenceWarning, match="diverged: the objective"):
        model.fit(1e4 * X, y)


class Whole(Loss):
    """The Weston-Watkins hinge with a gradient of whole numbers."""

    smooth = False

    def value_and_gradient(self, scores, y, out=None):
        value, gradient = WestonWatkins().value_and_gradient(scores, y)
        return value, gradient.astype(int)


def test_a_gradient_of_whole_numbers_is_as_good():
    X, y = samples()
    whole = LinearSVMClassifier(loss=Whole(), optimizer=SGD(0.1), random_state=0).fit(X, y)
    plain = LinearSVMClassifier(optimizer=SGD(0.1), random_state=0).fit(X, y)
    np.testing.assert_allclose(whole.coef_, plain.coef_)


def test_a_gradient_of_another_shape_is_named():
    class Flat(Loss):
        def value_and_gradient(self, scores, y, out=None):
            return scores.sum(axis=1), scores[:, :1]

    with pytest.raises(ValueError, match=r"Flat.value_and_gradient must return .*\(90, 3\); it"):
        LinearSVMClassifier(loss=Flat()).fit(*samples())


def test_proximal_gradient_without_a_bound_does_not_stop_at_a_small_step():
    X, y = samples()
    X = np.column_stack([X, np.full(len(y), 255.0)])
    exact = SoftmaxClassifier(alpha=0).fit(X, y).objective_
    model = SoftmaxClassifier(alpha=0, regularizer="l1", optimizer="proximal_gradient")
    with pytest.warns(ConvergenceWarning, match="max_iter=300"):
        model.set_params(max_iter=300).fit(X, y)
    # It crawls (a feature of size 255), and must not say that it was done before it is.
    found = model.set_params(max_iter=100_000).fit(X, y).objective_
    assert found == pytest.approx(exact, rel=0.05)
    model.set_params(optimizer="proximal_newton")
    assert model.fit(X, y).objective_ == pytest.approx(exact, rel=0.01)


def test_mini_batches_of_unequal_sizes_find_the_minimum():
    """Seven samples by four: three and four. The smaller batch is the same in every epoch."""
    rng = np.random.RandomState(1)
    X, y = rng.standard_normal((7, 2)), np.array([0, 0, 1, 1, 0, 1, 0])
    objective, _ = SoftmaxClassifier(alpha=0.1).make_objective(X, y)
    minimum = LBFGS().minimize(objective, tol=1e-10).value
    descent = SGD(InverseDecay(0.5, decay=0.05), batch_size=4, momentum=0)
    result = descent.minimize(objective, tol=0, max_iter=3000, random_state=0)
    assert objective.value(result.params) == pytest.approx(minimum, rel=1e-4)


def test_a_constraint_that_is_not_even_keeps_a_finite_objective_for_two_classes():
    class NotNegative(Regularizer):
        is_constraint = True

        def value(self, coef):
            return 0.0 if coef.min(initial=0) >= 0 else np.inf

        def prox(self, coef, step):
            return np.maximum(coef, 0)

    X, y = samples()
    model = SoftmaxClassifier(regularizer=NotNegative(), max_iter=5000)
    model.fit(X[y < 2], y[y < 2])
    assert model.objective_ == pytest.approx(model.loss_curve_[-1])


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({0: 0, 1: 0, 2: 0}, "leaves no sample any weight"),
        ({0: np.nan, 1: 1, 2: 1}, "class_weight must not be negative, and finite"),
        ({0: np.inf, 1: 1, 2: 1}, "class_weight must not be negative, and finite"),
    ],
)
def test_class_weights_that_leave_nothing_are_named(class_weight, message):
    with pytest.raises(ValueError, match=message):
        SoftmaxClassifier(class_weight=class_weight).fit(*samples())


def test_sample_weights_without_a_finite_sum_are_named():
    X, y = samples()
    with pytest.raises(ValueError, match="sample_weight must have a finite sum"):
        SoftmaxClassifier().fit(X, y, sample_weight=np.full(len(y), 1e308))


def test_auto_does_not_take_newton_where_its_matrices_are_large():
    rng = np.random.RandomState(0)
    X, y = rng.standard_normal((20_000, 10)), np.arange(20_000) % 50
    for model in (LinearSVMClassifier(), SoftmaxClassifier()):
        chosen = choose(model.make_objective(X, y)[0])
        assert isinstance(chosen, ADMM) or chosen.max_direct == 0


def test_overlapping_fits_leave_the_threads_as_they_were():
    before = [info["num_threads"] for info in threadpool_info()]
    first, second = threads_for(10, 2, 2), threads_for(10, 2, 2)
    inside, go_on = threading.Event(), threading.Event()

    def other():
        with second:
            inside.set()
            go_on.wait(10)

    with first:
        thread = threading.Thread(target=other)
        thread.start()
        inside.wait(10)
    go_on.set()
    thread.join()
    assert [info["num_threads"] for info in threadpool_info()] == before


def test_what_a_callback_writes_into_its_step_does_not_reach_the_answer():
    objective, _ = SoftmaxClassifier(alpha=1e-2).make_objective(*samples())
    seen = []

    def callback(n_iter, step):
        seen.append(step.value)
        step.params.fill(7)
        return n_iter == 3

    result = LBFGS().minimize(objective, tol=0, callback=callback)
    assert not (result.params == 7).any()
    assert result.value == min(seen)


def test_a_constraint_set_between_calls_holds_for_the_average_too():
    X, y = samples()
    model = SoftmaxClassifier(optimizer=SGD(1.0, average=True), random_state=0)
    model.partial_fit(X, y, classes=[0, 1, 2])
    model.set_params(regularizer=MaxNorm(0.01)).partial_fit(X, y)
    assert np.linalg.norm(model.coef_, axis=1).max() <= 0.01 * (1 + 1e-9)
    assert np.isfinite(model.objective_)


def test_the_global_seed_is_heeded_as_everywhere_in_scikit_learn():
    X, y = samples()
    found = []
    for _ in range(2):
        np.random.seed(0)  # noqa: NPY002
        found.append(SoftmaxClassifier(optimizer=SGD(batch_size=8), tol=1e-2).fit(X, y).coef_)
    np.testing.assert_array_equal(*found)


def test_duplicate_entries_of_a_csr_array_are_left_alone():
    X = sparse.csr_matrix((np.ones(4), [0, 0, 1, 1], [0, 2, 4]), shape=(2, 2))
    LinearSVMClassifier(optimizer="lbfgs").fit(X, [0, 1])
    assert X.nnz == 4


def test_warm_start_with_other_features_is_named():
    X, y = samples()
    model = SoftmaxClassifier(warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="warm_start needs the features of the last fit, 5"):
        model.fit(X[:, :3], y)


@pytest.mark.parametrize("model", [SoftmaxClassifier(), LinearSVMClassifier()], ids=repr)
def test_weights_of_zero_for_every_sample_are_refused(model):
    # Newer releases of scikit-learn say it in their own words.
    with pytest.raises(ValueError, match=r"(?i)sample.weights? must .*zero"):
        model.fit(np.eye(4), [0, 1, 0, 1], sample_weight=np.zeros(4))


def test_weights_of_zero_for_every_sample_that_is_fitted_are_refused():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 2)), np.arange(40) % 2
    weight = np.zeros(40)
    weight[:2] = 1  # one sample of each class, which is held out in one of four splits or so
    refused = 0
    for seed in range(60):
        model = SoftmaxClassifier(early_stopping=True, validation_fraction=0.5, random_state=seed)
        try:
            model.fit(X, y, sample_weight=weight)
        except ValueError as error:
            assert "sample_weight is zero for every sample that is not held out" in str(error)
            refused += 1
    assert 0 < refused < 60


@pytest.mark.parametrize("kind", [SoftmaxClassifier, LinearSVMClassifier])
def test_images_are_no_rows_and_the_error_says_what_to_do(kind):
    images, y = np.zeros((6, 4, 5, 3)), [0, 1] * 3
    advice = rf"required by {kind.__name__}.*make_pipeline\(HOG\(\)"
    for X, flat in [
        (images, r"X\.reshape\(len\(X\), -1\)"),
        (images[..., 0], r"X\.reshape\(len\(X\), -1\)"),
        (list(images), r"x\.ravel\(\) for x in X"),
        ([image[: 2 + i] for i, image in enumerate(images)], r"x\.ravel\(\) for x in X"),
    ]:
        with pytest.raises(ValueError, match=f"{advice}.*{flat}"):
            kind().fit(X, y)
        fitted = kind().fit(images.reshape(6, -1) + np.array(y)[:, None], y)
        with pytest.raises(ValueError, match=advice):
            fitted.predict(X)


def test_names_that_belong_to_another_parameter_are_sent_there():
    X, y = samples()
    with pytest.raises(ValueError, match=r"loss must.*multi_class='crammer_singer'"):
        LinearSVMClassifier(loss="crammer_singer").fit(X, y)
    for none in (None, "none"):
        with pytest.raises(ValueError, match=r"regularizer must be one of 'l2', .*alpha=0"):
            SoftmaxClassifier(regularizer=none).fit(X, y)


def test_the_one_class_of_y_is_named_plainly():
    with pytest.raises(ValueError, match=r"one class, 1\.0\."):
        SoftmaxClassifier().fit(np.eye(3), np.ones(3))
