"""The recipes of docs/image_features.md make features once per fold, and not once per lambda."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from sklin import HOG, LinearSVMClassifierCV, SoftmaxClassifier, SoftmaxClassifierCV

PAGE = Path(__file__).parents[2] / "docs" / "image_features.md"
RNG = np.random.default_rng(0)
IMAGES, LABELS = RNG.random((30, 8, 8)), np.arange(30) % 3
ALPHAS = {"softmaxclassifier__alpha": [1e-3, 1e-2, 1e-1, 1.0]}


SEEN = Counter()


class Counting(HOG):
    """Notes of how many images features were made."""

    def _features(self, images):
        SEEN["images"] += len(images)
        return super()._features(images)


@pytest.fixture(autouse=True)
def forget():
    SEEN.clear()


def hog():
    return Counting(pixels_per_cell=(4, 4))


def cached(transformer, folder):
    """The recipe, as it stands on the page."""
    page = PAGE.read_text(encoding="utf-8")
    block = next(b for b in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "Cached" in b)
    lines = [line[4:] for line in block.splitlines() if line.startswith((">>> ", "... "))]
    recipe = "\n".join(lines[: next(i for i, x in enumerate(lines) if x.startswith("pipeline"))])
    space = {"__name__": "recipe"}
    exec(recipe, space)
    return space["Cached"](transformer, folder)


def images_described():
    return SEEN["images"]


def test_a_plain_search_describes_images_once_per_alpha():
    GridSearchCV(make_pipeline(hog(), SoftmaxClassifier()), ALPHAS, cv=3).fit(IMAGES, LABELS)
    # And one image more in each fit, to count the features.
    assert images_described() == (3 * 4 + 1) * 30 + 3 * 4 + 1


def test_the_recipe_describes_images_once_per_fold(tmp_path):
    pipeline = make_pipeline(cached(hog(), str(tmp_path)), SoftmaxClassifier())
    search = GridSearchCV(pipeline, ALPHAS, cv=3).fit(IMAGES, LABELS)
    assert images_described() == (3 + 1) * 30 + 3 + 1
    plain = GridSearchCV(make_pipeline(hog(), SoftmaxClassifier()), ALPHAS, cv=3)
    plain.fit(IMAGES, LABELS)
    np.testing.assert_allclose(
        search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"]
    )
    SEEN.clear()
    GridSearchCV(pipeline, ALPHAS, cv=3).fit(IMAGES, LABELS)
    assert images_described() == 0


@pytest.mark.parametrize("kind", [SoftmaxClassifierCV, LinearSVMClassifierCV])
def test_cv_classifiers_describe_images_once_per_outer_fold(kind):
    pipeline = make_pipeline(hog(), kind([1e-2, 1e-1, 1.0], cv=2, tol=1e-2))
    cross_validate(pipeline, IMAGES, LABELS, cv=3)
    assert images_described() == 3 * 30 + 3


def test_memory_of_a_pipeline_keeps_the_fits(tmp_path):
    pipeline = make_pipeline(hog(), SoftmaxClassifier(), memory=str(tmp_path))
    GridSearchCV(pipeline, ALPHAS, cv=3).fit(IMAGES, LABELS)
    # 20 images of each of three folds and all 30 once; 10 held out once per alpha.
    assert images_described() == 3 * 20 + 30 + 3 + 1 + 3 * 4 * 10
