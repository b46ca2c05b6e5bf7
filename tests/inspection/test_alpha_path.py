"""The picture of a path: what is drawn is what was measured."""

import sys
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

matplotlib.use("Agg")

from matplotlib import pyplot

from sklin.inspection import AlphaPathDisplay


class Chosen(BaseEstimator):
    """An estimator like those that choose an alpha: its attributes are all that is known."""

    def __init__(self, scoring=None):
        self.scoring = scoring

    def fit(self):
        self.alphas_ = np.array([1e-2, 1.0, 1e-1])
        self.scores_path_ = np.array([[0.8, 0.2, 0.6], [0.9, 0.4, 0.6]])
        self.fit_times_path_ = np.array([[3.0, 1.0, 2.0], [5.0, 1.0, 2.0]])
        self.alpha_ = 1e-2
        return self


@pytest.fixture(autouse=True)
def close():
    yield
    pyplot.close("all")


def test_it_draws_the_means_the_spread_the_times_and_the_choice():
    display = AlphaPathDisplay.from_estimator(Chosen().fit())
    x, y = display.score_line_.get_data()
    np.testing.assert_allclose(x, [1e-2, 1e-1, 1.0])
    np.testing.assert_allclose(y, [0.85, 0.6, 0.3])
    band = display.band_.get_paths()[0].vertices
    np.testing.assert_allclose(np.unique(band[np.isclose(band[:, 0], 1.0), 1]), [0.2, 0.4])
    np.testing.assert_allclose(display.time_line_.get_ydata(), [4.0, 2.0, 1.0])
    assert display.time_ax_ is not display.ax_
    np.testing.assert_allclose(display.alpha_line_.get_xdata(), 1e-2)
    assert display.ax_.get_xscale() == "log"
    assert display.ax_.get_ylabel() == "held-out accuracy (mean and std of 2 folds)"
    display.figure_.canvas.draw()


def test_it_draws_where_it_is_told_and_names_the_score():
    ax = pyplot.subplots()[1]
    display = AlphaPathDisplay.from_estimator(Chosen("neg_log_loss").fit(), ax=ax)
    assert display.ax_ is ax and display.figure_ is ax.figure
    assert "neg log loss" in ax.get_ylabel()
    assert "held-out score" in AlphaPathDisplay.from_estimator(Chosen(len).fit()).ax_.get_ylabel()


def test_it_says_what_it_needs(monkeypatch):
    with pytest.raises(NotFittedError):
        AlphaPathDisplay.from_estimator(Chosen())
    plain = Chosen().fit()
    del plain.scores_path_
    with pytest.raises(TypeError, match=r"along a path, .* Chosen has no scores_path_"):
        AlphaPathDisplay.from_estimator(plain)
    with pytest.raises(TypeError):
        AlphaPathDisplay.from_estimator(SimpleNamespace(alphas_=[1.0]))
    with pytest.raises(ValueError, match=r"scores must be of shape .* got \(1, 3\) and \(2,\)"):
        AlphaPathDisplay([1.0, 2.0], np.ones((1, 3)), np.ones((1, 2)), 1.0)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="draws with matplotlib, which is not installed"):
        AlphaPathDisplay.from_estimator(Chosen().fit())
