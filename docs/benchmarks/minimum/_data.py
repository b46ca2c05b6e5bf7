"""The data of the benchmark: made once, kept as .npz, the same arrays for every method."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklin import HOG, BagOfVisualWords, ColorHistogram
from sklin.datasets import load_cifar10, load_pictures

N_PICTURES = 5_000  # patches of the bundled pictures, if no other number is asked for
N_SPARSE, SPARSE_WIDTH, SPARSE_NONZERO, SPARSE_CLASSES = 20_000, 50_000, 100, 20

TITLES = {
    "digits": "digits",
    "hog": "HoG + colour",
    "words": "bag of words",
    "pixels": "pixels",
    "sparse": "sparse",
}


class Data(NamedTuple):
    """Samples and their labels, and what they are.

    Parameters
    ----------
    X : ndarray or CSR array of shape (n_samples, n_features)
        The samples.
    y : ndarray of int, shape (n_samples,)
        The labels, 0 to K - 1.
    title : str
        What they are.
    """

    X: np.ndarray
    y: np.ndarray
    title: str

    def __str__(self):
        n, d = self.X.shape
        kind = "sparse " if sparse.issparse(self.X) else ""
        return f"{self.title}, {n:,} x {d:,} {kind}{self.X.dtype}, {self.y.max() + 1} classes"


class Source:
    """Where the data come from.

    Parameters
    ----------
    cifar : str or None
        Folder or archive of CIFAR-10's binary files; None for the pictures that come along.
    n_rows : int or None
        Largest number of samples.
    folder : Path
        Where the finished arrays are kept.
    """

    def __init__(self, cifar, n_rows, folder):
        self.cifar = None if cifar is None else Path(cifar)
        self.n_rows = n_rows
        self.folder = folder
        self.images = None

    def __str__(self):
        if self.cifar is None:
            return "patches of the pictures that come with scikit-image (no --cifar was given)"
        return "CIFAR-10's training images"

    def load(self, name):
        """The `Data` of a name in `TITLES`."""
        if name == "digits":
            X, y = load_digits(return_X_y=True)
            return Data(X[: self.n_rows] / 16, y[: self.n_rows], TITLES[name])
        if name == "sparse":
            return Data(*planted(self.n_rows or N_SPARSE), TITLES[name])
        file = self.folder / f"{name}-{self._key()}.npz"
        if not file.exists():
            images, y = self._load_images()
            X = features_of(name).fit_transform(images).astype(np.float32, copy=False)
            X = np.ascontiguousarray(StandardScaler().fit_transform(X))
            # Under another name first: an interrupted write must not be taken for the data.
            draft = file.with_suffix(".part.npz")
            np.savez(draft, X=X, y=y)
            draft.replace(file)
        with np.load(file) as arrays:
            return Data(arrays["X"], arrays["y"], TITLES[name])

    def _key(self):
        """Names what the arrays were made from."""
        if self.cifar is None:
            return f"pictures-{self.n_rows or N_PICTURES}"
        parts = sorted(self.cifar.rglob("*.bin")) if self.cifar.is_dir() else [self.cifar]
        stamp = [(part.name, part.stat().st_size, part.stat().st_mtime_ns) for part in parts]
        return f"cifar-{self.n_rows or 'all'}-{hashlib.sha1(repr(stamp).encode()).hexdigest()[:10]}"

    def _load_images(self):
        if self.images is None:
            if self.cifar is None:
                n_each = -(-(self.n_rows or N_PICTURES) // 10)
                self.images = load_pictures(n_per_picture=n_each, return_X_y=True)
            else:
                images, y = load_cifar10(self.cifar, return_X_y=True)
                self.images = images[: self.n_rows], y[: self.n_rows]
        return self.images


def flat(images):
    return images.reshape(len(images), -1).astype(np.float32)


def features_of(name):
    """The transformer from images to the features of a name."""
    return {
        "pixels": FunctionTransformer(flat),
        "hog": make_union(HOG(), ColorHistogram(8)),
        "words": make_pipeline(BagOfVisualWords(400, grid=(2, 2), random_state=0)),
    }[name]


def planted(n_rows):
    """Sparse samples, as of words in texts, whose labels come from a linear model and noise."""
    rng = np.random.default_rng(0)
    # As many entries in a column however few the rows are.
    width = SPARSE_WIDTH * n_rows // N_SPARSE
    # Some peers take no wider indices.
    columns = rng.integers(0, width, n_rows * SPARSE_NONZERO, dtype=np.int32)
    ends = np.arange(n_rows + 1, dtype=np.int32) * SPARSE_NONZERO
    X = sparse.csr_array((rng.standard_normal(columns.size), columns, ends), (n_rows, width))
    X.sum_duplicates()
    scores = X @ rng.standard_normal((width, SPARSE_CLASSES))
    scores += 5 * rng.standard_normal(scores.shape)
    return X, scores.argmax(axis=1)
