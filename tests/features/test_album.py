"""Images in files, in Pillow's objects and in columns of tables; and files that are none."""

import os
import struct
import zlib

import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image

from sklin.datasets import load_image_folder
from sklin.features import HOG, BagOfVisualWords, ColorHistogram
from sklin.features._album import Album
from sklin.features._images import check_images, shapes_of

RNG = np.random.default_rng(0)
SIZES = [(9, 12), (10, 8), (9, 12), (7, 7)]
PICTURES = [RNG.integers(256, size=(*size, 3), dtype=np.uint8) for size in SIZES]


@pytest.fixture
def files(tmp_path):
    """Four PNG files, which lose nothing."""
    paths = [tmp_path / f"{i}.png" for i in range(4)]
    for path, picture in zip(paths, PICTURES, strict=True):
        Image.fromarray(picture).save(path)
    return paths


def object_array(elements):
    X = np.empty(len(elements), dtype=object)
    X[:] = elements
    return X


CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "strings": lambda paths: [str(path) for path in paths],
    "bytes": lambda paths: [os.fsencode(path) for path in paths],
    "array of strings": lambda paths: np.array([str(path) for path in paths]),
    "column of an array": lambda paths: np.array([[str(path)] for path in paths], dtype=object),
    "object array": object_array,
    "pandas series": pd.Series,
    "pandas strings": lambda paths: pd.Series(map(str, paths), dtype="string", index=list("dcba")),
    "pandas frame": lambda paths: pd.DataFrame({"file": paths}),
    "polars series": lambda paths: pl.Series([str(path) for path in paths]),
    "polars frame": lambda paths: pl.DataFrame({"file": [str(path) for path in paths]}),
    "pillow": lambda paths: [Image.open(path) for path in paths],
    "arrays": lambda paths: PICTURES,
    "series of arrays": lambda paths: pd.Series(PICTURES),
    "frame of arrays": lambda paths: pd.DataFrame({"image": PICTURES}),
    "mixture": lambda paths: [paths[0], Image.open(paths[1]), PICTURES[2], str(paths[3])],
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_images_come_in_many_containers(files, container):
    X = CONTAINERS[container](files)
    images, shape = check_images(X)
    assert isinstance(images, Album)
    assert shape == (None, None, 3)
    assert shapes_of(images) == [picture.shape for picture in PICTURES]
    assert images.dtype == np.uint8
    for image, picture in zip(images, PICTURES, strict=True):
        np.testing.assert_array_equal(image, picture)
    expected = ColorHistogram().fit_transform(PICTURES)
    np.testing.assert_array_equal(ColorHistogram().fit_transform(X), expected)


@pytest.mark.parametrize("transformer", [HOG(), ColorHistogram(), BagOfVisualWords(5)])
def test_files_of_one_size_have_the_features_of_their_array(files, transformer):
    transformer.set_params(
        **{"random_state": 0} if isinstance(transformer, BagOfVisualWords) else {}
    )
    same, stacked = [files[0], files[2]], np.stack([PICTURES[0], PICTURES[2]])
    expected = transformer.fit(stacked).transform(stacked)
    np.testing.assert_array_equal(transformer.transform(same), expected)
    np.testing.assert_array_equal(transformer.fit(same).transform(same), expected)


def test_files_of_one_size_are_as_many_features(files):
    transformer = HOG().fit([files[0], files[2]])
    assert transformer.n_features_in_ == 9 * 12 * 3
    with pytest.raises(ValueError, match=r"X\[1\] is an image of shape \(10, 8, 3\).*set grid="):
        transformer.transform(files)
    with pytest.raises(ValueError, match=r"shape \(10, 8, 3\), expected \(9, 12, 3\)"):
        transformer.transform(files[1:2])


