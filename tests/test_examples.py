"""The examples run, and show what they say."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def run(monkeypatch):
    """Run an example as the gallery does; return its names. Every one must draw something."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    matplotlib.use("agg")

    def run(name):
        path = str(EXAMPLES / f"plot_{name}.py")
        monkeypatch.setattr(sys, "argv", [path])
        monkeypatch.delenv("SKLIN_CIFAR10", raising=False)
        monkeypatch.setattr(pyplot, "show", lambda: None)
        names = runpy.run_path(path, run_name="__main__")
        assert pyplot.get_fignums()
        assert all(pyplot.figure(number).axes for number in pyplot.get_fignums())
        return names

    pyplot.close("all")
    yield run
    pyplot.close("all")


def test_every_example_has_a_test():
    source = Path(__file__).read_text(encoding="utf-8")
    names = [path.stem.removeprefix("plot_") for path in EXAMPLES.glob("plot_*.py")]
    assert names
    assert [name for name in names if f'run("{name}")' not in source] == []


def test_first_steps(run):
    """Probabilities sum to one, the largest is of the predicted class, most predictions hold."""
    shown = run("first_steps")
    probabilities = shown["probabilities"]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), shown["predicted"])
    assert shown["accuracy"] == (shown["predicted"] == shown["y_test"]).mean() > 0.9
    assert shown["classifier"].duality_gap_ <= 1e-4 * shown["classifier"].objective_


def test_grid_search_alpha(run):
    """The path and the search choose alike, and not at the end where accuracy has fallen."""
    shown = run("grid_search_alpha")
    search, path = shown["search"], shown["path"]
    assert path.alpha_ == search.best_params_["alpha"] < shown["alphas"][-1]
    scores = search.cv_results_["mean_test_score"]
    assert scores[-1] < scores.max() - 0.05
    assert scores[0] < scores.max()


def test_feature_sets(run):
    """Words tell more than raw pixels, under both losses; patches of a tile are never parted."""
    shown = run("feature_sets")
    for classifier in shown["classifiers"]:
        pixels, words = (shown["scores"][name][classifier].mean() for name in ("pixels", "words"))
        assert pixels < words
    tiles = shown["pictures"].tiles
    assert not any(set(tiles[train]) & set(tiles[test]) for train, test in shown["folds"])


def test_course_assignment(run, capsys):
    """Features beat pixels under each loss, and the page says that it is not CIFAR-10."""
    shown = run("course_assignment")
    assert capsys.readouterr().out.startswith("pictures that come along, not CIFAR-10")
    for classifier in ("SVM", "softmax"):
        pixels, features = (shown["accuracies"][classifier, name] for name in shown["features"])
        assert 0.1 < pixels < features


def test_random_search_to_descent(run):
    """The lecture's order: random draws, random steps, the slope; and the minimum is lowest."""
    shown = run("random_search_to_descent")
    models, accuracies = shown["models"], shown["accuracies"]
    draws, steps, descent, _ = accuracies.values()
    assert 0.1 < draws < steps < descent
    assert models["exact minimum"].objective_ <= models["mini-batch SGD"].objective_
    assert models["random search"].loss_curve_[0] == pytest.approx(9)  # K - 1 at zero weights


def test_gradient_check(run):
    """The loss by hand is the package's; its slip, and nothing but the slip, is caught."""
    from sklin.losses import WestonWatkins

    shown = run("gradient_check")
    assert shown["reports"][False].passed
    assert not shown["reports"][True].passed
    scores, labels = shown["scores"], shown["labels"]
    mine = shown["Hinge"]().value_and_gradient(scores, labels)
    for found, expected in zip(
        mine, WestonWatkins().value_and_gradient(scores, labels), strict=True
    ):
        np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(mine[1], shown["numerical"], atol=1e-6)


def test_templates(run):
    """A larger alpha makes smaller weights; ink in the middle of a 0 counts against it."""
    shown = run("templates")
    small, large = shown["alphas"]
    assert shown["norms"][large] < shown["norms"][small]
    assert shown["models"][large][-1].coef_[0].reshape(8, 8)[3:5, 3:5].max() < 0


def test_image_folder(run):
    """Files of several sizes become rows of one length, and classes are told apart."""
    shown = run("image_folder")
    assert len({image.shape for image in shown["train"]}) > 1
    assert shown["accuracy"] > 0.5  # chance is 0.1
    assert set(shown["predicted"]) <= set(shown["pictures"].target_names)
    assert not shown["folder"].exists()


def test_columns(run):
    """The table and the image together tell what neither does alone."""
    pytest.importorskip("pandas")
    accuracies = run("columns")["accuracies"]
    assert accuracies["both"] > max(accuracies["image"], accuracies["other columns"])
    assert accuracies["other columns"] < 0.15  # two prints of ten pictures: 0.1 at best, and noise


def test_calibrated_svm(run):
    """All are distributions; calibrating lessens the log loss, calibrating together the most."""
    shown = run("calibrated_svm")
    for values in shown["probabilities"].values():
        np.testing.assert_allclose(values.sum(axis=1), 1)
    raw, one_by_one, together = shown["losses"].values()
    assert together < one_by_one < raw


def test_partial_fit(run):
    """Batches come near the minimum's accuracy, better with each pass over the file."""
    shown = run("partial_fit")
    assert shown["accuracies"][0] < shown["accuracies"][-1]
    assert abs(shown["accuracies"][-1] - shown["exact"]) < 0.05
    assert not shown["path"].exists()


# Joblib's weak references to the data may outlive the cluster that held them.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_dask(run):
    """The same features and the same scores, wherever they are computed."""
    pytest.importorskip("distributed")
    shown = run("dask")
    np.testing.assert_array_equal(shown["alone"], shown["on_dask"])
    np.testing.assert_allclose(shown["search_alone"], shown["search_on_dask"])
