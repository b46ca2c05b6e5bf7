"""Colour spaces: red, green and blue to coordinates between 0 and 1, exact for bytes."""

from functools import lru_cache

import numpy as np

POWERS_OF_TWO = [2**k for k in range(9)]

# CIELAB's a and b run from -A_B_LIMIT to A_B_LIMIT; those of RGB colours reach -107.9 to 98.3.
A_B_LIMIT = 110

# Linear light to X / X_n, Y / Y_n and Z / Z_n: scikit-image's matrix and white point, D65 at 2
# degrees. Their digits differ, so that the a of a grey is -0.0026 f(Y), and the b 0.0047 f(Y).
LIGHT_TO_XYZ = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
) / np.array([[0.95047], [1.0], [1.08883]])
# f is a line below this and the cube root above.
LINE_END, LINE_SLOPE = 0.008856, 7.787


def coordinates(images, color_space):
    """Compute the coordinates of every pixel as fractions.

    Parameters
    ----------
    images : ndarray of shape (n, h, w, c)
        Images of 1 or 3 channels: bytes, or floats, which are clipped to [0, 1].
    color_space : {"hue", "hsv", "rgb", "opponent", "lab"}
        The coordinates. Their equations are in
        :func:`~sklin.features._color_histogram.color_histogram`.

    Returns
    -------
    fractions : list of pairs (numerator, denominator)
        One pair a coordinate; numerators are arrays (n, h, w), denominators arrays or numbers.
        Their quotient is between 0 and 1, up to rounding; 0 / 0 stands for 0. Bytes give exact
        integers, but for "lab", which gives float32; floats keep their type.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.features._color_spaces import coordinates
    >>> orange = np.array([[[[255, 85, 0]]]], dtype=np.uint8)
    >>> [(numerator, denominator)] = coordinates(orange, "hue")
    >>> numerator.item(), denominator.item()
    (85, 1530)
    """
    planes = _planes(images)
    if color_space == "lab":
        return _lab(planes)
    is_bytes = planes.dtype == np.uint8
    # Channels first in memory: on interleaved ones, the arithmetic below takes four times as long.
    if not is_bytes:
        planes = planes.clip(0, 1, dtype=planes.dtype, order="C")
    elif color_space == "rgb":
        planes = np.ascontiguousarray(planes)
    else:
        planes = planes.astype(np.int16, order="C")
    return _COORDINATES[color_space](*planes, 255 if is_bytes else 1)


def nearest_bins(images, sizes, color_space):
    """Compute the bin of every coordinate of every pixel.

    Parameters
    ----------
    images : ndarray of shape (n, h, w, c)
        Images as :func:`coordinates` takes them.
    sizes : list of 1 or 3 ints
        Number of bins of each coordinate.
    color_space : {"hue", "hsv", "rgb", "opponent", "lab"}
        The coordinates.

    Returns
    -------
    indices : list of ndarrays of shape (n, h, w)
        floor(size * x) of each coordinate x, size - 1 for x = 1. Integers of any type; exact for
        bytes, but for "lab".

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.features._color_spaces import nearest_bins
    >>> orange = np.array([[[[255, 85, 0]]]], dtype=np.uint8)
    >>> [index.item() for index in nearest_bins(orange, [36, 4, 4], "hsv")]
    [2, 3, 3]
    """
    if images.dtype != np.uint8 or color_space not in ("hue", "hsv"):
        fractions = coordinates(images, color_space)
        return [_bin(*fraction, size) for fraction, size in zip(fractions, sizes, strict=True)]
    r, g, b = _planes(images).astype(np.int16, order="C")
    # Hue depends on differences alone: one look-up in place of 25 operations and a division.
    index = np.multiply(r - g, 511, dtype=np.int32)
    index += g - b
    index += 255 * 511 + 255
    hue = _hue_table(sizes[0]).take(index.astype(np.intp))
    if color_space == "hue":
        return [hue]
    high, delta = _high_and_delta(r, g, b)
    return [hue, _bin(delta, high, sizes[1]), _bin(high, 255, sizes[2])]


def _planes(images):
    if images.shape[3] == 1:
        images = images.repeat(3, axis=3)
    return images.transpose(3, 0, 1, 2)


@lru_cache(maxsize=8)
def _hue_table(bins):
    """The bin of the hue of bytes that differ by r - g and g - b, each from -255 to 255."""
    difference = np.arange(-255, 256, dtype=np.int16)
    r, g, b = difference[:, np.newaxis], np.int16(0), -difference
    index = _bin(*_hue_fraction(r, g, b, *_high_and_delta(r, g, b)), bins)
    table = index.astype(np.min_scalar_type(bins)).ravel()
    table.flags.writeable = False
    return table


