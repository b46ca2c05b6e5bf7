"""The base of all image transformers: validation, chunks and threads in one place."""

import threading
from collections import defaultdict
from contextlib import nullcontext
from math import prod

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted, validate_data

from .._checks import is_valid
from .._docs import DocumentationLinks
from .._linalg import one_thread
from .._state import all_or_nothing
from ._album import IMAGE_DTYPES, Album
from ._images import check_image_shape, check_images
from ._parameters import check_bool, is_integer
from ._progress import Progress


class ImageTransformer(
    DocumentationLinks, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Base of the transformers that turn images into rows of numbers.

    A subclass declares the parameters `image_shape`, `n_jobs` and `verbose` in its constructor and
    writes `_features`; it may write `_check_params`, `_learn` and `_one_size`. Everything else,
    validation, chunks, threads, names, is here. Each row of the output depends on its image alone,
    so that it is the same in any batch and for any `n_jobs`. Beside its output, `transform` holds
    at most two chunks a job, of `_pixels_per_chunk` pixels or one image each: files are decoded
    when their chunk begins.

    Attributes
    ----------
    image_shape_ : tuple
        The (h, w, c) of the images seen in `fit`, or (None, None, c) if they came as a list and
        may be of any size.
    n_features_in_ : int
        h * w * c. Not set if the images may be of any size.
    """

    # The best of 16,000 to 400,000, both of which took half as long again: calls, or cache misses.
    _pixels_per_chunk = 100_000
    # Or a sentence for users whose images differ in size, if the transformer cannot use them.
    _one_size = None

    def _check_params(self):
        """Raise an error that names the parameter, what came and what is allowed."""

    def _learn(self, images, y=None):
        """Learn from images (n, h, w, c) or an Album of (h, w, c); by default nothing."""

    def _output_dtype(self, dtype):
        """The dtype of the features of images of this dtype."""
        return np.dtype(np.float64 if dtype == np.float64 else np.float32)

    def _features(self, images):
        """Turn images (m, h, w, c) of one size into (m, n_features) numbers."""
        raise NotImplementedError

    @all_or_nothing
    def fit(self, X, y=None):
        """Check the parameters and learn the shape of the images.

        Parameters
        ----------
        X : array-like or list of images
            Images (n, h, w) or (n, h, w, c), a list or column of arrays, Pillow's images or
            files, or flattened rows (n, h * w * c).
        y : object, default=None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        if self.n_jobs is not None and (not is_integer(self.n_jobs) or self.n_jobs == 0):
            raise ValueError(
                f"n_jobs must be None or an integer other than 0, got {self.n_jobs!r}."
            )
        check_image_shape(self.image_shape)
        self._check_params()
        check_bool("verbose", self.verbose)
        images, self.image_shape_ = self._check_images(X, self.image_shape, reset=True)
        self._learn(images, y)
        self._n_features_out = self._features(images[0][np.newaxis]).shape[1]
        return self

    def transform(self, X):
        """Turn images into rows of numbers.

        Parameters
        ----------
        X : array-like or list of images
            Images of the shape seen in `fit`, or of any size if `fit` saw a list of images.

        Returns
        -------
        features : ndarray of shape (n, n_features_out)
            One row an image, float64 for float64 images, otherwise float32.
        """
        if not hasattr(self, "image_shape_"):
            check_is_fitted(self)
        images, _ = self._check_images(X, self.image_shape_, reset=False)
        features = np.empty((len(images), self._n_features_out), self._output_dtype(images.dtype))
        chunks = list(_chunks(images, self._pixels_per_chunk))
        work = (_part(images, chunk) for chunk in chunks)
        is_one = effective_n_jobs(self.n_jobs) == 1
        # Threads of a BLAS within threads of Python would wait for each other; and another thread
        # than the main one is likely one of many that work side by side.
        is_beside = not is_one or threading.current_thread() is not threading.main_thread()
        with (
            one_thread if is_beside else nullcontext(),
            Progress(type(self).__name__, len(images), self.verbose) as progress,
        ):
            if is_one:
                # Not even joblib's sequential backend: its 0.2 ms a chunk are a fifth of a
                # histogram.
                parts = (_features_of(self, part) for part in work)
            else:
                # Threads, unless a joblib.parallel_config says otherwise: numpy and scipy.sparse
                # release the lock, and nothing is pickled. Parts come back in order, as they are
                # made.
                pool = Parallel(self.n_jobs, prefer="threads", return_as="generator")
                parts = pool(delayed(_features_of)(self, part) for part in work)
            for chunk, part in zip(chunks, parts, strict=True):
                features[chunk] = part
                progress.advance(len(part))
        return features

    def _check_images(self, X, image_shape, reset):
        def check_rows(X):
            if not reset and is_valid(self, X, IMAGE_DTYPES):
                return X
            return validate_data(self, X, reset=reset, dtype=list(IMAGE_DTYPES))

        images, shape = check_images(X, image_shape, one_size=self._one_size, check_rows=check_rows)
        if reset and isinstance(images, Album):  # which validate_data has not seen
            for name in ("n_features_in_", "feature_names_in_"):
                vars(self).pop(name, None)
            if shape[0] is not None:
                self.n_features_in_ = prod(shape)
        return images, shape


def _features_of(transformer, images):
    """The features of one chunk, an array or an album of images of one size."""
    if isinstance(images, Album):
        images = images[0][np.newaxis] if len(images) == 1 else np.stack(list(images))
    return transformer._features(images)


def _part(images, chunk):
    return images[chunk] if isinstance(chunk, slice) else images.part(chunk)


def _chunks(images, n_pixels):
    """Slices of an array, or lists of indices of images of one size, `n_pixels` at a time."""
    if not isinstance(images, Album):
        step = _images_per_chunk(*images.shape[1:3], n_pixels)
        yield from (slice(start, start + step) for start in range(0, len(images), step))
        return
    same_shape = defaultdict(list)
    for i, shape in enumerate(images.shapes):
        same_shape[shape].append(i)
    for (h, w, _), indices in same_shape.items():
        step = _images_per_chunk(h, w, n_pixels)
        yield from (indices[start : start + step] for start in range(0, len(indices), step))


def _images_per_chunk(h, w, n_pixels):
    # Images of few pixels count as 256: their features may be far larger than they are.
    return max(1, n_pixels // max(256, h * w))
