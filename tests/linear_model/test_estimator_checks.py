"""scikit-learn's estimator checks: all of them, none skipped, none expected to fail."""

import warnings

import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks as checks
from sklearn.utils.estimator_checks import check_estimator

from sklin import LinearSVMClassifier, SoftmaxClassifier

DEFAULTS = [SoftmaxClassifier(), LinearSVMClassifier()]
VARIANTS = [
    SoftmaxClassifier(optimizer="newton"),
    LinearSVMClassifier(loss="squared_hinge"),
    LinearSVMClassifier(multi_class="one_vs_rest"),
    LinearSVMClassifier(multi_class="one_vs_rest", loss="squared_hinge"),
    pytest.param(LinearSVMClassifier(multi_class="crammer_singer"), marks=pytest.mark.slow),
    pytest.param(
        LinearSVMClassifier(multi_class="crammer_singer", loss="squared_hinge"),
        marks=pytest.mark.slow,
    ),
]


@pytest.mark.parametrize("estimator", DEFAULTS + VARIANTS, ids=repr)
def test_check_estimator(estimator):
    with warnings.catch_warnings():
        # Some checks fit data that no method can separate in the iterations they allow.
        warnings.simplefilter("ignore")
        results = check_estimator(estimator, on_fail=None)
    assert len(results) >= 50
    bad = {r["check_name"]: str(r["exception"]) for r in results if r["status"] != "passed"}
    assert not bad


@pytest.mark.parametrize("estimator", DEFAULTS, ids=repr)
def test_data_frame_column_names(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        checks.check_dataframe_column_names_consistency(type(estimator).__name__, clone(estimator))
