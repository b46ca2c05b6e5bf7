"""
The course's assignment
=======================

The SVM and the softmax classifier on raw pixels, then on features: the first assignment of the
course, on CIFAR-10. Where the variable ``SKLIN_CIFAR10`` holds the folder or the archive of its
binary files, those are read; otherwise the pictures that come along stand in. The first line that
is printed says which of them this page shows.
"""

# %%
# The images. Those that come along are patches of ten pictures: an easier task than CIFAR-10.

import os

import matplotlib.pyplot as plt
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklin import HOG, ColorHistogram, LinearSVMClassifier, SoftmaxClassifier
from sklin.datasets import load_cifar10, load_pictures

path = os.environ.get("SKLIN_CIFAR10")
if path:
    source = "CIFAR-10"
    X, y = load_cifar10(path, subset="train", return_X_y=True)
    X_test, y_test = load_cifar10(path, subset="test", return_X_y=True)
else:
    source = "pictures that come along, not CIFAR-10"
    X, y = load_pictures(n_per_picture=50, return_X_y=True)
    X_test, y_test = load_pictures(subset="test", n_per_picture=50, return_X_y=True)
print(f"{source}: {len(y):,} training and {len(y_test):,} test images")

# %%
# Two classifiers, on two kinds of features. The assignment's are HoG and a histogram of hues.


def flatten(images):
    """One row of pixels a picture, from 0 to 1."""
    return images.reshape(len(images), -1) / 255


features = {
    "pixels": FunctionTransformer(flatten),
    "HoG and hues": make_union(HOG(), ColorHistogram(bins=10, color_space="hue")),
}
classifiers = {
    "SVM": LinearSVMClassifier(alpha=0.1, tol=1e-2),
    "softmax": SoftmaxClassifier(alpha=0.1, tol=1e-2),
}
accuracies = {}
for classifier_name, classifier in classifiers.items():
    for name, extractor in features.items():
        model = make_pipeline(extractor, StandardScaler(), classifier).fit(X, y)
        accuracies[classifier_name, name] = model.score(X_test, y_test)
        print(f"{classifier_name:8} {name:14} {accuracies[classifier_name, name]:.3f}")

# %%
# HoG and ten hues are a tenth of the numbers, and do no worse. With so few test images a difference
# of two hundredths is chance; on 20,000 images of CIFAR-10 HoG alone leads pixels by eleven.

figure, axes = plt.subplots(figsize=(6.4, 2.8), layout="constrained")
names = [f"{classifier}, {name}" for classifier, name in accuracies]
colors = ["#0072b2" if name == "pixels" else "#d55e00" for _, name in accuracies]
bars = axes.barh(names, list(accuracies.values()), color=colors)
axes.bar_label(bars, fmt="%.2f", padding=3)
axes.set(xlabel="test accuracy", xlim=(0, 1.1), title=source)
axes.invert_yaxis()
plt.show()
