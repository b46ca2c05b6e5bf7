"""Histograms of oriented gradients: which way do the edges run, and where."""

import numpy as np
from scipy.sparse import csr_array

from ._gradients import MAX_ORIENTATIONS, SharedVotes, VotesOfBytes, VotesOfFloats
from ._parameters import check_bool, check_choice, check_integer, check_pair, check_positive
from ._transformer import ImageTransformer

BLOCK_NORMS = ("L1", "L1-sqrt", "L2", "L2-Hys", None)
EPSILON = 1e-5  # scikit-image's, which keeps a block without edges at zero

# Scratch memory of 40 bytes a pixel and the table of votes share a core's cache of two megabytes.
PIXELS_PER_STRIP = 32_000


def hog(
    images,
    orientations=9,
    pixels_per_cell=(8, 8),
    cells_per_block=(2, 2),
    block_norm="L2-Hys",
    grid=None,
    signed=False,
    voting="nearest",
    block_sigma=None,
):
    r"""Compute histograms of oriented gradients of a batch of images of one size.

    Every pixel has a gradient, the difference of its two neighbours along rows and columns,

    .. math:: g_y = x_{i+1, j} - x_{i-1, j}, \qquad g_x = x_{i, j+1} - x_{i, j-1},

    taken as zero on the image's first and last row and column respectively. The pixel votes with
    its magnitude :math:`\sqrt{g_y^2 + g_x^2}` for the bin of its direction :math:`\arctan(g_y /
    g_x)`, one of `orientations` equal parts of the half circle, lower edge inside. The histogram
    of a cell is the mean of the votes of its pixels. Cells that are neighbours form blocks, which
    overlap, one starting at every cell, and every block v is normalised:

    - "L1": :math:`v / (\|v\|_1 + \epsilon)`;
    - "L1-sqrt": the square root of this;
    - "L2": :math:`v / \sqrt{\|v\|_2^2 + \epsilon^2}`;
    - "L2-Hys": "L2", clipped at 0.2, and "L2" again;
    - None: v.

    In a colour image, the channel with the largest magnitude votes, the first one if they tie.

    With ``signed=True`` the direction is that of the vector :math:`(g_x, g_y)`, one of equal parts
    of the full circle, counted from growing columns to growing rows: dark left of bright differs
    from bright left of dark. With ``voting="linear"`` a pixel whose direction lies between the
    centres of two bins, at a share f of the way, votes with 1 - f and f of its magnitude; the last
    bin is beside the first. With a `block_sigma` of :math:`\sigma` a pixel counts in a block with
    :math:`e^{-\|t\|^2 / 2 \sigma^2}`, t its distance from the block's centre in block lengths.

    Parameters
    ----------
    images : ndarray of shape (n, h, w, c)
        Images of c = 1 or 3 channels, as :func:`~sklin.features._images.check_images` returns
        them. Values are not scaled.
    orientations : int, default=9
        Number of direction bins, at most 4096.
    pixels_per_cell : tuple of 2 ints, default=(8, 8)
        Height and width of a cell in pixels. Pixels that are left over at the bottom and right
        edges vote in no cell. An image smaller than a cell is enlarged to one cell by repeating
        its border.
    cells_per_block : tuple of 2 ints, default=(2, 2)
        Height and width of a block in cells. A block never exceeds the cells that there are.
    block_norm : {"L1", "L1-sqrt", "L2", "L2-Hys"} or None, default="L2-Hys"
        Normalisation of a block; None for none.
    grid : tuple of 2 ints, default=None
        If given, an image of any size is divided into this many rows and columns of cells, as
        equal as whole pixels allow, in place of cells of `pixels_per_cell`.
    signed : bool, default=False
        Whether opposite directions differ.
    voting : {"nearest", "linear"}, default="nearest"
        Whether a pixel votes for the bin of its direction, or for the two nearest ones.
    block_sigma : float, default=None
        Width of the Gaussian window over each block, in block lengths; None for none.

    Returns
    -------
    features : ndarray of shape (n, n_features)
        For each image, ordered by block row, block column, cell row within the block, cell column,
        orientation. float64 for float64 images, otherwise float32.

    Notes
    -----
    On bytes this equals :func:`skimage.feature.hog` to a relative 1e-6, the rounding of float32.
    On float images it does too, except where two channels or a bin's edge are so near that
    rounding decides.

    References
    ----------
    .. [1] N. Dalal and B. Triggs, "Histograms of oriented gradients for human detection", CVPR
       2005.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.features._hog import hog
    >>> ramp = np.tile(np.arange(16, dtype=np.uint8), (16, 1))[np.newaxis, ..., np.newaxis]
    >>> hog(ramp, orientations=4, cells_per_block=(1, 1), block_norm=None).reshape(2, 2, 4)[0, 0]
    array([1.75, 0.  , 0.  , 0.  ], dtype=float32)
    """
    need_h, need_w = pixels_per_cell if grid is None else grid
    missing = max(0, need_h - images.shape[1]), max(0, need_w - images.shape[2])
    if any(missing):
        images = np.pad(images, [(0, 0), *((0, m) for m in missing), (0, 0)], mode="edge")
    h, w = images.shape[1:3]
    if grid is None:
        rows, columns = np.arange(0, h + 1, need_h), np.arange(0, w + 1, need_w)
    else:
        rows, columns = np.arange(need_h + 1) * h // need_h, np.arange(need_w + 1) * w // need_w
    block = tuple(
        min(size, len(edges) - 1)
        for size, edges in zip(cells_per_block, (rows, columns), strict=True)
    )

    def windows(*weights):
        cells = cell_histograms(
            images, rows, columns, orientations, *weights, signed=signed, voting=voting
        )
        return _windows(cells, block)

    if block_sigma is None:
        v = windows()
    else:
        # A pixel counts the less the farther it is from the centre of the block: each cell has a
        # histogram for each of its places in a block.
        downs, acrosses = (
            [_gaussian(edges, i, size, block_sigma) for i in range(size)]
            for edges, size in zip((rows, columns), block, strict=True)
        )
        places = [
            [windows(down, across)[..., i, j, :] for j, across in enumerate(acrosses)]
            for i, down in enumerate(downs)
        ]
        v = np.stack([np.stack(row, axis=-2) for row in places], axis=-3)
    # A copy where blocks overlap, since they are normalised in place.
    v = np.ascontiguousarray(v).reshape(*v.shape[:3], -1)
    _normalize(v, block_norm)
    return v.reshape(len(images), -1)


