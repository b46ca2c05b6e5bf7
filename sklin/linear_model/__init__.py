"""Linear classifiers with scikit-learn's interface."""

from sklin.linear_model._path import LinearSVMClassifierCV, SoftmaxClassifierCV
from sklin.linear_model._softmax import SoftmaxClassifier
from sklin.linear_model._svm import LinearSVMClassifier

__all__ = [
    "LinearSVMClassifier",
    "LinearSVMClassifierCV",
    "SoftmaxClassifier",
    "SoftmaxClassifierCV",
]
