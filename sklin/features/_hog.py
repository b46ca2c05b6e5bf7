"""Histograms of oriented gradients: which way do the edges run, and where."""

import numpy as np

from ._cells import PlainBlocks, WeightedBlocks, normalised_rows
from ._images import check_squares
from ._parameters import check_bool, check_choice, check_integer, check_pair, check_positive
from ._transformer import ImageTransformer

BLOCK_NORMS = ("L1", "L1-sqrt", "L2", "L2-Hys", None)
VOTING = ("nearest", "linear")
MAX_ORIENTATIONS = 4096


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

    taken as zero on the image's first and last row and column respectively; y points down. The
    pixel votes with its magnitude :math:`\sqrt{g_y^2 + g_x^2}` for the bin of its direction
    :math:`\mathrm{arctan2}(g_y, g_x)`, one of `orientations` equal parts of the half circle, or of
    the full circle if `signed`, lower edge inside. The histogram of a cell is the sum of the votes
    of its pixels, divided by their number. Cells that are neighbours form blocks, which overlap,
    one starting at every cell, and every block v is normalised:

    - "L1": :math:`v / (\|v\|_1 + \epsilon)`;
    - "L1-sqrt": the square root of this;
    - "L2": :math:`v / \sqrt{\|v\|_2^2 + \epsilon^2}`;
    - "L2-Hys": "L2", clipped at 0.2, and "L2" again;
    - None: v.

    In a colour image, the channel with the largest magnitude votes, the first one if they tie.

    With ``voting="linear"``, a vote is shared between the two bins and the two by two cells of the
    block whose centres are nearest,

    .. math:: \max\left(0, 1 - \frac{|\theta - \theta_k|}{\Delta\theta}\right)
       \max\left(0, 1 - \frac{|y - y_r|}{\Delta y}\right)
       \max\left(0, 1 - \frac{|x - x_c|}{\Delta x}\right),

    where :math:`\Delta` is the distance of the two centres. Bins close the circle; what would fall
    to cells beyond the block is lost. With `block_sigma` = s, every vote in a block of H x W pixels
    with centre :math:`(\bar y, \bar x)` counts

    .. math:: \exp\left(-\frac{(y - \bar y)^2}{2 s^2 H^2} - \frac{(x - \bar x)^2}{2 s^2 W^2}\right).

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
        Whether bins divide the full circle, so that an edge from dark to light differs from one
        from light to dark, or the half circle.
    voting : {"nearest", "linear"}, default="nearest"
        Whether a pixel votes for one bin of one cell, or shares its vote between neighbouring ones.
    block_sigma : float, default=None
        Standard deviation of a Gaussian window over each block, as a part of the block's height
        and width; None for no window.

    Returns
    -------
    features : ndarray of shape (n, n_features)
        For each image, ordered by block row, block column, cell row within the block, cell column,
        orientation. float64 for float64 images, otherwise float32.

    Notes
    -----
    By default, on bytes, this equals :func:`skimage.feature.hog` to 1e-6, the rounding of float32.
    On float images it does too, except where two channels or a bin's edge are so near that
    rounding decides. Squares of magnitudes must not overflow: values are below 1e19 for float32.

    Images are worked off in strips: besides the result and the cells' histograms, 30 MB are enough
    for 12 megapixels. A row of the result is the same to the last bit in any batch.

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
    n, h, w, _ = images.shape
    rows, columns = cell_edges((h, w), pixels_per_cell, grid)
    missing = max(0, rows[-1] - h), max(0, columns[-1] - w)
    if any(missing):
        images = np.pad(images, [(0, 0), *((0, m) for m in missing), (0, 0)], mode="edge")
    shape = len(rows) - 1, len(columns) - 1
    block = tuple(map(int, np.minimum(cells_per_block, shape)))
    if voting == "nearest" and block_sigma is None:
        blocks = PlainBlocks(images, rows, columns, block, orientations, signed)
    else:
        blocks = WeightedBlocks(
            images, rows, columns, block, orientations, signed, voting == "linear", block_sigma
        )
    dtype = np.float64 if images.dtype == np.float64 else np.float32
    return normalised_rows(blocks, n, shape, block, orientations, dtype, block_norm)


