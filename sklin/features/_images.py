"""One door: the validator of every way images may arrive."""

import os
import warnings
from functools import partial
from math import isqrt, prod

import numpy as np
from sklearn.utils import check_array

from ._album import IMAGE_DTYPES, Album, album_of
from ._parameters import is_integer

# Rows wider than this that are no square are more likely images of an unknown shape than strips.
WIDEST_SILENT_STRIP = 100

_check_rows = partial(check_array, dtype=list(IMAGE_DTYPES), input_name="X")


def check_images(X, image_shape=None, *, one_size=None, check_rows=_check_rows):
    """Return `X` as images with a channel axis, however it arrived.

    Parameters
    ----------
    X : array-like
        One of

        - an array (n, h, w) of grey images or (n, h, w, c) with c = 1, 3 (RGB) or 4 (RGBA), which
          may be memory-mapped;
        - flattened rows (n, h * w * c), channels last, as scikit-learn's own tools pass them on;
        - images that may differ in size: a list, tuple, 1-D object array, series or data frame of
          one column (pandas or polars), or an array (n, 1), whose elements are arrays (h, w) or
          (h, w, c), Pillow's images, or files (`str` or path-like).
    image_shape : tuple, default=None
        The shape (h, w) or (h, w, c) that every image has. None takes it from `X`: the trailing
        axes if there are any; for rows, a grey square if their width is a square number, else a
        strip (1, width, 1). (None, None, c) means images of any size with c channels, and refuses
        rows.
    one_size : str, default=None
        None lets the images of a list differ in size. A string forbids it; it ends the error
        message and should tell the user what to do.
    check_rows : callable, default=None
        What validates the flattened (n, h * w * c) array: :func:`sklearn.utils.check_array`, or
        `validate_data` bound to an estimator.

    Returns
    -------
    images : ndarray of shape (n, h, w, c) or Album of n ndarrays of shape (h, w, c)
        An :class:`~sklin.features._album.Album`, which decodes files when they are asked for, if
        `X` was a list or column of images. c is 1 or 3, the same for all. Neither an array of
        bytes or floats in C order nor a memory map nor the arrays of a list are copied. The dtype
        is uint8 (0 to 255) or float32 if `X` was, else float64 with the values of `X`: nothing is
        scaled, booleans become 0.0 and 1.0. All values are finite. Files and Pillow's images are
        uint8: 16 bits are reduced to 8, transparent pixels are laid over white, photographs are
        turned upright as their EXIF data say; grey ones become RGB where others have colours.
    shape : tuple
        The (h, w, c) of every image as it arrived (c = 4 for RGBA), or (None, None, c) where sizes
        are free: `X` was a list, `one_size` is None and `image_shape` does not say otherwise.

    Raises
    ------
    TypeError
        If `image_shape` is no tuple of integers, or `X` is one path, is sparse or holds objects
        that are not numbers.
    ValueError
        If `image_shape` has not 2 or 3 positive entries or its c is not 1, 3 or 4; if `X` is
        empty, holds NaN, infinity, complex numbers or text; has more than 4 axes or a last axis of
        a length other than 1, 3 or 4; is one RGB image (h, w, 3) instead of a batch; disagrees
        with `image_shape`; if rows come where any size is allowed. Of a list, with the index of
        the image: if it has no pixels or is no image; differs in size although `one_size` forbids
        it, or in its number of channels; mixes uint8 with other types; is a file that does not
        exist, is no plain file, cannot be read as an image, has pixels of a mode without a range
        (Pillow's F and I), or claims more pixels than Pillow's ``Image.MAX_IMAGE_PIXELS``, as a
        decompression bomb does. Of files only the headers are read at first: one that is broken
        further on is found, with its index, when it is decoded.

    Warns
    -----
    UserWarning
        If an alpha channel of arrays is dropped, or if rows wider than 100 are taken for strips.

    Notes
    -----
    An array (n, h, 3) of grey images that are three pixels wide looks like one RGB image and is
    refused as that, unless `image_shape` is (h, 3). Giving it as (n, h, 3, 1) works as well.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.features._images import check_images
    >>> images, shape = check_images(np.zeros((5, 12), dtype=np.uint8), image_shape=(2, 2, 3))
    >>> images.shape, images.dtype, shape
    ((5, 2, 2, 3), dtype('uint8'), (2, 2, 3))
    """
    shape = check_image_shape(image_shape, any_size=True)
    if isinstance(X, str | os.PathLike):
        raise TypeError(
            f"X must be a batch of images; got {os.fspath(X)!r}. For one file pass a list, [path]; "
            "for a folder sklin.datasets.load_image_folder(path).images."
        )
    album = album_of(X, None if shape is None else min(shape[2], 3))
    if album is not None:
        if any(c == 4 for _, _, c in album.arrived):
            _warn_of_alpha()
        if one_size is None and (shape is None or shape[0] is None):
            return album, shape or (None, None, album.channels)
        return album, _one_shape(album, shape, one_size)
    ndim = getattr(X, "ndim", 2)
    if ndim in (3, 4):
        seen = _shape_of_batch(X, shape)
        X = np.reshape(X, (len(X), prod(seen)))
        rows = check_rows(X)
    elif ndim > 4:
        raise ValueError(
            f"X must be images (n, h, w), (n, h, w, c) or rows, got an array of shape {X.shape}."
        )
    else:
        rows = check_rows(X)
        seen = _shape_of_rows(rows.shape[1], shape)
    images = rows.reshape(len(rows), *seen)
    return _drop_alpha(images), shape or seen


