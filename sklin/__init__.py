"""Linear image classifiers with exact minima, and the image features to feed them."""

from sklin.features import HOG, BagOfVisualWords, ColorHistogram
from sklin.gradient_check import check_gradient, numerical_gradient
from sklin.linear_model import (
    LinearSVMClassifier,
    LinearSVMClassifierCV,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
)
from sklin.persistence import load, save

__all__ = [
    "HOG",
    "BagOfVisualWords",
    "ColorHistogram",
    "LinearSVMClassifier",
    "LinearSVMClassifierCV",
    "SoftmaxClassifier",
    "SoftmaxClassifierCV",
    "check_gradient",
    "load",
    "numerical_gradient",
    "save",
]

__version__ = "0.1.0.dev0"