def test_files_are_the_images_of_their_folder(tmp_path):
    """Whatever Pillow's mode: palettes, 16 bits, transparency, inks, turned photographs."""
    folder = tmp_path / "a"
    folder.mkdir()
    (tmp_path / "b").mkdir()
    picture = Image.fromarray(PICTURES[0])
    Image.new("RGB", (3, 3)).save(tmp_path / "b" / "0.png")
    for mode in ("1", "L", "P", "RGB", "RGBA", "LA"):
        picture.convert(mode).save(folder / f"{mode}.png")
    rgba = np.dstack([PICTURES[0], RNG.integers(256, size=(9, 12), dtype=np.uint8)])
    Image.fromarray(rgba).save(folder / "half.png")
    Image.fromarray(PICTURES[0][..., 0].astype(np.uint16) * 256 + 7).save(folder / "16.png")
    picture.convert("CMYK").save(folder / "cmyk.jpg")
    picture.convert("YCbCr").save(folder / "ycbcr.jpg")
    exif = picture.getexif()
    for orientation in range(1, 9):
        exif[0x0112] = orientation
        picture.save(folder / f"turned{orientation}.jpg", exif=exif)
    dataset = load_image_folder(tmp_path)
    assert len(dataset.filenames) == 19
    album, _ = check_images(dataset.filenames)
    for image, expected in zip(album, dataset.images, strict=True):
        np.testing.assert_array_equal(image, expected)
    assert shapes_of(album) == [image.shape for image in dataset.images]


def test_grey_files_are_grey_alone_and_colours_in_company(tmp_path, files):
    grey = tmp_path / "grey.png"
    levels = RNG.integers(256, size=(5, 6), dtype=np.uint8)
    Image.fromarray(levels).save(grey)
    alone, shape = check_images([grey])
    assert shape == (None, None, 1)
    np.testing.assert_array_equal(alone[0][..., 0], levels)
    album, shape = check_images([grey, files[0]])
    assert shape == (None, None, 3)
    np.testing.assert_array_equal(album[0], np.dstack([levels] * 3))
    transformer = ColorHistogram().fit(files)
    np.testing.assert_array_equal(
        transformer.transform([grey]), transformer.transform([np.dstack([levels] * 3)])
    )
    with pytest.raises(ValueError, match=r"X\[1\] has 3 channels, expected 1"):
        ColorHistogram().fit([grey]).transform([grey, files[0]])
    with pytest.raises(ValueError, match=r"X\[0\] has 3 channels, expected 1"):
        check_images([files[0], levels])  # an array is what it is


def test_sixteen_bits_lose_the_lower_eight(tmp_path):
    levels = RNG.integers(2**16, size=(5, 6), dtype=np.uint16)
    Image.fromarray(levels).save(tmp_path / "16.png")
    album, _ = check_images([tmp_path / "16.png"])
    np.testing.assert_array_equal(album[0][..., 0], levels >> 8)


def test_arrays_of_a_list_are_not_copied():
    for dtype in (np.uint8, np.float32, np.float64):
        images = [picture.astype(dtype) for picture in PICTURES]
        album, _ = check_images(images)
        assert all(np.shares_memory(a, b) for a, b in zip(album, images, strict=True))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(6, 5, 4, 3), (6, 5, 7)])
def test_memory_maps_are_not_copied(tmp_path, dtype, shape):
    X = np.memmap(tmp_path / "X.dat", dtype, "w+", shape=shape)
    X[:] = RNG.integers(256, size=shape)
    images, _ = check_images(np.memmap(tmp_path / "X.dat", dtype, "r", shape=shape))
    assert not images.flags.owndata
    X[0, 0, 0] = 77  # is seen, since both look at the same pages
    assert (images[0, 0, 0] == 77).all()


# What is no image


def png_that_claims(width, height):
    """A PNG file of these many pixels that holds none."""

    def chunk(name, content):
        length, check = len(content), zlib.crc32(name + content)
        return struct.pack(">I", length) + name + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))


