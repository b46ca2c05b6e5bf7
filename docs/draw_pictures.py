"""Draw docs/comparison.png, the picture of the README: `python docs/draw_pictures.py`, a minute.

The table of `python -m sklin` as dots, and the templates of the softmax classifier on raw pixels.
"""

import csv
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("agg")

from matplotlib import pyplot
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklin import SoftmaxClassifier
from sklin.__main__ import main
from sklin.datasets import load_pictures
from sklin.inspection import FeatureComparisonDisplay, TemplatesDisplay

DOCS = Path(__file__).parent


def table():
    """Test accuracies of `python -m sklin`, by feature set and classifier."""
    scores = {}
    with tempfile.TemporaryDirectory() as folder:
        main(["--output", folder])
        with (Path(folder) / "comparison.csv").open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                name = "k-NN" if "-NN" in row["classifier"] else row["classifier"]
                scores.setdefault(row["features"], {})[name] = float(row["test_accuracy"])
    return scores


def templates():
    """The softmax classifier on the raw pixels of the bundled pictures, at the table's alpha."""
    pictures = load_pictures()
    rows = pictures.images.reshape(len(pictures.images), -1) / 255.0
    model = make_pipeline(StandardScaler(), SoftmaxClassifier(alpha=0.1, tol=1e-2))
    names = [name.replace("_", " ") for name in pictures.target_names]
    return model.fit(rows, pictures.target), names


if __name__ == "__main__":
    figure, (left, right) = pyplot.subplots(
        1, 2, figsize=(10, 3.4), width_ratios=[1, 1.3], layout="constrained"
    )
    scores = table()
    order = sorted(scores, key=lambda name: max(scores[name].values()), reverse=True)
    FeatureComparisonDisplay.from_scores(
        {name: scores[name] for name in order}, score_name="test accuracy", ax=left
    )
    left.set(title="Which features?", xlim=(0.3, 1))
    model, names = templates()
    TemplatesDisplay.from_estimator(model, class_names=names, ax=right)
    right.set_title("What raw pixels teach a softmax classifier")
    figure.savefig(DOCS / "comparison.png", dpi=100)
