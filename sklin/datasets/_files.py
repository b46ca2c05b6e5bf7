"""One way to read an image file, for folders of images and for features of files."""

import os
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

# EXIF's orientation, and its values that mean that width and height change places.
ORIENTATION, LYING = 0x0112, (5, 6, 7, 8)
GREY_MODES = ("1", "L")
# Pillow hands them to Ghostscript, or to Windows, to be run.
PROGRAMS = ("EPS", "WMF")
SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")


def open_image(source):
    """Open an image without decoding it.

    Parameters
    ----------
    source : str, path-like or PIL.Image.Image
        A file, or an image that is returned as it is.

    Returns
    -------
    image : PIL.Image.Image
        The image, of a mode that `to_bytes` knows. Usable as a context manager.

    Raises
    ------
    ValueError
        If there is no such file, or it is no image, a PostScript or Windows metafile, has no
        pixels, or more than Pillow's ``Image.MAX_IMAGE_PIXELS``, which is what decompression bombs
        have.
    """
    if isinstance(source, Image.Image):
        image = source
    else:
        path = Path(os.fsdecode(source))
        if not path.exists():
            raise ValueError("there is no such file")
        if not path.is_file():  # to open a named pipe would wait for ever
            raise ValueError("it is no file")
        try:
            image = Image.open(path)
        except MemoryError:  # of ours, not of the file, which may be whole
            raise
        except Exception as error:  # broken files make Pillow raise nearly anything
            raise ValueError(f"{type(error).__name__}: {error}") from error
    try:
        n_pixels, most = image.width * image.height, Image.MAX_IMAGE_PIXELS
        if n_pixels == 0:
            raise ValueError("it has no pixels")
        if most is not None and n_pixels > most:
            raise ValueError(
                f"it claims {image.width} x {image.height} pixels, more than Pillow's "
                f"MAX_IMAGE_PIXELS = {most:,}: a decompression bomb?"
            )
        if image.format in PROGRAMS:
            raise ValueError(
                f"{image.format} files are programs that another program would have to run: "
                "convert it to PNG"
            )
        if image.mode == "F" or (image.mode == "I" and image.format != "PNG"):
            raise ValueError(
                f"its pixels are of Pillow's mode {image.mode}, whose range nobody agreed on: "
                "pass arrays"
            )
    except ValueError:
        if image is not source:
            image.close()
        raise
    return image


def shape_of(image):
    """The (h, w, c) of an open image as `to_bytes` returns it; c is 1 or 3."""
    h, w = image.height, image.width
    if _orientation(image) in LYING:
        h, w = w, h
    grey = image.mode in (*GREY_MODES, *SIXTEEN_BITS, "I") and "transparency" not in image.info
    return h, w, 1 if grey else 3


def to_bytes(image, channels, max_side=None):
    """Decode an open image.

    16 bits are reduced to 8, transparent pixels are laid over white, photographs are turned upright
    as their EXIF data say, and all else is left to Pillow.

    Parameters
    ----------
    image : PIL.Image.Image
        The image.
    channels : {1, 3}
        Grey levels or RGB.
    max_side : int, default=None
        A larger image is reduced so that its longer side has this many pixels.

    Returns
    -------
    pixels : ndarray of shape (h, w, channels), uint8
        The pixels.

    Raises
    ------
    ValueError
        If the image cannot be decoded.
    """
    try:
        if max_side is not None and image.format == "JPEG":
            image.draft("RGB", (max_side, max_side))  # decodes at a fraction of the size
        turned = ImageOps.exif_transpose(image) if _orientation(image) != 1 else image
        pixels = _over_white(turned, image.format).convert("L" if channels == 1 else "RGB")
        if max_side is not None:
            pixels.thumbnail((max_side, max_side))
    except MemoryError:
        raise
    except Exception as error:  # see above
        raise ValueError(f"{type(error).__name__}: {error}") from error
    array = np.array(pixels)
    return array.reshape(*array.shape[:2], channels)


def _orientation(image):
    """EXIF's number from 1 (upright) to 8."""
    if image.format == "PNG" and "exif" not in image.info:
        # Pillow would decode the whole image, to see whether something is written behind it.
        return 1
    try:
        return image.getexif().get(ORIENTATION, 1)
    except Exception:  # broken metadata make Pillow raise nearly anything, and pixels may be whole
        return 1


def _over_white(image, file_format):
    if image.mode in SIXTEEN_BITS or (image.mode == "I" and file_format == "PNG"):
        # Pillow's own conversion clips at 255 instead of scaling. Older ones call 16 bits "I".
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image


@contextmanager
def pillow_quiet():
    """Without Pillow's warnings: of odd metadata, and of sizes, which are errors here.

    Not for threads: filters of warnings belong to the whole process.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
