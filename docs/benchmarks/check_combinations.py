"""Which combinations of loss, regularizer and optimizer pass scikit-learn's check_estimator.

Of all that the compatibility table allows; an hour or so. Exact methods go to tol=1e-8, so that
weights and repetition can agree to seven digits; mini-batch methods and searches have 30
iterations. A line each: the combination, seconds, and the checks that it does not pass.
"""

import os

os.environ["SCIPY_ARRAY_API"] = "1"  # read by scipy when it is imported; else a check is skipped

import argparse
import warnings
from time import perf_counter

from sklearn.utils.estimator_checks import check_estimator

from sklin import LinearSVMClassifier, SoftmaxClassifier
from sklin.losses import LOSSES, CrossEntropy
from sklin.optimizers import OPTIMIZERS, GradientDescent, compatibility
from sklin.regularizers import REGULARIZERS

NAMES = {kind: name for name, kind in LOSSES.items()}


def estimator_of(cell):
    """The classifier of a cell of the table."""
    loss, optimizer = cell.loss, cell.optimizer
    fixed_rate = isinstance(optimizer, GradientDescent) and optimizer.learning_rate is not None
    few = fixed_rate or optimizer.is_stochastic
    words = {
        "alpha": 0.1,
        "regularizer": cell.regularizer,
        "optimizer": optimizer,
        **({"max_iter": 30} if few else {"tol": 1e-8}),
    }
    if isinstance(loss, CrossEntropy):
        return SoftmaxClassifier(**words)
    return LinearSVMClassifier(loss=loss.loss, multi_class=NAMES[type(loss)], **words)


def main():
    """Print a line for each combination."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="only optimizers whose names hold one of these")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    losses = [CrossEntropy()]
    losses += [kind(phi) for kind in LOSSES.values() for phi in ("hinge", "squared_hinge")]
    regularizers = [kind() for kind in REGULARIZERS.values()]
    optimizers = [*(kind() for kind in OPTIMIZERS.values()), GradientDescent(learning_rate=0.01)]
    for cell in compatibility(losses, regularizers, optimizers):
        if cell.missing or not any(w in repr(cell.optimizer) for w in arguments.words or [""]):
            continue
        start = perf_counter()
        results = check_estimator(estimator_of(cell), on_fail=None)
        bad = dict.fromkeys(r["check_name"] for r in results if r["status"] != "passed")
        name = f"{cell.loss!r:<38} {cell.regularizer!r:<13} {cell.optimizer!r:<35}"
        print(
            f"{name} {perf_counter() - start:6.1f} s  {', '.join(bad) or 'all passed'}", flush=True
        )


if __name__ == "__main__":
    main()
