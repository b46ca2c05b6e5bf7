"""Data that are hard on numbers: fits converge, and their gaps are true."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from sklin import LinearSVMClassifier, SoftmaxClassifier


def blobs(n_samples=200, n_features=20, n_classes=4, apart=1.0):
    rng = np.random.default_rng(0)
    y = np.arange(n_samples) % n_classes
    centres = apart * rng.standard_normal((n_classes, n_features))
    return rng.standard_normal((n_samples, n_features)) + centres[y], y


def constant_columns():
    X, y = blobs()
    X[:, [2, 5]] = [0, 3e3]
    return X, y, 1e-3


def duplicated_columns():
    X, y = blobs()
    return np.hstack([X, X, X[:, :3]]), y, 1e-3


def one_feature_a_million_times_as_large():
    X, y = blobs()
    X[:, 0] *= 1e6
    return X, y, 1e-3


def one_of_many_features_a_million_times_as_large():
    X, y = blobs(40, 60)
    X[:, 0] *= 1e6
    return X, y, 1e-2


def nothing_but_zeros_and_more_features_than_samples():
    X, y = blobs(12, 30)
    return 0 * X, np.minimum(y, 2), 1e-2


def separable_at_tiny_alpha():
    return *blobs(apart=5.0), 1e-6


def huge_alpha():
    return *blobs(), 1e6


def one_sample_a_class():
    return *blobs(20, 30, 20), 1e-2


def heavy_imbalance():
    X, _ = blobs()
    y = np.repeat([0, 1, 2], [180, 15, 5])
    X[:, :3] += np.eye(3)[y]
    return X, y, 1e-3


def a_thousand_classes():
    return *blobs(2_000, 5, 1_000, 3.0), 1e-2


DATA = [
    constant_columns,
    duplicated_columns,
    one_feature_a_million_times_as_large,
    one_of_many_features_a_million_times_as_large,
    nothing_but_zeros_and_more_features_than_samples,
    separable_at_tiny_alpha,
    huge_alpha,
    one_sample_a_class,
    heavy_imbalance,
]
MODELS = [
    SoftmaxClassifier(),
    LinearSVMClassifier(loss="squared_hinge"),
    LinearSVMClassifier(multi_class="one_vs_rest", loss="squared_hinge"),
    LinearSVMClassifier(),
]
KINKED_MODELS = [
    LinearSVMClassifier(multi_class="crammer_singer"),
    LinearSVMClassifier(multi_class="one_vs_rest"),
]
SPARSE_MODELS = [
    SoftmaxClassifier(regularizer="l1"),
    LinearSVMClassifier(loss="squared_hinge", regularizer="elasticnet"),
]
# These take seconds where the others take tenths.
ALL_MODELS = MODELS + [
    pytest.param(model, marks=pytest.mark.slow) for model in KINKED_MODELS + SPARSE_MODELS
]
# The certificates of these say gaps of per cents after a thousand steps: the penalty's multipliers
# are not unique where columns are the same, or the losses nearly zero.
SLOW = {
    (duplicated_columns, 0),
    (one_feature_a_million_times_as_large, 0),
    (one_of_many_features_a_million_times_as_large, 0),
    (one_of_many_features_a_million_times_as_large, 1),
    (separable_at_tiny_alpha, 0),
    (separable_at_tiny_alpha, 1),
}


def is_slow(data, model):
    """Whether a default fit is known to end with a warning."""
    if data is separable_at_tiny_alpha and getattr(model, "loss", "") == "hinge":
        return True  # an objective of 1e-8, and a gap of some per cent of it
    return model in SPARSE_MODELS and (data, SPARSE_MODELS.index(model)) in SLOW


def assert_gap_is_true(model, X, y):
    """No point that can be found lies below what the fit says the minimum is above."""
    objective, _ = model.make_objective(X, y)
    assert 0 <= model.duality_gap_ < np.inf
    bound = model.objective_ - model.duality_gap_
    start = np.column_stack([model.coef_, model.intercept_]).astype(float)
    further = model._optimizer_for(objective).minimize(objective, start, tol=1e-9, max_iter=50)
    # At the weights themselves, whatever coordinates they were found in.
    lowest = min(model.objective_, objective.value(further.params))
    # The values are sums of floats of the precision of X.
    assert bound <= lowest + 10 * np.finfo(X.dtype).eps * objective.value(0 * start)


@pytest.mark.parametrize("model", ALL_MODELS, ids=repr)
@pytest.mark.parametrize("data", DATA, ids=lambda data: data.__name__)
def test_fits_converge_and_gaps_are_true(data, model):
    X, y, alpha = data()
    model.set_params(alpha=alpha)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    if is_slow(data, model):
        # The warning says so, and nothing else is heard.
        assert {w.category for w in caught} <= {ConvergenceWarning}
    else:
        assert not caught
        assert model.duality_gap_ <= 1e-4 * model.objective_
    assert_gap_is_true(model, X, y)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS + KINKED_MODELS + SPARSE_MODELS, ids=repr)
@pytest.mark.parametrize("data", DATA, ids=lambda data: data.__name__)
def test_float32_ends_at_its_noise_and_says_what_is_true(data, model):
    X, y, alpha = data()
    model.set_params(alpha=alpha)
    X = X.astype(np.float32)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    assert {w.category for w in caught} <= {ConvergenceWarning}
    objective, _ = model.make_objective(X, y)
    assert model.objective_ <= objective.value(np.zeros(objective.shape)) * (1 + 1e-6)
    assert_gap_is_true(model, X, y)


@pytest.mark.slow
@pytest.mark.parametrize(
    "model", [SoftmaxClassifier(), LinearSVMClassifier(loss="squared_hinge")], ids=repr
)
def test_a_thousand_classes(model):
    X, y, alpha = a_thousand_classes()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model.set_params(alpha=alpha, tol=1e-2).fit(X, y)
    assert model.duality_gap_ <= 1e-2 * model.objective_
    assert_gap_is_true(model, X, y)
