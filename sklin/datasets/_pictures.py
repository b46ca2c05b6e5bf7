"""Ten pictures that come with scikit-image, as a classification problem without a download."""

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image
from skimage import data
from sklearn.utils import Bunch, check_random_state

# These lie in scikit-image's wheel. Its other pictures are fetched from the network by pooch,
# which is no dependency.
PICTURES = (
    "brick",
    "grass",
    "gravel",
    "coins",
    "page",
    "moon",
    "camera",
    "immunohistochemistry",
    "retina",
    "hubble_deep_field",
)
TILE = 64
SUBSETS = ("train", "test")

DESCR = """\
Which picture is this patch from?

Patches at random places of ten pictures that come with scikit-image, in RGB. A picture is divided
into tiles of 64 x 64 pixels like a chess board. Training patches lie within its white tiles, test
patches within its black ones, so no pixel serves both. Brightness and contrast vary from patch to
patch. The pictures' licences are in the README.txt of the folder skimage/data.
"""


def load_pictures(
    *,
    subset="train",
    n_per_picture=100,
    patch_size=32,
    contrast=0.2,
    brightness=20,
    random_state=0,
    return_X_y=False,
):
    """Load patches of ten pictures, to tell which picture each is from.

    Nothing is downloaded: the pictures are files of scikit-image. Training and test patches are
    cut from different tiles of 64 x 64 pixels. Both are drawn with replacement and may overlap
    among themselves.

    Parameters
    ----------
    subset : {"train", "test"}, default="train"
        Which patches to return.
    n_per_picture : int, default=100
        Number of patches of each picture.
    patch_size : int, default=32
        Height and width of a patch in pixels, at most 64.
    contrast : float, default=0.2
        Grey levels are multiplied by a number drawn from 1 - contrast to 1 + contrast for each
        patch, at most 1.
    brightness : float, default=20
        A number drawn from -brightness to brightness for each patch is added to its grey levels,
        which run from 0 to 255.
    random_state : int, RandomState instance or None, default=0
        Seed of the patches. The same seed must be given for both subsets.
    return_X_y : bool, default=False
        Whether to return (images, target) instead of a Bunch.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch` or tuple
        Dictionary-like object with the attributes

        images : ndarray of shape (10 * n_per_picture, patch_size, patch_size, 3), uint8
            The patches. Grey pictures have three equal channels.
        target : ndarray of shape (10 * n_per_picture,), int64
            Index of the picture of each patch.
        target_names : list of str
            Names of the ten pictures, as functions of :mod:`skimage.data`.
        tiles : ndarray of shape (10 * n_per_picture,), int64
            Number of the tile of each patch. Patches of one tile may overlap: give these as
            `groups` to a cross-validation that should not be flattered by that.
        DESCR : str
            A description.

        If `return_X_y` is True, the tuple (images, target).

    Raises
    ------
    ValueError
        If `subset` is unknown or another parameter out of its range.

    References
    ----------
    S. van der Walt et al., "scikit-image: image processing in Python", PeerJ 2, 2014, whose
    `skimage.data` names the source of every picture.

    Examples
    --------
    >>> from sklin.datasets import load_pictures
    >>> pictures = load_pictures(subset="train")
    >>> pictures.images.shape
    (1000, 32, 32, 3)
    >>> pictures.target_names[pictures.target[0]]
    'brick'
    """
    if subset not in SUBSETS:
        raise ValueError(f"subset must be 'train' or 'test', got {subset!r}.")
    if n_per_picture < 1:
        raise ValueError(f"n_per_picture must be at least 1, got {n_per_picture!r}.")
    if not 1 <= patch_size <= TILE:
        raise ValueError(f"patch_size must be from 1 to {TILE}, got {patch_size!r}.")
    if not 0 <= contrast <= 1:
        raise ValueError(f"contrast must be from 0 to 1, got {contrast!r}.")
    if not 0 <= brightness <= 255:
        raise ValueError(f"brightness must be from 0 to 255, got {brightness!r}.")
    rng = check_random_state(random_state)
    if subset == "test":
        # The test patches must not depend on how many training patches were asked for.
        rng = check_random_state(rng.randint(2**31 - 1))

    images = np.empty((len(PICTURES), n_per_picture, patch_size, patch_size, 3), dtype=np.uint8)
    tiles = np.empty((len(PICTURES), n_per_picture), dtype=np.int64)
    first_tile = 0
    for label, picture in enumerate(_pictures()):
        n_rows, n_columns = picture.shape[0] // TILE, picture.shape[1] // TILE
        row, column = np.divmod(np.arange(n_rows * n_columns), n_columns)
        allowed = np.flatnonzero((row + column) % 2 == SUBSETS.index(subset))
        chosen = allowed[rng.randint(len(allowed), size=n_per_picture)]
        tiles[label] = first_tile + chosen
        first_tile += n_rows * n_columns
        top, left = rng.randint(TILE - patch_size + 1, size=(2, n_per_picture))
        top, left = top + TILE * row[chosen], left + TILE * column[chosen]
        windows = sliding_window_view(picture, (patch_size, patch_size), axis=(0, 1))
        patches = windows[top, left].transpose(0, 2, 3, 1)
        factor = rng.uniform(1 - contrast, 1 + contrast, size=(n_per_picture, 1, 1, 1))
        offset = rng.uniform(-brightness, brightness, size=(n_per_picture, 1, 1, 1))
        images[label] = np.clip(np.rint(patches * factor + offset), 0, 255)

    images = images.reshape(-1, patch_size, patch_size, 3)
    target = np.repeat(np.arange(len(PICTURES), dtype=np.int64), n_per_picture)
    if return_X_y:
        return images, target
    return Bunch(
        images=images,
        target=target,
        target_names=list(PICTURES),
        tiles=tiles.ravel(),
        DESCR=DESCR,
    )


@lru_cache(maxsize=1)
def _pictures():
    """All pictures as read-only RGB bytes: reading them takes far longer than cutting patches."""
    pictures = []
    for name in PICTURES:
        picture = getattr(data, name)()
        if name == "retina":  # at full size a patch shows next to nothing
            picture = np.asarray(Image.fromarray(picture).reduce(2))
        if picture.ndim == 2:
            picture = np.repeat(picture[:, :, np.newaxis], 3, axis=2)
        picture.flags.writeable = False
        pictures.append(picture)
    return pictures
