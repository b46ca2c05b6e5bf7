"""Whatever data come in: a finite right answer, or an error that names the argument."""

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from sklin import LinearSVMClassifier, SoftmaxClassifier, SoftmaxClassifierCV

FEW = settings(max_examples=150, deadline=None, derandomize=True)
MANY = settings(FEW, max_examples=3000, suppress_health_check=[HealthCheck.too_slow])

NAMES = ["l2", "l1", "elasticnet", "group_l2", "max_norm"]
MODELS = st.one_of(
    st.builds(SoftmaxClassifier, regularizer=st.sampled_from(NAMES), max_iter=st.just(50)),
    st.builds(
        LinearSVMClassifier,
        loss=st.sampled_from(["hinge", "squared_hinge"]),
        multi_class=st.sampled_from(["weston_watkins", "crammer_singer", "one_vs_rest"]),
        regularizer=st.sampled_from(NAMES),
        max_iter=st.just(50),
    ),
)


@st.composite
def problems(draw):
    """X, y and weights of any scale, among them such as are refused."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, d = draw(st.integers(2, 24)), draw(st.integers(1, 7))
    n_classes = draw(st.integers(2, min(n, 5)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    powers = [-30, -8, 0, 5, 30] if dtype == np.float32 else [-150, -30, -8, 0, 8, 30, 150]
    X = rng.normal(size=(n, d)) * 10.0 ** draw(st.sampled_from(powers))
    if draw(st.booleans()):
        X[:, 0] = X[0, 0]
    X = X.astype(dtype)
    if draw(st.integers(0, 4)) == 0:
        X = sparse.csr_array(np.where(rng.random(X.shape) < 0.5, X, 0))
    y = np.concatenate([np.arange(n_classes), rng.integers(n_classes, size=n - n_classes)])
    weight = None
    if draw(st.booleans()):
        weight = rng.random(n) * 10.0 ** draw(st.sampled_from([-300, 0, 300]))
        weight[1:][rng.random(n - 1) < 0.3] = 0
    alpha = 10.0 ** draw(st.sampled_from([-300, -20, -8, -3, -1, 0, 3, 20, 300]))
    return X, y, weight, alpha


def fits_or_refuses(model, X, y, weight, alpha):
    model.set_params(alpha=alpha)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y, sample_weight=weight)
    except ValueError as error:
        largest = np.abs(X).max()
        # X and alpha alone are refused, and only where they are out of all reason.
        is_large = largest > (1e12 if X.dtype == np.float32 else 1e100)
        assert ("X must hold numbers of at most" in str(error) and is_large) or (
            "alpha must be" in str(error) and not 1e-100 <= alpha <= 1e100
        )
        return
    assert np.isfinite(model.coef_).all() and np.isfinite(model.intercept_).all()
    assert model.duality_gap_ >= 0
    assert np.isfinite(model.decision_function(X)).all()
    assert np.isin(model.predict(X), model.classes_).all()
    # The value is that of the published weights in double precision, whatever X is in.
    objective, _ = model.make_objective(X.astype(np.float64), y, weight)
    assert objective.value(model._parameters().astype(np.float64)) == pytest.approx(
        model.objective_, rel=1e-9
    )


@FEW
@given(MODELS, problems())
def test_it_fits_or_refuses(model, problem):
    fits_or_refuses(model, *problem)


@pytest.mark.slow
@MANY
@given(MODELS, problems())
def test_it_fits_or_refuses_at_length(model, problem):
    fits_or_refuses(model, *problem)


def test_a_curvature_that_vanishes():
    """Two samples that are far apart: the loss and its curvature underflow."""
    X = np.array([[12573022.10933933, -13210486.32913019], [64042265.04432821, 10490011.71530397]])
    for name in ("l1", "elasticnet"):
        fits_or_refuses(
            SoftmaxClassifier(regularizer=name, max_iter=50), X, np.arange(2), None, 0.1
        )


def test_the_value_of_float32_samples_is_not_below_the_minimum():
    """Classes without weight send the intercepts far away, where float32 has few digits left."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(11, 3)).astype(np.float32)
    y = np.array([0, 1, 2, 3, 0, 1, 2, 1, 0, 0, 0])
    weight = np.where(y == 2, 0, rng.random(11))
    for multi_class in ("weston_watkins", "crammer_singer"):
        model = LinearSVMClassifier(
            loss="squared_hinge", multi_class=multi_class, alpha=0.1, max_iter=50
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y, weight)
            value = model.objective_
            model.set_params(tol=1e-6, max_iter=1000).fit(X.astype(np.float64), y, weight)
        assert value >= model.objective_ - model.duality_gap_


@pytest.mark.parametrize("model", [SoftmaxClassifier(), SoftmaxClassifierCV(cv=2)])
def test_what_is_out_of_all_reason_is_refused_by_name(model):
    X, y = np.eye(6), np.tile([0, 1], 3)
    with pytest.raises(ValueError, match=r"X must hold numbers of at most 1e\+100 in float64, got"):
        model.fit(X * -1e120, y)
    with pytest.raises(ValueError, match=r"X must hold numbers of at most 1e\+12 in float32"):
        model.fit((X * 1e20).astype(np.float32), y)
    for alpha in (1e-200, 1e200):
        bad = {"alphas": [alpha]} if hasattr(model, "alphas") else {"alpha": alpha}
        with pytest.raises(ValueError, match="alpha"):
            type(model)(**bad).fit(X, y)
