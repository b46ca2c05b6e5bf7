"""Which way a picture's brightness rises at each pixel, and how steeply."""

from functools import lru_cache

import numpy as np

MOST_VIEWS = 1000  # images may be of as many sizes


class Workspace:
    """Arrays that are written to again and again.

    Fresh ones come from the operating system, which clears them: that is a third of the time.
    Where they begin in a cache line or page makes no difference: tried, less than 3%.
    """

    def __init__(self):
        self.buffers, self.arrays = {}, {}

    def array(self, name, size, dtype):
        """An array with any content. It is the same memory as the last one of its name."""
        key = name, size, dtype
        if key not in self.arrays:
            if len(self.arrays) == MOST_VIEWS:
                self.arrays.clear()
            n_bytes = size * np.dtype(dtype).itemsize
            if name not in self.buffers or len(self.buffers[name]) < n_bytes:
                self.buffers[name] = np.empty(n_bytes, np.uint8)
                # Views of the smaller buffer would keep it alive.
                self.arrays = {k: v for k, v in self.arrays.items() if k[0] != name}
            self.arrays[key] = self.buffers[name][:n_bytes].view(dtype)
        return self.arrays[key]


def pixel_votes(images, orientations, signed=False, workspace=None):
    r"""Compute the direction bin and the magnitude of every pixel's gradient.

    The gradient is the difference of the two neighbours along rows and columns,

    .. math:: g_y = x_{i+1, j} - x_{i-1, j}, \qquad g_x = x_{i, j+1} - x_{i, j-1},

    zero on the image's first and last row and column respectively, with y pointing down. In a
    colour image, the channel with the largest magnitude :math:`\sqrt{g_y^2 + g_x^2}` decides, the
    first one if they tie. Bin k holds the directions :math:`\mathrm{arctan2}(g_y, g_x)` modulo
    180 or 360 degrees from k, inclusive, to k + 1 times 180 or 360 / `orientations` degrees.

    Parameters
    ----------
    images : ndarray of shape (n, h, w, c)
        Images of uint8, float32 or float64. Values are not scaled.
    orientations : int
        Number of bins.
    signed : bool, default=False
        Whether the bins divide the full circle, so that an edge from dark to light differs from one
        from light to dark, or the half circle.
    workspace : Workspace, default=None
        Where to write. What is returned is then valid until its next use.

    Returns
    -------
    bins : ndarray of shape (n, h, w)
        The bins, 0 to `orientations` - 1, int32.
    magnitudes : ndarray of shape (n, h, w)
        The magnitudes; float64 for float64 images, otherwise float32.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.features._gradients import pixel_votes
    >>> rising = np.array([[0, 3, 6]] * 3)[np.newaxis, :, :, np.newaxis]
    >>> bins, magnitudes = pixel_votes(np.float32(6 - rising), orientations=4, signed=True)
    >>> int(bins[0, 1, 1]), float(magnitudes[0, 1, 1])
    (2, 6.0)
    """
    workspace = workspace or Workspace()
    gy, gx, squared = _strongest_gradients(images, workspace)
    if images.dtype == np.uint8:
        bins = _look_up(_table_of_bins(orientations, signed), gy, gx, workspace)
    else:
        bins = _bins(gy, gx, orientations, signed, workspace)
    return bins.reshape(images.shape[:3]), np.sqrt(squared, out=squared).reshape(images.shape[:3])


def pixel_positions(images, orientations, signed=False, workspace=None):
    """Compute the direction and the magnitude of every pixel's gradient.

    Parameters
    ----------
    images : ndarray of shape (n, h, w, c)
        Images of uint8, float32 or float64. Values are not scaled.
    orientations : int
        Number of bins on the circle.
    signed : bool, default=False
        Whether the bins divide the full circle or the half circle.
    workspace : Workspace, default=None
        Where to write. What is returned is then valid until its next use.

    Returns
    -------
    positions : ndarray of shape (n, h, w)
        The directions in units of a bin, from 0 to less than `orientations`: bin k of
        :func:`pixel_votes` is from k to k + 1. Of the dtype of the magnitudes.
    magnitudes : ndarray of shape (n, h, w)
        The magnitudes; float64 for float64 images, otherwise float32.
    """
    workspace = workspace or Workspace()
    gy, gx, squared = _strongest_gradients(images, workspace)
    if images.dtype == np.uint8:
        positions = _look_up(_table_of_positions(orientations, signed), gy, gx, workspace)
    else:
        exact = _positions(gy, gx, orientations, signed, workspace)
        exact += orientations * (exact < 0)
        positions = workspace.array("positions", exact.size, images.dtype)
        np.copyto(positions, exact, casting="same_kind")
        positions *= positions < orientations  # 180 degrees are 0, as is what is rounded up
    shape = images.shape[:3]
    return positions.reshape(shape), np.sqrt(squared, out=squared).reshape(shape)