HOSTILE = {
    "missing": (None, "there is no such file"),
    "empty": (b"", "UnidentifiedImageError"),
    "text": (b"not an image", "UnidentifiedImageError"),
    "noise": (bytes(RNG.integers(256, size=300, dtype=np.uint8)), "UnidentifiedImageError"),
    "bomb": (png_that_claims(100_000, 100_000), "DecompressionBombError"),
    "small bomb": (png_that_claims(12_000, 10_000), r"claims 12000 x 10000 pixels.*bomb\?"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_image_is_named(tmp_path, files, kind):
    content, message = HOSTILE[kind]
    path = tmp_path / "bad.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"(?s)X\[2\], .*bad.png.*cannot be read.*{message}"):
        check_images([files[0], files[1], path])


def test_folders_pipes_and_float_pixels_are_refused(tmp_path, files):
    with pytest.raises(ValueError, match=r"X\[1\].*it is no file"):
        check_images([files[0], tmp_path])
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match=r"X\[0\].*it is no file"):
        check_images([tmp_path / "pipe"])
    Image.fromarray(np.zeros((2, 2), np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(ValueError, match=r"X\[1\].*mode F, whose range nobody agreed on"):
        check_images([files[0], tmp_path / "float.tif"])
    with pytest.raises(ValueError, match=r"X\[0\].*has no pixels"):
        check_images([Image.new("RGB", (0, 4))])


def test_elements_that_are_no_images_are_named(files):
    for odd, got in ((None, "None"), (3.5, "3.5"), (pd.NA, "<NA>")):
        with pytest.raises(ValueError, match=rf"X\[1\] must be an image .*got {got}"):
            check_images([files[0], odd])
        with pytest.raises(ValueError, match=rf"X\[1\] must be an image .*got {got}"):
            check_images(pd.Series([str(files[0]), odd], dtype=object))


def test_files_cut_off_anywhere_are_refused_with_their_index(tmp_path, files):
    whole = files[0].read_bytes()
    path = tmp_path / "cut.png"
    for length in range(0, len(whole) - 12, 10):  # without its last mark a PNG is whole enough
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"X\[1\], .*cut.png.*, cannot be read as an image"):
            ColorHistogram().fit([files[0], path]).transform([files[0], path])


def test_headers_are_read_without_decoding(files, monkeypatch):
    def refuse(self):
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", refuse)
    album, _ = check_images(files)
    with pytest.raises(ValueError, match=r"X\[0\].*AssertionError: decoded"):
        album[0]


def test_a_file_that_changes_behind_our_back_is_refused(files):
    album, _ = check_images(files)
    Image.fromarray(PICTURES[1]).save(files[0])
    with pytest.raises(ValueError, match=r"X\[0\], .*has changed: .*\(9, 12, 3\).*\(10, 8, 3\)"):
        album[0]
    files[3].unlink()
    with pytest.raises(ValueError, match=r"X\[3\], .*there is no such file"):
        album[3]


def test_a_part_of_an_album_keeps_the_names_of_its_images(files):
    album, _ = check_images(files)
    part = album.part([3, 1])
    np.testing.assert_array_equal(part[0], PICTURES[3])
    files[1].unlink()
    with pytest.raises(ValueError, match=r"X\[1\]"):
        part[1]


def test_tables_of_numbers_are_rows():
    frame = pd.DataFrame({"grey": [1.0, 2.0]})
    images, shape = check_images(frame)
    assert shape == (1, 1, 1)
    np.testing.assert_array_equal(images.ravel(), [1, 2])


def test_broken_metadata_do_not_lose_whole_pixels(files, monkeypatch):
    whole = np.asarray(check_images(files[:1])[0][0])

    def fail(self):
        raise SyntaxError("not a TIFF file")

    with Image.open(files[0]) as image:
        image.save(files[0].with_suffix(".bmp"))
    monkeypatch.setattr("PIL.Image.Image.getexif", fail)
    album, _ = check_images([files[0].with_suffix(".bmp")])
    np.testing.assert_array_equal(album[0], whole)
