"""Accuracy on CIFAR-10 of a softmax classifier on feature after feature.

Run it as ``python docs/benchmarks/bench_accuracy.py FOLDER_OR_TAR_GZ [N_TRAIN [NAME ...]]``, with
the official binary files of CIFAR-10 and names from the table below (all if none is given; "curve"
is the accuracy by the number of training images). Alpha is chosen on the last fifth of the training
images, from which no feature has learnt, and the classifier is fitted again on all of them. It
prints the test accuracy, and the seconds that features and fits took.
"""

import sys
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import PredefinedSplit
from sklearn.pipeline import make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklin import HOG, BagOfVisualWords, ColorHistogram, SoftmaxClassifierCV
from sklin.datasets import load_cifar10


def flat(images):
    return images.reshape(len(images), -1).astype(np.float32)


def words(n_words, **options):
    return BagOfVisualWords(n_words, n_patches=max(50_000, 50 * n_words), random_state=0, **options)


COLOR = ColorHistogram(8)
FEATURES = {
    "pixels": FunctionTransformer(flat),
    "hue": ColorHistogram(16, color_space="hue"),
    "RGB": COLOR,
    "HoG": HOG(),
    "HoG + hue": make_union(HOG(), ColorHistogram(16, color_space="hue")),
    "HoG + RGB": make_union(HOG(), COLOR),
    "HoG 4 + RGB": make_union(HOG(pixels_per_cell=(4, 4)), COLOR),
    "tri2 400": words(400),
    "triangle 400": words(400, encoding="triangle"),
    "nearest 400": words(400, encoding="nearest"),
    "fisher 32": words(32, encoding="fisher"),
    "tri2 1600": words(1600),
    "triangle 1600": words(1600, encoding="triangle"),
    "nearest 1600": words(1600, encoding="nearest"),
    "all": make_union(
        HOG(pixels_per_cell=(4, 4)),
        COLOR,
        words(1600, encoding="nearest"),
    ),
    "tri2 4000": words(4000),
    "nearest 4000": words(4000, encoding="nearest"),
}
CURVE = ("triangle 400", "nearest 400")
ALPHAS = np.logspace(-2, 0.5, 6)


def features_of(transformer, train, test):
    start = time.perf_counter()
    transformer.fit(train[: len(train) * 4 // 5])
    F, test_F = (transformer.transform(images).astype(np.float32) for images in (train, test))
    scaler = StandardScaler(copy=False).fit(F)
    return scaler.transform(F), scaler.transform(test_F), time.perf_counter() - start


def accuracy(name, n, F, y, test_F, test_y, spent):
    start = time.perf_counter()
    fold = np.where(np.arange(n) < n * 4 // 5, -1, 0)
    search = SoftmaxClassifierCV(alphas=ALPHAS, cv=PredefinedSplit(fold), tol=1e-2)
    search.fit(F[:n], y[:n])
    print(
        f"{name:15} {n:6} images {F.shape[1]:6} features, test accuracy "
        f"{search.score(test_F, test_y):.4f} at alpha {search.alpha_:.0e}; features {spent:.0f} s, "
        f"{len(ALPHAS) + 1} fits {time.perf_counter() - start:.0f} s",
        flush=True,
    )


def main(path, n_train, names):
    warnings.simplefilter("ignore", ConvergenceWarning)
    images, y = load_cifar10(path, return_X_y=True)
    images, y = images[:n_train], y[:n_train]
    test, test_y = load_cifar10(path, subset="test", return_X_y=True)
    print(f"{len(y)} images for training, {len(test_y)} for testing")
    for name in [name for name in FEATURES if name in names or not names]:
        accuracy(name, len(y), *_with(features_of(FEATURES[name], images, test), y, test_y))
    if "curve" in names or not names:
        for name in CURVE:
            F, test_F, spent = features_of(FEATURES[name], images, test)
            for n in [n for n in (1250, 2500, 5000, 10_000, 20_000, 50_000) if n <= len(y)]:
                accuracy(name, n, F, y, test_F, test_y, spent)


def _with(features, y, test_y):
    F, test_F, spent = features
    return F, y, test_F, test_y, spent


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 50_000, sys.argv[3:])
