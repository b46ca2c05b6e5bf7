"""A folder of images, one sub-folder a class."""

import warnings
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from ._files import open_image, pillow_quiet, to_bytes


def load_image_folder(path, *, max_side=None):
    """Load a folder of images with one sub-folder for each class.

    Every file directly in a sub-folder that Pillow can read becomes an RGB image: grey levels are
    repeated, 16 bits are reduced to 8, transparent pixels are laid over white, and photographs
    are turned upright as their EXIF data say. Of an animation the first frame is read. Other files
    are skipped, with one warning that lists them. Files and folders whose names begin with a dot
    are ignored.

    Parameters
    ----------
    path : str or path-like
        The folder.
    max_side : int, default=None
        Larger images are reduced so that their longer side has this many pixels. None keeps every
        image as it is: a thousand photographs of twelve megapixels take 36 gigabytes.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the attributes

        images : list of n ndarrays of shape (height, width, 3), uint8
            The images. They may differ in size.
        target : ndarray of shape (n,), str
            The class of each image: the name of its sub-folder.
        target_names : list of str
            The classes, sorted.
        filenames : list of n str
            The file of each image.
        unreadable : list of (str, str)
            The files that were skipped, and why.

    Raises
    ------
    FileNotFoundError
        If there is no `path`.
    NotADirectoryError
        If `path` is no folder.
    ValueError
        If fewer than two sub-folders hold an image, or `max_side` is less than 1.

    Warns
    -----
    UserWarning
        If files cannot be read, among them pictures of so many pixels that Pillow takes them for
        decompression bombs.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from PIL import Image
    >>> from sklin.datasets import load_image_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for color, size in [("red", (8, 6)), ("blue", (5, 5))]:
    ...         pathlib.Path(folder, color).mkdir()
    ...         Image.new("RGB", size, color).save(pathlib.Path(folder, color, "1.png"))
    ...     dataset = load_image_folder(folder)
    >>> [image.shape for image in dataset.images]
    [(5, 5, 3), (6, 8, 3)]
    >>> dataset.target.tolist()
    ['blue', 'red']
    """
    if max_side is not None and max_side < 1:
        raise ValueError(f"max_side must be None or at least 1, got {max_side!r}.")
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"path: there is no folder {str(path)!r}.")
    if not path.is_dir():
        raise NotADirectoryError(f"path: {str(path)!r} is a file, expected a folder.")

    dataset = Bunch(images=[], target=[], filenames=[], unreadable=[])
    for folder in _visible(path):
        if not folder.is_dir():
            continue
        for file in _visible(folder):
            if not file.is_file():
                continue
            try:
                with pillow_quiet(), open_image(file) as opened:
                    image = to_bytes(opened, 3, max_side)
            except ValueError as error:
                dataset.unreadable.append((str(file), str(error)))
            else:
                dataset.images.append(image)
                dataset.target.append(folder.name)
                dataset.filenames.append(str(file))

    if dataset.unreadable:
        listed = [f"{file} ({reason})" for file, reason in dataset.unreadable]
        warnings.warn(
            f"Skipped {len(listed)} unreadable file{'s' * (len(listed) > 1)}: "
            + "; ".join(listed[:10])
            + f"; and {len(listed) - 10} more" * (len(listed) > 10),
            UserWarning,
            stacklevel=2,
        )
    dataset.target_names = sorted(set(dataset.target))
    if len(dataset.target_names) < 2:
        found = f"only {dataset.target_names[0]!r}" if dataset.target_names else "none"
        raise ValueError(
            f"path: {str(path)!r} must hold at least two sub-folders with images, one for each "
            f"class; found {found}."
        )
    dataset.target = np.array(dataset.target)
    return dataset


def _visible(folder):
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
