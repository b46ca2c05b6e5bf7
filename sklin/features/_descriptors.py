"""Descriptors of patches: what a patch is described by before it is compared with words.

A descriptor has

- `positions(h, w)`: rows and columns of patches in an image of this size, (0, 0) if none fits;
- `windows(images)`, (n, rows, columns, ...): the raw descriptors of all patches, as a view that
  overlaps itself and must not be written to;
- `normalize(raw)`: evens out raw descriptors (m, d) in place, up to a factor (m, 1) for each that
  is returned, since a linear map is cheaper to scale after it than before;
- `shape`: of one raw descriptor, with product d.
"""

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image
from sklearn.utils.random import sample_without_replacement

from ._hog import hog

CELLS, DIRECTIONS = 4, 8  # of SIFT: a patch has 4 x 4 cells of 8 directions
CLIP = 0.2

PIXELS_PER_SAMPLE = 1_000_000  # looked at together where patches are drawn


@dataclass
class Pixels:
    """The pixels of a patch, less their mean and divided by their standard deviation."""

    patch_shape: tuple
    stride: int
    epsilon: float = 0.0

    @property
    def shape(self):
        """(height, width, channels) of a patch."""
        return self.patch_shape

    def positions(self, h, w):
        """Rows and columns of patches in an image of h x w pixels."""
        ph, pw, _ = self.patch_shape
        fits = h >= ph and w >= pw
        return ((h - ph) // self.stride + 1, (w - pw) // self.stride + 1) if fits else (0, 0)

    def windows(self, images):
        """View all patches of images of one size.

        Parameters
        ----------
        images : ndarray of shape (n, h, w, c)
            The images.

        Returns
        -------
        windows : ndarray of shape (n, rows, columns, ph, pw * c)
            A view, no copy. rows = (h - ph) // stride + 1, columns likewise.
        """
        n, h, w, c = images.shape
        ph, pw, _ = self.patch_shape
        # A pixel's channels lie side by side: a patch is ph runs of pw * c numbers, copied as such.
        windows = sliding_window_view(images.reshape(n, h, w * c), (ph, pw * c), axis=(1, 2))
        return windows[:, :: self.stride, :: self.stride * c]

    def learn(self, raw, contrast_regularization):
        """Set epsilon, a share of the mean variance of the raw descriptors; 1 if that is 0."""
        self.epsilon = float(contrast_regularization * raw.var(axis=1).mean()) or 1.0

    def normalize(self, raw):
        """Subtract from each patch its mean, in place, and measure its contrast.

        Parameters
        ----------
        raw : ndarray of shape (m, d)
            float32 or float64; overwritten.

        Returns
        -------
        scale : ndarray of shape (m, 1)
            1 / sqrt(variance + epsilon): the normalised patches are `raw * scale`.
        """
        # The mean as a matrix product is 5 times faster than patches.mean(1). Leaving it in, since
        # the whitening is blind to it, and taking the variance as E[p^2] - E[p]^2 saves 1% of a
        # transform and costs three digits of float32.
        d = raw.shape[1]
        raw -= (raw @ np.full(d, 1 / d, raw.dtype))[:, np.newaxis]
        variance = np.einsum("md,md->m", raw, raw) / d
        return 1 / np.sqrt(variance + self.epsilon)[:, np.newaxis]


@dataclass
class SIFT:
    """Histograms of 8 gradient directions in the 4 x 4 cells of a patch, as of Lowe (2004).

    Dense and without interpolation or a Gaussian window, so that each cell is computed once and
    shared by all patches that it belongs to.
    """

    patch_shape: tuple
    stride: int
    epsilon: float = 0.0

    @property
    def shape(self):
        """(4, 4, 8)."""
        return CELLS, CELLS, DIRECTIONS

    @property
    def _cell(self):
        return self.patch_shape[0] // CELLS, self.patch_shape[1] // CELLS

    @property
    def _step(self):
        # At least one cell: a patch that was clipped may have cells higher than wide.
        return tuple(max(1, self.stride // side) for side in self._cell)

    def positions(self, h, w):
        """Rows and columns of patches in an image of h x w pixels."""
        counts = [
            (length // side - CELLS) // step + 1
            for length, side, step in zip((h, w), self._cell, self._step, strict=True)
        ]
        return tuple(counts) if min(counts) > 0 else (0, 0)

    def windows(self, images):
        """View the cells of all patches of images of one size.

        Parameters
        ----------
        images : ndarray of shape (n, h, w, c)
            The images.

        Returns
        -------
        windows : ndarray of shape (n, rows, columns, 4, 4, 8)
            A view of the histograms of all cells.
        """
        # A histogram for each cell, in strips: nothing is normalised yet.
        cells = hog(images, DIRECTIONS, self._cell, (1, 1), None, signed=True)
        shape = (length // side for length, side in zip(images.shape[1:3], self._cell, strict=True))
        cells = cells.reshape(len(images), *shape, DIRECTIONS)
        windows = sliding_window_view(cells, (CELLS, CELLS), axis=(1, 2))
        down, across = self._step
        return windows[:, ::down, ::across].transpose(0, 1, 2, 4, 5, 3)

    def learn(self, raw, contrast_regularization):
        """Set epsilon, a share of the mean squared length of the raw descriptors; 1 if 0."""
        self.epsilon = float(contrast_regularization * np.square(raw).sum(axis=1).mean()) or 1.0

    def normalize(self, raw):
        """Bring descriptors to unit length, clip them at 0.2, and to unit length again.

        Parameters
        ----------
        raw : ndarray of shape (m, d)
            float32 or float64; overwritten.

        Returns
        -------
        scale : ndarray of shape (m, 1)
            The descriptors are `raw * scale`. They are short where there is no contrast.
        """
        squares = np.einsum("md,md->m", raw, raw)
        raw *= (1 / np.sqrt(squares + self.epsilon))[:, np.newaxis]
        np.minimum(raw, CLIP, out=raw)
        contrast = squares / (squares + self.epsilon)
        lengths = np.sqrt(np.einsum("md,md->m", raw, raw))
        return (contrast / np.maximum(lengths, np.finfo(raw.dtype).tiny))[:, np.newaxis]


DESCRIPTORS = {"pixels": Pixels, "sift": SIFT}


class Dense:
    """All patches of images, at one or several scales.

    Parameters
    ----------
    descriptor : Pixels or SIFT
        What describes a patch.
    scales : sequence of floats
        By what factors images are shrunk.
    """

    def __init__(self, descriptor, scales):
        self.descriptor = descriptor
        self.scales = scales

    def positions(self, h, w):
        """For each scale the rows and columns of patches in an image of h x w pixels."""
        return [self.descriptor.positions(*shrunk_size(h, w, scale)) for scale in self.scales]

    def windows(self, images):
        """For each scale where a patch fits, the raw descriptors of images (n, h, w, c)."""
        for scale, positions in zip(self.scales, self.positions(*images.shape[1:3]), strict=True):
            if min(positions):
                yield self.descriptor.windows(shrink(images, scale))


def shrunk_size(h, w, scale):
    """Height and width of an image of h x w pixels that is shrunk by the factor `scale`."""
    return max(1, round(h / scale)), max(1, round(w / scale))


def shrink(images, scale):
    """Shrink images by averaging over boxes, as Pillow does.

    Parameters
    ----------
    images : ndarray of shape (n, h, w, c)
        Images of c = 1 or 3 channels.
    scale : float
        The factor, at least 1.

    Returns
    -------
    images : ndarray of shape (n, round(h / scale), round(w / scale), c)
        Of the same dtype. Bytes are rounded, floats computed in single precision.
    """
    if scale == 1:
        return images
    n, h, w, c = images.shape
    size = shrunk_size(h, w, scale)
    is_bytes = images.dtype == np.uint8
    shrunk = np.empty((n, *size, c), images.dtype)
    # Pillow takes three channels at once of bytes only.
    planes = images.transpose(0, 3, 1, 2) if c == 1 or not is_bytes else images[:, np.newaxis]
    for i, j in np.ndindex(planes.shape[:2]):
        plane = planes[i, j] if is_bytes else planes[i, j].astype(np.float32)
        picture = Image.fromarray(np.ascontiguousarray(plane))
        box = np.asarray(picture.resize(size[::-1], Image.Resampling.BOX))
        shrunk[i, ..., j : j + 1 if box.ndim == 2 else c] = box.reshape(*size, -1)
    return shrunk


def sample_descriptors(images, shapes, dense, n_patches, random_state):
    """Draw raw descriptors at random, every patch in every image equally likely and none twice.

    Parameters
    ----------
    images : ndarray of shape (n, h, w, c) or sequence of ndarrays of shape (h, w, c)
        The images. Of a sequence, only those are looked at of which a patch is drawn.
    shapes : sequence of n tuples (h, w, c)
        Their shapes.
    dense : Dense
        The patches.
    n_patches : int
        How many to draw. If there are fewer, all are taken.
    random_state : numpy.random.RandomState
        The source of chance.

    Returns
    -------
    raw : ndarray of shape (m, d)
        float64; m <= `n_patches`.

    Raises
    ------
    ValueError
        If no patch fits into any image.
    """
    # Sizes are few, images may be many.
    counts = {shape: [prod(p) for p in dense.positions(*shape[:2])] for shape in set(shapes)}
    edges = np.cumsum([0, *(sum(counts[shape]) for shape in shapes)])
    total = edges[-1]
    if total == 0:
        raise ValueError("X has no image into which a patch fits at any of the scales.")
    drawn = np.sort(
        sample_without_replacement(total, min(n_patches, total), random_state=random_state)
    )
    owner = np.searchsorted(edges, drawn, side="right") - 1
    step = max(1, PIXELS_PER_SAMPLE // prod(shapes[0][:2])) if isinstance(images, np.ndarray) else 1
    samples = []
    for start in np.unique(owner // step) * step:
        mine = slice(*np.searchsorted(owner, [start, start + step]))
        batch = images[start : start + step] if step > 1 else images[start][np.newaxis]
        image, position = owner[mine] - start, drawn[mine] - edges[owner[mine]]
        first = 0
        scales = [count for count in counts[shapes[start]] if count]
        for count, windows in zip(scales, dense.windows(batch), strict=True):
            here = (position >= first) & (position < first + count)
            index = np.unravel_index(position[here] - first, windows.shape[1:3])
            raw = windows[image[here], *index]
            samples.append(raw.reshape(len(raw), prod(dense.descriptor.shape)).astype(np.float64))
            first += count
    return np.concatenate(samples)
