"""alpha and the C of scikit-learn, as docs/coming_from_scikit_learn.md has them."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from sklin import SoftmaxClassifier
from sklin.regularizers import L1, L2, ElasticNet


def peer_parameters(regularizer, alpha, n_classes, n):
    """C and l1_ratio of LogisticRegression, n being the sum of the weights."""
    if isinstance(regularizer, L2):
        return 1 / ((2 if n_classes > 2 else 1) * alpha * n), 0.0
    if isinstance(regularizer, L1):
        return 1 / (alpha * n), 1.0
    ratio = regularizer.l1_ratio
    if n_classes == 2:
        return 1 / (alpha * n), ratio
    return 1 / ((2 - ratio) * alpha * n), ratio / (2 - ratio)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("regularizer", [L2(), L1(), ElasticNet(0.3), ElasticNet(0.8)], ids=repr)
def test_the_coefficients_are_those_of_logistic_regression(regularizer, n_classes, weighted):
    X, y = load_iris(return_X_y=True)
    X, y = StandardScaler().fit_transform(X)[: 50 * n_classes], y[: 50 * n_classes]
    weight = np.random.default_rng(0).uniform(0.5, 3, len(y)) if weighted else np.ones(len(y))
    C, l1_ratio = peer_parameters(regularizer, 0.01, n_classes, weight.sum())
    with warnings.catch_warnings():
        # scikit-learn 1.8 would have penalty left out; 1.6 needs it.
        warnings.simplefilter("ignore", FutureWarning)
        peer = LogisticRegression(
            C=C,
            penalty="elasticnet",
            l1_ratio=l1_ratio,
            solver="saga",
            tol=1e-10,
            max_iter=100_000,
            random_state=0,
        ).fit(X, y, sample_weight=weight)
    ours = SoftmaxClassifier(alpha=0.01, regularizer=regularizer, tol=1e-8)
    ours.fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(ours.coef_, peer.coef_, atol=1e-5)
    assert (ours.coef_ == 0).tolist() == (peer.coef_ == 0).tolist()