def cell_edges(size, pixels_per_cell, grid=None):
    """Compute where the cells of an image begin and end.

    Parameters
    ----------
    size : tuple of 2 ints
        Height and width of the image.
    pixels_per_cell : tuple of 2 ints
        Height and width of a cell.
    grid : tuple of 2 ints, default=None
        If given, the number of rows and columns of cells, in place of `pixels_per_cell`.

    Returns
    -------
    rows, columns : ndarray of shape (n_cell_rows + 1,), (n_cell_columns + 1,)
        The first row of each row of cells, and the end of the last; columns likewise. They go
        beyond an image that is too small.
    """
    if grid is None:
        return [
            np.arange(0, max(have, need) + 1, need, dtype=np.intp)
            for have, need in zip(size, pixels_per_cell, strict=True)
        ]
    return [
        np.arange(parts + 1, dtype=np.intp) * max(have, parts) // parts
        for have, parts in zip(size, grid, strict=True)
    ]


class HOG(ImageTransformer):
    """Histograms of oriented gradients as a transformer.

    The image is divided into cells; each holds a histogram of the directions of its edges,
    weighted by their strength; blocks of neighbouring cells are normalised against differences of
    lighting [1]_. The equations are in :func:`~sklin.features._hog.hog`. The result equals
    :func:`skimage.feature.hog` with the same parameters, unless `signed`, `voting` or `block_sigma`
    ask for what it cannot do.

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
        Whether bins divide the full circle, so that an edge from dark to light differs from one
        from light to dark, or the half circle.
    voting : {"nearest", "linear"}, default="nearest"
        Whether a pixel votes for one bin of one cell, or shares its vote between neighbouring ones.
    block_sigma : float, default=None
        Standard deviation of a Gaussian window over each block, as a part of the block's height
        and width; None for no window.
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
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if `fit` saw a data frame.

    Raises
    ------
    TypeError
        In `fit`, if a parameter has the wrong type.
    ValueError
        In `fit` and `transform`, if a parameter or an image is not as described, if images differ
        in size and `grid` is None, or if floats are so large or small (1e15 or 1e-15 in single
        precision, 1e123 or 1e-123 in double) that squares of them are none.

    See Also
    --------
    skimage.feature.hog : One image at a time, with a picture of the result.
    ColorHistogram : Which colours, regardless of where.

    Notes
    -----
    The lecture's version, 8 x 8 pixels a cell, 9 directions, 320 x 240 pixels to 10,800 numbers, is
    ``HOG(cells_per_block=(1, 1), block_norm=None)``.

    Dalal and Triggs' own is ``HOG(voting="linear", block_sigma=0.5)``, with ``signed=True`` for
    vehicles rather than people. OpenCV's HOGDescriptor takes ``block_sigma=0.25`` and puts the
    window's centre half a pixel off; without a window it agrees to about 1%, the difference being
    in what is added to a block's length.

    Bin k of a signed histogram holds the directions towards which brightness rises from k to k + 1
    times 360 / `orientations` degrees, from the right (0) by way of down (90) to the left (180).
    Bin k and k + `orientations` / 2 of an even number make one of an unsigned histogram.

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
    >>> HOG(18, signed=True, voting="linear", block_sigma=0.5).fit_transform(images).shape
    (2, 81432)
    """

    _pixels_per_chunk = 1_000_000  # sums are prepared anew in each: 75 us

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
        check_choice("voting", self.voting, VOTING)
        check_positive("block_sigma", self.block_sigma)

    def _check_images(self, X, image_shape, reset):
        images, shape = super()._check_images(X, image_shape, reset)
        check_squares(images)
        return images, shape

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