def check_image_shape(image_shape, any_size=False):
    """Return `image_shape` as a tuple (h, w, c), or None.

    Parameters
    ----------
    image_shape : tuple or None
        The shape (h, w) or (h, w, c).
    any_size : bool, default=False
        Whether (None, None, c), images of any size, is allowed too.

    Returns
    -------
    shape : tuple or None
        The shape with its channels.
    """
    if image_shape is None:
        return None
    wanted = f"image_shape must be None, (h, w) or (h, w, c) with c in 1, 3, 4, got {image_shape!r}"
    if any_size and isinstance(image_shape, tuple) and image_shape[:2] == (None, None):
        shape = image_shape
    elif not isinstance(image_shape, tuple | list) or not all(map(is_integer, image_shape)):
        raise TypeError(f"{wanted}.")
    else:
        shape = tuple(image_shape) + (1,) * (len(image_shape) == 2)
        if len(shape) != 3 or min(shape) < 1:
            raise ValueError(f"{wanted}.")
    if shape[-1] not in (1, 3, 4):
        raise ValueError(f"{wanted}.")
    return shape


def shapes_of(images):
    """The shapes (h, w, c) of images, a list, without decoding them.

    Parameters
    ----------
    images : ndarray of shape (n, h, w, c) or Album
        As `check_images` returns them.

    Returns
    -------
    shapes : list of n tuples
        The shapes.
    """
    if isinstance(images, Album):
        return images.shapes
    return [images.shape[1:]] * len(images)


def range_of(images):
    """The smallest and the largest value of images.

    Parameters
    ----------
    images : ndarray of shape (n, h, w, c) or Album
        As `check_images` returns them.

    Returns
    -------
    low, high : float
        The values.
    """
    batches = images if isinstance(images, Album) else [images]
    low, high = zip(*((batch.min(), batch.max()) for batch in batches), strict=True)
    return float(min(low)), float(max(high))


def check_squares(images):
    """Refuse floats whose squares overflow or vanish.

    Parameters
    ----------
    images : ndarray of shape (n, h, w, c) or Album
        As `check_images` returns them.

    Raises
    ------
    ValueError
        If the largest magnitude is neither 0 nor far from the ends of the dtype.
    """
    if images.dtype == np.uint8:
        return
    info = np.finfo(images.dtype)
    least, most = info.tiny**0.4, info.max**0.4
    high = max(map(abs, range_of(images)))
    if high != 0 and not least <= high <= most:
        raise ValueError(
            f"X has values up to {high:.3g}, of which {images.dtype} cannot tell the contrast: the "
            f"largest must be from {least:.0e} to {most:.0e}. Scale the images, for example to "
            "[0, 1]."
        )


def _one_shape(album, shape, one_size):
    """The (h, w, c) that all images of an album have, held against the `shape` expected, if any."""
    first = album.shapes[0]
    for i, seen in enumerate(album.shapes):
        if seen != first:
            advice = one_size or (
                f"all must be {shape}, as image_shape or the array seen in fit said (fitted on a "
                "list, without image_shape, it takes images of any size)"
            )
            raise ValueError(f"X[{i}] is an image of shape {seen}, X[0] of {first}; {advice}.")
    if shape is None:
        return first
    if first != (*shape[:2], min(shape[2], 3)):
        raise ValueError(
            f"X holds images of shape {first}, expected {shape} as image_shape or fit said."
        )
    return shape


def _shape_of_batch(X, shape):
    """The (h, w, c) of a 3-D or 4-D array, held against the `shape` expected, if any."""
    seen = X.shape[1:] if X.ndim == 4 else (*X.shape[1:], 1)
    any_size = shape is None or shape[0] is None
    if X.ndim == 3 and X.shape[2] in (3, 4) and (any_size or seen != shape):
        raise ValueError(
            f"X of shape {X.shape} looks like one colour image, not a batch: pass X[np.newaxis]. "
            f"(For grey images of width {X.shape[2]}, pass X[..., np.newaxis] "
            f"or set image_shape={seen[:2]}.)"
        )
    if seen[2] not in (1, 3, 4):
        hint = " Channels come last: np.moveaxis(X, 1, -1)." if X.shape[1] in (1, 3, 4) else ""
        raise ValueError(
            "X must have 1, 3 or 4 channels on its last axis, "
            f"got an array of shape {X.shape}.{hint}"
        )
    if shape is None:
        return seen
    if any_size and min(seen[2], 3) != shape[2]:
        raise ValueError(f"X has {seen[2]} channels, expected {shape[2]}.")
    if not any_size and seen != shape:
        raise ValueError(
            f"X holds images of shape {seen}, expected {shape} as image_shape or fit said."
        )
    return seen


def _shape_of_rows(width, shape):
    """The (h, w, c) of rows of this width."""
    if shape is None:
        side = isqrt(width)
        if side * side == width:
            return (side, side, 1)
        if width > WIDEST_SILENT_STRIP:
            side = isqrt(width // 3)
            hint = (
                f", for example image_shape=({side}, {side}, 3)" if 3 * side * side == width else ""
            )
            warnings.warn(
                f"X has rows of {width} values, which are taken for images of height 1. "
                f"Set image_shape to say what they are{hint}.",
                UserWarning,
                stacklevel=2,
            )
        return (1, width, 1)
    if shape[0] is None:
        raise ValueError(
            "X is an array of rows, but the images seen in fit came as a list and have no common "
            "shape: pass images (n, h, w, c) or a list."
        )
    if prod(shape) != width:
        raise ValueError(
            f"X has rows of {width} values, but image_shape={shape} asks for {prod(shape)}."
        )
    return shape


def _drop_alpha(images):
    if images.shape[-1] != 4:
        return images
    _warn_of_alpha()
    return images[..., :3]


def _warn_of_alpha():
    warnings.warn("X has an alpha channel, which is dropped.", UserWarning, stacklevel=2)
