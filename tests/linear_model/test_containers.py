"""Whatever holds the numbers, the labels and the weights: the same fit, or an error by name."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.datasets import load_iris

from sklin import LinearSVMClassifier, SoftmaxClassifier

X, Y = (part[::3] for part in load_iris(return_X_y=True))
NAMES = np.array(["ant", "bee", "cow"])
SPACED = np.zeros((2 * len(X), 2 * X.shape[1]))
SPACED[::2, ::2] = X


def read_only(X):
    X = np.array(X)
    X.flags.writeable = False
    return X


def wide_indices(X):
    X = sparse.csr_array(X)
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    X.data.flags.writeable = False
    return X


HOLDERS = {
    "Fortran": np.asfortranarray,
    "strided": lambda X: SPACED[::2, ::2],
    "reversed": lambda X: np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1],
    "read-only": read_only,
    "big-endian": lambda X: X.astype(">f8"),
    "long double": lambda X: X.astype(np.longdouble),
    "objects": lambda X: X.astype(object),
    "masked": np.ma.array,
    "list": lambda X: X.tolist(),
    "pandas": pd.DataFrame,
    "pandas nullable": lambda X: pd.DataFrame(X).astype("Float64"),
    "polars": lambda X: pl.DataFrame(X, schema=list("abcd")),
    "CSR": sparse.csr_array,
    "CSR of 64-bit indices, read-only": wide_indices,
    "CSC matrix": sparse.csc_matrix,
    "COO": sparse.coo_array,
}
MODELS = [SoftmaxClassifier(alpha=0.1), LinearSVMClassifier(loss="squared_hinge", alpha=0.1)]
EACH_MODEL = pytest.mark.parametrize("model", MODELS, ids=["softmax", "SVM"])


@EACH_MODEL
@pytest.mark.parametrize("hold", HOLDERS.values(), ids=list(HOLDERS))
def test_features_may_be_held_by_anything(model, hold):
    expected = model.fit(X, Y).coef_
    held = hold(X)
    model.fit(held, Y)
    # Products of another memory order round otherwise.
    np.testing.assert_allclose(model.coef_, expected, rtol=1e-6, atol=1e-9)
    assert model.score(held, Y) > 0.9


def test_features_may_be_mapped_from_a_file(tmp_path):
    expected = MODELS[0].fit(X, Y).coef_
    np.save(tmp_path / "X.npy", X)
    held = np.load(tmp_path / "X.npy", mmap_mode="r")
    np.testing.assert_array_equal(MODELS[0].fit(held, Y).coef_, expected)


LABELS = {
    "str": NAMES[Y],
    "objects": NAMES.astype(object)[Y],
    "negative": Y - 5,
    "unsigned": Y.astype(np.uint8),
    "big-endian": Y.astype(">i4"),
    "float": Y.astype(float),
    "dates": np.array(["2020-01-01", "2020-01-02", "2020-01-03"], dtype="M8[D]")[Y],
    "list": Y.tolist(),
    "pandas category": pd.Series(pd.Categorical(NAMES[Y])),
    "pandas string": pd.Series(NAMES[Y]).astype("string"),
    "pandas nullable": pd.Series(Y).astype("Int64"),
    "polars": pl.Series(NAMES[Y]),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=list(LABELS))
def test_labels_may_be_of_any_kind(labels):
    model = MODELS[0].fit(X, Y)
    expected = model.predict(X)
    model.fit(X, labels)
    as_array = np.asarray(labels)
    assert np.array_equal(model.predict(X), np.unique(as_array)[expected])
    assert model.score(X, labels) > 0.9


def test_booleans_are_labels():
    model = MODELS[0].fit(X, Y > 0)
    assert model.predict(X).dtype == bool
    assert model.score(X, Y > 0) > 0.9


BAD_LABELS = {
    "mixed": (np.array(["a", 1, 2], dtype=object)[Y], TypeError, "y must hold labels of one kind"),
    # Before scikit-learn 1.7 a warning, which the tests take for an error.
    "bytes": (NAMES.astype("S3")[Y], (TypeError, FutureWarning), "labels represented as bytes"),
    "continuous": (Y + 0.5, ValueError, "Unknown label type"),
    "missing": (np.where(Y == 0, np.nan, Y), ValueError, "Input y contains NaN"),
    "too few": (Y[:-1], ValueError, "inconsistent numbers of samples"),
    "indicators": (np.eye(3)[Y], ValueError, "y should be a 1d array"),
    "one class": (np.zeros_like(Y), ValueError, "y holds one class"),
}


@pytest.mark.parametrize("labels, error, sentence", BAD_LABELS.values(), ids=list(BAD_LABELS))
def test_what_is_no_label_is_refused(labels, error, sentence):
    with pytest.raises(error, match=sentence):
        SoftmaxClassifier().fit(X, labels)


ONES = np.ones(len(Y))
WEIGHTS = [2.0, ONES.tolist(), ONES.astype(int), ONES > 0, pd.Series(ONES), ONES * 1e-310]


@pytest.mark.parametrize(
    "weights", WEIGHTS, ids=["number", "list", "int", "bool", "pandas", "tiny"]
)
def test_weights_may_be_held_by_anything(weights):
    expected = MODELS[0].fit(X, Y).coef_
    model = MODELS[0].fit(X, Y, sample_weight=weights)
    np.testing.assert_allclose(model.coef_, expected, rtol=1e-6)


BAD_WEIGHTS = {
    "nan": np.where(Y, 1, np.nan),
    "infinite": np.where(Y, 1, np.inf),
    "negative": np.where(Y, 1, -1),
    "zero": 0 * ONES,
    "too few": ONES[:-1],
    "a column": ONES[:, np.newaxis],
    "without a finite sum": ONES * 1e308,
}


@pytest.mark.parametrize("weights", BAD_WEIGHTS.values(), ids=list(BAD_WEIGHTS))
def test_what_is_no_weight_is_refused(weights):
    with warnings.catch_warnings(), pytest.raises(ValueError, match=r"(?i)sample.weight"):
        warnings.simplefilter("error")
        SoftmaxClassifier().fit(X, Y, sample_weight=weights)
