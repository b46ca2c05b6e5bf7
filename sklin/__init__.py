"""Linear image classifiers with exact minima, and the image features to feed them."""

from sklin.linear_model import LinearSVMClassifier, SoftmaxClassifier

__all__ = ["LinearSVMClassifier", "SoftmaxClassifier"]

__version__ = "0.1.0.dev0"
