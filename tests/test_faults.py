"""Whatever happens during a fit: the estimator is fitted and right, or as it was."""

import sys
import warnings

import numpy as np
import pytest
from sklearn.base import clone

from sklin import (
    HOG,
    BagOfVisualWords,
    ColorHistogram,
    LinearSVMClassifier,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
)

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 6)), np.arange(40) % 3
IMAGES = RNG.integers(256, size=(12, 16, 16, 3), dtype=np.uint8)

CLASSIFIERS = {
    "softmax": SoftmaxClassifier(),
    "hinge": LinearSVMClassifier(tol=1e-2, alpha=0.1),
    "l1": SoftmaxClassifier(regularizer="l1", tol=1e-2, alpha=0.01),
    "sgd": SoftmaxClassifier(optimizer="sgd", max_iter=10, tol=0.1, random_state=0),
    "newton": SoftmaxClassifier(optimizer="newton"),
    "early stopping": SoftmaxClassifier(early_stopping=True, random_state=0),
    "random search": SoftmaxClassifier(optimizer="random_search", max_iter=20, random_state=0),
    "path": SoftmaxClassifierCV(alphas=3, cv=2),
}
TRANSFORMERS = {
    "HOG": HOG(grid=(2, 2)),
    "colour": ColorHistogram(bins=4),
    "words": BagOfVisualWords(n_words=5, n_patches=200, random_state=0),
}


def interrupted(call, at):
    """Call, with Ctrl-C at the line of sklin's code of that number; the number of lines run."""
    count = 0

    def line(frame, event, argument):
        nonlocal count
        if event == "line":
            count += 1
            if count == at:
                sys.settrace(None)
                raise KeyboardInterrupt
        return line

    def entry(frame, event, argument):
        file = frame.f_code.co_filename
        # Of the two that guard the rest: Python looks for signals at calls, of which they make
        # none that matters, and not at each of their lines.
        return (
            line if "/sklin/" in file and not file.endswith(("_linalg.py", "_state.py")) else None
        )

    before = sys.gettrace()
    sys.settrace(entry)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def check_interrupts(estimator, fit, check_fitted, n):
    rng = np.random.default_rng(0)
    n_lines = interrupted(lambda: fit(clone(estimator)), at=0)
    outcomes = set()
    for i in range(n):
        model = clone(estimator)
        if i % 2:
            fit(model)
        before = dict(vars(model))
        try:
            interrupted(lambda model=model: fit(model), at=int(rng.integers(1, n_lines + 1)))
        except KeyboardInterrupt:
            outcomes.add("as it was")
            assert vars(model).keys() == before.keys()
            assert all(vars(model)[name] is value for name, value in before.items())
        else:
            outcomes.add("fitted")
            check_fitted(model)
    return outcomes


def fit_rows(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, Y)


def check_classifier(model):
    attributes = ("coef_", "intercept_", "classes_", "n_iter_", "loss_curve_", "duality_gap_")
    assert all(hasattr(model, name) for name in attributes)
    plain = model if hasattr(model, "make_objective") else model._model()
    plain.alpha = getattr(model, "alpha_", plain.alpha)
    objective, _ = plain.make_objective(X, Y)
    params = np.column_stack([model.coef_, model.intercept_])
    assert objective.value(params) == pytest.approx(model.objective_, rel=1e-9)
    assert model.predict(X).shape == Y.shape


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_ctrl_c_in_a_fit_leaves_it_fitted_or_as_it_was(name):
    outcomes = check_interrupts(CLASSIFIERS[name], fit_rows, check_classifier, 12)
    assert "fitted" in outcomes  # the best weights so far


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_ctrl_c_a_thousand_times(name):
    n = 125  # for each of eight
    outcomes = check_interrupts(CLASSIFIERS[name], fit_rows, check_classifier, n)
    assert outcomes == {"fitted", "as it was"}


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_ctrl_c_in_a_transformer(name):
    expected = clone(TRANSFORMERS[name]).fit(IMAGES).transform(IMAGES)

    def check(model):
        np.testing.assert_array_equal(model.transform(IMAGES), expected)

    outcomes = check_interrupts(TRANSFORMERS[name], lambda model: model.fit(IMAGES), check, 20)
    assert "as it was" in outcomes
    # And in `transform`, which changes nothing.
    model = clone(TRANSFORMERS[name]).fit(IMAGES)
    before = dict(vars(model))
    n_lines = interrupted(lambda: model.transform(IMAGES), at=0)
    for at in np.random.default_rng(0).integers(1, n_lines + 1, size=5):
        with pytest.raises(KeyboardInterrupt):
            interrupted(lambda: model.transform(IMAGES), at=int(at))
        assert all(vars(model)[name] is value for name, value in before.items())
        check(model)


def test_ctrl_c_in_partial_fit_keeps_the_last_call():
    model = SoftmaxClassifier(random_state=0).partial_fit(X, Y, classes=[0, 1, 2])
    expected = clone(model).partial_fit(X, Y, classes=[0, 1, 2]).partial_fit(X, Y).coef_
    before = model.coef_.copy()
    n_lines = interrupted(lambda: clone(model).partial_fit(X, Y, classes=[0, 1, 2]), at=0)
    for at in np.random.default_rng(0).integers(1, n_lines + 1, size=20):
        try:
            interrupted(lambda: model.partial_fit(X, Y), at=int(at))
        except KeyboardInterrupt:
            np.testing.assert_array_equal(model.coef_, before)
        else:  # the second call has a line or two less than the first
            break
    else:
        model.partial_fit(X, Y)
    np.testing.assert_array_equal(model.coef_, expected)


def test_an_error_in_the_middle_leaves_the_last_fit(monkeypatch):
    from sklin.losses import CrossEntropy

    model = SoftmaxClassifier().fit(X, Y)
    before = dict(vars(model))
    monkeypatch.setattr(CrossEntropy, "value_and_gradient", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model.fit(X[:, :3], Y)
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is value for name, value in before.items())
    assert model.predict(X).shape == Y.shape


def test_bad_data_leave_the_last_fit():
    for model, good, bad in [
        (SoftmaxClassifier(), (X, Y), (X[:, :3], np.zeros(40))),
        (SoftmaxClassifierCV(alphas=2, cv=2), (X, Y), (X[:, :3], np.zeros(40))),
        (HOG(grid=(1, 1)), (IMAGES,), (np.full((2, 8, 8), np.nan),)),
    ]:
        model.fit(*good)
        before = dict(vars(model))
        with pytest.raises(ValueError):
            model.fit(*bad)
        assert vars(model).keys() == before.keys()
        assert all(vars(model)[name] is value for name, value in before.items())


def test_a_warning_turned_into_an_error_keeps_what_was_fitted():
    model = SoftmaxClassifier(max_iter=1, tol=1e-9)
    with warnings.catch_warnings(), pytest.raises(Warning, match="did not converge"):
        warnings.simplefilter("error")
        model.fit(X, Y)
    assert model.predict(X).shape == Y.shape
