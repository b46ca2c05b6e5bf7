"""Templates: the weights of the pixels, through whatever affine steps come before them."""

import sys

import matplotlib
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import VarianceThreshold
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, Normalizer, StandardScaler
from sklearn.svm import SVC

matplotlib.use("Agg")

from matplotlib import pyplot

from sklin import HOG, SoftmaxClassifier
from sklin.inspection import TemplatesDisplay

RNG = np.random.default_rng(0)
X = RNG.random((60, 5, 4, 3))
ROWS = X.reshape(60, -1)
Y = np.repeat(["ant", "bee", "cow"], 20)
CLASSIFIER = SoftmaxClassifier(alpha=0.1, tol=1e-2)
FROM = TemplatesDisplay.from_estimator


@pytest.fixture(autouse=True)
def close():
    yield
    pyplot.close("all")


def test_those_of_a_classifier_are_its_weights():
    model = CLASSIFIER.fit(ROWS, Y)
    display = FROM(model, image_shape=(5, 4, 3))
    np.testing.assert_allclose(display.templates.reshape(3, -1), model.coef_, atol=1e-12)
    assert [text.get_text() for text in display.ax_.texts] == ["ant", "bee", "cow"]
    assert len(display.images_) == 3
    display.figure_.canvas.draw()


@pytest.mark.parametrize(
    "steps",
    [
        [StandardScaler()],
        [MinMaxScaler(), PCA(7, whiten=True)],
        [VarianceThreshold(0.08)],
        [FunctionTransformer(lambda X: 3 * X[:, ::-1] - 1)],
    ],
    ids=["scaler", "PCA", "selection", "function"],
)
@pytest.mark.parametrize("classifier", [CLASSIFIER, RidgeClassifier()], ids=["ours", "Ridge"])
def test_the_templates_of_a_pipeline_explain_its_scores(steps, classifier):
    pipeline = make_pipeline(*steps, classifier).fit(ROWS, Y)
    templates = FROM(pipeline, image_shape=(5, 4, 3)).templates.reshape(3, -1)
    scores = pipeline.decision_function(ROWS)
    np.testing.assert_allclose(scores - scores[0], (ROWS - ROWS[0]) @ templates.T, atol=1e-8)


def test_pipelines_that_begin_at_images_and_searches_serve_too():
    flatten = FunctionTransformer(lambda images: np.asarray(images).reshape(len(images), -1))
    pipeline = make_pipeline(flatten, StandardScaler(), CLASSIFIER)
    search = GridSearchCV(pipeline, {"softmaxclassifier__alpha": [0.1, 1.0]}, cv=2).fit(X, Y)
    best = search.best_estimator_
    weights = best[-1].coef_ / best[-2].scale_
    templates = FROM(search, image_shape=(5, 4, 3)).templates
    np.testing.assert_allclose(templates.reshape(3, -1), weights, atol=1e-9)


def test_two_classes_have_opposite_templates():
    two = Y != "cow"
    model = CLASSIFIER.fit(ROWS[two], Y[two])
    first, second = FROM(model, image_shape=(5, 4, 3)).templates
    np.testing.assert_array_equal(first, -second)
    np.testing.assert_allclose(second.ravel(), model.coef_[0], atol=1e-12)


def test_square_images_are_known_by_their_number_of_pixels():
    for shape in [(4, 4), (4, 4, 3)]:
        rows = RNG.random((60, np.prod(shape)))
        assert FROM(CLASSIFIER.fit(rows, Y)).templates.shape == (3, *shape)
    with pytest.raises(ValueError, match="image_shape must be given: 60 features"):
        FROM(CLASSIFIER.fit(ROWS, Y))


def test_bright_speaks_for_the_class_and_dark_against_it():
    templates = np.zeros((2, 3, 3))
    templates[0, 0, 0], templates[0, 2, 2] = 2.0, -2.0
    display = TemplatesDisplay(templates).plot()
    first, second = (np.asarray(image.get_array()) for image in display.images_)
    assert first[0, 0] == 1 and first[2, 2] == 0 and first[1, 1] == 0.5
    assert (second == 0.5).all()
    assert [text.get_text() for text in display.ax_.texts] == ["0", "1"]


def test_it_draws_where_it_is_told():
    ax = pyplot.subplots()[1]
    names = ["a", "b", "c"]
    model = CLASSIFIER.fit(ROWS, Y)
    display = FROM(model, image_shape=(5, 4, 3), class_names=names, ax=ax)
    assert display.ax_ is ax and display.figure_ is ax.figure
    assert [text.get_text() for text in ax.texts] == names


def test_no_templates_where_scores_are_no_affine_function_of_pixels():
    for estimator in (make_pipeline(Normalizer(), CLASSIFIER), SVC()):
        with pytest.raises(ValueError, match="no affine function of the pixels"):
            FROM(estimator.fit(ROWS, Y), image_shape=(5, 4, 3))
    hog = make_pipeline(HOG(pixels_per_cell=(2, 2), cells_per_block=(1, 1)), CLASSIFIER)
    with pytest.raises(TypeError, match="features of step 'hog', a HOG, are no affine"):
        FROM(hog.fit(X, Y), image_shape=(5, 4, 3))


def test_it_says_what_it_needs(monkeypatch):
    with pytest.raises(NotFittedError):
        FROM(SoftmaxClassifier())
    with pytest.raises(TypeError, match="KNeighborsClassifier has none"):
        FROM(KNeighborsClassifier().fit(ROWS, Y))
    model = CLASSIFIER.fit(ROWS, Y)
    with pytest.raises(ValueError, match=r"cannot score images of shape \(7, 7\)"):
        FROM(model, image_shape=(7, 7))
    with pytest.raises(ValueError, match=r"templates must be of shape .* got \(3, 4\)"):
        TemplatesDisplay(np.ones((3, 4)))
    with pytest.raises(ValueError, match="templates must be finite"):
        TemplatesDisplay(np.full((3, 4, 4), np.nan))
    with pytest.raises(ValueError, match="class_names must be as many as templates, 3, got 2"):
        TemplatesDisplay(np.ones((3, 4, 4)), class_names=["a", "b"])
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="draws with matplotlib, which is not installed"):
        FROM(model, image_shape=(5, 4, 3))
