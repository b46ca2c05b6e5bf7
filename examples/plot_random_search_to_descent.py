"""
From random search to gradient descent
======================================

The lecture's strategies for finding good weights, in its order, on raw pixels under the multiclass
SVM loss: draw weights at random and keep the best; try random steps and keep those that help;
follow the slope, by mini-batches. And, beyond the lecture, the exact minimum. Each is judged by its
accuracy on the test images, and by how its loss falls.

Run it as it is, on pictures that come along (which of ten pictures is this patch from?), or on
CIFAR-10: the environment variable ``SKLIN_CIFAR10`` names the folder or the archive of its official
binary files. On the whole of CIFAR-10 the lecture
reaches 15.5% with a thousand random draws, 21.4% with a thousand random steps, and .36-.40 by
mini-batches.
"""

import os
import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklin import LinearSVMClassifier
from sklin.datasets import load_cifar10, load_pictures
from sklin.optimizers import SGD, RandomLocalSearch, RandomSearch

path = os.environ.get("SKLIN_CIFAR10")

# %%
# The settings of the lecture and of its course. The mean image is subtracted and pixels run from 0
# to 255, which is why the rate is so small and lambda, ``alpha`` here, so large. They penalise the
# sum of the squared weights without a factor 1/2, as sklin does.

ALPHA = 2.5e4


def strategies(n_samples):
    """The classifiers to compare, by name."""
    # 1,500 mini-batches, as in the course, are so many epochs of these samples.
    epochs = max(1, round(1500 * 256 / n_samples))
    descent = SGD(learning_rate=1e-7, batch_size=256, momentum=0)
    options = dict(random_state=0, tol=0)
    return {
        # Random weights were compared by their loss alone: no regularizer.
        "random search": LinearSVMClassifier(
            alpha=0, optimizer=RandomSearch(scale=1e-4), max_iter=1000, **options
        ),
        "random local search": LinearSVMClassifier(
            alpha=0,
            optimizer=RandomLocalSearch(scale=1e-4, start_scale=1e-3),
            max_iter=1000,
            **options,
        ),
        "mini-batch SGD": LinearSVMClassifier(
            alpha=ALPHA, optimizer=descent, max_iter=epochs, **options
        ),
        # The same objective, to its minimum.
        "exact minimum": LinearSVMClassifier(alpha=ALPHA, tol=1e-3, max_iter=200),
    }


# %%
# Pixels and labels for training and test, the mean image subtracted.


def load(subset):
    """Pixels as rows, and labels."""
    if path:
        images, labels = load_cifar10(path, subset=subset, return_X_y=True)
    else:
        images, labels = load_pictures(subset=subset, return_X_y=True)
    return images.reshape(len(images), -1).astype(np.float32), labels


X, y = load("train")
X_test, y_test = load("test")
mean = X.mean(axis=0)
X -= mean
X_test -= mean
print("CIFAR-10" if path else "pictures that come along, not CIFAR-10", end=": ")
print(f"{len(y):,} training and {len(y_test):,} test images of {X.shape[1]:,} numbers")

# %%
# Fit each of them.

models, accuracies = strategies(len(y)), {}
print(f"{'':22}{'test accuracy':>14}{'loss':>10}{'seconds':>9}")
for name, model in models.items():
    start = time.perf_counter()
    with warnings.catch_warnings():
        # All but the last stop because their steps are used up, as in the lecture.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    seconds = time.perf_counter() - start
    accuracies[name] = model.score(X_test, y_test)
    print(f"{name:22}{accuracies[name]:>14.3f}{model.objective_:>10.3f}{seconds:>9.1f}")

# %%
# Random local search begins at larger weights than random search draws, and so at a larger loss; it
# is the more accurate all the same. Losses are drawn against the share of the steps made, since a
# random draw, a random step and an epoch of mini-batches are not the same work.

figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
colors = ["#e69f00", "#d55e00", "#0072b2", "black"]
for (name, model), color in zip(models.items(), colors, strict=True):
    curve = model.loss_curve_
    label = f"{name} ({model.n_iter_:,} steps)"
    axes.plot(np.linspace(0, 1, len(curve)), curve, color=color, label=label)
axes.set(xlabel="share of the steps", ylabel="mean loss + alpha R(W)", ylim=(0, None))
# Curves start at the loss of zero weights, K - 1 for the SVM (the slides' third question).
start = models["exact minimum"].loss_curve_[0]
axes.axhline(start, color="0.7", zorder=0, linestyle="--", label=f"zero weights ({start:.0f})")
axes.legend()
plt.show()
