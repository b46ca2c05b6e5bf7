"""scikit-learn's callbacks, from its release 1.9 on."""

import warnings

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklin import (
    LinearSVMClassifier,
    LinearSVMClassifierCV,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
)
from sklin.optimizers import OPTIMIZERS, GradientDescent


def blobs(n_classes=3, n_samples=200, seed=0):
    return make_classification(
        n_samples,
        6,
        n_informative=5,
        n_redundant=1,
        n_classes=n_classes,
        n_clusters_per_class=1,
        random_state=seed,
    )


callbacks = pytest.mark.skipif(
    not hasattr(SoftmaxClassifier, "set_callbacks"), reason="scikit-learn before 1.9 has none"
)


class Recorder:
    """A callback in scikit-learn's sense, auto-propagated, that notes what it is told."""

    max_propagation_depth = None

    def __init__(self, stop_at=None):
        self.calls = []
        self.stop_at = stop_at

    def setup(self, estimator, context):
        self.calls.append("setup")

    def teardown(self, estimator, context):
        self.calls.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(("begin", context.task_name))

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        score = None
        if hasattr(fitted_estimator, "score"):  # a StandardScaler has none
            score = fitted_estimator.score(X, y)
        self.calls.append(("end", context.task_name, context.task_id, score))
        return context.task_name == "iteration" and context.task_id == self.stop_at

    def ends(self):
        return [call for call in self.calls if call[0] == "end" and call[1] == "iteration"]


EVERY = [
    *(name for name in OPTIMIZERS if name != "gradient_descent"),
    GradientDescent(0.01),
]


