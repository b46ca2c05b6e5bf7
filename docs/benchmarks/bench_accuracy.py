"""Accuracy on CIFAR-10 of both classifiers, on pixels and on HoG + colour histograms.

Run it as ``python docs/benchmarks/bench_accuracy.py FOLDER_OR_TAR_GZ [N_TRAIN]``, with the official
binary files of CIFAR-10. It prints the test accuracy of `SoftmaxClassifier` and
`LinearSVMClassifier` on both features, alpha chosen on a fifth of the training images, refitted on
all of them, and the seconds that took. How soon they reach their minimum, beside others, is what
``python docs/benchmarks/minimum`` prints.
"""

import sys
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from sklin import HOG, ColorHistogram, LinearSVMClassifier, SoftmaxClassifier
from sklin.datasets import load_cifar10


def accuracy(name, features, train, test):
    (images, y), (test_images, test_y) = train, test
    start = time.perf_counter()
    F = features.fit_transform(images)
    spent = time.perf_counter() - start
    F = F.astype(np.float32)
    test_F = features.transform(test_images).astype(np.float32)
    part = len(y) * 4 // 5
    for estimator in (SoftmaxClassifier(tol=1e-3), LinearSVMClassifier(tol=1e-2)):
        start = time.perf_counter()
        scores = {}
        for alpha in np.logspace(-4, 0, 5) * (10 if "pixels" in name else 1):
            estimator.set_params(alpha=alpha).fit(F[:part], y[:part])
            scores[alpha] = estimator.score(F[part:], y[part:])
        best = max(scores, key=scores.get)
        estimator.set_params(alpha=best).fit(F, y)
        print(
            f"{name} ({F.shape[1]} features, {spent:.1f} s), {type(estimator).__name__}: alpha "
            f"{best:.0e}, test accuracy {estimator.score(test_F, test_y):.4f}; "
            f"{time.perf_counter() - start:.1f} s for {len(scores) + 1} fits",
            flush=True,
        )


def flat(images):
    return images.reshape(len(images), -1).astype(np.float32)


def main(path, n_train):
    warnings.simplefilter("ignore", ConvergenceWarning)
    images, y = load_cifar10(path, return_X_y=True)
    test = load_cifar10(path, subset="test", return_X_y=True)
    train = images[:n_train], y[:n_train]
    print(f"{len(train[1])} images for training, {len(test[1])} for testing")
    colour = make_union(HOG(), ColorHistogram(8))
    accuracy("HoG + colour", make_pipeline(colour, StandardScaler()), train, test)
    train, test = (flat(train[0]), train[1]), (flat(test[0]), test[1])
    accuracy("pixels", StandardScaler(), train, test)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
