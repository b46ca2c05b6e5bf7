"""Loss curves: what is drawn is what was published."""

import sys
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

matplotlib.use("Agg")

from matplotlib import pyplot

from sklin import LinearSVMClassifier, SoftmaxClassifier, SoftmaxClassifierCV
from sklin.inspection import LossCurveDisplay

X, Y = load_iris(return_X_y=True)


@pytest.fixture(autouse=True)
def close():
    yield
    pyplot.close("all")


def test_it_draws_the_published_curves_under_their_names():
    fits = {
        "softmax": SoftmaxClassifier(alpha=0.1).fit(X, Y),
        "SVM": make_pipeline(StandardScaler(), LinearSVMClassifier(alpha=0.1)).fit(X, Y),
        "path": SoftmaxClassifierCV(alphas=[0.1, 1.0], cv=2).fit(X, Y),
    }
    display = LossCurveDisplay.from_estimators(fits)
    curves = [fits["softmax"].loss_curve_, fits["SVM"][-1].loss_curve_, fits["path"].loss_curve_]
    for line, curve, name in zip(display.lines_, curves, fits, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), curve)
        np.testing.assert_array_equal(line.get_xdata(), np.arange(len(curve)))
        assert line.get_label() == name
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == list(fits)
    display.figure_.canvas.draw()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_one_fit_goes_by_its_class_name_and_strangers_serve():
    ax = pyplot.subplots()[1]
    model = MLPClassifier(max_iter=3, random_state=0).fit(X, Y)
    display = LossCurveDisplay.from_estimator(model, ax=ax)
    assert display.ax_ is ax and display.figure_ is ax.figure
    assert display.lines_[0].get_label() == "MLPClassifier"
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), model.loss_curve_)
    named = LossCurveDisplay.from_estimator(make_pipeline(model), name="a net")
    assert named.lines_[0].get_label() == "a net"


def test_what_is_left_to_go_is_drawn_on_a_logarithmic_scale():
    model = SoftmaxClassifier(alpha=0.1, tol=1e-4).fit(X, Y)
    bound = model.objective_ - model.duality_gap_
    display = LossCurveDisplay.from_estimator(model, above=bound)
    assert display.ax_.get_yscale() == "log"
    drawn = display.lines_[0].get_ydata()
    np.testing.assert_allclose(drawn + bound, model.loss_curve_)
    assert drawn[-1] <= 1e-4 * model.objective_
    # Values at or under the bound have no logarithm.
    drawn = LossCurveDisplay({"a": [3.0, 2.0, 1.0]}).plot(above=1.0).lines_[0].get_ydata()
    np.testing.assert_array_equal(drawn, [2.0, 1.0, np.nan])


def test_few_steps_are_seen_beside_very_many():
    display = LossCurveDisplay({"few": np.arange(5), "many": np.arange(1000)}).plot()
    few, many = (display.ax_.transData.transform((n, 0))[0] for n in (5, 1000))
    left = display.ax_.transData.transform((0, 0))[0]
    assert (few - left) / (many - left) > 0.1


def test_it_says_what_it_needs(monkeypatch):
    with pytest.raises(NotFittedError):
        LossCurveDisplay.from_estimator(SoftmaxClassifier())
    with pytest.raises(TypeError, match="'plain', a LogisticRegression, has none"):
        LossCurveDisplay.from_estimators({"plain": LogisticRegression(max_iter=1000).fit(X, Y)})
    with pytest.raises(TypeError, match="must be a dict of names to estimators, got list"):
        LossCurveDisplay.from_estimators([SoftmaxClassifier()])
    with pytest.raises(TypeError):
        LossCurveDisplay.from_estimator(SimpleNamespace(loss_curve_=[1.0]))
    with pytest.raises(ValueError, match="at least one curve"):
        LossCurveDisplay({})
    with pytest.raises(ValueError, match=r"'a' is of shape \(0,\)"):
        LossCurveDisplay({"a": []})
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="draws with matplotlib, which is not installed"):
        LossCurveDisplay({"a": [1.0]}).plot()
