"""CIFAR-10 from its official binary files."""

import gzip
import re
import tarfile
import zlib
from pathlib import Path, PurePosixPath

import numpy as np
from sklearn.utils import Bunch

RECORD = 1 + 3 * 1024
# CIFAR-10 is 184 MB. A gzip archive of one megabyte can unpack to a thousand.
MAX_BYTES = 2**30
FILES = {"train": re.compile(r"data_batch_\d+\.bin"), "test": re.compile(r"test_batch\.bin")}
NAMES_FILE = "batches.meta.txt"
CLASS_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)

DESCR = """\
CIFAR-10: photographs of 32 x 32 pixels in ten classes, 50,000 for training and 10,000 for testing.
A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
https://www.cs.toronto.edu/~kriz/cifar.html
"""


def load_cifar10(path, *, subset="train", return_X_y=False):
    """Load CIFAR-10 from its official binary files.

    The files are what https://www.cs.toronto.edu/~kriz/cifar.html calls the binary version. A
    record is a byte with the label, then 1,024 bytes of red, 1,024 of green and 1,024 of blue,
    row by row.

    Parameters
    ----------
    path : str or path-like
        The archive ``cifar-10-binary.tar.gz``, of which nothing is unpacked onto the disk, or a
        folder that holds the files ``data_batch_1.bin`` and so on, directly or in a sub-folder.
    subset : {"train", "test"}, default="train"
        "train" reads the files ``data_batch_*.bin`` that are there, in their order, "test"
        ``test_batch.bin``.
    return_X_y : bool, default=False
        Whether to return (images, target) instead of a Bunch.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch` or tuple
        Dictionary-like object with the attributes

        images : ndarray of shape (n, 32, 32, 3), uint8
            The images, in RGB.
        target : ndarray of shape (n,), int64
            The labels, 0 to 9.
        target_names : list of 10 str
            Names of the classes, from the file ``batches.meta.txt`` if it is there.
        filenames : list of str
            The files that were read.
        DESCR : str
            A description.

        If `return_X_y` is True, the tuple (images, target).

    Raises
    ------
    FileNotFoundError
        If there is no `path`, or none of the files in it.
    ValueError
        If `subset` is unknown, the archive cannot be read or unpacks to more than a gigabyte, or a
        file is truncated or something else: its length is no multiple of 3,073, or a label is more
        than 9. The message names the file.

    References
    ----------
    A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", technical report,
    University of Toronto, 2009.

    Examples
    --------
    Write a file of two records, and read it.

    >>> import pathlib, tempfile
    >>> from sklin.datasets import load_cifar10
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "data_batch_1.bin")
    ...     _ = file.write_bytes(bytes([3] + 3072 * [255] + [8] + 3072 * [0]))
    ...     dataset = load_cifar10(folder)
    >>> dataset.images.shape, [dataset.target_names[i] for i in dataset.target]
    ((2, 32, 32, 3), ['cat', 'ship'])
    """
    if subset not in FILES:
        raise ValueError(f"subset must be 'train' or 'test', got {subset!r}.")
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"path: there is no file or folder {str(path)!r}.")
    read = _read_folder if path.is_dir() else _read_archive
    contents, others = read(path, FILES[subset])
    names = contents.pop(NAMES_FILE, None)
    if not contents:
        raise FileNotFoundError(_nothing_found(path, subset, others))

    order = sorted(contents, key=lambda name: (len(name), name))  # 2 before 10
    records = [_records(f"{path}: {name}", contents.pop(name)) for name in order]
    target = np.concatenate([part[:, 0] for part in records]).astype(np.int64)
    images = np.empty((len(target), 32, 32, 3), dtype=np.uint8)
    planes = (part[:, 1:].reshape(-1, 3, 32, 32) for part in records)
    np.concatenate(list(planes), out=images.transpose(0, 3, 1, 2))
    if return_X_y:
        return images, target
    return Bunch(
        images=images,
        target=target,
        target_names=_class_names(path, names),
        filenames=order,
        DESCR=DESCR,
    )


def _read_folder(folder, pattern):
    """Contents of the files wanted by their names, and the names of all others."""
    contents, others = {}, []
    for file in sorted([*folder.glob("*"), *folder.glob("*/*")]):
        if not file.is_file():
            continue
        if pattern.fullmatch(file.name) or file.name == NAMES_FILE:
            _check_single(file.name, contents, folder)
            contents[file.name] = file.read_bytes()
        else:
            others.append(file.name)
    return contents, others


def _read_archive(archive, pattern):
    """Contents of the members wanted by their names, and the names of all others.

    Members are read into memory in the order of the archive, in one pass. Their paths are never
    used on the disk, so they cannot lead anywhere.
    """
    contents, others = {}, []
    try:
        with tarfile.open(archive, "r|*") as members:
            for member in members:
                if member.offset_data + member.size > MAX_BYTES:
                    raise ValueError(
                        f"path: {str(archive)!r} unpacks to more than {MAX_BYTES:,} bytes, "
                        "which CIFAR-10 does not: a decompression bomb?"
                    )
                name = PurePosixPath(member.name).name
                if not member.isfile():
                    continue
                if pattern.fullmatch(name) or name == NAMES_FILE:
                    _check_single(name, contents, archive)
                    contents[name] = members.extractfile(member).read()
                else:
                    others.append(name)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ValueError(
            f"path: {str(archive)!r} is no complete .tar.gz archive ({error})."
        ) from error
    return contents, others


def _check_single(name, contents, path):
    if name in contents:
        raise ValueError(f"path: {str(path)!r} holds more than one {name}.")


def _nothing_found(path, subset, others):
    wanted = "data_batch_1.bin and so on" if subset == "train" else "test_batch.bin"
    message = f"path: {str(path)!r} holds no file {wanted}"
    if {"data_batch_1", "test_batch"} & set(others):
        return f"{message}, but the Python version of CIFAR-10: download the binary version."
    if {"train.bin", "test.bin"} & set(others):
        return f"{message}, but train.bin or test.bin, which look like CIFAR-100."
    found = ", ".join(sorted(others)[:5]) or "nothing"
    return f"{message}. Found: {found}{', ...' if len(others) > 5 else ''}."


def _records(name, content):
    """The records (n, 3073) of a file, once its length and labels are found right."""
    if not content or len(content) % RECORD:
        raise ValueError(
            f"{name} is truncated, or no file of CIFAR-10: it has {len(content)} bytes, which is "
            f"no positive multiple of {RECORD}."
        )
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, RECORD)
    foreign = np.flatnonzero(records[:, 0] > 9)
    if foreign.size:
        raise ValueError(
            f"{name} is no file of CIFAR-10: record {foreign[0]} has the label "
            f"{records[foreign[0], 0]}, allowed are 0 to 9."
        )
    return records


def _class_names(path, content):
    if content is None:
        return list(CLASS_NAMES)
    names = content.decode("utf-8", "replace").split()
    if len(names) != 10:
        raise ValueError(f"{path}: {NAMES_FILE} has {len(names)} names, expected 10.")
    return names
