"""The loaders: what they return is held against files and pictures that the tests know."""

import gzip
import io
import os
import socket
import struct
import tarfile
import zlib

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image
from skimage import data

from sklin.datasets import load_cifar10, load_image_folder, load_pictures

# ---------------------------------------------------------------- pictures


def test_pictures_have_the_shape_of_a_dataset():
    pictures = load_pictures(n_per_picture=7, patch_size=20)
    assert pictures.images.shape == (70, 20, 20, 3)
    assert pictures.images.dtype == np.uint8
    assert np.bincount(pictures.target).tolist() == [7] * 10
    assert len(pictures.target_names) == 10
    images, target = load_pictures(n_per_picture=7, patch_size=20, return_X_y=True)
    assert np.array_equal(images, pictures.images)
    assert np.array_equal(target, pictures.target)


@pytest.mark.parametrize("subset", ["train", "test"])
def test_pictures_depend_on_the_seed_alone(subset):
    first, again, other = (load_pictures(subset=subset, random_state=s).images for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_pictures_need_no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("load_pictures opened a connection")

    monkeypatch.setattr(socket, "socket", refuse)
    from sklin.datasets import _pictures

    _pictures._pictures.cache_clear()
    load_pictures(n_per_picture=1)


def _places(patch, picture):
    """All places (row, column) at which a patch occurs in a picture."""
    windows = sliding_window_view(picture, patch.shape[:2])
    rows, columns = np.nonzero(windows[..., 0, 0] == patch[0, 0])
    for row, column in zip(rows, columns, strict=True):
        if np.array_equal(windows[row, column], patch):
            yield row, column


def test_training_and_test_patches_share_no_tile():
    # Without jitter a patch of gravel, which never repeats, can be found in the picture again.
    picture = data.gravel()
    tiles = {}
    for subset in ("train", "test"):
        patches = load_pictures(subset=subset, n_per_picture=40, contrast=0, brightness=0)
        gravel = patches.images[patches.target == patches.target_names.index("gravel")]
        tiles[subset] = set()
        for patch in gravel[..., 0]:
            [(row, column)] = _places(patch, picture)
            corners = {(y // 64, x // 64) for y in (row, row + 31) for x in (column, column + 31)}
            assert len(corners) == 1  # no patch crosses into the next tile
            tiles[subset] |= corners
    assert not tiles["train"] & tiles["test"]
    assert len(tiles["train"]) > 10 < len(tiles["test"])


def test_the_tiles_told_are_disjoint_and_belong_to_one_picture():
    train, test = (load_pictures(subset=s, n_per_picture=50) for s in ("train", "test"))
    assert not set(train.tiles) & set(test.tiles)
    for tile in np.unique(train.tiles):
        assert len(set(train.target[train.tiles == tile])) == 1


def test_test_patches_do_not_depend_on_the_training_patches():
    few = load_pictures(subset="test", n_per_picture=5)
    load_pictures(subset="train", n_per_picture=9)
    assert np.array_equal(load_pictures(subset="test", n_per_picture=5).images, few.images)


@pytest.mark.parametrize(
    "parameters",
    [
        {"subset": "validation"},
        {"n_per_picture": 0},
        {"patch_size": 65},
        {"contrast": -0.1},
        {"brightness": 256},
    ],
)
def test_pictures_name_the_parameter_that_is_wrong(parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        load_pictures(**parameters)


# ---------------------------------------------------------------- CIFAR-10


def _records(n, seed=0):
    """Random images, labels, and their bytes in the layout that Krizhevsky's page describes."""
    rng = np.random.default_rng(seed)
    images = rng.integers(256, size=(n, 32, 32, 3), dtype=np.uint8)
    labels = rng.integers(10, size=n)
    content = b"".join(
        bytes([label]) + b"".join(image[:, :, channel].tobytes() for channel in range(3))
        for image, label in zip(images, labels, strict=True)
    )
    return images, labels, content


def _write_cifar10(folder, counts):
    """Files of so many records each; returns images and labels by file name."""
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for seed, (name, n) in enumerate(counts.items()):
        images, labels, content = _records(n, seed)
        (folder / name).write_bytes(content)
        written[name] = images, labels
    return written


def _pack(folder, archive, mode="w:gz"):
    with tarfile.open(archive, mode) as tar:
        tar.add(folder, arcname="cifar-10-batches-bin")
    return archive


@pytest.fixture(params=["folder", "sub-folder", "tar.gz", "tar"])
def cifar10(request, tmp_path):
    folder = tmp_path / "data" / "cifar-10-batches-bin"
    counts = {"data_batch_10.bin": 2, "data_batch_2.bin": 3, "data_batch_1.bin": 4}
    written = _write_cifar10(folder, {**counts, "test_batch.bin": 5})
    (folder / "readme.html").write_text("not an image")
    if request.param == "folder":
        return folder, written
    if request.param == "sub-folder":
        return folder.parent, written
    mode = "w:gz" if request.param == "tar.gz" else "w"
    return _pack(folder, tmp_path / f"cifar.{request.param}", mode), written


def test_cifar10_round_trip(cifar10):
    path, written = cifar10
    train, test = load_cifar10(path), load_cifar10(str(path), subset="test")
    order = ["data_batch_1.bin", "data_batch_2.bin", "data_batch_10.bin"]
    assert train.filenames == order
    assert np.array_equal(train.images, np.concatenate([written[name][0] for name in order]))
    assert np.array_equal(train.target, np.concatenate([written[name][1] for name in order]))
    assert train.images.flags.c_contiguous
    assert np.array_equal(test.images, written["test_batch.bin"][0])
    assert test.target_names[:2] == ["airplane", "automobile"]
    images, target = load_cifar10(path, subset="test", return_X_y=True)
    assert np.array_equal(images, test.images)
    assert np.array_equal(target, test.target)


def test_cifar10_takes_class_names_from_their_file(tmp_path):
    _write_cifar10(tmp_path, {"data_batch_1.bin": 1})
    names = [f"class_{i}" for i in range(10)]
    (tmp_path / "batches.meta.txt").write_text("\n".join(names) + "\n\n")
    assert load_cifar10(tmp_path).target_names == names
    (tmp_path / "batches.meta.txt").write_text("airplane\nautomobile\n")
    with pytest.raises(ValueError, match=r"batches\.meta\.txt has 2 names, expected 10"):
        load_cifar10(tmp_path)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("damage", ["truncated", "longer", "empty", "label"])
def test_cifar10_refuses_a_damaged_file_by_name(tmp_path, damage, packed):
    folder = tmp_path / "files"
    _write_cifar10(folder, {"data_batch_1.bin": 2, "data_batch_2.bin": 2})
    file = folder / "data_batch_2.bin"
    content = bytearray(file.read_bytes())
    if damage == "label":
        content[3073] = 10
    content = {"truncated": content[:-1], "longer": content + b"1", "empty": b""}.get(
        damage, content
    )
    file.write_bytes(content)
    path = _pack(folder, tmp_path / "cifar.tar.gz") if packed else folder
    expected = "record 1 has the label 10" if damage == "label" else f"{len(content)} bytes"
    with pytest.raises(ValueError, match=rf"data_batch_2\.bin.*{expected}"):
        load_cifar10(path)


def test_cifar10_refuses_a_truncated_or_foreign_archive(tmp_path):
    folder = tmp_path / "files"
    _write_cifar10(folder, {"data_batch_1.bin": 20})
    whole = _pack(folder, tmp_path / "whole.tar.gz").read_bytes()
    foreign = {
        "truncated.tar.gz": whole[: len(whole) // 2],
        "flipped.tar.gz": whole[:5000] + b"\0" * 500 + whole[5500:],
        "text.tar.gz": b"<html>404 Not Found</html>" * 100,
        "text-in.tar.gz": gzip.compress(b"hello" * 1000),
        "empty.tar.gz": b"",
    }
    for name, content in foreign.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=name):
            load_cifar10(tmp_path / name)


def test_cifar10_says_what_it_found_instead(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_cifar10(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"data_batch_1\.bin.*Found: nothing"):
        load_cifar10(tmp_path)
    (tmp_path / "train.bin").write_bytes(b"1")
    with pytest.raises(FileNotFoundError, match="CIFAR-100"):
        load_cifar10(tmp_path)
    (tmp_path / "data_batch_1").write_bytes(b"1")
    with pytest.raises(FileNotFoundError, match="Python version"):
        load_cifar10(tmp_path)
    with pytest.raises(ValueError, match="subset must be 'train' or 'test'"):
        load_cifar10(tmp_path, subset="all")


def test_cifar10_refuses_two_files_of_one_name(tmp_path):
    for folder in ("a", "b"):
        _write_cifar10(tmp_path / folder, {"data_batch_1.bin": 1})
    with pytest.raises(ValueError, match=r"more than one data_batch_1\.bin"):
        load_cifar10(tmp_path)


def test_cifar10_never_unpacks_an_archive(tmp_path, monkeypatch):
    images, _, content = _records(2)
    archive = tmp_path / "evil.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo("../../data_batch_1.bin")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("data_batch_2.bin")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    dataset = load_cifar10(archive)
    assert np.array_equal(dataset.images, images)
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["a", "b", "evil.tar.gz"]


# ---------------------------------------------------------------- a folder of images


def _save(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)


@pytest.fixture
def folder(tmp_path):
    """Two classes with an image each, to which a test adds its own."""
    rng = np.random.default_rng(0)
    _save(tmp_path / "cat" / "1.png", rng.integers(256, size=(4, 6, 3), dtype=np.uint8))
    _save(tmp_path / "dog" / "1.png", rng.integers(256, size=(5, 3, 3), dtype=np.uint8))
    return tmp_path


def _only(dataset, name):
    [image] = [
        image
        for image, file in zip(dataset.images, dataset.filenames, strict=True)
        if file.endswith(name)
    ]
    return image


def test_folder_keeps_pixels_sizes_and_classes(folder):
    dataset = load_image_folder(str(folder))
    assert dataset.target.tolist() == ["cat", "dog"] == dataset.target_names
    assert [image.shape for image in dataset.images] == [(4, 6, 3), (5, 3, 3)]
    assert dataset.unreadable == []
    for image, file in zip(dataset.images, dataset.filenames, strict=True):
        assert image.dtype == np.uint8
        assert np.array_equal(image, np.asarray(Image.open(file)))


def test_folder_converts_grey_transparent_and_palette_images(folder):
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    _save(folder / "cat" / "grey.png", grey)
    deep = (np.arange(12, dtype=np.uint16) * 5000).reshape(3, 4)
    _save(folder / "cat" / "deep.png", deep)
    clear = np.zeros((2, 3, 4), dtype=np.uint8)
    clear[0, 0] = 10, 20, 30, 255
    _save(folder / "cat" / "clear.png", clear)
    palette = Image.new("P", (2, 1))
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putpixel((1, 0), 1)
    palette.save(folder / "cat" / "palette.png", transparency=0)
    Image.new("CMYK", (2, 2), (0, 0, 0, 255)).save(folder / "cat" / "print.jpg")

    dataset = load_image_folder(folder)
    assert np.array_equal(_only(dataset, "grey.png"), np.dstack([grey] * 3))
    assert np.array_equal(_only(dataset, "deep.png"), np.dstack([deep // 256] * 3))
    seen = _only(dataset, "clear.png")
    assert seen[0, 0].tolist() == [10, 20, 30]
    assert (seen.reshape(-1, 3)[1:] == 255).all()  # what is transparent is white
    assert _only(dataset, "palette.png").tolist() == [[[255, 255, 255], [0, 0, 255]]]
    assert _only(dataset, "print.jpg").max() < 5


def test_folder_turns_photographs_upright(folder):
    image = np.zeros((8, 16, 3), dtype=np.uint8)
    image[:, :8] = 255  # bright on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise: bright on top
    _save(folder / "cat" / "turned.jpg", image, exif=exif, quality=100)
    seen = _only(load_image_folder(folder), "turned.jpg")
    assert seen.shape == (16, 8, 3)
    assert seen[:6].min() > 200 > 50 > seen[-6:].max()


def test_folder_reduces_large_images_only(folder):
    large = np.zeros((300, 200, 3), dtype=np.uint8)
    large[:150] = 255
    for name in ("large.png", "large.jpg"):
        _save(folder / "cat" / name, large)
    dataset = load_image_folder(folder, max_side=30)
    for name in ("large.png", "large.jpg"):
        seen = _only(dataset, name)
        assert seen.shape == (30, 20, 3)
        assert seen[:13].min() > 240 > 15 > seen[-13:].max()
    assert dataset.images[0].shape == (4, 6, 3)
    with pytest.raises(ValueError, match="max_side"):
        load_image_folder(folder, max_side=0)


def _png_of_size(width, height):
    """A PNG of a few bytes that claims to be huge."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def test_folder_reports_and_skips_what_it_cannot_read(folder):
    whole = (folder / "cat" / "1.png").read_bytes()
    bad = {
        "notes.txt": b"no image",
        "half.png": whole[: len(whole) * 2 // 3],
        "empty.jpg": b"",
        "bomb.png": _png_of_size(50_000, 50_000),
        "suspect.png": _png_of_size(12_000, 10_000),  # Pillow only warns of this one
    }
    for name, content in bad.items():
        (folder / "cat" / name).write_bytes(content)
    Image.fromarray(np.zeros((2, 2), dtype=np.float32)).save(folder / "cat" / "float.tif")
    with pytest.warns(UserWarning, match="Skipped 6 unreadable files") as caught:
        dataset = load_image_folder(folder)
    reasons = {os.path.basename(file): reason for file, reason in dataset.unreadable}
    assert set(reasons) == {*bad, "float.tif"}
    assert all(name in str(caught[0].message) for name in reasons)
    assert "DecompressionBomb" in reasons["bomb.png"]
    assert "a decompression bomb?" in reasons["suspect.png"]
    assert dataset.target.tolist() == ["cat", "dog"]


def test_folder_ignores_hidden_files_and_loose_ones(folder):
    for name in (".DS_Store", "cat/.thumbs"):
        (folder / name).write_bytes(b"hidden")
    (folder / ".git").mkdir()
    (folder / "loose.txt").write_text("beside the sub-folders")
    (folder / "cat" / "nested").mkdir()
    dataset = load_image_folder(folder)
    assert dataset.target_names == ["cat", "dog"]
    assert dataset.unreadable == []


def test_folder_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_image_folder(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"at least two sub-folders.*found none"):
        load_image_folder(tmp_path)
    _save(tmp_path / "cat" / "1.png", np.zeros((2, 2, 3), dtype=np.uint8))
    (tmp_path / "dog").mkdir()
    with pytest.raises(ValueError, match="found only 'cat'"):
        load_image_folder(tmp_path)
    with pytest.raises(NotADirectoryError, match="is a file"):
        load_image_folder(tmp_path / "cat" / "1.png")
