"""The picture of a codebook: what is drawn is what was learnt."""

import sys

import matplotlib
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

matplotlib.use("Agg")

from matplotlib import pyplot

from sklin import BagOfVisualWords, ColorHistogram
from sklin.inspection import CodebookDisplay

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(256, size=(20, 16, 16, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def close():
    yield
    pyplot.close("all")


def test_images_lie_side_by_side_on_white():
    words = RNG.normal(100, 30, (5, 2, 3, 1))
    picture = CodebookDisplay(words).mosaic()
    assert picture.shape == (2 * 3 - 1, 3 * 4 - 1)
    assert (picture[2] == 1).all() and (picture[:, 3] == 1).all()
    deviations = words[..., 0] - words.mean(axis=(1, 2, 3))[:, np.newaxis, np.newaxis]
    fourth = picture[3:5, 0:3] - 0.5
    # All words share one scale, which clips half a per cent of their pixels.
    scale = fourth.ravel() @ deviations[3].ravel() / (deviations[3] ** 2).sum()
    np.testing.assert_allclose(fourth, np.clip(scale * deviations[3], -0.5, 0.5), atol=1e-2)
    assert scale > 0
    np.testing.assert_allclose(CodebookDisplay(words + 7).mosaic(), picture)
    assert CodebookDisplay(np.zeros((1, 2, 2, 3))).mosaic().tolist() == [[[0.5] * 3] * 2] * 2


def test_stars_point_where_brightness_rises():
    words = np.zeros((3, 4, 4, 8))
    words[2, 1, 3, 2] = 0.4  # 90 to 135 degrees: downwards, and a little to the left
    segments = CodebookDisplay(words).rays()
    long = segments[np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1) > 0]
    # The third word stands first in the second row, which begins at 5.
    np.testing.assert_allclose(long[:, 0], [[3.5, 6.5]])
    np.testing.assert_allclose(
        long[:, 1] - long[:, 0], [[np.cos(1.9635) / 2, np.sin(1.9635) / 2]], atol=1e-4
    )


def test_it_draws_what_a_bag_has_learnt():
    bag = BagOfVisualWords(30, random_state=0).fit(IMAGES)
    display = CodebookDisplay.from_estimator(bag)
    np.testing.assert_array_equal(display.words, bag.words_)
    np.testing.assert_array_equal(display.image_.get_array(), display.mosaic())
    assert display.rays_ is None
    some = CodebookDisplay.from_estimator(bag, n_words=7)
    assert (
        len(some.words) == 7
        and (some.words[:, None] == bag.words_).all(axis=(2, 3, 4)).any(1).all()
    )
    sift = BagOfVisualWords(9, descriptor="sift", random_state=0).fit(IMAGES)
    ax = pyplot.subplots()[1]
    display = CodebookDisplay.from_estimator(sift, ax=ax)
    assert display.ax_ is ax and display.image_ is None
    assert len(display.rays_.get_segments()) == 9 * 16 * 8
    display.figure_.canvas.draw()


def test_what_has_no_words_is_refused(monkeypatch):
    with pytest.raises(NotFittedError):
        CodebookDisplay.from_estimator(BagOfVisualWords())
    with pytest.raises(TypeError, match="ColorHistogram has no words_"):
        CodebookDisplay.from_estimator(ColorHistogram().fit(IMAGES))
    for shape in ((3, 4, 4), (3, 4, 4, 2), (0, 4, 4, 3)):
        with pytest.raises(ValueError, match="words must be of shape"):
            CodebookDisplay(np.zeros(shape))
    with pytest.raises(ValueError, match="no images"):
        CodebookDisplay(np.zeros((3, 4, 4, 8))).mosaic()
    with pytest.raises(ValueError, match="no rays"):
        CodebookDisplay(np.zeros((3, 4, 4, 3))).rays()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="CodebookDisplay draws with matplotlib"):
        CodebookDisplay(np.zeros((3, 4, 4, 3))).plot()
