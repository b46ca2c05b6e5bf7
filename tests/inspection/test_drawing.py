"""The pictures: pixels must lie where they belong."""

import numpy as np
import pytest

from sklin.inspection import draw_confusion_matrix, draw_mosaic, draw_templates


def _images(n=5, h=4, w=6):
    return np.random.default_rng(0).integers(256, size=(n, h, w, 3), dtype=np.uint8)


@pytest.mark.parametrize("zoom", [1, 3])
@pytest.mark.parametrize("n_columns", [1, 2, 5])
def test_mosaic_puts_every_pixel_in_its_place(zoom, n_columns):
    images = _images()
    picture = np.asarray(draw_mosaic(images, n_columns=n_columns, zoom=zoom))
    covered = np.zeros(picture.shape[:2], dtype=bool)
    for i, image in enumerate(images):
        top = 4 + (i // n_columns) * (4 * zoom + 4)
        left = 4 + (i % n_columns) * (6 * zoom + 4)
        place = np.s_[top : top + 4 * zoom, left : left + 6 * zoom]
        assert np.array_equal(picture[place], image.repeat(zoom, axis=0).repeat(zoom, axis=1))
        covered[place] = True
    assert (picture[~covered] == 255).all()


def test_mosaic_takes_grey_images_and_clips():
    grey = np.array([[[-5.0, 300.0], [100.4, 100.6]]])
    picture = np.asarray(draw_mosaic(grey))
    assert picture[4:6, 4:6, 0].tolist() == [[0, 255], [100, 101]]
    assert np.array_equal(picture, np.asarray(draw_mosaic(grey[..., np.newaxis])))


def test_mosaic_writes_labels_and_title_beside_the_images():
    images = np.full((2, 40, 60, 3), 255, dtype=np.uint8)
    plain = np.asarray(draw_mosaic(images))
    assert plain.min() == 255
    picture = np.asarray(draw_mosaic(images, labels=["cat", "x" * 99], title="two animals"))
    assert picture.shape[0] > plain.shape[0]
    assert picture.min() < 100
    assert picture[:, -4:].min() == 255  # a long label does not run out of its column


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": np.zeros((4, 4))}, "images must be of shape"),
        ({"images": np.zeros((2, 4, 4, 4))}, "images must be of shape"),
        ({"images": np.zeros((0, 4, 4))}, "images must be of shape"),
        ({"images": _images(), "labels": ["a"]}, "labels must be as many as images, 5, got 1"),
        ({"images": _images(), "zoom": 0}, "zoom must be at least 1, got 0"),
        ({"images": _images(), "n_columns": 0}, "n_columns must be at least 1, got 0"),
    ],
)
def test_mosaic_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw_mosaic(**arguments)


def test_templates_show_the_sign_of_each_weight():
    coef = np.array([[1.0, -1.0, 0.0, 0.5], [0.0, 0.0, 0.0, 0.0], [4.0, 0.0, 0.0, 0.0]])
    picture = np.asarray(draw_templates(coef, (2, 2), zoom=1))[..., 0].astype(int)
    first = picture[4:6, 4:6].ravel()
    assert first[0] == 255 and first[1] == 0 and first[2] in (127, 128)
    assert 128 < first[3] < 255
    second = picture[4:6, 10:12]
    assert set(second.ravel()) <= {127, 128}  # no weight is no colour, and no division by zero


def test_templates_of_two_classes_are_each_other_negated():
    coef = np.random.default_rng(0).normal(size=(1, 12))
    picture = np.asarray(draw_templates(coef, (2, 2, 3), zoom=1)).astype(int)
    negative, positive = picture[4:6, 4:6], picture[4:6, 10:12]
    assert np.abs(negative + positive - 255).max() <= 1


def test_templates_refuse_weights_of_another_shape():
    with pytest.raises(ValueError, match=r"rows of 12 weights .* got shape \(3, 4\)"):
        draw_templates(np.zeros((3, 4)), (2, 2, 3))


def test_confusion_matrix_is_dark_where_the_counts_are():
    matrix = np.array([[50, 0, 0], [0, 0, 50], [0, 0, 0]])
    picture = draw_confusion_matrix(matrix, ["ant", "bee", "cow"])
    assert picture.mode == "RGB"
    dark = np.argwhere((np.asarray(picture) == (8, 48, 107)).all(axis=2))
    middle = (dark[:, 0].min() + dark[:, 0].max()) / 2
    upper, lower = dark[dark[:, 0] < middle], dark[dark[:, 0] >= middle]
    # Of three columns, the first row fills the first, the second row the last.
    width = upper[:, 1].max() - upper[:, 1].min() + 1
    assert lower[:, 1].min() - upper[:, 1].min() == pytest.approx(2 * width, abs=4)


def test_confusion_matrix_grows_with_its_text():
    small = draw_confusion_matrix([[1, 0], [0, 1]], ["a", "b"])
    names = draw_confusion_matrix([[1, 0], [0, 1]], ["a long name of a class", "b"])
    counts = draw_confusion_matrix([[1_000_000, 0], [0, 1]], ["a", "b"])
    assert names.height > small.height
    assert counts.height > small.height
    draw_confusion_matrix([[1, 0], [0, 1]], ["猫", "naïve"], title="any script")


@pytest.mark.parametrize(
    ("matrix", "labels", "message"),
    [
        ([[1, 2, 3]], ["a"], "matrix must be square"),
        ([[1, -1], [0, 1]], ["a", "b"], "matrix must hold counts, got -1"),
        ([[1, 0], [0, 1]], ["a"], "labels must be as many as classes, 2, got 1"),
    ],
)
def test_confusion_matrix_errors(matrix, labels, message):
    with pytest.raises(ValueError, match=message):
        draw_confusion_matrix(matrix, labels)
