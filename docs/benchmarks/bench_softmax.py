"""Softmax on CIFAR-10: time to the minimum against LogisticRegression, and accuracies.

Run it as ``python docs/benchmarks/bench_softmax.py FOLDER_OR_TAR_GZ [N_TRAIN]``, with the official
binary files of CIFAR-10, on an otherwise idle machine. It prints

- the time of `SoftmaxClassifier` and of scikit-learn's LogisticRegression (lbfgs) on the
  standardised pixels to the same objective, within 1e-4 relative (medians of three and of one);
- the test accuracy of both classifiers on pixels and on HoG + colour histograms, alpha chosen on a
  fifth of the training images, and refitted on all of them.
"""

import sys
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from sklin import HOG, ColorHistogram, LinearSVMClassifier, SoftmaxClassifier
from sklin.datasets import load_cifar10


def timed(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def race(X, y, alpha):
    """Time to within 1e-4 of the best known objective, for both."""
    objective, _ = SoftmaxClassifier(alpha=alpha).make_objective(X, y)

    def value(model):
        return objective.value(np.column_stack([model.coef_, model.intercept_]).astype(float))

    ours = [timed(lambda: SoftmaxClassifier(alpha=alpha).fit(X, y)) for _ in range(3)]
    model = ours[0][1]
    seconds = np.median([t for t, _ in ours])
    best = model.objective_ - model.duality_gap_  # a proven lower bound
    print(
        f"alpha {alpha:g}: SoftmaxClassifier {seconds:.2f} s, objective {model.objective_:.6f}, "
        f"proven gap {model.duality_gap_ / model.objective_:.1e}, {model.n_iter_} iterations",
        flush=True,
    )
    for max_iter in (10, 20, 40, 80, 160, 320, 640, 1280):
        reference = LogisticRegression(C=1 / (2 * alpha * len(y)), max_iter=max_iter, tol=1e-12)
        spent, _ = timed(lambda reference=reference: reference.fit(X, y))
        off = (value(reference) - best) / best
        print(
            f"    LogisticRegression, {reference.n_iter_[0]} iterations: {spent:.2f} s, at most "
            f"{off:.1e} above the minimum; {spent / seconds:.1f} times ours",
            flush=True,
        )
        if off <= 1e-4 + model.duality_gap_ / best or spent > 240:
            break


def accuracy(name, features, train, test):
    (images, y), (test_images, test_y) = train, test
    spent, F = timed(lambda: features.fit_transform(images))
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
    scaler = StandardScaler().fit(flat(train[0]))
    for alpha in (1e-3, 1e-1):
        race(scaler.transform(flat(train[0])), train[1], alpha)
    colour = make_union(HOG(), ColorHistogram(8))
    accuracy("HoG + colour", make_pipeline(colour, StandardScaler()), train, test)
    train, test = (flat(train[0]), train[1]), (flat(test[0]), test[1])
    accuracy("pixels", StandardScaler(), train, test)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