@callbacks
@pytest.mark.parametrize("optimizer", EVERY, ids=str)
def test_callbacks_are_called_on_every_optimizer(optimizer):
    X, y = blobs()
    recorder = Recorder()
    model = SoftmaxClassifier(optimizer=optimizer, max_iter=12, random_state=0)
    model.set_callbacks(recorder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    assert recorder.calls[:2] == ["setup", ("begin", "fit")]
    assert recorder.calls[-1] == "teardown"
    begun = [call for call in recorder.calls if call == ("begin", "iteration")]
    scored = [call for call in recorder.ends() if call[3] is not None]
    assert len(scored) == model.n_iter_
    assert len(begun) == len(recorder.ends())
    assert recorder.calls[-2][:2] == ("end", "fit")
    assert recorder.calls[-2][3] == model.score(X, y)


@callbacks
@pytest.mark.parametrize("optimizer", EVERY, ids=str)
def test_a_callback_stops_the_fit_without_a_warning(optimizer):
    X, y = blobs()
    model = SoftmaxClassifier(optimizer=optimizer, tol=0, random_state=0)
    model.set_callbacks(Recorder(stop_at=1)).fit(X, y)
    assert model.n_iter_ == 2


@callbacks
def test_callbacks_in_a_pipeline_in_a_search():
    X, y = blobs()
    recorder = Recorder()
    pipeline = make_pipeline(StandardScaler(), SoftmaxClassifier())
    with warnings.catch_warnings():
        # StandardScaler takes no callbacks, and scikit-learn says so.
        warnings.filterwarnings("ignore", "The estimator StandardScaler does not support")
        search = GridSearchCV(pipeline, {"softmaxclassifier__alpha": [1e-2, 1e-1]}, cv=2)
        search.set_callbacks(recorder).fit(X, y)
    assert recorder.calls.count("setup") == recorder.calls.count("teardown") == 1
    # Five fits, two candidates on two folds and the last on all, of several iterations each.
    assert len(recorder.ends()) > 10


@callbacks
def test_scikit_learns_own_callbacks(capsys):
    from sklearn.callback import ProgressBar, ScoringMonitor

    X, y = blobs()
    monitor = ScoringMonitor(scoring="accuracy")
    model = SoftmaxClassifier(optimizer="lbfgs").set_callbacks(monitor, ProgressBar())
    model.fit(X, y)
    scores = [row["accuracy"] for row in monitor.get_logs().data if row["task_name"] == "iteration"]
    assert len(scores) >= model.n_iter_
    assert model.score(X, y) in scores


@callbacks
@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("CV", [SoftmaxClassifierCV, LinearSVMClassifierCV])
def test_callbacks_of_a_path_see_its_folds_and_alphas(CV, n_jobs):
    X, y = blobs()
    recorder = Recorder()
    model = CV(alphas=[1.0, 0.1, 0.01], cv=2, n_jobs=n_jobs, tol=1e-2).set_callbacks(recorder)
    plain = CV(alphas=[1.0, 0.1, 0.01], cv=2, tol=1e-2).fit(X, y)
    # Not processes: they could not import the recorder, and would keep what it is told.
    with parallel_config("threading"):
        model.fit(X, y)
    np.testing.assert_array_equal(model.coef_, plain.coef_)
    assert recorder.calls[:2] == ["setup", ("begin", "fit")]
    assert recorder.calls[-1] == "teardown"
    assert recorder.calls[-2] == ("end", "fit", 0, model.score(X, y))
    tasks = [call[1:3] for call in recorder.calls if call[0] == "end"]
    path = [("alpha", 0), ("alpha", 1), ("alpha", 2)]
    expected = [*path, ("fold", 0), *path, ("fold", 1)]
    if n_jobs is None:
        assert tasks[:-2] == expected
    assert sorted(tasks[:-2]) == sorted(expected)  # threads change their order only
    assert tasks[-2:] == [("refit", 2), ("fit", 0)]


@callbacks
def test_callbacks_of_a_path_are_torn_down_when_it_fails():
    X, y = blobs()
    recorder = Recorder()

    def nowhere(estimator, X, y):
        return np.nan

    model = SoftmaxClassifierCV(alphas=2, cv=2, scoring=nowhere).set_callbacks(recorder)
    with pytest.raises(ValueError, match="gave nan for every alpha"):
        model.fit(X, y)
    assert recorder.calls.count("setup") == recorder.calls.count("teardown") == 1
    assert recorder.calls[-2:] == [("end", "fit", 0, None), "teardown"]


@callbacks
@pytest.mark.parametrize(
    "model",
    [
        *(SoftmaxClassifier(optimizer=optimizer, random_state=0) for optimizer in EVERY),
        *(
            LinearSVMClassifier(loss="squared_hinge", optimizer=optimizer, random_state=0)
            for optimizer in EVERY
        ),
        LinearSVMClassifier(),
        SoftmaxClassifierCV(alphas=2, cv=2),
        LinearSVMClassifierCV(alphas=2, cv=2),
        SoftmaxClassifierCV(alphas=2, cv=2, n_jobs=2),
        make_pipeline(PCA(), SoftmaxClassifierCV(alphas=2, cv=2)),
        make_pipeline(PCA(), LinearSVMClassifier(tol=1e-2)),
        GridSearchCV(make_pipeline(PCA(), SoftmaxClassifier()), {"pca__tol": [0.0, 1.0]}, cv=2),
        GridSearchCV(SoftmaxClassifierCV(alphas=2, cv=2), {"regularizer": ["l1", "l2"]}, cv=2),
        GridSearchCV(SoftmaxClassifier(), {"alpha": [0.1, 1.0]}, cv=2, n_jobs=2),
    ],
    ids=lambda model: " ".join(repr(model).split()),
)
def test_scikit_learns_progress_bar_runs_to_the_end_of_every_fit(model, capfd, monkeypatch):
    from sklearn.callback import ProgressBar

    # In a narrow terminal rich cuts the figures off; how wide it is, it asks once.
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("rich._console", None)
    X, y = blobs()
    inner = model.steps[-1][1] if hasattr(model, "steps") else model
    inner = inner.get_params().get("estimator", inner)
    inner = inner.steps[-1][1] if hasattr(inner, "steps") else inner
    inner.set_params(max_iter=10)
    model = clone(model).set_callbacks(ProgressBar(max_propagation_depth=None))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The estimator PCA does not support")
        model.fit(X, y)
    printed = capfd.readouterr().out
    outermost = next(line for line in printed.splitlines() if type(model).__name__ in line)
    assert "100%" in outermost
    assert type(inner).__name__ in printed


@callbacks
def test_callbacks_are_torn_down_when_a_fit_fails():
    X, y = blobs()
    recorder = Recorder()
    model = LinearSVMClassifier(optimizer="gradient_descent").set_callbacks(recorder)
    with pytest.raises(ValueError, match="needs a smooth loss"):
        model.fit(X, y)
    assert recorder.calls.count("setup") == recorder.calls.count("teardown")


@callbacks
def test_an_interrupted_fit_tells_the_callbacks_its_end():
    class Interrupting(Recorder):
        def on_fit_task_end(self, estimator, context):
            self.calls.append(("end", context.task_name))
            if context.task_name == "iteration" and context.task_id == 2:
                raise KeyboardInterrupt

    X, y = blobs()
    recorder = Interrupting()
    model = SoftmaxClassifier(optimizer="lbfgs", tol=0).set_callbacks(recorder)
    with pytest.warns(ConvergenceWarning, match="Interrupted"):
        model.fit(X, y)
    assert model.n_iter_ == 3
    assert recorder.calls[-2:] == [("end", "fit"), "teardown"]


@callbacks
@pytest.mark.parametrize("was_fitted", [False, True])
@pytest.mark.parametrize(
    "model",
    [
        SoftmaxClassifier(tol=1e-8),
        LinearSVMClassifier(alpha=0.1, tol=1e-2),
        SoftmaxClassifier(optimizer="sgd", max_iter=10, random_state=0),
        SoftmaxClassifier(early_stopping=True, random_state=0),
        SoftmaxClassifierCV([1e-1, 1e-2], cv=2),
    ],
    ids=repr,
)
def test_a_callback_that_raises_loses_nothing(model, was_fitted):
    """At whichever of its calls: the estimator is as it was, or has been fitted whole."""

    class Raising(Recorder):
        def __init__(self, at):
            super().__init__()
            self.at = at

        def call(self, *args):
            self.calls.append(args)
            if len(self.calls) == self.at:
                raise RuntimeError("a callback's own fault")

        def setup(self, estimator, context):
            self.call("setup")

        def teardown(self, estimator, context):
            self.call("teardown")

        def on_fit_task_begin(self, estimator, context):
            self.call("begin")

        def on_fit_task_end(self, estimator, context):
            self.call("end")

    X, y = blobs()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        expected = clone(model).fit(X, y).decision_function(X)
        quiet = Raising(at=0)
        clone(model).set_callbacks(quiet).fit(X, y)
        n_calls = len(quiet.calls)
        assert n_calls > 6
        for at in np.unique(np.linspace(1, n_calls, 6).astype(int)):
            broken = clone(model)
            if was_fitted:
                broken.fit(X[::-1] + 1, y)
            broken.set_callbacks(Raising(int(at)))
            before = dict(vars(broken))
            with pytest.raises(RuntimeError, match="a callback's own fault"):
                broken.fit(X, y)
            after = vars(broken)
            if set(after) != set(before) or any(after[key] is not before[key] for key in before):
                np.testing.assert_array_equal(broken.decision_function(X), expected)
            broken.set_callbacks()
            np.testing.assert_array_equal(broken.fit(X, y).decision_function(X), expected)
