"""Files from strangers, broken or meant to harm: an answer or a sentence. Models: test_persistence.

Not held here: what a file may cost the decoders of Pillow, which are not ours.
"""

import io
import tarfile
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from sklin import HOG
from sklin.datasets import load_cifar10, load_image_folder

RNG = np.random.default_rng(0)
SMOOTH = Image.fromarray(RNG.integers(256, size=(4, 3, 3), dtype=np.uint8)).resize((20, 24))


def encoded(file_format, mode="RGB", **options):
    buffer = io.BytesIO()
    SMOOTH.convert(mode).save(buffer, file_format, **options)
    return buffer.getvalue()


def turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


FORMATS = {
    "png": encoded("PNG"),
    "png of a palette": encoded("PNG", "P"),
    "png with transparency": encoded("PNG", "RGBA"),
    "jpeg": encoded("JPEG", exif=turned()),
    "progressive jpeg": encoded("JPEG", progressive=True),
    "gif": encoded("GIF", "P"),
    "bmp": encoded("BMP"),
    "tiff": encoded("TIFF"),
    "webp": encoded("WEBP"),
    "ppm": encoded("PPM"),
    "ico": encoded("ICO"),
    "tga": encoded("TGA"),
    "pcx": encoded("PCX"),
    "sgi": encoded("SGI"),
    "dds": encoded("DDS"),
}


def broken(data, others, rng):
    """The bytes of a file cut short, changed anywhere, in the header, or with parts of another."""
    data = bytearray(data)
    way = rng.integers(4)
    if way == 0:
        return data[: rng.integers(len(data))]
    if way == 1:
        for at in rng.integers(len(data), size=rng.integers(1, 9)):
            data[at] = rng.integers(256)
    elif way == 2:
        for at in rng.integers(min(64, len(data)), size=rng.integers(1, 9)):
            data[at] = rng.choice([0, 1, 127, 128, 255])
    else:
        other = others[rng.integers(len(others))]
        a, b = sorted(rng.integers(len(data), size=2))
        c, d = sorted(rng.integers(len(other), size=2))
        data[a:b] = other[c:d]
    return data


# Decoders say of odd files what they think, at length.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n", [600, pytest.param(10_000, marks=pytest.mark.slow)])
def test_broken_images_have_features_or_are_refused_by_name(n, tmp_path, capfd):
    contents, rng = list(FORMATS.values()), np.random.default_rng(n)
    path, seen = tmp_path / "from a stranger", Counter()
    path.write_bytes(contents[0])
    hog = HOG(grid=(2, 2)).fit([path])
    for i in range(n):
        path.write_bytes(broken(contents[i % len(contents)], contents, rng))
        try:
            features = hog.transform([path])
        except ValueError as error:
            assert str(error).startswith("X[0], ")
            assert "from a stranger" in str(error)
            seen["refused"] += 1
        else:
            assert features.shape == hog.transform([path]).shape
            assert np.isfinite(features).all()
            seen["features"] += 1
    assert min(seen["refused"], seen["features"]) > n / 10


@pytest.mark.parametrize("n", [100, pytest.param(2_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("packed", ["plain", "gz"])
def test_broken_archives_are_refused_or_the_same_but_for_pixels(n, packed, tmp_path):
    buffer, rng = io.BytesIO(), np.random.default_rng(n)
    content = b"".join(bytes([label]) + rng.bytes(3072) for label in range(4))
    with tarfile.open(fileobj=buffer, mode="w:" if packed == "plain" else "w:gz") as archive:
        for name in ("data_batch_1.bin", "data_batch_2.bin"):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    whole, path, seen = buffer.getvalue(), tmp_path / "archive", Counter()
    for _ in range(n):
        path.write_bytes(broken(whole, [whole], rng))
        try:
            images, target = load_cifar10(path, return_X_y=True)
        except (ValueError, FileNotFoundError) as error:
            assert "archive" in str(error)
            seen["refused"] += 1
        else:
            assert images.shape[1:] == (32, 32, 3)
            assert len(images) == len(target)
            assert target.max() < 10
            seen["read"] += 1
    # Changed pixels are pixels; a checksum is there where it is packed.
    assert seen["refused"] > n / 4
    assert packed == "gz" or seen["read"]


def test_archives_that_are_bombs_are_refused_unopened(tmp_path, monkeypatch):
    class Zeros(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            buffer[:] = bytes(len(buffer))
            return len(buffer)

    header = tarfile.TarInfo("data_batch_1.bin")
    header.size = 2**40
    claim = tmp_path / "claim.tar"
    claim.write_bytes(header.tobuf())
    with pytest.raises(ValueError, match=r"claim.tar.*unpacks to more than.*bomb\?"):
        load_cifar10(claim)
    # Also what is passed over costs time.
    monkeypatch.setattr("sklin.datasets._cifar10.MAX_BYTES", 2**24)
    header.name, header.size = "readme.html", 2**23
    bomb = tmp_path / "bomb.tar.gz"
    with tarfile.open(bomb, "w:gz", compresslevel=1) as archive:
        archive.addfile(header, io.BufferedReader(Zeros()))
        archive.addfile(header, io.BufferedReader(Zeros()))
    assert bomb.stat().st_size < 2**18
    with pytest.raises(ValueError, match=r"bomb.tar.gz.*unpacks to more than.*bomb\?"):
        load_cifar10(bomb)


POSTSCRIPT = b"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 8 8
%%EndComments
(harm) print showpage
%%EOF
"""


def test_programs_that_pass_for_images_are_not_run(tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("a program was started")

    monkeypatch.setattr("subprocess.Popen", refuse)
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", refuse)
    path = tmp_path / "a" / "drawing.png"
    path.parent.mkdir()
    path.write_bytes(POSTSCRIPT)
    with pytest.raises(ValueError, match=r"X\[0\].*drawing.png.*EPS files are programs"):
        HOG().fit([path])
    for name in ("a", "b"):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "image.png").write_bytes(FORMATS["png"])
    with pytest.warns(UserWarning, match=r"Skipped 1 unreadable file.*EPS files are programs"):
        assert len(load_image_folder(tmp_path).images) == 2


@pytest.mark.parametrize("call", ["PIL.Image.open", "PIL.Image.Image.convert"])
def test_no_memory_is_not_the_fault_of_a_file(call, tmp_path, monkeypatch):
    """A folder would be read without the images that there was no room for."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "image.png").write_bytes(FORMATS["png"])
    hog = HOG(grid=(1, 1)).fit([tmp_path / "a" / "image.png"])

    def fail(*arguments, **options):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(call, fail)
        with pytest.raises(MemoryError):
            load_image_folder(tmp_path)
        with pytest.raises(MemoryError):
            hog.transform([tmp_path / "a" / "image.png"])
    assert hog.transform([tmp_path / "a" / "image.png"]).shape == (1, 9)
