"""The examples run, and show what they say."""

import importlib.util
import pathlib

import matplotlib
import pytest

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_random_search_to_descent(tmp_path, capsys):
    """The lecture's order: random draws, random steps, the slope; and the minimum is lowest."""
    example = load("plot_random_search_to_descent")
    models, accuracies = example.compare(*example.load())
    found = list(accuracies.values())
    assert list(accuracies) == [
        "random search",
        "random local search",
        "mini-batch SGD",
        "exact minimum",
    ]
    assert 0.1 < found[0] < found[1] < found[2]
    assert models["exact minimum"].objective_ <= models["mini-batch SGD"].objective_
    assert models["random search"].loss_curve_[0] == pytest.approx(9)  # K - 1 at zero weights
    matplotlib.use("agg")
    picture = tmp_path / "curves.png"
    example.draw(models).savefig(picture)
    assert picture.stat().st_size > 10_000
