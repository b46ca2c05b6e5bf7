"""Bags of visual words: a codebook of small patches, and images as sums of their patches' codes."""

import warnings

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.utils import check_random_state

from ._codebooks import CODEBOOKS, Codebook, learn_mixture, learn_words
from ._descriptors import CELLS, DESCRIPTORS, Dense, sample_descriptors
from ._encodings import ENCODERS
from ._images import check_squares, shapes_of
from ._parameters import (
    check_choice,
    check_grids,
    check_integer,
    check_scales,
    check_share,
    is_integer,
)
from ._pooling import all_edges, bands, cells_of_grid, tiles
from ._transformer import ImageTransformer
from ._whitening import learn_whitening

# Codes, or numbers of descriptors, made at a time. Times are flat from half to four times as many:
# fewer leave much to Python, more leave the cache.
NUMBERS_PER_TILE = 1_200_000

# Images of up to 96 x 96 pixels are thumbnails: one object that fills them.
LARGEST_THUMBNAIL = 96 * 96


class BagOfVisualWords(ImageTransformer):
    r"""Describe images by how strongly each word of a learned codebook occurs in them.

    `fit` draws random patches from the images, describes them, whitens the descriptors and chooses
    `n_words` visual words among or between them. `transform` compares every patch of an image with
    every word and pools the results, the codes, over the cells of a fixed grid: n_cells * n_words
    numbers, whatever the size of the image.

    Parameters
    ----------
    n_words : int, default=200
        Number of visual words.
    descriptor : {"auto", "pixels", "sift"}, default="auto"
        What describes a patch: its "pixels", less their mean and divided by their standard
        deviation; or "sift", the histograms of 8 gradient directions in its 4 x 4 cells [1]_. See
        Notes for all that is "auto".
    patch_size : int or "auto", default="auto"
        Height and width of a patch in pixels, for "sift" a multiple of 4. A side longer than that
        of the smallest image seen in `fit` is clipped to it, with a warning unless it is "auto":
        strips of height 1 have patches of height 1.
    stride : int or "auto", default="auto"
        Pixels from one patch to the next, down and across. For "sift" a multiple of a quarter of
        `patch_size`.
    scales : tuple of floats or "auto", default="auto"
        Factors of at least 1 by which images are shrunk before patches are taken. (1, 2) sees
        every image in its full and in half its size; the codes of all scales are pooled together.
    whitening : {"auto", "pca", "zca"} or None, default="auto"
        Whether descriptors are made uncorrelated, on their principal axes or turned back.
    codebook : {"kmeans", "random", "omp"} or clusterer, default="kmeans"
        Where the words come from: the centres that k-means finds; patches drawn at random;
        directions found by orthogonal matching pursuit with one direction a patch [2]_; or any
        clusterer of scikit-learn, whose centres, or means of clusters, are then the words, however
        many (`n_words` is not used). For "fisher", "kmeans" or a
        :class:`~sklearn.mixture.GaussianMixture` with diagonal covariances.
    encoding : str, default="auto"
        The code of a patch: "auto", "tri2", "triangle", "hard", "soft", "nearest", "vlad" or
        "fisher", see Notes.
    n_neighbors : int or "auto", default="auto"
        How many words the "nearest" encoding counts; "auto" is 0.4 times their number.
    grid : tuple (n_rows, n_columns), list of such tuples or "auto", default="auto"
        The grid over whose cells codes are pooled. A patch belongs to a cell by its position; rows
        and columns of positions are shared out as evenly as possible. If there are fewer of them
        than cells, some cells stay 0. (1, 1) suits textures. Several grids make a spatial pyramid
        [3]_: ``[(1, 1), (2, 2), (4, 4)]`` has 21 cells.
    pooling : {"sum", "mean", "max"}, default="sum"
        What is made of the codes of a cell. "mean" suits images that differ in size. "max" is not
        for "vlad" and "fisher".
    power : float or "auto", default="auto"
        Each feature v becomes ``sign(v) |v|^power``. In (0, 1].
    norm : {"auto", "l2"} or None, default="auto"
        Whether each image's features are then divided by their Euclidean length.
    n_patches : int or "auto", default="auto"
        The largest number of random patches to learn from, at least `n_words`; "auto" is 20,000,
        or 50 for each word if that is more.
    variance_kept : float, default=0.99
        The share of the descriptors' variance that whitening keeps, in (0, 1].
    contrast_regularization : float, default=0.01
        Keeps the noise of flat patches from being blown up to full contrast. A share, in (0, 1], of
        the mean contrast of the training patches; hence bytes and the same images divided by 255
        have the same features.
    dtype : {None, "float16", "float32", "float64"} or the dtypes, default=None
        Of the features. None is float64 for float64 images, otherwise float32. float16 saves
        memory and holds numbers up to 65,504.
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
    verbose : bool, default=False
        Whether `transform` says on stderr how far it is, if it takes longer than two seconds.

    Attributes
    ----------
    vocabulary_ : ndarray of shape (n_words_fitted, n_components)
        The words as whitened descriptors; for "fisher" the means of the Gaussians. n_words_fitted
        is `n_words`, or the number of distinct training patches if that is less.
    words_ : ndarray of shape (n_words_fitted, patch_height, patch_width, n_channels)
        The words for drawing, see :class:`~sklin.inspection.CodebookDisplay`. Of "pixels":
        un-whitened and given the mean brightness and contrast of the training patches, in the
        units of the pixels; values may lie somewhat outside the pixels' range. Of "sift", of shape
        (n_words_fitted, 4, 4, 8): histograms of directions, cell by cell.
    settings_ : dict
        What "auto" stood for: `descriptor`, `patch_size`, `stride`, `scales`, `whitening`,
        `encoding`, `grid`, `power`, `norm`, `n_patches` and `n_neighbors`.
    patch_shape_ : tuple (patch_height, patch_width, n_channels)
        The shape of a patch, after clipping.
    contrast_epsilon_ : float
        `contrast_regularization` times the mean contrast of the training patches: variance, or
        squared length of the histograms; 1 if that is 0.
    patch_mean_ : ndarray of shape (n_numbers,)
        Mean of the normalised training descriptors v.
    whitening_ : ndarray of shape (n_numbers, n_components)
        Takes normalised descriptors v to whitened ones, ``z = (v - patch_mean_) @ whitening_``.
    image_shape_ : tuple
        The (h, w, c) of the images seen in `fit`, or (None, None, c) if they came as a list and may
        be of any size.
    n_features_in_ : int
        h * w * c. Not set if the images may be of any size.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns seen in `fit`, if `X` was a data frame with string names.

    Raises
    ------
    TypeError
        By `fit`, if a parameter is of the wrong kind, or `X` is.
    ValueError
        By `fit`, if a parameter is out of its range or `X` holds no images; by `transform`, if the
        images are of another shape than those seen in `fit`, or smaller than a patch, or if
        features are too large for float16; by both, if floats are so large or small (1e15 or 1e-15
        in single precision, 1e123 or 1e-123 in double) that squares of them are none.

    Warns
    -----
    UserWarning
        By `fit`, if `patch_size` is clipped, or if the patches drawn hold fewer than `n_words`
        distinct ones, which leaves fewer words.

    See Also
    --------
    HOG : Histograms of edge directions.
    ColorHistogram : Histograms of colours.
    sklin.inspection.CodebookDisplay : A picture of the words.

    Notes
    -----
    What is "auto" goes by the images seen in `fit`, thumbnails if half of them have no more than
    96 x 96 pixels:

    =============  ==================================  =====================================
    parameter      thumbnails                          photographs
    =============  ==================================  =====================================
    `descriptor`   "pixels"                            "sift"
    `patch_size`   6 for "pixels", 8 for "sift"        6 for "pixels", 16 for "sift"
    `stride`       1 for "pixels", 4 for "sift"        3 for "pixels", 8 for "sift"
    `scales`       (1,)                                (1, 2)
    `grid`         (2, 2)                              [(1, 1), (2, 2)]
    =============  ==================================  =====================================

    "pixels" are whitened, "pca"; so are "sift" descriptors for "fisher", and else not. The
    encoding is "tri2" for "pixels" and "hard" for "sift". "vlad" and "fisher" vectors, and "hard"
    codes of photographs, are given a power of 0.5 and length 1, the others are left alone.

    The pixels p of a patch, d numbers, are normalised, :math:`v = (p - \bar p) /
    \sqrt{\operatorname{var}(p) + \epsilon}`. A "sift" descriptor is brought to length 1, clipped at
    0.2 and brought to length :math:`\|v\|^2 / (\|v\|^2 + \epsilon)`, near 1 except for flat
    patches. Then it is whitened, :math:`z = \Lambda_r^{-1/2} U_r^\top (v - \mu)`, where the
    normalised training patches have mean :math:`\mu` and principal axes U with variances
    :math:`\Lambda`, of which the r leading ones are kept. With the distances :math:`d_k = \|z -
    c_k\|` to the words, the code of the patch for word k is

    - "hard": 1 for the nearest word, 0 for all others [4]_, [5]_;
    - "soft": :math:`e^{-d_k^2 / 2 b} / \sum_j e^{-d_j^2 / 2 b}` [6]_, where b is a fifth of the
      mean squared distance from the training patches to their nearest words;
    - "triangle": :math:`\max(0, \operatorname{mean}_j d_j - d_k)` [7]_;
    - "tri2": :math:`\max(0, \operatorname{mean}_j d_j^2 - d_k^2)`;
    - "nearest": 1 for the `n_neighbors` nearest words, 0 for all others [8]_;
    - "vlad": :math:`z - c_k` for the nearest word, 0 for all others: r numbers a word [9]_;
    - "fisher": with the posterior :math:`\gamma_k` of the k-th Gaussian of a mixture with weights
      w, means c and deviations :math:`\sigma`, :math:`\gamma_k (z - c_k) / \sigma_k \sqrt{w_k}` and
      :math:`\gamma_k ((z - c_k)^2 / \sigma_k^2 - 1) / \sqrt{2 w_k}`: 2 r numbers a word [10]_.

    In "tri2" the :math:`\|z\|^2` cancel, which leaves :math:`\max(0, 2 z \cdot (c_k - \bar c) -
    \|c_k\|^2 + \operatorname{mean}_j \|c_j\|^2)`: an affine map, and zero where that is negative.
    It is twice as fast as "triangle" and about as accurate.

    Images must stay on one scale: bytes in `fit` and numbers in [0, 1] in `transform` do not go
    together.

    References
    ----------
    .. [1] D. G. Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", International
       Journal of Computer Vision 60, 2004.
    .. [2] A. Coates and A. Y. Ng, "The Importance of Encoding Versus Training with Sparse Coding
       and Vector Quantization", ICML 2011.
    .. [3] S. Lazebnik, C. Schmid and J. Ponce, "Beyond Bags of Features: Spatial Pyramid Matching
       for Recognizing Natural Scene Categories", CVPR 2006.
    .. [4] J. Sivic and A. Zisserman, "Video Google: A Text Retrieval Approach to Object Matching in
       Videos", ICCV 2003.
    .. [5] G. Csurka, C. R. Dance, L. Fan, J. Willamowski and C. Bray, "Visual Categorization with
       Bags of Keypoints", ECCV Workshop on Statistical Learning in Computer Vision, 2004.
    .. [6] J. C. van Gemert, C. J. Veenman, A. W. M. Smeulders and J.-M. Geusebroek, "Visual Word
       Ambiguity", IEEE Transactions on Pattern Analysis and Machine Intelligence 32, 2010.
    .. [7] A. Coates, A. Y. Ng and H. Lee, "An Analysis of Single-Layer Networks in Unsupervised
       Feature Learning", AISTATS 2011.
    .. [8] L. Thiry, M. Arbel, E. Belilovsky and E. Oyallon, "The Unreasonable Effectiveness of
       Patches in Deep Convolutional Kernels Methods", ICLR 2021.
    .. [9] H. Jegou, M. Douze, C. Schmid and P. Perez, "Aggregating Local Descriptors into a Compact
       Image Representation", CVPR 2010.
    .. [10] F. Perronnin, J. Sanchez and T. Mensink, "Improving the Fisher Kernel for Large-Scale
       Image Classification", ECCV 2010.

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
        *,
        descriptor="auto",
        patch_size="auto",
        stride="auto",
        scales="auto",
        whitening="auto",
        codebook="kmeans",
        encoding="auto",
        n_neighbors="auto",
        grid="auto",
        pooling="sum",
        power="auto",
        norm="auto",
        n_patches="auto",
        variance_kept=0.99,
        contrast_regularization=0.01,
        dtype=None,
        image_shape=None,
        random_state=None,
        n_jobs=None,
        verbose=False,
    ):
        self.n_words = n_words
        self.descriptor = descriptor
        self.patch_size = patch_size
        self.stride = stride
        self.scales = scales
        self.whitening = whitening
        self.codebook = codebook
        self.encoding = encoding
        self.n_neighbors = n_neighbors
        self.grid = grid
        self.pooling = pooling
        self.power = power
        self.norm = norm
        self.n_patches = n_patches
        self.variance_kept = variance_kept
        self.contrast_regularization = contrast_regularization
        self.dtype = dtype
        self.image_shape = image_shape
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _check_params(self):
        check_integer("n_words", self.n_words)
        for name in ("patch_size", "stride", "n_neighbors", "n_patches"):
            if not _is_auto(getattr(self, name)):
                check_integer(name, getattr(self, name))
        check_choice("descriptor", self.descriptor, ("auto", *DESCRIPTORS))
        check_choice("whitening", self.whitening, ("auto", "pca", "zca", None))
        check_choice("encoding", self.encoding, ("auto", *ENCODERS))
        check_choice("pooling", self.pooling, ("sum", "mean", "max"))
        check_choice("norm", self.norm, ("auto", "l2", None))
        if not _is_auto(self.n_patches) and self.n_patches < self.n_words:
            raise ValueError(
                f"n_patches must be at least n_words={self.n_words}, got {self.n_patches!r}."
            )
        for name, check in (
            ("scales", check_scales),
            ("grid", check_grids),
            ("power", check_share),
        ):
            if not _is_auto(getattr(self, name)):
                check(name, getattr(self, name))
        for name in ("variance_kept", "contrast_regularization"):
            check_share(name, getattr(self, name))
        self._check_codebook()
        self._check_dtype()
        if self.pooling == "max" and not ENCODERS.get(self.encoding, ENCODERS["tri2"]).has_codes:
            raise ValueError(
                f"pooling must be 'sum' or 'mean' with encoding={self.encoding!r}, got 'max': "
                "its numbers have signs."
            )

    def _check_codebook(self):
        if self.encoding == "fisher":
            is_mixture = isinstance(self.codebook, GaussianMixture)
            if not is_mixture and not (
                isinstance(self.codebook, str) and self.codebook == "kmeans"
            ):
                raise ValueError(
                    "codebook must be 'kmeans' or a GaussianMixture with encoding='fisher', got "
                    f"{self.codebook!r}."
                )
            if is_mixture and self.codebook.covariance_type != "diag":
                raise ValueError(
                    "codebook must have covariance_type='diag' with encoding='fisher', got "
                    f"{self.codebook!r}."
                )
        elif isinstance(self.codebook, str):
            check_choice("codebook", self.codebook, CODEBOOKS)
        elif isinstance(self.codebook, type) or not hasattr(self.codebook, "fit"):
            raise TypeError(
                f"codebook must be one of {', '.join(map(repr, CODEBOOKS))} or a clusterer object, "
                f"got {self.codebook!r}."
            )

    def _check_dtype(self):
        wanted = f"dtype must be None, float16, float32 or float64, got {self.dtype!r}."
        if self.dtype is None:
            return
        try:
            dtype = np.dtype(self.dtype)
        except TypeError as error:
            raise TypeError(wanted) from error
        if dtype not in (np.float16, np.float32, np.float64):
            raise ValueError(wanted)

    def _check_images(self, X, image_shape, reset):
        images, shape = super()._check_images(X, image_shape, reset)
        check_squares(images)
        return images, shape

    def _settings(self, shapes):
        """What every parameter that is "auto" stands for, by the sizes of the images."""
        thumbnails = np.median([h * w for h, w, _ in shapes]) <= LARGEST_THUMBNAIL

        def auto(name, choice):
            value = getattr(self, name)
            return choice if _is_auto(value) else value

        descriptor = auto("descriptor", "pixels" if thumbnails else "sift")
        pixels = descriptor == "pixels"
        encoding = auto("encoding", "tri2" if pixels else "hard")
        patch_size = auto("patch_size", 6 if pixels else 8 if thumbnails else 16)
        stride = 1 if pixels and thumbnails else max(1, patch_size // 2)
        is_vector = not ENCODERS[encoding].has_codes
        rooted = is_vector or (encoding == "hard" and not thumbnails)
        grid = auto("grid", (2, 2) if thumbnails else ((1, 1), (2, 2)))
        return {
            "descriptor": descriptor,
            "patch_size": patch_size,
            "stride": auto("stride", stride),
            "scales": tuple(auto("scales", (1,) if thumbnails else (1, 2))),
            "whitening": auto("whitening", "pca" if pixels or encoding == "fisher" else None),
            "encoding": encoding,
            "grid": [tuple(g) for g in ([grid] if is_integer(grid[0]) else grid)],
            "power": auto("power", 0.5 if rooted else 1),
            "norm": auto("norm", "l2" if rooted else None),
            "n_patches": auto("n_patches", max(20_000, 50 * self.n_words)),
        }

    def _learn(self, images, y=None):
        rng = check_random_state(self.random_state)
        shapes = shapes_of(images)
        settings = self.settings_ = self._settings(shapes)
        self.patch_shape_ = self._clipped_patch_shape(shapes, settings)
        self.contrast_epsilon_ = 0.0
        dense = self._dense()
        raw = sample_descriptors(images, shapes, dense, settings["n_patches"], rng)
        dense.descriptor.learn(raw, self.contrast_regularization)
        self.contrast_epsilon_ = dense.descriptor.epsilon
        brightness, variance = raw.mean(), raw.var(axis=1).mean()
        raw *= dense.descriptor.normalize(raw)
        self.patch_mean_, self.whitening_, color = learn_whitening(
            raw, self.variance_kept, settings["whitening"]
        )
        z = ((raw - self.patch_mean_) @ self.whitening_).astype(_working_dtype(images.dtype))
        self._codebook = self._learn_codebook(z, rng)
        self.vocabulary_ = self._codebook.words
        words = self.patch_mean_ + self.vocabulary_ @ color
        if settings["descriptor"] == "pixels":
            words = brightness + np.sqrt(variance) * words
        self.words_ = words.reshape(-1, *dense.descriptor.shape)

    def _learn_codebook(self, z, rng):
        settings = self.settings_
        if settings["encoding"] == "fisher":
            return learn_mixture(z, self.n_words, self.codebook, rng)
        codebook = Codebook(learn_words(z, self.n_words, self.codebook, rng))
        n_words = len(codebook.words)
        if settings["encoding"] == "soft":
            codebook.bandwidth = _mean_nearest_square(z, codebook.words) / 5 or 1.0
        if settings["encoding"] == "nearest":
            k = self.n_neighbors
            k = max(1, round(0.4 * n_words)) if _is_auto(k) else min(k, n_words)
            settings["n_neighbors"] = codebook.n_neighbors = k
        return codebook

    def _clipped_patch_shape(self, shapes, settings):
        h, w, c = (min(sizes) for sizes in zip(*shapes, strict=True))
        size = settings["patch_size"]
        if settings["descriptor"] == "sift":
            if size % CELLS:
                raise ValueError(f"patch_size must be a multiple of 4 for 'sift', got {size}.")
            if settings["stride"] % (size // CELLS):
                raise ValueError(
                    f"stride must be a multiple of patch_size / 4 = {size // CELLS} for 'sift', "
                    f"got {settings['stride']}."
                )
            if min(h, w) < CELLS:
                raise ValueError(
                    f"descriptor='sift' needs images of at least 4 x 4 pixels, got {h} x {w}."
                )
        step = CELLS if settings["descriptor"] == "sift" else 1
        ph, pw = (min(size, length // step * step) for length in (h, w))
        if min(ph, pw) < size and not _is_auto(self.patch_size):
            warnings.warn(
                f"patch_size={size} does not fit into the smallest image, "
                f"{h} x {w} pixels: patches are {ph} x {pw}.",
                UserWarning,
                stacklevel=5,
            )
        return ph, pw, c

    def _dense(self):
        kind = DESCRIPTORS[self.settings_["descriptor"]]
        descriptor = kind(self.patch_shape_, self.settings_["stride"], self.contrast_epsilon_)
        return Dense(descriptor, self.settings_["scales"])

    def _features(self, images):
        settings, dtype = self.settings_, _working_dtype(images.dtype)
        dense = self._dense()
        if not any(map(min, dense.positions(*images.shape[1:3]))):
            ph, pw, _ = self.patch_shape_
            raise ValueError(
                f"X holds an image of {images.shape[1]} x {images.shape[2]} pixels, smaller than "
                f"the patches of {ph} x {pw} learned in fit."
            )
        encoder = ENCODERS[settings["encoding"]](self._codebook, dtype)
        describe = self._describer(dense.descriptor, dtype)
        rows, columns = all_edges(settings["grid"])
        cells = len(rows) - 1, len(columns) - 1
        pooled = np.zeros((len(images), *cells, encoder.raw_width), dtype)
        n_patches = np.zeros((*cells, 1))
        per_tile = max(64, NUMBERS_PER_TILE // max(len(self.vocabulary_), len(self.whitening_)))
        for windows in dense.windows(images):
            for i, band in enumerate(bands(windows.shape[1], rows)):
                for j, part in enumerate(bands(windows.shape[2], columns)):
                    cell = windows[:, band, part]
                    n_patches[i, j] += cell.shape[1] * cell.shape[2]
                    for some, lines in tiles(cell.shape[:3], per_tile):
                        z, target = describe(cell[some, lines]), pooled[some, i, j]
                        if self.pooling == "max":
                            np.maximum(target, encoder.codes(z).max(axis=1), out=target)
                        else:
                            target += encoder.sums(z)
        combine = np.max if self.pooling == "max" else np.sum
        parts = []
        for grid in settings["grid"]:
            codes, counts = (
                cells_of_grid(a, settings["grid"], grid, combine)
                for a in (pooled, n_patches[np.newaxis])
            )
            if self.pooling == "mean":
                codes = codes / np.maximum(counts, 1).astype(dtype)
            parts.append(encoder.finish(codes).reshape(len(images), -1))
        return self._normalized(np.concatenate(parts, axis=1))

    def _describer(self, descriptor, dtype):
        """The function from windows (n, ...) to whitened patches (n, m, r + 1) that end in a 1."""
        d, r = self.whitening_.shape
        # A last column of 0 - (-1) = 1 lets the affine map of the words be one matrix product.
        matrix = np.hstack([self.whitening_, np.zeros((d, 1))]).astype(dtype)
        shift = np.append(self.patch_mean_ @ self.whitening_, -1).astype(dtype)
        memory = np.empty(0, dtype)

        def describe(windows):
            nonlocal memory
            if memory.size < windows.size:
                memory = np.empty(windows.size, dtype)
            raw = memory[: windows.size].reshape(windows.shape)
            np.copyto(raw, windows)
            raw = raw.reshape(-1, d)
            scale = descriptor.normalize(raw)
            # Folding the whitening into the words would make the two products, d x r and r x K, one
            # of d x K: at d = 108, r = 45, K = 1,600 it has 2.3 times as many multiplications.
            z = raw @ matrix
            z *= scale
            z -= shift
            return z.reshape(len(windows), -1, r + 1)

        return describe

    def _normalized(self, features):
        settings = self.settings_
        if settings["power"] != 1:
            features = np.copysign(
                np.abs(features) ** features.dtype.type(settings["power"]), features
            )
        if settings["norm"] == "l2":
            lengths = np.linalg.norm(features, axis=1, keepdims=True)
            features /= np.where(lengths > 0, lengths, 1)
        dtype = self._output_dtype(features.dtype)
        if dtype == np.float16 and np.abs(features).max() > np.finfo(dtype).max:
            raise ValueError(
                "dtype=float16 holds numbers up to 65,504, and the features reach "
                f"{np.abs(features).max():.0f}: use pooling='mean', norm='l2' or dtype='float32'."
            )
        return features.astype(dtype, copy=False)

    def _output_dtype(self, dtype):
        return _working_dtype(dtype) if self.dtype is None else np.dtype(self.dtype)


def _is_auto(value):
    return isinstance(value, str) and value == "auto"


def _working_dtype(dtype):
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


def _mean_nearest_square(z, words):
    """Mean squared distance from descriptors to their nearest words."""
    # Against blocks of words that fit the cache.
    nearest = np.full(len(z), np.inf)
    for block in np.array_split(words, -(-len(words) // 64)):
        d2 = (
            np.square(z).sum(axis=1)[:, np.newaxis] - 2 * z @ block.T + np.square(block).sum(axis=1)
        )
        np.minimum(nearest, d2.min(axis=1), out=nearest)
    return float(np.maximum(nearest, 0).mean())
