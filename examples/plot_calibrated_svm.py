"""
Probabilities from an SVM
=========================

The SVM's scores are no probabilities. ``CalibratedClassifierCV`` of scikit-learn learns, on
held-out folds, which probability a score stands for.
"""

# %%
# For comparison, the softmax of the SVM's raw scores: it is what one would be tempted to use.

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import softmax
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sklin import LinearSVMClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=0.5, stratify=y, random_state=0
)
svm = LinearSVMClassifier(alpha=1e-2).fit(X_train, y_train)
calibrated = CalibratedClassifierCV(svm, method="sigmoid", cv=5).fit(X_train, y_train)
probabilities = {
    "softmax of the SVM's scores": softmax(svm.decision_function(X_test), axis=1),
    "calibrated": calibrated.predict_proba(X_test),
}

# %%
# The log loss, in nats, is what a proper probability makes small.

losses = {name: log_loss(y_test, values) for name, values in probabilities.items()}
for name, loss in losses.items():
    print(f"{name:28} log loss {loss:.3f}")

# %%
# Of the cases given a probability of 0.6, 60% should be true: the diagonal. Each class of each
# picture is one case.

figure, axes = plt.subplots(figsize=(5.2, 5), layout="constrained")
axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", label="ideal")
truth = y_test[:, np.newaxis] == svm.classes_
for (name, values), color, marker in zip(
    probabilities.items(), ["#d55e00", "#0072b2"], "so", strict=True
):
    share, mean = calibration_curve(truth.ravel(), values.ravel(), n_bins=8)
    axes.plot(mean, share, color=color, marker=marker, label=name)
axes.set(xlabel="probability given", ylabel="share that is true", aspect="equal")
axes.legend()
plt.show()
