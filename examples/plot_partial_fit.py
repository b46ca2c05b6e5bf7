"""
Larger than memory
==================

``partial_fit`` sees one batch of rows at a time. Kept in a file and mapped into memory, the
pictures are read from disk as they are needed.
"""

# %%
# Write the pictures to a file, as a stand-in for one that does not fit into memory.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sklin import SoftmaxClassifier
from sklin.optimizers import Adam

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, stratify=y, random_state=0)
folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "pictures.npy"
np.save(path, X_train)
stream = np.load(path, mmap_mode="r")
print(f"{type(stream).__name__} of shape {stream.shape}")

# %%
# Every call makes steps with one batch. The classes must be named at the first, since a batch may
# lack some of them.

classifier = SoftmaxClassifier(alpha=1e-4, optimizer=Adam(learning_rate=0.01), random_state=0)
order = np.random.default_rng(0)
batch_size, accuracies = 100, []
for _ in range(20):
    for rows in np.array_split(order.permutation(len(stream)), len(stream) // batch_size):
        rows = np.sort(rows)  # files are read forwards
        classifier.partial_fit(stream[rows], y_train[rows], classes=np.arange(10))
    accuracies.append(classifier.score(X_test, y_test))

# %%
# With all pictures in memory, ``fit`` finds the minimum.

whole = SoftmaxClassifier(alpha=1e-4).fit(X_train, y_train)
exact = whole.score(X_test, y_test)
print(f"test accuracy {accuracies[-1]:.3f} in batches, {exact:.3f} at the minimum")

figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
passes = np.arange(1, len(accuracies) + 1)
axes.plot(passes, accuracies, color="#0072b2", marker="o", label="partial_fit")
axes.axhline(exact, color="#d55e00", linestyle="--", label="fit on all at once")
axes.set(xlabel="passes over the file", ylabel="test accuracy", xticks=passes[1::2])
axes.legend()
plt.show()

# %%
# The map is let go before its file is removed.

del stream
folder.cleanup()
