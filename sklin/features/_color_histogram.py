"""Colour histograms: how much of each colour, regardless of where."""

import warnings
from math import prod

import numpy as np

from ._album import Album
from ._parameters import check_bool, check_choice, check_integer, is_integer
from ._transformer import ImageTransformer

COLOR_SPACES = ("hue", "hsv", "rgb")


def color_histogram(images, bins=4, color_space="rgb", joint=True, normalize=True):
    r"""Compute colour histograms of a batch of images of one size.

    Every pixel votes for the bin of its colour [1]_. With :math:`M` and :math:`m` the largest and
    smallest of its red, green and blue and :math:`d = M - m`, its coordinates are, each from 0 to
    1 [2]_,

    .. math::
        \text{hue} = \frac{1}{6 d} \begin{cases}
            g - b \pmod{6 d} & \text{if } M = r \\
            b - r + 2 d & \text{if } M = g \\
            r - g + 4 d & \text{if } M = b \end{cases}, \qquad
        \text{saturation} = \frac{d}{M}, \qquad \text{value} = M,

    where 0 / 0 is 0: greys have hue 0, which is red's. A coordinate x falls into bin
    :math:`\lfloor x \cdot \text{bins} \rfloor`, and x = 1 into the last one.

    Parameters
    ----------
    images : ndarray of shape (n, h, w, c)
        Images of c = 1 or 3 channels, as :func:`~sklin.features._images.check_images` returns
        them. Bytes stand for 0/255 to 255/255; floats are clipped to [0, 1]. A grey image is a
        colour image with three equal channels.
    bins : int or tuple of 3 ints, default=4
        Number of bins, or one for each channel.
    color_space : {"hue", "hsv", "rgb"}, default="rgb"
        The coordinates.
    joint : bool, default=True
        Whether to count combinations of the three coordinates, which gives the product of their
        bins, instead of each coordinate alone, which gives the sum. Of no effect on "hue".
    normalize : bool, default=True
        Whether to divide the counts by the number of pixels.

    Returns
    -------
    histograms : ndarray of shape (n, n_features)
        The last coordinate runs fastest. float64 for float64 images, otherwise float32.

    Notes
    -----
    For bytes the bins are exact, as if computed with fractions. It matters: one in 200 pixels of a
    photograph has a hue exactly on a bin's edge, where floating point tosses a coin.

    References
    ----------
    .. [1] M. J. Swain and D. H. Ballard, "Color indexing", International Journal of Computer
       Vision 7, 1991.
    .. [2] A. R. Smith, "Color gamut transform pairs", SIGGRAPH 1978.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.features._color_histogram import color_histogram
    >>> red_red_blue = np.array([[[[255, 0, 0], [200, 0, 0], [0, 0, 255]]]], dtype=np.uint8)
    >>> color_histogram(red_red_blue, bins=3, color_space="hue", normalize=False)
    array([[2., 0., 1.]], dtype=float32)
    """
    is_bytes = images.dtype == np.uint8
    planes = np.moveaxis(np.broadcast_to(images, (*images.shape[:3], 3)), -1, 0)
    # Channels first in memory: on interleaved ones, the arithmetic below takes four times as long.
    planes = planes.astype(np.int16 if is_bytes else images.dtype, order="C")
    if not is_bytes:
        planes.clip(0, 1, out=planes)
    fractions = _COORDINATES[color_space](*planes, 255 if is_bytes else 1)
    sizes = [bins] * len(fractions) if is_integer(bins) else bins
    indices = [_bin(*fraction, size) for fraction, size in zip(fractions, sizes, strict=True)]
    if joint:
        # Horner's rule in int32, a third of what np.ravel_multi_index takes.
        index, *others = indices
        for other, size in zip(others, sizes[1:], strict=True):
            index *= size
            index += other
        indices, sizes = [index], [prod(sizes)]
    counts = np.hstack([_count(i, size) for i, size in zip(indices, sizes, strict=True)])
    if normalize:
        counts = counts / prod(images.shape[1:3])
    return counts.astype(np.float64 if images.dtype == np.float64 else np.float32)


