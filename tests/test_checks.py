"""Checks are left out only where they would find nothing."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import validate_data

from sklin import HOG, SoftmaxClassifier
from sklin._checks import is_valid

FLOATS = (np.float64, np.float32)
X = np.random.default_rng(0).normal(size=(12, 4))
Y = np.arange(12) % 3


def hole(value, dtype=np.float64):
    array = X.astype(dtype)
    array[3, 2] = value
    return array


ARRAYS = {
    "double": X,
    "single": X.astype(np.float32),
    "columns first": np.asfortranarray(X),
    "every other": np.repeat(X, 2, axis=0)[::2],
    "half": X.astype(np.float16),
    "integers": X.astype(int),
    "booleans": X > 0,
    "complex": X.astype(complex),
    "objects": X.astype(object),
    "text": X.astype(str),
    "nan": hole(np.nan),
    "infinity": hole(np.inf),
    "both infinities": np.where(X > 0, np.inf, -np.inf),
    "overflow": np.full((4, 4), 1e308),
    "overflow in single": np.full((4, 4), 3e38, dtype=np.float32),
    "one feature more": np.hstack([X, X[:, :1]]),
    "no feature": X[:, :0],
    "no sample": X[:0],
    "a row": X[0],
    "a number": np.float64(3),
    "three axes": X[np.newaxis],
    "matrix": np.asmatrix(X),
    "masked": np.ma.MaskedArray(X),
    "list": X.tolist(),
    "frame": pd.DataFrame(X),
    "named": pd.DataFrame(X, columns=list("abcd")),
    "sparse": sparse.csr_array(X),
    "memory map": X.view(np.memmap),
    "nothing": None,
}


def outcome(call):
    """What a call gives, or its error, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = call()
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
    return found, [str(warning.message) for warning in caught]


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("named", [False, True])
def test_what_is_valid_is_what_validate_data_would_return(name, named):
    data = ARRAYS[name]
    seen = pd.DataFrame(X, columns=list("abcd")) if named else X
    model = SoftmaxClassifier().fit(seen, Y)
    if not is_valid(model, data, FLOATS):
        return
    found, caught = outcome(lambda: validate_data(model, data, reset=False, dtype=list(FLOATS)))
    assert found is data
    assert caught == []


def test_plain_arrays_are_valid():
    model = SoftmaxClassifier().fit(X, Y)
    assert is_valid(model, X, FLOATS)
    assert is_valid(model, X.astype(np.float32), FLOATS)
    images = np.zeros((3, 64), dtype=np.uint8)
    assert is_valid(HOG().fit(images), images, (np.uint8,))
    assert not is_valid(model, np.full((4, 4), 1e308), FLOATS)  # in doubt, and indeed valid


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("named", [False, True])
def test_predictions_and_errors_are_those_of_all_checks(name, named, monkeypatch):
    seen = pd.DataFrame(X, columns=list("abcd")) if named else X
    model = SoftmaxClassifier().fit(seen, Y)
    found = outcome(lambda: model.decision_function(ARRAYS[name]).tobytes())
    monkeypatch.setattr("sklin.linear_model._base.is_valid", lambda *arguments: False)
    assert found == outcome(lambda: model.decision_function(ARRAYS[name]).tobytes())


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 64), (3, 8, 8), (3, 8, 8, 1), (3, 63), (0, 64), (3, 7, 8)])
@pytest.mark.parametrize("value", [0, 1, np.nan])
def test_features_and_errors_are_those_of_all_checks(dtype, shape, value, monkeypatch):
    model = HOG(pixels_per_cell=(4, 4)).fit(np.zeros((2, 8, 8), dtype=np.uint8))
    if dtype == np.uint8 and value != value:
        value = 255
    images = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    images.ravel()[-1:] = value
    found = outcome(lambda: model.transform(images).tobytes())
    monkeypatch.setattr("sklin.features._transformer.is_valid", lambda *arguments: False)
    assert found == outcome(lambda: model.transform(images).tobytes())


@pytest.mark.parametrize(
    "call", [SoftmaxClassifier().decision_function, SoftmaxClassifier().predict, HOG().transform]
)
def test_what_is_not_fitted_says_so(call):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        call(X)