def cell_histograms(
    images,
    rows,
    columns,
    orientations,
    row_weights=None,
    column_weights=None,
    *,
    signed=False,
    voting="nearest",
):
    """Compute the mean votes of the pixels of each cell.

    Parameters
    ----------
    images : ndarray of shape (n, h, w, c)
        Images of c = 1 or 3 channels.
    rows, columns : ndarray of shape (n_rows + 1,) and (n_columns + 1,)
        Where cells begin, and where the last ones end.
    orientations : int
        Number of direction bins.
    row_weights, column_weights : ndarray of shape (rows[-1],) and (columns[-1],), default=None
        Factors of the votes.
    signed : bool, default=False
        Whether bins share the full circle, counted from the direction of growing columns to that
        of growing rows, instead of the half circle.
    voting : {"nearest", "linear"}, default="nearest"
        Whether a pixel votes for one bin or for two.

    Returns
    -------
    cells : ndarray of shape (n, n_rows, n_columns, orientations)
        float64 for float64 images, otherwise float32.
    """
    n, _, w, _ = images.shape
    dtype = np.float64 if images.dtype == np.float64 else np.float32
    if images.dtype != np.uint8:
        kind = VotesOfFloats if voting == "nearest" else SharedVotes
    elif voting == "nearest":
        kind = VotesOfBytes
    else:
        kind = SharedVotes
    cells = np.zeros((n, len(rows) - 1, len(columns) - 1, orientations), dtype)
    scratch = {}
    for some, top, bottom in _strips(n, rows, w):
        batch = images[some]
        size = len(batch), bottom - top, w
        if size not in scratch:
            scratch[size] = _Histograms(kind(size, dtype, orientations, signed), columns)
        runs = scratch[size].add_up(batch, top, bottom, column_weights)
        if row_weights is not None:
            runs *= row_weights[top:bottom, np.newaxis].astype(dtype)
        first, last = np.searchsorted(rows, top, side="right") - 1, np.searchsorted(rows, bottom)
        # Either a band of whole cells or a part of one.
        starts = np.maximum(rows[first:last], top) - top
        heights = np.diff(starts, append=bottom - top)
        if (heights == heights[0]).all():  # six times faster than reduceat
            sums = np.einsum("nyrk->nyk", runs.reshape(len(batch), len(starts), heights[0], -1))
        else:
            sums = np.add.reduceat(runs, starts, axis=1)
        cells[some, first:last] += sums.reshape(len(batch), len(starts), -1, orientations)
    cells /= np.multiply.outer(np.diff(rows), np.diff(columns))[..., np.newaxis]
    return cells


