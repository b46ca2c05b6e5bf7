"""
The gradient check catches a bug
================================

A wrong gradient still descends, slowly, to a wrong place, and says nothing. Compared with finite
differences of the loss it gives itself away.
"""

# %%
# The multiclass SVM loss by hand: every other class whose score comes within 1 of the true one's
# adds to it. The slope by the true class's score is minus the *number* of such classes. Here it is
# minus 1: a slip that is easily made.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sklin import LinearSVMClassifier, check_gradient, numerical_gradient
from sklin.losses import Loss


class Hinge(Loss):
    """The lecture's loss, with the slip or without."""

    smooth = False
    shift_invariant = True

    def __init__(self, slip=False):
        self.slip = slip

    def value_and_gradient(self, scores, y, out=None):
        own = np.arange(len(y)), y
        margins = scores - scores[own][:, np.newaxis] + 1
        margins[own] = 0
        value = np.maximum(margins, 0).sum(axis=1)
        gradient = np.empty_like(scores) if out is None else out
        gradient[...] = margins > 0
        gradient[own] = -1 if self.slip else -gradient.sum(axis=1)
        return value, gradient


# %%
# ``check_gradient`` checks it in the whole objective of a classifier.

X, y = load_digits(return_X_y=True)
X = X[:200] / 16
y = y[:200]
reports = {}
for slip in (False, True):
    reports[slip] = check_gradient(LinearSVMClassifier(loss=Hinge(slip=slip)), X, y)
    print("with the slip" if slip else "without", "- passed:", reports[slip].passed)
print(reports[True])

# %%
# The check is a few lines: move one score up and down a little, and see how the loss moves.

random = np.random.default_rng(0)
scores = random.normal(size=(5, 10))
labels = np.arange(5)


def loss(values):
    """The sum over five samples."""
    return Hinge().value_and_gradient(values, labels)[0].sum()


numerical = numerical_gradient(loss, scores)
figure, axes = plt.subplots(figsize=(5.2, 5), layout="constrained")
for slip, marker, color in ((False, "o", "#0072b2"), (True, "x", "#d55e00")):
    analytic = Hinge(slip=slip).value_and_gradient(scores, labels)[1]
    name = "with the slip" if slip else "right"
    axes.plot(numerical.ravel(), analytic.ravel(), marker, color=color, label=name, alpha=0.8)
ends = [numerical.min() - 0.5, numerical.max() + 0.5]
axes.plot(ends, ends, color="0.6", linestyle="--", zorder=0)
axes.set(xlabel="numerical gradient", ylabel="analytic gradient", aspect="equal")
axes.legend()
plt.show()
