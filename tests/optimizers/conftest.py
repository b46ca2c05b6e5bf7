"""The problems that optimizers are tried on: functions, given to the tests as fixtures."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_classification

from sklin.losses import CrossEntropy
from sklin.objective import Objective, Samples
from sklin.regularizers import L2


def make_problem(
    loss=None,
    regularizer=None,
    alpha=1e-2,
    fit_intercept=True,
    badly_scaled=True,
    dtype=float,
    to=None,
    weight=None,
):
    """Eighty samples of five features, three classes; ``to`` turns X into another kind of array."""
    X, y = make_classification(80, 5, n_informative=4, n_redundant=1, n_classes=3, random_state=0)
    if badly_scaled:
        X = X * [1, 3, 0.3, 1, 10] + [0, 5, 0, 0, 1]
    X = X.astype(dtype)
    samples = Samples(
        X if to is None else to(X), y, 3, sample_weight=weight, fit_intercept=fit_intercept
    )
    return Objective(samples, loss or CrossEntropy(), regularizer or L2(), alpha)


def make_digits_problem(loss, alpha, dtype=np.float64):
    X, y = load_digits(return_X_y=True)
    return Objective(Samples((X / 16).astype(dtype), y, 10), loss, L2(), alpha)


@pytest.fixture(scope="session")
def problem():
    return make_problem


@pytest.fixture(scope="session")
def digits_problem():
    return make_digits_problem
