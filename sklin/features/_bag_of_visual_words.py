"""Bags of visual words: a codebook of small patches, and images as sums of their patches' codes."""

import warnings
from itertools import pairwise
from numbers import Real

import numpy as np
from sklearn.utils import check_random_state

from ._parameters import check_choice, check_integer, check_pair
from ._patches import center_patches, learn_whitening, learn_words, patch_windows, sample_patches
from ._transformer import ImageTransformer

# Encoded at a time. Fewer make products too small for the threads of BLAS, more leave the cache.
PATCHES_PER_TILE = 3_000


class BagOfVisualWords(ImageTransformer):
    r"""Describe images by how strongly each word of a learned codebook occurs in them.

    `fit` draws random patches from the images, evens out their brightness and contrast, whitens
    them and clusters them into a vocabulary of `n_words` visual words by k-means. `transform`
    compares every patch of an image with every word and sums the results, the codes, over the cells
    of a fixed grid: n_rows * n_columns * n_words numbers, whatever the size of the image.

    Parameters
    ----------
    n_words : int, default=200
        Number of visual words.
    patch_size : int, default=6
        Height and width of a patch in pixels. A side longer than that of the smallest image seen in
        `fit` is clipped to it, with a warning: strips of height 1 have patches of height 1.
    stride : int, default=1
        Pixels from one patch to the next, down and across.
    encoding : {"soft", "hard", "triangle"}, default="soft"
        The code of a patch, see Notes.
    pooling : tuple (n_rows, n_columns), default=(2, 2)
        The grid over whose cells codes are summed. A patch belongs to a cell by its position; rows
        and columns of positions are shared out as evenly as possible. If there are fewer of them
        than cells, some cells stay 0. (1, 1) suits textures.
    n_patches : int, default=20_000
        The largest number of random patches to learn from. At least `n_words`.
    variance_kept : float, default=0.99
        The share of the normalised patches' variance that whitening keeps, in (0, 1].
    contrast_regularization : float, default=0.01
        Keeps the noise of flat patches from being blown up to full contrast. A share, in (0, 1], of
        the mean variance of the training patches; hence bytes and the same images divided by 255
        have the same features.
    image_shape : tuple, default=None
        The shape (h, w) or (h, w, c) of every image, needed for flattened rows that are no grey
        squares.
    random_state : int, RandomState instance or None, default=None
        Which patches are drawn and where k-means starts. An int gives the same vocabulary in every
        call.
    n_jobs : int, default=None
        Number of threads that transform chunks of images. None means 1 unless in a
        `joblib.parallel_config` context; -1 means all processors. Matrix products may use several
        processors even so.

    Attributes
    ----------
    vocabulary_ : ndarray of shape (n_words_fitted, n_components)
        The words as whitened patches: the cluster centres. n_words_fitted is `n_words`, or the
        number of distinct training patches if that is less.
    words_ : ndarray of shape (n_words_fitted, patch_height, patch_width, n_channels)
        The words as pictures, for drawing: un-whitened and given the mean brightness and contrast
        of the training patches, in the units of the pixels. Values may lie somewhat outside the
        pixels' range.
    patch_shape_ : tuple (patch_height, patch_width, n_channels)
        The shape of a patch, after clipping.
    contrast_epsilon_ : float
        `contrast_regularization` times the mean variance of the training patches, in squared units
        of the pixels; 1 if that is 0.
    patch_mean_ : ndarray of shape (patch_height * patch_width * n_channels,)
        Mean of the contrast-normalised training patches.
    whitening_ : ndarray of shape (patch_height * patch_width * n_channels, n_components)
        Takes normalised patches v to whitened ones, z = (v - patch_mean_) @ whitening_.
    image_shape_ : tuple
        The (h, w, c) of the images seen in `fit`, or (None, None, c) if they came as a list and may
        be of any size.
    n_features_in_ : int
        h * w * c. Not set if the images may be of any size.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns seen in `fit`, if `X` was a data frame with string names.

    Raises
    ------
    TypeError
        By `fit`, if a parameter is of the wrong kind, or `X` is.
    ValueError
        By `fit`, if a parameter is out of its range or `X` holds no images; by `transform`, if the
        images are of another shape than those seen in `fit`, or smaller than a patch.

    Warns
    -----
    UserWarning
        By `fit`, if `patch_size` is clipped, or if the patches drawn hold fewer than `n_words`
        distinct ones, which leaves fewer words.

    See Also
    --------
    HOG : Histograms of edge directions.
    ColorHistogram : Histograms of colours.

    Notes
    -----
    A patch p of d numbers is normalised, :math:`v = (p - \bar p) / \sqrt{\operatorname{var}(p) +
    \epsilon}`, and whitened, :math:`z = \Lambda_r^{-1/2} U_r^\top (v - \mu)`, where the normalised
    training patches have mean :math:`\mu` and principal axes U with variances :math:`\Lambda`, of
    which the r leading ones are kept. With the distances :math:`d_k = \|z - c_k\|` to the words,
    the code of the patch for word k is

    - "hard": 1 for the nearest word, 0 for all others [1]_, [2]_;
    - "triangle": :math:`\max(0, \operatorname{mean}_j d_j - d_k)` [3]_;
    - "soft": :math:`\max(0, \operatorname{mean}_j d_j^2 - d_k^2)`.

    In "soft" the :math:`\|z\|^2` cancel, which leaves :math:`\max(0, 2 z \cdot (c_k - \bar c) -
    \|c_k\|^2 + \operatorname{mean}_j \|c_j\|^2)`: an affine map, and zero where that is negative.
    It is twice as fast as "triangle" and about as accurate.

    Codes are summed, not averaged: all "hard" features of an image add up to its number of patches.
    If images differ in size, divide each row by its sum, for example by
    ``sklearn.preprocessing.Normalizer(norm="l1")``. The features are float32 for images of bytes or
    float32, else float64. Images must stay on one scale: bytes in `fit` and numbers in [0, 1] in
    `transform` do not go together.

    References
    ----------
    .. [1] J. Sivic and A. Zisserman, "Video Google: A Text Retrieval Approach to Object Matching in
       Videos", ICCV 2003.
    .. [2] G. Csurka, C. R. Dance, L. Fan, J. Willamowski and C. Bray, "Visual Categorization with
       Bags of Keypoints", ECCV Workshop on Statistical Learning in Computer Vision, 2004.
    .. [3] A. Coates, A. Y. Ng and H. Lee, "An Analysis of Single-Layer Networks in Unsupervised
       Feature Learning", AISTATS 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.features import BagOfVisualWords
    >>> images = np.random.default_rng(0).integers(256, size=(10, 32, 32, 3), dtype=np.uint8)
    >>> bag = BagOfVisualWords(n_words=50, random_state=0).fit(images)
    >>> bag.transform(images).shape  # 2 x 2 cells of 50 words
    (10, 200)
    >>> bag.words_.shape
    (50, 6, 6, 3)
    """

    def __init__(
        self,
        n_words=200,
        patch_size=6,
        stride=1,
        encoding="soft",
        pooling=(2, 2),
        n_patches=20_000,
        variance_kept=0.99,
        contrast_regularization=0.01,
        image_shape=None,
        random_state=None,
        n_jobs=None,
    ):
        self.n_words = n_words
        self.patch_size = patch_size
        self.stride = stride
        self.encoding = encoding
        self.pooling = pooling
        self.n_patches = n_patches
        self.variance_kept = variance_kept
        self.contrast_regularization = contrast_regularization
        self.image_shape = image_shape
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _check_params(self):
        for name in ("n_words", "patch_size", "stride", "n_patches"):
            check_integer(name, getattr(self, name))
        if self.n_patches < self.n_words:
            raise ValueError(
                f"n_patches must be at least n_words={self.n_words}, got {self.n_patches!r}."
            )
        check_choice("encoding", self.encoding, tuple(ENCODERS))
        check_pair("pooling", self.pooling)
        _check_share("variance_kept", self.variance_kept)
        _check_share("contrast_regularization", self.contrast_regularization)

    def _learn(self, images, y=None):
        rng = check_random_state(self.random_state)
        self.patch_shape_ = self._clipped_patch_shape(images)
        patches = sample_patches(images, self.patch_shape_, self.stride, self.n_patches, rng)
        brightness, variance = patches.mean(), patches.var(axis=1).mean()
        self.contrast_epsilon_ = float(self.contrast_regularization * variance) or 1.0
        patches *= center_patches(patches, self.contrast_epsilon_)
        self.patch_mean_, self.whitening_, color = learn_whitening(patches, self.variance_kept)
        z = ((patches - self.patch_mean_) @ self.whitening_).astype(_dtype(images[0]))
        self.vocabulary_ = learn_words(z, self.n_words, rng).astype(np.float64)
        words = brightness + np.sqrt(variance) * (self.patch_mean_ + self.vocabulary_ @ color)
        self.words_ = words.reshape(-1, *self.patch_shape_)

    def _clipped_patch_shape(self, images):
        shapes = {image.shape for image in images}
        h, w, c = (min(sizes) for sizes in zip(*shapes, strict=True))
        ph, pw = min(self.patch_size, h), min(self.patch_size, w)
        if min(ph, pw) < self.patch_size:
            warnings.warn(
                f"patch_size={self.patch_size} does not fit into the smallest image, "
                f"{h} x {w} pixels: patches are {ph} x {pw}.",
                UserWarning,
                stacklevel=4,
            )
        return ph, pw, c

    def _features(self, images):
        dtype = _dtype(images)
        whiten = self._whitener(dtype)
        pool = ENCODERS[self.encoding](_likeness(self.vocabulary_).astype(dtype))
        windows = patch_windows(images, self.patch_shape_, self.stride)
        n_words = len(self.vocabulary_)
        features = np.zeros((len(images), *self.pooling, n_words), dtype)
        for i, rows in enumerate(_bands(windows.shape[1], self.pooling[0])):
            for j, columns in enumerate(_bands(windows.shape[2], self.pooling[1])):
                cell = windows[:, rows, columns]
                for some, band in _tiles(cell.shape[:3], PATCHES_PER_TILE):
                    features[some, i, j] += pool(whiten(cell[some, band]))
        return features.reshape(len(images), -1)

    def _whitener(self, dtype):
        """The function from windows (n, ...) to whitened patches (n, m, r + 1) that end in a 1."""
        d, r = self.whitening_.shape
        # A last column of 0 - (-1) = 1 lets the affine map of the words be one matrix product.
        matrix = np.hstack([self.whitening_, np.zeros((d, 1))]).astype(dtype)
        shift = np.append(self.patch_mean_ @ self.whitening_, -1).astype(dtype)

        def whiten(windows):
            # A copy even of windows that could be reshaped without one, since it is overwritten.
            patches = np.array(windows, dtype, order="C").reshape(-1, d)
            scale = center_patches(patches, self.contrast_epsilon_)
            # Folding the whitening into the words would make the two products, d x r and r x K, one
            # of d x K: at d = 108, r = 45, K = 1,600 it has 2.3 times as many multiplications.
            z = patches @ matrix
            z *= scale
            z -= shift
            return z.reshape(len(windows), -1, r + 1)

        return whiten