def _rgb(r, g, b, white):
    return [(r, white), (g, white), (b, white)]


def _hue(r, g, b, white):
    high = np.maximum(np.maximum(r, g), b)
    delta = high - np.minimum(np.minimum(r, g), b)
    is_r = high == r
    is_g = (high == g) > is_r
    is_b = ~(is_r | is_g)
    # Products, not np.where: the branches of real pixels are random, and five times slower.
    hue = is_r * (g - b) + is_g * (b - r + 2 * delta) + is_b * (r - g + 4 * delta)
    hue += (hue < 0) * (6 * delta)
    return [(hue, 6 * delta)]


def _hsv(r, g, b, white):
    high = np.maximum(np.maximum(r, g), b)
    delta = high - np.minimum(np.minimum(r, g), b)
    return [*_hue(r, g, b, white), (delta, high), (high, white)]


_COORDINATES = {"hue": _hue, "hsv": _hsv, "rgb": _rgb}


def _bin(numerator, denominator, bins):
    """The bin floor(bins * numerator / denominator), where 0 / 0 is 0.

    Integers divide exactly although they do it in floating point, four times faster than `//`: (a
    + 1/2) / b is at least 1 / (2b) from every integer, b is at most 6 * 255, and so float32 has
    room up to 1,024 bins.
    """
    dtype = numerator.dtype
    if exact := dtype == np.int16:
        dtype = np.float32 if bins <= 1024 else np.float64
    position = np.multiply(numerator, bins, dtype=dtype)
    if exact:
        position += 0.5
    position /= denominator + (denominator == 0)
    index = position.astype(np.int32)
    return np.minimum(index, bins - 1, out=index)


def _count(index, size):
    """How often each of `size` values occurs in each image: one bincount for all images."""
    n = len(index)
    offsets = size * np.arange(n)[:, np.newaxis]
    index = np.add(index.reshape(n, -1), offsets, dtype=np.intp)
    return np.bincount(index.ravel(), minlength=n * size).reshape(n, size)


class ColorHistogram(ImageTransformer):
    """Histograms of the colours of each image.

    Each pixel votes for the bin of its colour, wherever it is [1]_. The equations are in
    :func:`~sklin.features._color_histogram.color_histogram`. Images may have any size if they come
    as a list.

    Parameters
    ----------
    bins : int or tuple of 3 ints, default=4
        Number of bins, or one for each channel of "hsv" and "rgb".
    color_space : {"hue", "hsv", "rgb"}, default="rgb"
        The coordinates of a colour.
    joint : bool, default=True
        Whether to count combinations of the three coordinates, 4 x 4 x 4 = 64 by default, instead
        of each coordinate alone, 4 + 4 + 4. Of no effect on "hue".
    normalize : bool, default=True
        Whether to divide the counts by the number of pixels.
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
    feature_names_in_ : ndarray of shape (n_features_in_,)
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

    Notes
    -----
    Bytes fall into exactly the right bins. A grey image counts as a colour image with three equal
    channels: it has hue and saturation 0, and 0 / 0 is 0.

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

    def __init__(
        self,
        bins=4,
        color_space="rgb",
        joint=True,
        normalize=True,
        image_shape=None,
        n_jobs=None,
        verbose=False,
    ):
        self.bins = bins
        self.color_space = color_space
        self.joint = joint
        self.normalize = normalize
        self.image_shape = image_shape
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _check_params(self):
        check_choice("color_space", self.color_space, COLOR_SPACES)
        check_bool("joint", self.joint)
        check_bool("normalize", self.normalize)
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
            batches = images if isinstance(images, Album) else [images]
            low, high = min(b.min() for b in batches), max(b.max() for b in batches)
            if low < 0 or high > 1:
                warnings.warn(
                    f"X has values from {low:.3g} to {high:.3g}, but ColorHistogram clips floats "
                    "to [0, 1]. Divide 0..255 by 255, or pass it as uint8.",
                    UserWarning,
                    stacklevel=3,
                )
        return images, shape

    def _features(self, images):
        return color_histogram(images, self.bins, self.color_space, self.joint, self.normalize)
