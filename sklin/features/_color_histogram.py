"""Colour histograms: how much of each colour, regardless of where."""

import warnings
from itertools import accumulate, product
from math import prod

import numpy as np
from scipy.sparse import csr_array

from ._color_spaces import coordinates, nearest_bins
from ._images import range_of
from ._parameters import check_bool, check_choice, check_integer, check_pair, is_integer
from ._transformer import ImageTransformer

COLOR_SPACES = ("hue", "hsv", "rgb", "opponent", "lab")

# What a pixel needs on its way to a bin stays in the cache, and a large image needs no more memory
# than a small one.
PIXELS_PER_BAND = 100_000


def color_histogram(
    images,
    bins=4,
    color_space="rgb",
    joint=True,
    weights=None,
    grid=(1, 1),
    voting="nearest",
    normalize=True,
):
    r"""Compute colour histograms of a batch of images of one size.

    Every pixel votes for the bin of its colour [1]_. Its coordinates x are numbers from 0 to 1, by
    `color_space`:

    - "rgb": its red r, green g and blue b;
    - "hsv" [2]_: with :math:`M` and :math:`m` the largest and smallest of these and :math:`d = M -
      m`,

      .. math::
          \text{hue} = \frac{1}{6 d} \begin{cases}
              g - b \pmod{6 d} & \text{if } M = r \\
              b - r + 2 d & \text{if } M = g \\
              r - g + 4 d & \text{if } M = b \end{cases}, \qquad
          \text{saturation} = \frac{d}{M}, \qquad \text{value} = M,

      where 0 / 0 is 0: greys have hue 0, which is red's;
    - "hue": the first of these alone;
    - "opponent" [3]_: :math:`(r - g) / \sqrt 2, (r + g - 2 b) / \sqrt 6` and :math:`(r + g + b) /
      \sqrt 3`, moved and scaled to :math:`(r - g + 1) / 2, (r + g - 2 b + 2) / 4` and :math:`(r +
      g + b) / 3`;
    - "lab": :math:`L / 100, (a + 110) / 220` and :math:`(b + 110) / 220` of CIELAB 1976 as
      :func:`skimage.color.rgb2lab` has it, from sRGB, under D65, for the observer of 2 degrees; no
      RGB colour has a or b beyond 108.

    With "nearest" voting, the pixel votes for bin :math:`\lfloor x \cdot \text{bins} \rfloor`, and
    for the last one if x = 1. With "linear" voting, the bin is shared out: centres are at :math:`(k
    + 1/2) / \text{bins}`, and of the two whose centres are nearest, one that is t bin widths away
    gets 1 - t. Beyond the first and the last centre all goes to that bin, but hue is a circle.
    Shares of a joint bin are products of those of its coordinates.

    Parameters
    ----------
    images : ndarray of shape (n, h, w, c)
        Images of c = 1 or 3 channels, as :func:`~sklin.features._images.check_images` returns
        them. Bytes stand for 0/255 to 255/255; floats are clipped to [0, 1]. A grey image is a
        colour image with three equal channels.
    bins : int or tuple of 3 ints, default=4
        Number of bins, or one for each coordinate.
    color_space : {"hue", "hsv", "rgb", "opponent", "lab"}, default="rgb"
        The coordinates.
    joint : bool, default=True
        Whether to count combinations of the three coordinates, which gives the product of their
        bins, instead of each coordinate alone, which gives the sum. Of no effect on "hue".
    weights : {"saturation"} or None, default=None
        What a vote counts: "saturation", for "hue" only, the saturation of "hsv", so that greys,
        whose hue means nothing, do not vote; None, one.
    grid : tuple of 2 ints, default=(1, 1)
        Rows and columns of cells, each with a histogram of its own. Cells are as equal as whole
        pixels allow: k of them meet at :math:`\lfloor i h / k \rfloor`. An image smaller than the
        grid is enlarged to it by repeating its border.
    voting : {"nearest", "linear"}, default="nearest"
        Whether a pixel votes for one bin of a coordinate or shares its vote between two.
    normalize : bool, default=True
        Whether to divide each cell's histogram by the number of its pixels, those whose weight is
        0 included.

    Returns
    -------
    histograms : ndarray of shape (n, n_features)
        Cell after cell, row by row; within one, the last coordinate runs fastest. float64 for
        float64 images, otherwise float32.

    Notes
    -----
    For bytes the bins are exact, as if computed with fractions, in all spaces but "lab". It
    matters: one in 200 pixels of a photograph has a hue exactly on a bin's edge, where floating
    point tosses a coin. In "lab", whose coordinates are no fractions, the rounding of float32
    decides for pixels less than 2e-6 from an edge.

    With an even number of bins, an edge of "opponent" and "lab" runs through the greys; an odd
    number keeps them, and what is nearly grey, in one bin.

    References
    ----------
    .. [1] M. J. Swain and D. H. Ballard, "Color indexing", International Journal of Computer
       Vision 7, 1991.
    .. [2] A. R. Smith, "Color gamut transform pairs", SIGGRAPH 1978.
    .. [3] K. E. A. van de Sande, T. Gevers and C. G. M. Snoek, "Evaluating color descriptors for
       object and scene recognition", IEEE Transactions on Pattern Analysis and Machine
       Intelligence 32, 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.features._color_histogram import color_histogram
    >>> red_red_blue = np.array([[[[255, 0, 0], [200, 0, 0], [0, 0, 255]]]], dtype=np.uint8)
    >>> color_histogram(red_red_blue, bins=3, color_space="hue", normalize=False)
    array([[2., 0., 1.]], dtype=float32)
    >>> color_histogram(red_red_blue, 3, "hue", grid=(1, 3), normalize=False).reshape(3, 3)
    array([[1., 0., 0.],
           [1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    n, h, w, _ = images.shape
    if h < grid[0] or w < grid[1]:
        missing = max(0, grid[0] - h), max(0, grid[1] - w)
        images = np.pad(images, [(0, 0), *((0, m) for m in missing), (0, 0)], mode="edge")
        n, h, w, _ = images.shape
    sizes = [bins] * (1 if color_space == "hue" else 3) if is_integer(bins) else bins
    size = prod(sizes) if joint else sum(sizes)
    n_features = prod(grid) * size
    if n_features > size:
        rows, columns = (_cells(*pair) for pair in zip(grid, (h, w), strict=True))
    counts = 0
    step = max(1, PIXELS_PER_BAND // (n * w))
    for start in range(0, h, step):
        band = slice(start, start + step)
        votes, shares = _votes(images[:, band], sizes, color_space, joint, weights, voting)
        if n_features > size:
            votes += np.add.outer(rows[band] * (size * grid[1]), columns * size)
        counts = counts + _count(votes, shares, n_features)
    if normalize and n_features > size:
        pixels = np.multiply.outer(np.bincount(rows), np.bincount(columns))
        counts = counts / pixels.repeat(size)
    elif normalize:
        counts = counts / (h * w)
    return counts.astype(np.float64 if images.dtype == np.float64 else np.float32)


def _cells(n_cells, n_pixels):
    """The cell of each of `n_pixels` in a row or column: as equal as whole pixels allow."""
    edges = np.arange(n_cells + 1) * n_pixels // n_cells
    return np.arange(n_cells, dtype=np.int32).repeat(np.diff(edges))


def _votes(images, sizes, color_space, joint, weights, voting):
    """Bins (n, votes of a pixel, h, w), int32, and what they get, alike or None for ones."""
    if voting == "nearest":
        ways = [[(index, 1)] for index in nearest_bins(images, sizes, color_space)]
    else:
        circles = [True, False, False] if color_space in ("hue", "hsv") else [False] * 3
        ways = [
            _neighbours(*fraction, size, circle)
            for fraction, size, circle in zip(
                coordinates(images, color_space), sizes, circles, strict=False
            )
        ]
    # Generators: in a joint histogram with linear voting there are eight votes a pixel.
    if joint:
        n_votes = prod(map(len, ways))
        corners = (zip(*corner, strict=True) for corner in product(*ways))
        found = ((0, _ravel(indices, sizes), prod(shares)) for indices, shares in corners)
    else:
        n_votes = sum(map(len, ways))
        offsets = [0, *accumulate(sizes[:-1])]
        found = ((o, *vote) for o, axis in zip(offsets, ways, strict=True) for vote in axis)
    votes = np.empty((len(images), n_votes, *images.shape[1:3]), dtype=np.int32)
    shares = None
    if weights is not None or voting == "linear":
        shares = np.empty(votes.shape)
    for k, (offset, index, share) in enumerate(found):
        votes[:, k] = index
        if offset:
            votes[:, k] += offset
        if shares is not None:
            shares[:, k] = share
    if weights is not None:
        _, saturation, _ = coordinates(images, "hsv")
        shares *= _quotient(*saturation)[:, np.newaxis]
    return votes, shares


def _quotient(numerator, denominator):
    """The fraction as a floating point number, where 0 / 0 is 0."""
    dtype = None if numerator.dtype.kind == "f" else np.float64
    return np.divide(numerator, denominator + (denominator == 0), dtype=dtype)


def _neighbours(numerator, denominator, bins, circle):
    """The two bins whose centres are nearest, each with its share of the vote."""
    position = _quotient(numerator, denominator) * bins - 0.5
    below = np.floor(position)
    share = position - below
    index = below.astype(np.int32)
    pair = index, index + 1
    pair = [i % bins if circle else i.clip(0, bins - 1) for i in pair]
    return list(zip(pair, (1 - share, share), strict=True))


def _ravel(indices, sizes):
    """One index in place of several, the last running fastest."""
    # Horner's rule in the smallest type, a tenth of what np.ravel_multi_index takes.
    index, *others = indices
    dtype = np.min_scalar_type(prod(sizes))
    for other, size in zip(others, sizes[1:], strict=True):
        index = np.multiply(index, size, dtype=dtype, casting="unsafe")
        np.add(index, other, out=index, casting="unsafe")
    return index


def _count(votes, shares, size):
    """How much each of `size` bins gets in each image."""
    # An image is a sparse row (bin, share); a dense matrix adds up its duplicates. Per vote 1.6
    # ns, where np.bincount takes 2.9, its conversion of the bins included.
    n = len(votes)
    starts = np.arange(0, votes.size + 1, votes.size // n, dtype=np.int32)
    shares = np.ones(votes.size, dtype=np.int32) if shares is None else shares.ravel()
    return csr_array((shares, votes.ravel(), starts), shape=(n, size)).toarray()


class ColorHistogram(ImageTransformer):
    """Histograms of the colours of each image.

    Each pixel votes for the bin of its colour, wherever it is [1]_. The equations are in
    :func:`~sklin.features._color_histogram.color_histogram`. Images may have any size if they come
    as a list.

    Parameters
    ----------
    bins : int or tuple of 3 ints, default=4
        Number of bins, or one for each coordinate of spaces other than "hue".
    color_space : {"hue", "hsv", "rgb", "opponent", "lab"}, default="rgb"
        The coordinates of a colour.
    joint : bool, default=True
        Whether to count combinations of the three coordinates, 4 x 4 x 4 = 64 by default, instead
        of each coordinate alone, 4 + 4 + 4. Of no effect on "hue".
    weights : {"saturation"} or None, default=None
        What a vote counts: None, one; "saturation", for "hue" only, the pixel's saturation, so that
        greys, whose hue means nothing, do not vote.
    grid : tuple of 2 ints, default=(1, 1)
        Rows and columns of cells, as equal as whole pixels allow, each with a histogram of its
        own. An image smaller than the grid is enlarged to it by repeating its border.
    voting : {"nearest", "linear"}, default="nearest"
        Whether a pixel votes for one bin of a coordinate or shares its vote between the two whose
        centres are nearest, which in a joint histogram makes eight. "linear" changes little when
        colours change little, and takes 4 ("lab") to 25 times ("rgb") as long.
    normalize : bool, default=True
        Whether to divide each cell's histogram by the number of its pixels.
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
        The (h, w, c) of the images seen in `fit`, or (None, None, c) if they came as a list.
    n_features_in_ : int
        h * w * c. Not set if the images may be of any size.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if `fit` saw a data frame.

    Raises
    ------
    TypeError
        In `fit`, if a parameter has the wrong type.
    ValueError
        In `fit` and `transform`, if a parameter or an image is not as described.

    Warns
    -----
    UserWarning
        If colour images are floats outside [0, 1], which are clipped.

    See Also
    --------
    HOG : Which way the edges run, and where.
    skimage.color.rgb2hsv : The same coordinates, one image at a time.
    skimage.color.rgb2lab : CIELAB, unscaled.

    Notes
    -----
    Bytes fall into exactly the right bins, but for the rounding of float32 in "lab". A grey image
    counts as a colour image with three equal channels: it has hue and saturation 0, and 0 / 0 is 0.
    Memory beside the images and the output does not grow with the size of an image.

    References
    ----------
    .. [1] M. J. Swain and D. H. Ballard, "Color indexing", International Journal of Computer
       Vision 7, 1991.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.features import ColorHistogram
    >>> red = np.zeros((1, 8, 8, 3), dtype=np.uint8)
    >>> red[..., 0] = 255
    >>> ColorHistogram(bins=2, joint=False).fit_transform(red)
    array([[0., 1., 1., 0., 1., 0.]], dtype=float32)
    """

    _pixels_per_chunk = PIXELS_PER_BAND

    def __init__(
        self,
        bins=4,
        color_space="rgb",
        joint=True,
        weights=None,
        grid=(1, 1),
        voting="nearest",
        normalize=True,
        image_shape=None,
        n_jobs=None,
        verbose=False,
    ):
        self.bins = bins
        self.color_space = color_space
        self.joint = joint
        self.weights = weights
        self.grid = grid
        self.voting = voting
        self.normalize = normalize
        self.image_shape = image_shape
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _check_params(self):
        check_choice("color_space", self.color_space, COLOR_SPACES)
        check_bool("joint", self.joint)
        check_choice("weights", self.weights, ("saturation", None))
        check_pair("grid", self.grid)
        check_choice("voting", self.voting, ("nearest", "linear"))
        check_bool("normalize", self.normalize)
        if self.weights is not None and self.color_space != "hue":
            raise ValueError(
                "weights must be None unless color_space is 'hue', "
                f"got {self.weights!r} with color_space={self.color_space!r}."
            )
        if not isinstance(self.bins, tuple | list):
            check_integer("bins", self.bins)
            return
        if self.color_space == "hue" or len(self.bins) != 3:
            raise ValueError(
                "bins must be an integer or, unless color_space is 'hue', a tuple of 3, "
                f"got {self.bins!r} with color_space={self.color_space!r}."
            )
        for i, size in enumerate(self.bins):
            check_integer(f"bins[{i}]", size)

    def _check_images(self, X, image_shape, reset):
        images, shape = super()._check_images(X, image_shape, reset)
        # Grey images are left out: they may be rows of anything, of which nobody said that they
        # are images.
        if shape[2] != 1 and images.dtype != np.uint8:
            low, high = range_of(images)
            if low < 0 or high > 1:
                warnings.warn(
                    f"X has values from {low:.3g} to {high:.3g}, but ColorHistogram clips floats "
                    "to [0, 1]. Divide 0..255 by 255, or pass it as uint8.",
                    UserWarning,
                    stacklevel=3,
                )
        return images, shape

    def _features(self, images):
        return color_histogram(
            images,
            self.bins,
            self.color_space,
            self.joint,
            self.weights,
            self.grid,
            self.voting,
            self.normalize,
        )
