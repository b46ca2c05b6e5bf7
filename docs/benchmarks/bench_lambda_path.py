"""Choosing lambda on CIFAR-10 pixels: SoftmaxClassifierCV against a grid search.

Run it as ``python docs/benchmarks/bench_lambda_path.py FOLDER_OR_TAR_GZ [N_TRAIN [N_FITS]]``, with
the official binary files of CIFAR-10, on an otherwise idle machine. On standardised pixels in
float32, ten alphas and five folds, it prints

- the time of `SoftmaxClassifierCV`, by alpha, with its scores, and the test accuracy;
- the time of scikit-learn's ``GridSearchCV(LogisticRegression(lbfgs))`` at the same values (C is
  mapped), *extrapolated* from N_FITS alphas on one fold and the last fit: times the number of
  folds, the alphas between interpolated. N_FITS of 0 runs the whole grid search instead.

Both are asked for what they call converged at their own tolerance; how far from the minimum
LogisticRegression stops is printed beside its times.
"""

import sys
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.preprocessing import StandardScaler

from sklin import SoftmaxClassifier, SoftmaxClassifierCV
from sklin.datasets import load_cifar10

ALPHAS = np.logspace(1, -3.5, 10)
N_FOLDS = 5


def timed(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def path(X, y):
    seconds, model = timed(lambda: SoftmaxClassifierCV(ALPHAS, cv=N_FOLDS).fit(X, y))
    times, scores = model.fit_times_path_.mean(axis=0), model.scores_path_.mean(axis=0)
    for alpha, t, n_iter, score in zip(
        ALPHAS, times, model.n_iter_path_.mean(axis=0), scores, strict=True
    ):
        print(f"    alpha {alpha:.1e}: {t:.2f} s, {n_iter:.0f} iterations, accuracy {score:.4f}")
    print(
        f"SoftmaxClassifierCV: {seconds:.1f} s for {len(ALPHAS)} x {N_FOLDS} fits and the last; "
        f"alpha {model.alpha_:.1e}, accuracy {model.best_score_:.4f}",
        flush=True,
    )
    return seconds, model


def logistic(alpha, n_samples):
    return LogisticRegression(C=1 / (2 * alpha * n_samples), max_iter=2000)


def grid_search(X, y):
    """Seconds of the whole of it; C, of which it has one for all folds, is mapped for theirs."""
    n_train = len(y) * (N_FOLDS - 1) // N_FOLDS
    grid = {"C": [logistic(alpha, n_train).C for alpha in ALPHAS]}
    seconds, search = timed(
        lambda: GridSearchCV(LogisticRegression(max_iter=2000), grid, cv=N_FOLDS).fit(X, y)
    )
    alpha = ALPHAS[search.best_index_]
    print(
        f"GridSearchCV(LogisticRegression): {seconds:.1f} s, run in full; alpha {alpha:.1e}, "
        f"accuracy {search.best_score_:.4f}"
    )
    return seconds


def extrapolated(X, y, n_fits, best):
    """Seconds of the grid search by some alphas of its first fold, and the fit to all samples."""
    train, _ = next(StratifiedKFold(N_FOLDS).split(X, y))
    tried = np.unique(np.linspace(0, len(ALPHAS) - 1, n_fits).round().astype(int))
    times = []
    for index in tried:
        alpha = ALPHAS[index]
        seconds, model = timed(
            lambda alpha=alpha: logistic(alpha, len(train)).fit(X[train], y[train])
        )
        times.append(seconds)
        objective, _ = SoftmaxClassifier(alpha=alpha).make_objective(X[train], y[train])
        proof = SoftmaxClassifier(alpha=alpha, tol=1e-5).fit(X[train], y[train])
        minimum = proof.objective_ - proof.duality_gap_
        params = np.column_stack([model.coef_, model.intercept_]).astype(float)
        off = objective.value(params) / minimum - 1
        print(
            f"    LogisticRegression, alpha {alpha:.1e}: {seconds:.2f} s, {model.n_iter_[0]} "
            f"iterations, at most {off:.1e} above the minimum",
            flush=True,
        )
    # Times grow by factors as alpha falls, so it is their logarithms that are interpolated.
    each = np.exp(np.interp(np.arange(len(ALPHAS)), tried, np.log(times)))
    last, _ = timed(lambda: logistic(best, len(y)).fit(X, y))
    seconds = N_FOLDS * each.sum() + last
    print(
        f"GridSearchCV(LogisticRegression): {seconds:.1f} s, EXTRAPOLATED from {len(tried)} of the "
        f"{len(ALPHAS)} alphas on one of {N_FOLDS} folds and the last fit, {last:.1f} s"
    )
    return seconds


def main(folder, n_train, n_fits):
    warnings.simplefilter("ignore", ConvergenceWarning)
    images, y = load_cifar10(folder, return_X_y=True)
    test_images, test_y = load_cifar10(folder, subset="test", return_X_y=True)
    images, y = images[:n_train], y[:n_train]
    scaler = StandardScaler()
    X = scaler.fit_transform(images.reshape(len(images), -1).astype(np.float32))
    test = scaler.transform(test_images.reshape(len(test_images), -1).astype(np.float32))
    print(f"{len(y)} images of {X.shape[1]} standardised pixels, {X.dtype}")
    ours, model = path(X, y)
    print(f"test accuracy {model.score(test, test_y):.4f} on {len(test_y)} images")
    theirs = extrapolated(X, y, n_fits, model.alpha_) if n_fits else grid_search(X, y)
    print(f"{theirs / ours:.1f} times ours{' (extrapolated)' if n_fits else ''}")


if __name__ == "__main__":
    arguments = [int(text) for text in sys.argv[2:]]
    main(sys.argv[1], *(arguments + [10_000, 4][len(arguments) :]))