def _rgb(r, g, b, white):
    return [(r, white), (g, white), (b, white)]


def _opponent(r, g, b, white):
    difference, total = r - g, r + g
    return [
        (difference + white, 2 * white),
        (total - 2 * b + 2 * white, 4 * white),
        (total + b, 3 * white),
    ]


def _high_and_delta(r, g, b):
    high = np.maximum(np.maximum(r, g), b)
    return high, high - np.minimum(np.minimum(r, g), b)


def _hue(r, g, b, white):
    return [_hue_fraction(r, g, b, *_high_and_delta(r, g, b))]


def _hsv(r, g, b, white):
    high, delta = _high_and_delta(r, g, b)
    return [_hue_fraction(r, g, b, high, delta), (delta, high), (high, white)]


def _hue_fraction(r, g, b, high, delta):
    is_r = high == r
    is_g = (high == g) > is_r
    is_b = ~(is_r | is_g)
    # Products, not np.where: the branches of real pixels are random, and five times slower.
    hue = is_r * (g - b) + is_g * (b - r + 2 * delta) + is_b * (r - g + 4 * delta)
    whole = 6 * delta
    hue += (hue < 0) * whole
    return hue, whole


_COORDINATES = {"hue": _hue, "hsv": _hsv, "rgb": _rgb, "opponent": _opponent}


def _linear_light(v):
    return np.where(v > 0.04045, ((v + 0.055) / 1.055) ** 2.4, v / 12.92)


def _lab(planes):
    # A table of the bins of all 2^24 colours takes 0.4 s and 16 MB, and then 8 ns a pixel of a
    # photograph in place of 20, 16 where colours are random: it pays from 30,000 thumbnails on.
    shape = planes.shape
    if planes.dtype == np.uint8:
        table = _linear_light(np.arange(256) / 255).astype(np.float32)
        light = np.empty((3, planes[0].size), dtype=np.float32)
        for plane, out in zip(planes, light, strict=True):
            # mode="clip" never clips here; the default copies its output once more.
            table.take(plane.ravel().astype(np.intp), mode="clip", out=out)
    else:
        light = _linear_light(planes.reshape(3, -1).clip(0, 1))
    f = LIGHT_TO_XYZ.astype(light.dtype) @ light
    # The curve at the larger of t and the line's end, plus the slope times what t lacks: no choice
    # by pixel. Where it is a line, this is 3e-7 above scikit-image's, which misses the curve's end.
    curve = np.maximum(f, light.dtype.type(LINE_END), out=light)
    f -= curve
    f *= LINE_SLOPE
    f += np.cbrt(curve, out=curve)
    x, y, z = f
    x -= y
    np.subtract(y, z, out=z)
    for plane, scale, shift in (
        (x, 500 / (2 * A_B_LIMIT), 0.5),
        (y, 116 / 100, -16 / 100),
        (z, 200 / (2 * A_B_LIMIT), 0.5),
    ):
        plane *= scale
        plane += shift
    return [(plane.reshape(shape[1:]), 1) for plane in (y, x, z)]


def _bin(numerator, denominator, bins):
    """The bin floor(bins * numerator / denominator), the last one for 1, the first for 0 / 0.

    Exact for integers, although they divide in floating point where denominators differ, four
    times faster than `//`: a whole quotient comes out whole, any other is 1 / b or more below the
    next whole number, b is at most 6 * 255, and so float32 rounds none up with up to 1,024 bins.
    """
    exact = numerator.dtype.kind != "f"
    if exact and isinstance(denominator, int):
        if numerator.dtype == np.uint8 and bins in POWERS_OF_TWO:
            # The same, in a third of the time.
            return numerator >> (8 - POWERS_OF_TWO.index(bins))
        dtype = np.min_scalar_type(denominator * bins)
        index = np.multiply(numerator, bins, dtype=dtype, casting="unsafe")
        index //= denominator
        index -= index == bins  # four times faster than np.minimum
        return index
    dtype = numerator.dtype
    if exact:
        dtype = np.float32 if bins <= 1024 else np.float64
    position = np.multiply(numerator, bins, dtype=dtype)
    if not isinstance(denominator, int) or denominator > 1:
        position /= denominator + (denominator == 0)
    index = position.astype(np.int32)
    return index.clip(0, bins - 1, out=index)