def _check_share(name, value):
    wanted = f"{name} must be a number in (0, 1], got {value!r}."
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(wanted)
    if not 0 < value <= 1:
        raise ValueError(wanted)


def _dtype(images):
    return np.float64 if images.dtype == np.float64 else np.float32


def _bands(length, n):
    """`n` slices that share out `length` positions evenly; some are empty if there are too few."""
    edges = np.arange(n + 1) * length // n
    return [slice(start, end) for start, end in pairwise(edges)]


def _tiles(shape, n_patches):
    """Slices (of images, of rows) that cut positions (n, rows, columns) into about `n_patches`."""
    n, rows, columns = shape
    if rows * columns == 0:
        return
    images_step = max(1, n_patches // (rows * columns))
    rows_step = max(1, n_patches // columns)
    for image in range(0, n, images_step):
        for row in range(0, rows, rows_step):
            yield slice(image, image + images_step), slice(row, row + rows_step)


def _likeness(vocabulary):
    """The matrix (r + 1, K) that takes (z, 1) to z . c_k - |c_k|^2 / 2 = (|z|^2 - d_k^2) / 2."""
    return np.vstack([vocabulary.T, -0.5 * np.einsum("kr,kr->k", vocabulary, vocabulary)])


# Each encoder takes the likeness matrix and returns a function from whitened patches (n, m, r + 1)
# to the sums of their codes (n, K).


def _hard_encoder(likeness):
    n_words = likeness.shape[1]

    def pool(z):
        nearest = _product(z, likeness).argmax(axis=2)
        nearest += n_words * np.arange(len(z))[:, np.newaxis]
        return np.bincount(nearest.ravel(), minlength=len(z) * n_words).reshape(len(z), n_words)

    return pool


def _soft_encoder(likeness):
    # Less the mean over the words, likeness is half of mean_j d_j^2 - d_k^2.
    contrast = likeness - likeness.mean(axis=1, keepdims=True)

    def pool(z):
        halves = _product(z, contrast)
        return 2 * _sum_of_positive_parts(halves, _sum(z) @ contrast)

    return pool


def _triangle_encoder(likeness):
    n_words = likeness.shape[1]
    average = np.full((n_words, 1), 1 / n_words, likeness.dtype)

    def pool(z):
        distances = _product(z, likeness)
        distances *= -2
        distances += np.einsum("nmr,nmr->nm", z[..., :-1], z[..., :-1])[..., np.newaxis]
        np.sqrt(np.maximum(distances, 0, out=distances), out=distances)
        scores = np.subtract(distances @ average, distances, out=distances)
        return _sum_of_positive_parts(scores, _sum(scores))

    return pool


ENCODERS = {"soft": _soft_encoder, "hard": _hard_encoder, "triangle": _triangle_encoder}


def _product(z, matrix):
    """z @ matrix as one product; numpy would take the images one by one."""
    return (z.reshape(-1, z.shape[2]) @ matrix).reshape(*z.shape[:2], -1)


def _sum(values):
    """Sum over the patches (axis 1), as a matrix product: twice as fast as values.sum(axis=1)."""
    return np.ones(values.shape[1], values.dtype) @ values


def _sum_of_positive_parts(scores, sums):
    """Sum of max(0, s) over the patches, given the `sums` of s; overwrites the scores.

    max(0, s) = (s + |s|) / 2, and |s| in place takes numpy a third of the time of maximum(s, 0),
    which with an ordinary sum takes 40% of the time of the product before it.
    """
    absolute = _sum(np.abs(scores, out=scores))
    sums = (sums + absolute) / 2
    # What should be 0 comes out as up to 8 units of rounding. It has to be 0: scaled to variance
    # one, a word that never occurs would be noise.
    sums[sums < 16 * np.finfo(sums.dtype).eps * absolute] = 0
    return sums