def _strongest_gradients(images, workspace):
    """The gradient (gy, gx) of the channel where it is steepest, and its square, one a pixel.

    Bytes become int16, whose differences are exact, and squares float32, exact below 2^24.
    """
    n, h, w, channels = images.shape
    of_bytes = images.dtype == np.uint8
    dtype, squared_dtype = (np.int16, np.float32) if of_bytes else (images.dtype,) * 2
    size = n * h * w

    def array(name, dtype):
        return workspace.array(name, size, dtype)

    for k in range(channels):
        # From (n, h, w, 3) straight to int16 takes 0.6 ns a pixel, by way of bytes 0.45.
        x = array("plane", images.dtype)
        np.copyto(x.reshape(n, h, w), images[..., k])
        if of_bytes:
            np.copyto(wide := array("wide plane", dtype), x)
            x = wide
        kind = "best" if k == 0 else "next"
        gy, gx = array(f"{kind} gy", dtype), array(f"{kind} gx", dtype)
        # In one piece, across the ends of rows and images: 0.1 ns a pixel. Row by row it is 0.8
        # where rows have 32.
        np.subtract(x[2 * w :], x[: -2 * w], out=gy[w:-w])
        np.subtract(x[2:], x[:-2], out=gx[1:-1])
        rows, columns = gy.reshape(n, h, w), gx.reshape(n, h, w)
        rows[:, 0] = rows[:, -1] = 0
        columns[..., 0] = columns[..., -1] = 0
        squared, part = array(f"{kind} squared", squared_dtype), array("part", squared_dtype)
        if of_bytes:
            # 255^2 fits into 16 bits without a sign; int32 or float32 take twice as long.
            square = array("square", np.uint16)
            for g, out in ((gy, squared), (gx, part)):
                np.multiply(g.view(np.uint16), g.view(np.uint16), out=square)
                np.copyto(out, square)
        else:
            np.multiply(gy, gy, out=squared)
            np.multiply(gx, gx, out=part)
        squared += part
        if k == 0:
            best = gy, gx, squared
            continue
        # Masks of bits: np.where takes 6 ns a pixel, its branches being random.
        steeper = np.greater(squared, best[2], out=array("steeper", np.bool_))
        mask = array("mask", f"i{gy.itemsize}")
        np.copyto(mask, steeper)
        np.negative(mask, out=mask)
        for have, new in zip(best, (gy, gx), strict=False):
            have, new = have.view(mask.dtype), new.view(mask.dtype)
            new ^= have
            new &= mask
            have ^= new
        np.maximum(best[2], squared, out=best[2])
    return best


def _positions(gy, gx, orientations, signed, workspace):
    """Directions in units of a bin, float64, from minus to plus a half or full turn."""
    positions = workspace.array("angles", gy.size, np.float64)
    # Exact where the angle is a multiple of 45 degrees, the only ones that edges of bins meet
    # exactly. np.rad2deg and % do the same and take 1.9 and 24 ns a pixel.
    np.arctan2(gy, gx, out=positions, dtype=np.float64)
    positions *= 180 / np.pi
    positions *= orientations
    positions /= 360 if signed else 180
    return positions


def _bins(gy, gx, orientations, signed, workspace):
    """Bins of directions, int32."""
    positions = _positions(gy, gx, orientations, signed, workspace)
    bins = workspace.array("bins", gy.size, np.int32)
    np.copyto(bins, np.floor(positions, out=positions), casting="unsafe")
    negative = np.right_shift(bins, 31, out=workspace.array("negative", gy.size, np.int32))
    negative &= orientations
    bins += negative
    bins *= bins < orientations  # 180 degrees are 0
    return bins


def _byte_differences():
    """All pairs of differences of two bytes, in the order of `_look_up`."""
    g = np.arange(-255.0, 257.0)  # 512 columns, so that the index is a shift and a sum
    return np.meshgrid(g[:-1], g, indexing="ij")


def _look_up(table, gy, gx, workspace):
    index = workspace.array("index", gy.size, np.int32)
    np.copyto(index, gy)
    index *= 512
    index += gx
    index += 255 * 512 + 255
    wide = workspace.array("wide index", gy.size, np.intp)
    np.copyto(wide, index)
    # mode="wrap" never wraps here; the default copies its output once more, at twice the time.
    out = workspace.array("found", gy.size, table.dtype)
    return table.take(wide, mode="wrap", out=out)


@lru_cache(maxsize=8)
def _table_of_bins(orientations, signed):
    """The bin of every pair of byte differences, by scikit-image's own arithmetic, so that edges
    fall the same way: no arctan2 a pixel."""
    turn = 360 if signed else 180
    degrees = np.rad2deg(np.arctan2(*_byte_differences())) % turn
    edges = turn / orientations * np.arange(orientations)
    table = (np.searchsorted(edges, degrees.ravel(), side="right") - 1).astype(np.int32)
    table.flags.writeable = False
    return table


@lru_cache(maxsize=8)
def _table_of_positions(orientations, signed):
    gy, gx = _byte_differences()
    table = _positions(gy.ravel(), gx.ravel(), orientations, signed, Workspace())
    table += orientations * (table < 0)
    table = table.astype(np.float32)
    table[table >= orientations] = 0  # 180 degrees are 0, as is what is rounded up
    table.flags.writeable = False
    return table
