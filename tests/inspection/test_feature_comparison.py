"""Feature sets side by side: what is drawn are the scores that came in."""

import sys

import matplotlib
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

matplotlib.use("Agg")

from matplotlib import pyplot

from sklin import SoftmaxClassifier
from sklin.inspection import FeatureComparisonDisplay

X, Y = load_iris(return_X_y=True)
FROM = FeatureComparisonDisplay.from_scores


@pytest.fixture(autouse=True)
def close():
    yield
    pyplot.close("all")


def _search(grid, **options):
    pipeline = Pipeline([("features", "passthrough"), ("model", SoftmaxClassifier(tol=1e-2))])
    return GridSearchCV(pipeline, grid, cv=3, **options)


def _means(container):
    return container.lines[0].get_xdata(orig=False)


def test_it_draws_folds_means_and_deviations():
    scores = {"one": [0.5, 0.7], "two": [0.8, 0.8], "three": [0.1, 0.3]}
    display = FROM(scores)
    [bars] = display.means_
    np.testing.assert_allclose(_means(bars), [0.6, 0.8, 0.2])
    ends = np.array([segment[:, 0] for segment in bars.lines[2][0].get_segments()])
    np.testing.assert_allclose(ends, [[0.5, 0.7], [0.8, 0.8], [0.1, 0.3]])
    assert [text.get_text() for text in display.ax_.get_yticklabels()] == list(scores)
    assert display.ax_.get_xlabel() == "accuracy (mean and std of 2 folds)"
    assert display.ax_.get_legend() is None
    low, high = display.ax_.get_ylim()
    assert low > high  # the first on top
    display.figure_.canvas.draw()


def test_classifiers_are_told_apart_and_may_be_missing():
    ax = pyplot.subplots()[1]
    display = FROM(
        {"pixels": {"softmax": 0.4, "SVM": 0.3}, "words": {"softmax": 0.7}},
        score_name="test accuracy",
        ax=ax,
    )
    assert display.ax_ is ax and display.figure_ is ax.figure
    np.testing.assert_allclose(_means(display.means_[0]), [0.4, 0.7])
    np.testing.assert_allclose(_means(display.means_[1]), [0.3])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["softmax", "SVM"]
    assert ax.get_xlabel() == "test accuracy"


def test_of_a_search_each_feature_set_is_drawn_at_its_best_candidate():
    sets = [StandardScaler(), PCA(1), "passthrough"]
    search = _search({"features": sets, "model__alpha": [1e-3, 10.0]}).fit(X, Y)
    display = FeatureComparisonDisplay.from_search(search, "features")
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels == ["StandardScaler", "PCA", "passthrough"]
    best = np.reshape(search.cv_results_["mean_test_score"], (3, 2)).max(axis=1)
    np.testing.assert_allclose(_means(display.means_[0]), best)
    named = FeatureComparisonDisplay.from_search(search, "features", names=["a", "b", "c"])
    assert [text.get_text() for text in named.ax_.get_yticklabels()] == ["a", "b", "c"]


def test_feature_sets_of_one_class_are_told_apart_and_other_grids_left_out():
    grid = [{"features": [PCA(1), PCA(2)]}, {"model__alpha": [1.0]}]
    search = _search(grid, scoring="neg_log_loss").fit(X, Y)
    display = FeatureComparisonDisplay.from_search(search, "features")
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels == ["PCA(n_components=1)", "PCA(n_components=2)"]
    means = search.cv_results_["mean_test_score"][:2]
    np.testing.assert_allclose(_means(display.means_[0]), means)
    assert display.ax_.get_xlabel().startswith("neg log loss")


def test_it_says_what_it_needs(monkeypatch):
    with pytest.raises(TypeError, match="dict of names of feature sets to their scores, got list"):
        FROM([0.1])
    for scores in ({}, {"a": {}}):
        with pytest.raises(ValueError, match="at least one feature set"):
            FROM(scores)
    for bad in ([], [np.nan], [[0.1]]):
        with pytest.raises(ValueError, match="must be finite numbers, one a fold; those of 'a'"):
            FROM({"a": bad})
    from_search = FeatureComparisonDisplay.from_search
    search = _search({"features": [PCA(1), PCA(2)]})
    with pytest.raises(NotFittedError):
        from_search(search, "features")
    with pytest.raises(TypeError, match="must be a fitted search, got SoftmaxClassifier"):
        from_search(SoftmaxClassifier().fit(X, Y), "features")
    search.fit(X, Y)
    with pytest.raises(ValueError, match="one of what was searched, 'features'; got 'alpha'"):
        from_search(search, "alpha")
    with pytest.raises(ValueError, match="names must be as many as feature sets, 2, got 1"):
        from_search(search, "features", names=["a"])
    search.set_params(scoring=["accuracy", "f1_macro"], refit=False).fit(X, Y)
    with pytest.raises(ValueError, match="one metric"):
        from_search(search, "features")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="draws with matplotlib, which is not installed"):
        FROM({"a": [0.1]})
