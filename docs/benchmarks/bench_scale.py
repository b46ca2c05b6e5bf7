"""How time and memory grow with samples, features, classes, images and pixels.

Each row varies one size over two decades and leaves the others as they are. Time is the shortest of
some repetitions, memory the peak of what numpy allocates beside the input, from a run of its own.
The exponent p is that of the power law (size ** p) through the three largest sizes, by least
squares in logarithms; beside it is what the formula says for sizes without bound. Where fixed costs
of a call still weigh, p is below it.

Fits are of labels drawn from a softmax of random weights, so that they are equally hard at any
size, to the default `tol`. "one pass" is a value and a gradient of the objective; beside the
exponent of a fit's time is that of the passes it took, which the formula does not hold.
"""

import argparse
import csv
import tracemalloc
import warnings
from functools import partial
from time import perf_counter

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from sklin import HOG, BagOfVisualWords, ColorHistogram, LinearSVMClassifier, SoftmaxClassifier
from sklin.optimizers import choose

# Samples, features, classes, unless they are what varies.
FEW = {"n": 10_000, "D": 100, "K": 10}
SIZES = {
    "n": [1000, 3000, 10_000, 30_000, 100_000],
    "D": [20, 60, 200, 600, 2000],
    "K": [3, 10, 30, 100, 300],
    "images": [100, 300, 1000, 3000, 10_000],
    "pixels": [32**2, 56**2, 100**2, 178**2, 320**2],
}


def samples(n, D, K):
    """Features (n, D) and labels from a softmax of random weights."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, D))
    scores = X @ rng.normal(size=(D, K)) * (2 / np.sqrt(D)) + rng.gumbel(size=(n, K))
    y = scores.argmax(axis=1)
    y[:K] = np.arange(K)  # every class occurs
    return X, y


def one_pass(X, y):
    """A value and a gradient, as a fit takes them."""
    objective, _ = SoftmaxClassifier().make_objective(X, y)
    params = np.zeros((len(np.unique(y)), X.shape[1] + 1))
    return lambda: objective.value_and_gradient(params)


def fit(model):
    """A maker of fits of that model; they return how many passes over the samples they took."""

    def make(X, y):
        objective, _ = model.make_objective(X, y)
        is_exact = model.optimizer == "auto"
        if is_exact:
            choose(objective).minimize(objective, tol=model.tol)

        def call():
            model.fit(X, y)
            return objective.samples.n_passes if is_exact else 1

        return call

    return make


def transform(transformer):
    """A maker of transforms of images by that transformer, fitted to at most a hundred."""
    return lambda images: partial(transformer.fit(images[:100]).transform, images)


# What is measured, and the exponents of the formula for time and memory, by what varies.
# A softmax and a squared hinge form X'X (n D**2) and its factor (D**3); K enters by the products.
FITS = {
    "one pass (n D K)": (one_pass, {"n": (1, 1), "D": (1, 1), "K": (1, 1)}),
    "softmax": (fit(SoftmaxClassifier(alpha=0.01)), {"n": (1, 1), "D": (3, 2), "K": (1, 1)}),
    "squared hinge": (
        fit(LinearSVMClassifier(loss="squared_hinge", alpha=0.01)),
        {"n": (1, 1), "D": (3, 2), "K": (1, 1)},
    ),
    "hinge, tol=1e-2": (
        fit(LinearSVMClassifier(alpha=0.1, tol=1e-2)),
        {"n": (1, 1), "D": (3, 2), "K": (1, 1)},
    ),
    "softmax, L1": (
        fit(SoftmaxClassifier(regularizer="l1", alpha=0.003)),
        {"n": (1, 1), "D": (3, 2), "K": (1, 1)},
    ),
    "SGD, an epoch": (
        fit(SoftmaxClassifier(optimizer="sgd", max_iter=1, tol=1e9, random_state=0)),
        {"n": (1, 1), "D": (1, 1), "K": (1, 1)},
    ),
}
IMAGES = {
    "HOG": transform(HOG(grid=(2, 2))),
    "ColorHistogram": transform(ColorHistogram()),
    "BagOfVisualWords, 50 words": transform(
        BagOfVisualWords(50, descriptor="pixels", patch_size=6, stride=2, random_state=0)
    ),
}


def cases():
    """Rows (what, what varies, callables by size, the formula's exponents)."""
    for name, (make, formulas) in FITS.items():
        for size, formula in formulas.items():
            yield (
                name,
                size,
                [
                    (s, make, lambda s=s, size=size: samples(**{**FEW, size: s}))
                    for s in SIZES[size]
                ],
                formula,
            )
    rng = np.random.default_rng(0)
    for name, make in IMAGES.items():
        for size, formula in {"images": (1, 1), "pixels": (1, 1)}.items():
            yield (
                name,
                size,
                [(s, make, lambda s=s, size=size: (pictures(s, size, rng),)) for s in SIZES[size]],
                formula,
            )


def pictures(size, what, rng):
    """So many thumbnails, or twenty pictures of so many pixels."""
    n, side = (size, 32) if what == "images" else (20, round(size**0.5))
    return rng.integers(256, size=(n, side, side, 3), dtype=np.uint8)


def measured(call, budget):
    """The shortest time of a call, in seconds, its peak of memory, in MiB, and a fit's passes."""
    times = []
    while not times or (len(times) < 15 and sum(times) < budget):
        start = perf_counter()
        result = call()
        times.append(perf_counter() - start)
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return min(times), peak / 2**20, result if isinstance(result, int) else 1


def exponent(sizes, values):
    """Of the power law through the three largest."""
    return float(np.polyfit(np.log(sizes[-3:]), np.log(values[-3:]), 1)[0])


def main():
    """Print a table of exponents, and the figures behind it as CSV."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="only rows whose names hold one of these")
    parser.add_argument("--budget", type=float, default=0.5, help="seconds a point (default: 0.5)")
    parser.add_argument("--csv", help="file for all points")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    points = [("what", "varied", "size", "seconds", "MiB", "passes")]
    print(f"{'':<27} {'varied':<7} {'from':>6} {'to':>7}  {'time':^23}  {'memory':^16}")
    print(f"{'':<50} {'p':>6} {'formula':>8} {'passes':>6}  {'p':>7} {'formula':>8}")
    with threadpool_limits(1):
        for name, varied, makers, formula in cases():
            if arguments.words and not any(word in name for word in arguments.words):
                continue
            seconds, memory, passes, sizes = [], [], [], SIZES[varied]
            for size, make, data in makers:
                found = measured(make(*data()), arguments.budget)
                seconds.append(found[0])
                memory.append(found[1])
                passes.append(found[2])
                points.append((name, varied, size, *(f"{value:.4g}" for value in found)))
            print(
                f"{name:<27} {varied:<7} {sizes[0]:>6} {sizes[-1]:>7}"
                f" {exponent(sizes, seconds):>7.2f} {formula[0]:>8}"
                f" {exponent(sizes, passes):>6.2f}"
                f"  {exponent(sizes, memory):>7.2f} {formula[1]:>8}",
                flush=True,
            )
    if arguments.csv:
        with open(arguments.csv, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(points)


if __name__ == "__main__":
    main()