def _strips(n, rows, w):
    """Slices of images and rows from `top` to `bottom`, of about PIXELS_PER_STRIP pixels each.

    A strip holds whole cells, or lies within one that is larger.
    """
    height = int(rows[-1])
    # Strips of one size, since each size has its own scratch memory.
    most_images = max(1, PIXELS_PER_STRIP // (height * w))
    images_step = -(-n // -(-n // most_images))
    most = max(1, PIXELS_PER_STRIP // w)
    for start in range(0, n, images_step):
        top = 0
        while top < height:
            fits = rows[np.searchsorted(rows, top + most, side="right") - 1]
            end = rows[np.searchsorted(rows, top, side="right")]
            bottom = int(fits if fits > top else min(end, top + most))
            yield slice(start, start + images_step), top, bottom
            top = bottom


class _Histograms:
    """Adds up the votes of each run of pixels in one row of a cell.

    A run is one row of a sparse matrix (bin, magnitude); a dense matrix adds up its duplicates. Per
    pixel 1.0 ns, where np.bincount takes 1.5 and an index array besides. The matrix is made once
    for all strips of one size: to make it takes as long as to use it.
    """

    def __init__(self, votes, columns):
        self.votes = votes
        self.n_columns = len(columns) - 1
        n, rows, w = votes.shape
        # Pixels that are left over at the right edge are a run of their own.
        starts = columns if columns[-1] < w else columns[:-1]
        starts = np.add.outer(np.arange(n * rows) * w, starts).ravel()
        pointers = (np.append(starts, n * rows * w) * votes.votes_per_pixel).astype(np.int32)
        self.matrix = csr_array(
            (votes.magnitudes.ravel(), votes.bins.ravel(), pointers),
            shape=(len(starts), votes.orientations),
        )
        self.runs = np.empty(self.matrix.shape, votes.magnitudes.dtype)

    def add_up(self, images, top, bottom, column_weights):
        """Histograms (n, bottom - top, n_columns * orientations), overwritten by the next call."""
        votes = self.votes
        n, rows, w = votes.shape
        votes.cast(images, top, bottom)
        if column_weights is not None:
            magnitudes = votes.magnitudes.reshape(n * rows, w, votes.votes_per_pixel)
            weights = column_weights[:, np.newaxis].astype(magnitudes.dtype)
            magnitudes[:, : len(weights)] *= weights
        self.matrix.data, self.matrix.indices = votes.magnitudes.ravel(), votes.bins.ravel()
        self.matrix.toarray(out=self.runs)
        runs = self.runs.reshape(n, rows, -1)
        return runs[:, 1:-1, : self.n_columns * votes.orientations]


def _gaussian(edges, i, n_cells, sigma):
    """The weights of pixels whose cell is the i-th of the cells of its block.

    With t the distance from the centre of the block in block lengths, exp(-t^2 / (2 sigma^2)).
    """
    position = np.arange(edges[-1]) + 0.5
    cell = np.searchsorted(edges, position, side="right") - 1
    inside = (position - edges[cell]) / np.diff(edges)[cell]  # from 0 to 1
    t = (inside + i) / n_cells - 0.5
    return np.exp(-(t**2) / (2 * sigma**2))


def _windows(cells, block):
    """All overlapping blocks of cells: n, block row, block column, row, column, bin."""
    windows = np.lib.stride_tricks.sliding_window_view(cells, block, (1, 2), writeable=True)
    return windows.transpose(0, 1, 2, 4, 5, 3)


def _normalize(v, block_norm):
    """Normalise blocks, which lie along the last axis of `v`, in place."""
    if block_norm in ("L1", "L1-sqrt"):
        v /= v.sum(axis=-1, keepdims=True) + EPSILON  # no votes are negative
        if block_norm == "L1-sqrt":
            np.sqrt(v, out=v)
    elif block_norm is not None:
        v /= _length(v)
        if block_norm == "L2-Hys":
            np.minimum(v, 0.2, out=v)
            v /= _length(v)


def _length(v):
    return np.sqrt(np.einsum("...i,...i", v, v) + v.dtype.type(EPSILON**2))[..., np.newaxis]


class HOG(ImageTransformer):
    """Histograms of oriented gradients as a transformer.

    The image is divided into cells; each holds a histogram of the directions of its edges,
    weighted by their strength; blocks of neighbouring cells are normalised against differences of
    lighting [1]_. The equations are in :func:`~sklin.features._hog.hog`. By default the result
    equals that of :func:`skimage.feature.hog`.

    Parameters
    ----------
    orientations : int, default=9
        Number of direction bins, at most 4096.
    pixels_per_cell : tuple of 2 ints, default=(8, 8)
        Height and width of a cell in pixels. An image smaller than a cell is enlarged to one cell
        by repeating its border.
    cells_per_block : tuple of 2 ints, default=(2, 2)
        Height and width of a block in cells. A block never exceeds the cells that there are.
    block_norm : {"L1", "L1-sqrt", "L2", "L2-Hys"} or None, default="L2-Hys"
        Normalisation of a block; None for none.
    grid : tuple of 2 ints, default=None
        If given, images are divided into this many rows and columns of cells instead of cells of
        `pixels_per_cell`, so that images of any size give rows of one length. (1, 1) is one
        histogram of the whole image.
    signed : bool, default=False
        Whether opposite directions differ: bins over the full circle.
    voting : {"nearest", "linear"}, default="nearest"
        Whether a pixel votes for the bin of its direction, or is shared between the two nearest.
    block_sigma : float, default=None
        Width of the Gaussian window over each block, in block lengths; None for none.
    image_shape : tuple, default=None
        Shape (h, w) or (h, w, c) of the images if they come as flattened rows. None takes it from
        the images; flattened rows are then grey squares or strips of height 1.
    n_jobs : int, default=None
        Number of threads; None means 1 and -1 all processors.
    verbose : bool, default=False
        Whether `transform` says on stderr how far it is, if it takes longer than two seconds.

    Attributes
    ----------
    image_shape_ : tuple
        The (h, w, c) of the images seen in `fit`, or (None, None, c) if `grid` is set and they
        came as a list.
    n_features_in_ : int
        h * w * c. Not set if the images may be of any size.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, if `fit` saw a data frame.

    Raises
    ------
    TypeError
        In `fit`, if a parameter has the wrong type.
    ValueError
        In `fit` and `transform`, if a parameter or an image is not as described, or if images
        differ in size and `grid` is None.

    See Also
    --------
    skimage.feature.hog : One image at a time, with a picture of the result.
    ColorHistogram : Which colours, regardless of where.

    Notes
    -----
    Three versions have names:

    - scikit-image's is the default;
    - the lecture's, 8 x 8 pixels a cell, 9 directions, 320 x 240 pixels to 10,800 numbers, is
      ``HOG(cells_per_block=(1, 1), block_norm=None)``;
    - that of Dalal and Triggs, who share votes between directions and weight the pixels of a block
      by a Gaussian half as wide as the block, is ``HOG(voting="linear", block_sigma=0.5)``. They
      share votes between neighbouring cells, too, which is left out here: cells are then computed
      once and serve all blocks.

    A photograph is worked through in bands of rows: whatever its size, the memory needed beside
    the features is that of a few megabytes.

    References
    ----------
    .. [1] N. Dalal and B. Triggs, "Histograms of oriented gradients for human detection", CVPR
       2005.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.features import HOG
    >>> images = np.random.default_rng(0).integers(0, 256, (2, 240, 320, 3), dtype=np.uint8)
    >>> HOG(cells_per_block=(1, 1), block_norm=None).fit_transform(images).shape
    (2, 10800)
    >>> sizes = [images[0], images[1, :100, :50]]
    >>> HOG(grid=(4, 4)).fit_transform(sizes).shape
    (2, 324)
    """

    def __init__(
        self,
        orientations=9,
        pixels_per_cell=(8, 8),
        cells_per_block=(2, 2),
        block_norm="L2-Hys",
        grid=None,
        signed=False,
        voting="nearest",
        block_sigma=None,
        image_shape=None,
        n_jobs=None,
        verbose=False,
    ):
        self.orientations = orientations
        self.pixels_per_cell = pixels_per_cell
        self.cells_per_block = cells_per_block
        self.block_norm = block_norm
        self.grid = grid
        self.signed = signed
        self.voting = voting
        self.block_sigma = block_sigma
        self.image_shape = image_shape
        self.n_jobs = n_jobs
        self.verbose = verbose

    # Many strips, for which scratch memory is made once.
    _pixels_per_chunk = 1_000_000

    @property
    def _one_size(self):
        return "set grid=(rows, columns) to use images of any size" if self.grid is None else None

    def _check_params(self):
        check_integer("orientations", self.orientations)
        if self.orientations > MAX_ORIENTATIONS:
            raise ValueError(
                f"orientations must be at most {MAX_ORIENTATIONS}, got {self.orientations}."
            )
        check_pair("pixels_per_cell", self.pixels_per_cell)
        check_pair("cells_per_block", self.cells_per_block)
        check_choice("block_norm", self.block_norm, BLOCK_NORMS)
        if self.grid is not None:
            check_pair("grid", self.grid)
        check_bool("signed", self.signed)
        check_choice("voting", self.voting, ("nearest", "linear"))
        if self.block_sigma is not None:
            check_positive("block_sigma", self.block_sigma)

    def _features(self, images):
        return hog(
            images,
            self.orientations,
            self.pixels_per_cell,
            self.cells_per_block,
            self.block_norm,
            self.grid,
            self.signed,
            self.voting,
            self.block_sigma,
        )
