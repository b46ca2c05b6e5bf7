"""Images one at a time: arrays, Pillow's images and files, decoded when they are needed."""

from collections.abc import Sequence
from contextlib import nullcontext
from os import PathLike

import numpy as np
from PIL import Image
from sklearn.utils import check_array

from ..datasets._files import open_image, pillow_quiet, shape_of, to_bytes

# Kept as they are; every other dtype becomes the first of these.
IMAGE_DTYPES = (np.float64, np.float32, np.uint8)


class Album(Sequence):
    """A sequence of images (h, w, c) of one dtype and number of channels, whatever their sizes.

    Files are opened when an image is asked for and closed again; of arrays no copy is made.

    Attributes
    ----------
    shapes : list of tuples (h, w, c)
        The images' shapes, known without decoding them.
    arrived : list of tuples (h, w, c)
        The same before an alpha channel was dropped.
    dtype : dtype
        Of all images.
    """

    def __init__(self, sources, arrived, channels, dtype, first=0):
        self.sources = sources
        self.arrived = arrived
        self.shapes = [(h, w, channels) for h, w, _ in arrived]
        self.channels = channels
        self.dtype = np.dtype(dtype)
        self.names = range(first, first + len(sources))

    def __len__(self):
        return len(self.sources)

    def __getitem__(self, i):
        source = self.sources[i]
        if isinstance(source, np.ndarray):
            return source[..., : self.channels].astype(self.dtype, copy=False)
        image = None
        try:
            image = open_image(source)
            pixels = to_bytes(image, self.channels)
        except ValueError as error:
            raise ValueError(_unreadable(self.names[i], source, error)) from error
        finally:
            if image is not None and image is not source:
                image.close()
        if pixels.shape != self.shapes[i]:
            raise ValueError(
                f"X[{self.names[i]}], {source!r}, has changed: it was an image of shape "
                f"{self.shapes[i]} and is one of {pixels.shape}."
            )
        return pixels

    def part(self, indices):
        """The album of some of the images: what a worker needs, and nothing else."""
        album = Album(
            [self.sources[i] for i in indices],
            [self.arrived[i] for i in indices],
            self.channels,
            self.dtype,
        )
        album.names = [self.names[i] for i in indices]
        return album


def album_of(X, channels=None):
    """An :class:`Album` of `X`, or None if `X` is no list or column of images.

    Parameters
    ----------
    X : object
        Anything.
    channels : {1, 3}, default=None
        The number of channels that all images must have. None: that of the first array, or 3 if
        there are only files and one of them has colours.

    Returns
    -------
    album : Album or None
        The images.

    Raises
    ------
    ValueError
        As :func:`~sklin.features._images.check_images` says.
    """
    elements = _elements(X)
    if elements is None:
        return None
    # Filters of warnings belong to the process, and take a while to be read anew: arrays want none.
    with pillow_quiet() if any(map(_is_file, elements)) else nullcontext():
        seen = [
            _header(i, element) if _is_file(element) else _array(i, element)
            for i, element in enumerate(elements)
        ]
    sources, arrived, dtypes = map(list, zip(*seen, strict=True))
    of_arrays = [shape[2] for source, shape, _ in seen if not _is_file(source)]
    if channels is None:
        channels = min(of_arrays[0] if of_arrays else max(shape[2] for shape in arrived), 3)
    for i, (source, shape, dtype) in enumerate(seen):
        c = min(shape[2], 3)
        # A file of grey levels can be read as colours. An array is what it is.
        if c != channels and (c > channels or not _is_file(source)):
            raise ValueError(f"X[{i}] has {c} channels, expected {channels} in every image.")
        if (dtype == np.uint8) != (dtypes[0] == np.uint8):
            raise ValueError(
                f"X[{i}] is {dtype}, X[0] is {dtypes[0]}: "
                "bytes (0 to 255) do not mix with other numbers."
            )
    return Album(sources, arrived, channels, np.result_type(*set(dtypes)))


def _elements(X):
    """The elements of a list or of one column, if these are images; else None."""
    if len(getattr(X, "columns", ())) == 1:  # a data frame of pandas or polars
        X = X.iloc[:, 0] if hasattr(X, "iloc") else X.to_series()
    if isinstance(X, np.ndarray):
        is_column = X.ndim == 1 or (X.ndim == 2 and X.shape[1] == 1)
        if X.dtype.kind not in "OUST" or not is_column:
            return None
        X = list(X.ravel())
    elif hasattr(X, "to_list"):  # a series
        X = X.to_list()
    if not isinstance(X, list | tuple):
        return None
    return X if any(map(_is_image, X)) else None


def _is_file(element):
    return isinstance(element, str | bytes | PathLike | Image.Image)


def _is_image(element):
    if _is_file(element):
        return True
    if isinstance(element, list | tuple):
        return any(isinstance(row, list | tuple | np.ndarray) for row in element)
    return getattr(element, "ndim", 0) > 1


def _header(i, source):
    image = None
    try:
        image = open_image(source)
        return source, shape_of(image), np.dtype(np.uint8)
    except ValueError as error:
        raise ValueError(_unreadable(i, source, error)) from error
    finally:
        if image is not None and image is not source:
            image.close()


def _array(i, element):
    try:
        image = np.asarray(element)
    except ValueError as error:
        raise ValueError(f"X[{i}] is no image (h, w) or (h, w, c): {error}") from error
    if (
        image.ndim not in (2, 3)
        or image.size == 0
        or (image.ndim == 3 and image.shape[2] not in (1, 3, 4))
    ):
        what = f"got shape {image.shape}" if image.ndim else f"got {element!r}"
        raise ValueError(f"X[{i}] must be an image (h, w) or (h, w, c) with c in 1, 3, 4, {what}.")
    image = image if image.ndim == 3 else image[:, :, np.newaxis]
    if image.dtype == np.uint8:  # nothing can be wrong, and a check takes 30 microseconds
        return image, image.shape, image.dtype
    checked = check_array(
        image.reshape(len(image), -1), dtype=list(IMAGE_DTYPES), input_name=f"X[{i}]"
    )
    # What is not kept as it is becomes float64 when it is needed, not all at once.
    return image, image.shape, checked.dtype


def _unreadable(i, source, error):
    return f"X[{i}], {source!r}, cannot be read as an image: {error}."
