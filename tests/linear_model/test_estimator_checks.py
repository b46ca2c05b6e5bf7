"""scikit-learn's estimator checks: all of them, none skipped, none expected to fail."""

import warnings

import pytest
import sklearn
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks as checks
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.fixes import parse_version

from sklin import (
    HOG,
    BagOfVisualWords,
    ColorHistogram,
    LinearSVMClassifier,
    LinearSVMClassifierCV,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
)
from sklin.optimizers import GradientDescent

DEFAULTS = [SoftmaxClassifier(), LinearSVMClassifier()]
# Weights and repetition are asked to agree to seven digits. Methods that do not follow the minimum
# to rounding by themselves (L-BFGS, gradient descent) are asked for it by tol; and where they are
# slow, for a larger alpha than the default, at which fifteen samples of ten features are separable.
VARIANTS = [
    SoftmaxClassifier(optimizer="newton"),
    SoftmaxClassifier(optimizer="lbfgs", alpha=1e-2, tol=1e-15),
    pytest.param(SoftmaxClassifier(optimizer="proximal_gradient"), marks=pytest.mark.slow),
    pytest.param(
        SoftmaxClassifier(optimizer="gradient_descent", alpha=1e-1, tol=1e-9),
        marks=pytest.mark.slow,
    ),
    # It takes the same path, and stops after as many steps, however the samples are weighted.
    pytest.param(SoftmaxClassifier(optimizer=GradientDescent(0.1)), marks=pytest.mark.slow),
    pytest.param(
        SoftmaxClassifier(optimizer=GradientDescent(0.1, gradient="numerical"), max_iter=20),
        marks=pytest.mark.slow,
    ),
    pytest.param(SoftmaxClassifier(regularizer="l1", alpha=1e-2), marks=pytest.mark.slow),
    SoftmaxClassifier(regularizer="elasticnet", alpha=1e-2),
    pytest.param(SoftmaxClassifier(regularizer="group_l2", alpha=1e-2), marks=pytest.mark.slow),
    pytest.param(SoftmaxClassifier(regularizer="max_norm"), marks=pytest.mark.slow),
    pytest.param(
        LinearSVMClassifier(loss="squared_hinge", regularizer="elasticnet", alpha=1e-1, tol=1e-9),
        marks=pytest.mark.slow,
    ),
    LinearSVMClassifier(loss="squared_hinge"),
    pytest.param(LinearSVMClassifier(multi_class="one_vs_rest"), marks=pytest.mark.slow),
    LinearSVMClassifier(multi_class="one_vs_rest", loss="squared_hinge"),
    pytest.param(LinearSVMClassifier(multi_class="crammer_singer"), marks=pytest.mark.slow),
    pytest.param(
        LinearSVMClassifier(multi_class="crammer_singer", loss="squared_hinge"),
        marks=pytest.mark.slow,
    ),
]
# A path is some fifty fits: the defaults take a minute, and of the hinge four; it has fewer here.
PATHS = [
    SoftmaxClassifierCV(alphas=[1e-1, 1e-2], cv=2),
    pytest.param(
        LinearSVMClassifierCV(alphas=[1e-1, 1e-2], cv=2, loss="squared_hinge"),
        marks=pytest.mark.slow,
    ),
    pytest.param(SoftmaxClassifierCV(), marks=pytest.mark.slow),
    pytest.param(LinearSVMClassifierCV(alphas=4, cv=2), marks=pytest.mark.slow),
]


@pytest.mark.parametrize("estimator", DEFAULTS + VARIANTS + PATHS, ids=repr)
def test_check_estimator(estimator):
    with warnings.catch_warnings():
        # Some checks fit data that no method can separate in the iterations they allow.
        warnings.simplefilter("ignore")
        results = check_estimator(estimator, on_fail=None)
    assert len(results) >= 50
    bad = {r["check_name"]: str(r["exception"]) for r in results if r["status"] != "passed"}
    assert not bad


@pytest.mark.parametrize("estimator", DEFAULTS + PATHS[:1], ids=repr)
def test_data_frame_column_names(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        checks.check_dataframe_column_names_consistency(type(estimator).__name__, clone(estimator))


@pytest.mark.parametrize(
    "estimator, peer",
    [
        *((model, LogisticRegression()) for model in DEFAULTS),
        *((kind(), StandardScaler()) for kind in (HOG, ColorHistogram, BagOfVisualWords)),
    ],
    ids=repr,
)
def test_check_estimator_with_array_api_dispatch(estimator, peer):
    """Scikit-learn itself then refuses what is no array of a known kind, in its estimators too."""
    if parse_version(sklearn.__version__) < parse_version("1.8"):  # others need array_api_compat
        pytest.importorskip("array_api_compat")

    def unpassed(estimator):
        with warnings.catch_warnings(), sklearn.config_context(array_api_dispatch=True):
            warnings.simplefilter("ignore")
            results = check_estimator(estimator, on_fail=None)
        assert len(results) >= 40
        return {r["check_name"] for r in results if r["status"] != "passed"}

    found = unpassed(estimator)
    assert found <= unpassed(peer)
    assert all(name.endswith("not_an_array") for name in found)
