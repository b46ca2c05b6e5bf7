"""One mini-batch epoch, against its bare matrix products and against other packages.

Run it as ``python docs/benchmarks/bench_minibatch.py [FOLDER_OR_TAR_GZ]`` on an otherwise idle
machine: on CIFAR-10's official binary files (20,000 training images, standardised), or without them
on random numbers of the same shape. It prints, as medians of nine runs, each next to a run of the
products:

- the two matrix products of every mini-batch of 256, and nothing else;
- an epoch of each of sklin's mini-batch methods, for the softmax and the Weston-Watkins hinge;
- one of scikit-learn's `SGDClassifier.partial_fit` (one-vs-rest, sample by sample), and of
  sklearn-contrib-lightning's `SGDClassifier` (multiclass, sample by sample) if it is installed;
- with CIFAR-10, the test accuracy after that epoch.

And, for the random searches, a thousand candidates in batches against one at a time.
"""

import sys
import time
import warnings

import numpy as np
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import StandardScaler

from sklin import LinearSVMClassifier, SoftmaxClassifier
from sklin.datasets import load_cifar10
from sklin.objective import Objective
from sklin.optimizers import SGD, AdaGrad, Adam, RandomSearch

BATCH, ALPHA, RUNS = 256, 1e-3, 9


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def load(path):
    """Training and test samples, float32; without a path, random ones and no test."""
    if path is None:
        rng = np.random.RandomState(0)
        return rng.standard_normal((20_000, 3072)).astype(np.float32), rng.randint(10, size=20_000)
    X, y = load_cifar10(path, return_X_y=True)
    X_test, y_test = load_cifar10(path, subset="test", return_X_y=True)
    X, X_test = (part.reshape(len(part), -1).astype(np.float32) for part in (X, X_test))
    scaler = StandardScaler().fit(X)
    return scaler.transform(X)[:20_000], y[:20_000], scaler.transform(X_test), y_test


def products(X, coef, dual):
    """The forward and the backward product of each mini-batch."""
    for start in range(0, len(X), BATCH):
        batch = X[start : start + BATCH]
        batch @ coef.T
        dual[: len(batch)].T @ batch


def epoch_of(estimator, optimizer, X, y):
    """A function that makes one more epoch, as `fit` does, and the state that it changes."""
    objective, _ = estimator.make_objective(X, y)
    rng = np.random.RandomState(0)
    objective = objective.shuffled(rng)
    state = optimizer.begin(np.zeros(objective.shape, dtype=X.dtype))
    batches = optimizer.batches(len(y))
    return (lambda: optimizer.epoch(objective, state, batches, rng)), state


def foreign(X, y):
    """Epochs of other packages, by name, and how to score them."""
    for loss in ("log_loss", "hinge"):
        model = SGDClassifier(loss=loss, alpha=ALPHA, random_state=0)
        yield f"scikit-learn SGD, ovr {loss}", lambda m=model: m.partial_fit(X, y, range(10)), model
    try:
        from lightning.classification import SGDClassifier as Lightning
    except ImportError:
        print("sklearn-contrib-lightning is not installed: left out")
        return
    for loss in ("log", "hinge"):
        model = Lightning(loss=loss, multiclass=True, alpha=ALPHA, max_iter=1, random_state=0)
        yield f"lightning SGD, multiclass {loss}", lambda m=model: m.fit(X, y), model


def score(coef, intercept, test):
    if not test:
        return ""
    X, y = test
    return f"{np.mean((X @ coef.T + intercept).argmax(axis=1) == y):10.3f}"


def compare_epochs(X, y, *test):
    rng = np.random.RandomState(0)
    coef = 0.01 * rng.standard_normal((10, X.shape[1])).astype(X.dtype)
    dual = rng.standard_normal((BATCH, 10)).astype(X.dtype)
    print(f"{'one epoch of ' + str(X.shape):44}{'ms':>8}{'/ products':>12}{'accuracy':>10}")
    bare = np.median([seconds(lambda: products(X, coef, dual)) for _ in range(RUNS)])
    print(f"{'the bare products':44}{1e3 * bare:8.1f}{1:12.2f}")
    for estimator in (SoftmaxClassifier(alpha=ALPHA), LinearSVMClassifier(alpha=ALPHA)):
        for optimizer in (SGD(1e-3), SGD(1e-3, nesterov=True), AdaGrad(), Adam()):
            epoch, state = epoch_of(estimator, optimizer, X, y)
            epoch()
            accuracy = score(state.params[:, :-1], state.params[:, -1], test)
            pairs = [
                (seconds(epoch), seconds(lambda: products(X, coef, dual))) for _ in range(RUNS)
            ]
            name = " ".join(f"{type(estimator).__name__}, {optimizer!r}".split())
            name = name.replace("learning_rate=", "").replace("Classifier", "")
            ratio = np.median([ours / bare for ours, bare in pairs])
            ours = np.median([ours for ours, _ in pairs])
            print(f"{name:44}{1e3 * ours:8.1f}{ratio:12.2f}{accuracy}")
    for name, epoch, model in foreign(X, y):
        theirs, bare = seconds(epoch), seconds(lambda: products(X, coef, dual))
        accuracy = score(model.coef_, model.intercept_.ravel(), test)
        print(f"{name:44}{1e3 * theirs:8.1f}{theirs / bare:12.1f}{accuracy}")


class OneAtATime(Objective):
    """The same objective, whose candidates are not stacked."""

    n_at_once = 1


def compare_searches(X, y, n_draws=200):
    objective, _ = LinearSVMClassifier(alpha=0).make_objective(X, y)
    alone = OneAtATime(objective.samples, objective.loss, objective.regularizer, 0)
    search = RandomSearch()

    def run(of):
        return seconds(lambda: search.minimize(of, max_iter=n_draws, tol=0, random_state=0))

    times = np.median([(run(objective), run(alone)) for _ in range(3)], axis=0)
    for name, time_taken in zip(("stacked", "one at a time"), times, strict=True):
        print(f"{n_draws} random draws, {name:27}{1e3 * time_taken:8.0f}")
    print(f"{'':44}ratio {times[1] / times[0]:.1f}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    data = load(sys.argv[1] if len(sys.argv) > 1 else None)
    compare_epochs(*data)
    compare_searches(*data[:2])
