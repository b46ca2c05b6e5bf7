"""One door: the validator of every way images may arrive."""

import warnings
from functools import partial
from math import isqrt, prod

import numpy as np
from sklearn.utils import check_array

from ._parameters import is_integer

# Kept as they are; every other dtype becomes the first of these.
IMAGE_DTYPES = (np.float64, np.float32, np.uint8)

# Rows wider than this that are no square are more likely images of an unknown shape than strips.
WIDEST_SILENT_STRIP = 100

_check_rows = partial(check_array, dtype=list(IMAGE_DTYPES), input_name="X")


def check_images(X, image_shape=None, *, one_size=None, check_rows=_check_rows):
    """Return `X` as images with a channel axis, however it arrived.

    Parameters
    ----------
    X : array-like
        One of

        - an array (n, h, w) of grey images or (n, h, w, c) with c = 1, 3 (RGB) or 4 (RGBA);
        - flattened rows (n, h * w * c), channels last, as scikit-learn's own tools pass them on;
        - a list, tuple or 1-D object array of images (h, w) or (h, w, c), which may differ in size.
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
    images : ndarray of shape (n, h, w, c) or list of n ndarrays of shape (h, w, c)
        A list only if the images differ in size. c is 1 or 3. The dtype is uint8 (0 to 255) or
        float32 if `X` was, else float64 with the values of `X`: nothing is scaled, booleans become
        0.0 and 1.0. All values are finite. All images of a list have one c and one dtype.
    shape : tuple
        The (h, w, c) of every image as it arrived (c = 4 for RGBA), or (None, None, c) where sizes
        are free: `X` was a list, `one_size` is None and `image_shape` does not say otherwise.

    Raises
    ------
    TypeError
        If `image_shape` is no tuple of integers, or `X` is sparse or holds objects that are not
        numbers.
    ValueError
        If `image_shape` has not 2 or 3 positive entries or its c is not 1, 3 or 4; if `X` is
        empty, holds NaN, infinity, complex numbers or text; has more than 4 axes or a last axis of
        a length other than 1, 3 or 4; is one RGB image (h, w, 3) instead of a batch; disagrees
        with `image_shape`; if the images of a list differ in size although `one_size` forbids it,
        in their number of channels, or mix uint8 with other types; if rows come where any size is
        allowed.

    Warns
    -----
    UserWarning
        If an alpha channel is dropped, or if rows wider than 100 are taken for strips.

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
    images = _list_of_images(X)
    if images is not None:
        sizes_free = one_size is None and (shape is None or shape[0] is None)
        if sizes_free:
            check_rows = _check_rows  # an estimator must not learn a number of features here
        first = images[0].shape
        odd = next((i for i, image in enumerate(images) if image.shape != first), None)
        if odd is None:
            X = np.stack(images)
        elif sizes_free:
            return _check_ragged(images, shape)
        else:
            advice = one_size or f"image_shape says that all are {shape}"
            raise ValueError(
                f"X[{odd}] is an image of shape {images[odd].shape}, X[0] of {first}; {advice}."
            )
        if sizes_free:
            shape = shape or (None, None, min(first[2], 3))
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


def _list_of_images(X):
    """The images of a list or object array as arrays (h, w, c), or None if `X` is neither."""
    if getattr(X, "ndim", None) == 1 and X.dtype == object:
        X = list(X)
    if not isinstance(X, list | tuple):
        return None
    images = []
    for i, image in enumerate(X):
        try:
            images.append(np.asarray(image))
        except ValueError as error:
            raise ValueError(f"X[{i}] is no image (h, w) or (h, w, c): {error}") from error
    if not any(image.ndim > 1 for image in images):
        return None
    for i, image in enumerate(images):
        if (
            image.ndim not in (2, 3)
            or image.size == 0
            or (image.ndim == 3 and image.shape[2] not in (1, 3, 4))
        ):
            raise ValueError(
                f"X[{i}] must be an image (h, w) or (h, w, c) with c in 1, 3, 4, "
                f"got shape {image.shape}."
            )
    return [image if image.ndim == 3 else image[:, :, np.newaxis] for image in images]


def _check_ragged(images, shape):
    """Hold the images of a list to one number of channels and one kind of numbers."""
    rows = [
        check_array(image.reshape(1, -1), dtype=list(IMAGE_DTYPES), input_name=f"X[{i}]")
        for i, image in enumerate(images)
    ]
    images = [
        _drop_alpha(row.reshape(image.shape)) for row, image in zip(rows, images, strict=True)
    ]
    dtype = np.result_type(*{row.dtype for row in rows})
    channels = images[0].shape[2] if shape is None else shape[2]
    for i, image in enumerate(images):
        if image.shape[2] != channels:
            raise ValueError(
                f"X[{i}] has {image.shape[2]} channels, expected {channels} in every image."
            )
        if (image.dtype == np.uint8) != (images[0].dtype == np.uint8):
            raise ValueError(
                f"X[{i}] is {image.dtype}, X[0] is {images[0].dtype}: "
                "bytes (0 to 255) do not mix with other numbers."
            )
    return [image.astype(dtype, copy=False) for image in images], (None, None, channels)


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
    warnings.warn("X has an alpha channel, which is dropped.", UserWarning, stacklevel=2)
    return images[..., :3]


def shapes_of(images):
    """The shapes (h, w, c) of images."""
    return [image.shape for image in images]
