"""
Probabilities from an SVM
=========================

An SVM is asked for margins, not for probabilities: its scores say which class leads, and their
size means nothing by itself. What a score stands for can be learnt afterwards, from pictures that
the weights were not fitted to.
"""

# %%
# The softmax of the raw scores is what one would be tempted to use. But the hinge is content with a
# lead of one over every other class, and of ten classes the softmax would give such a leader
# e / (e + 9) = 0.23: far too modest.

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import softmax
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_predict, train_test_split

from sklin import LinearSVMClassifier, SoftmaxClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=0.5, stratify=y, random_state=0
)
svm = LinearSVMClassifier(alpha=1e-2).fit(X_train, y_train)
scores_test = svm.decision_function(X_test)
probabilities = {"softmax of the scores": softmax(scores_test, axis=1)}

# %%
# ``CalibratedClassifierCV`` of scikit-learn fits a sigmoid to each class's held-out scores, class
# against the rest, and scales the ten results to sum to one.

sigmoids = CalibratedClassifierCV(svm, method="sigmoid", cv=5).fit(X_train, y_train)
probabilities["a sigmoid for each class"] = sigmoids.predict_proba(X_test)

# %%
# The ten scores of a picture are compared with each other, so they are better calibrated together:
# they are ten features, and which probability they stand for is a question for the softmax
# classifier.

scores_held_out = cross_val_predict(svm, X_train, y_train, cv=5, method="decision_function")
together = SoftmaxClassifier(alpha=1e-4).fit(scores_held_out, y_train)
probabilities["softmax classifier on the scores"] = together.predict_proba(scores_test)

# %%
# The log loss, in nats, is what a proper probability makes small.

losses = {name: log_loss(y_test, values) for name, values in probabilities.items()}
for name, loss in losses.items():
    print(f"{name:33} log loss {loss:.3f}")

# %%
# Of the cases given a probability of 0.6, 60% should be true: the diagonal. Each class of each
# picture is one case. Few cases lie between the ends, so the curves shake there.

figure, axes = plt.subplots(figsize=(5.2, 5), layout="constrained")
axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", label="ideal")
truth = y_test[:, np.newaxis] == svm.classes_
for (name, values), color, marker in zip(
    probabilities.items(), ["#d55e00", "#0072b2", "#009e73"], "sod", strict=True
):
    share, mean = calibration_curve(truth.ravel(), values.ravel(), n_bins=6)
    axes.plot(mean, share, color=color, marker=marker, label=name)
axes.set(xlabel="probability given", ylabel="share that is true", aspect="equal")
axes.legend()
plt.show()
