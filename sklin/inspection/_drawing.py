"""Pictures made with Pillow alone, which scikit-image brings along."""

from math import ceil, isqrt

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sklin.inspection._codebook import CodebookDisplay

GAP = 4
FONT_SIZE = 14
STAR = 48  # pixels: height and width of a word of directions


def draw_mosaic(images, *, n_columns=None, zoom=1, labels=None, title=None):
    """Draw images of one size side by side.

    Parameters
    ----------
    images : array-like of shape (n, h, w), (n, h, w, 1) or (n, h, w, 3)
        Grey levels or RGB from 0 to 255. Values outside are clipped.
    n_columns : int, default=None
        Images in a row. None makes as many columns as rows, or a few more.
    zoom : int, default=1
        Height and width of a pixel in the picture.
    labels : sequence of n str, default=None
        What is written above the images. A label that is wider than its image is cut off.
    title : str, default=None
        What is written above all.

    Returns
    -------
    picture : PIL.Image.Image
        The picture, in RGB. The images are 4 pixels from each other and from the edge.

    Raises
    ------
    ValueError
        If `images` or `labels` have another shape, or `zoom` or `n_columns` is less than 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.inspection import draw_mosaic
    >>> images = np.random.default_rng(0).integers(256, size=(6, 8, 8, 3))
    >>> draw_mosaic(images, n_columns=3, zoom=2).size
    (64, 44)
    """
    images = np.asarray(images)
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim != 4 or images.shape[3] not in (1, 3) or images.size == 0:
        raise ValueError(
            f"images must be of shape (n, h, w), (n, h, w, 1) or (n, h, w, 3), got {images.shape}."
        )
    n, h, w = images.shape[:3]
    if labels is not None and len(labels) != n:
        raise ValueError(f"labels must be as many as images, {n}, got {len(labels)}.")
    if n_columns is None:
        n_columns = isqrt(n - 1) + 1
    for name, value in (("n_columns", n_columns), ("zoom", zoom)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value!r}.")

    font = _font()
    header = FONT_SIZE + 2 * GAP if title else 0
    caption = FONT_SIZE + GAP if labels is not None else 0
    step_x, step_y = w * zoom + GAP, h * zoom + caption + GAP
    columns = min(n_columns, n)
    width = max(columns * step_x + GAP, _width(title, font) + 2 * GAP if title else 0)
    picture = Image.new("RGB", (width, header + ceil(n / columns) * step_y + GAP), "white")
    draw = ImageDraw.Draw(picture)
    if title:
        draw.text((GAP, GAP), _printable(title, font), fill="black", font=font)
    pixels = np.clip(np.rint(images), 0, 255).astype(np.uint8)
    pixels = np.broadcast_to(pixels, (n, h, w, 3))
    for i in range(n):
        x, y = GAP + i % columns * step_x, header + GAP + i // columns * step_y
        if labels is not None:
            text = _shortened(str(labels[i]), w * zoom, font)
            draw.text((x, y), text, fill="black", font=font)
        tile = Image.fromarray(np.ascontiguousarray(pixels[i]))
        picture.paste(tile.resize((w * zoom, h * zoom), Image.Resampling.NEAREST), (x, y + caption))
    return picture


def draw_codebook(words, *, title=None):
    """Draw visual words side by side, as `CodebookDisplay` does, without matplotlib.

    Words of pixels are drawn as small images, each less its mean, words of gradient histograms as
    4 x 4 stars with a ray for each direction.

    Parameters
    ----------
    words : array-like of shape (n_words, h, w, c) or (n_words, 4, 4, 8)
        Images with c = 1 or 3 channels, or histograms of directions: ``words_`` of a
        `BagOfVisualWords`.
    title : str, default=None
        What is written above all.

    Returns
    -------
    picture : PIL.Image.Image
        The picture, in RGB.

    Raises
    ------
    ValueError
        If `words` are of another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.inspection import draw_codebook
    >>> draw_codebook(np.random.default_rng(0).random((9, 4, 4, 8))).size
    (160, 160)
    """
    display = CodebookDisplay(words)
    if not display.are_stars:
        deviation = display.words - display.words.mean(axis=(1, 2, 3), keepdims=True)
        largest = np.quantile(np.abs(deviation), 0.995) or 1.0
        return draw_mosaic(127.5 * (1 + deviation / largest), zoom=5, title=title)
    finer = 4  # drawn larger and reduced, so that rays have no steps
    scale = STAR * finer / 4
    stars = []
    for word in display.words:
        star = Image.new("L", (STAR * finer, STAR * finer), "white")
        draw = ImageDraw.Draw(star)
        for ray in CodebookDisplay(word[np.newaxis]).rays():
            draw.line((ray * scale).ravel().tolist(), fill="black", width=finer + 1)
        stars.append(np.asarray(star.reduce(finer)))
    return draw_mosaic(stars, title=title)


def draw_templates(coef, image_shape, *, labels=None, zoom=4, title=None):
    """Draw the rows of a weight matrix as images, one template for each class.

    A weight of zero is mid-grey. Bright channels speak for the class, dark ones against it. Each
    template is scaled by itself so that all but its largest 0.5% of weights fit.

    Parameters
    ----------
    coef : array-like of shape (n_classes, n_features) or (1, n_features)
        The weights of pixels, `coef_` of a classifier. A single row is drawn as two classes, first
        negated.
    image_shape : tuple (h, w) or (h, w, c)
        Shape of the images whose pixels were the features, c = 1 or 3.
    labels : sequence of n_classes str, default=None
        Names of the classes.
    zoom : int, default=4
        Height and width of a pixel in the picture.
    title : str, default=None
        What is written above all.

    Returns
    -------
    picture : PIL.Image.Image
        The picture, in RGB.

    Raises
    ------
    ValueError
        If the rows of `coef` do not have h * w * c entries, or `labels` are not as many as rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.inspection import draw_templates
    >>> coef = np.random.default_rng(0).normal(size=(10, 8 * 8))
    >>> draw_templates(coef, (8, 8)).mode
    'RGB'
    """
    coef = np.asarray(coef, dtype=np.float64)
    if coef.ndim != 2 or coef.shape[1] != np.prod(image_shape):
        raise ValueError(
            f"coef must have rows of {np.prod(image_shape)} weights for image_shape={image_shape}, "
            f"got shape {coef.shape}."
        )
    if len(coef) == 1:
        coef = np.vstack([-coef, coef])
    levels = 255 * template_levels(coef)
    return draw_mosaic(
        levels.reshape(-1, *image_shape),
        n_columns=isqrt(2 * len(coef) - 1) + 1,
        zoom=zoom,
        labels=labels,
        title=title,
    )


def template_levels(coef):
    """Brightness of weights: .5 is a weight of zero, and all but 0.5% of a row lie in [0, 1]."""
    largest = np.quantile(np.abs(coef), 0.995, axis=1, keepdims=True)
    return 0.5 + 0.5 * coef / np.where(largest > 0, largest, 1)


def draw_confusion_matrix(matrix, labels, *, title=None):
    """Draw a confusion matrix with its counts.

    Parameters
    ----------
    matrix : array-like of shape (n_classes, n_classes)
        Counts, as :func:`sklearn.metrics.confusion_matrix` returns them: rows are true classes,
        columns predicted ones.
    labels : sequence of n_classes str
        Names of the classes.
    title : str, default=None
        What is written above all.

    Returns
    -------
    picture : PIL.Image.Image
        The picture, in RGB. A cell is the darker the larger its share of its row.

    Raises
    ------
    ValueError
        If `matrix` is not square, is empty or has negative entries, or `labels` are not as many.

    Examples
    --------
    >>> from sklin.inspection import draw_confusion_matrix
    >>> draw_confusion_matrix([[9, 1], [0, 10]], ["cat", "dog"]).mode
    'RGB'
    """
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise ValueError(f"matrix must be square and not empty, got shape {matrix.shape}.")
    if matrix.min() < 0:
        raise ValueError(f"matrix must hold counts, got {matrix.min()}.")
    if len(labels) != len(matrix):
        raise ValueError(f"labels must be as many as classes, {len(matrix)}, got {len(labels)}.")

    font = _font()
    names = [_shortened(str(label), 200, font) for label in labels]
    cell = max(2 * FONT_SIZE, *(_width(str(count), font) + 2 * GAP for count in matrix.ravel()))
    margin = max(_width(name, font) for name in names) + 2 * GAP
    header = FONT_SIZE + 2 * GAP if title else 0
    legend = "rows: true class, columns: predicted class"
    top, right = header + margin, margin + len(matrix) * cell
    width = max(right, *(_width(text, font) + GAP for text in (title or "", legend))) + GAP
    height = top + len(matrix) * cell + FONT_SIZE + 3 * GAP
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    if title:
        draw.text((GAP, GAP), _printable(title, font), fill="black", font=font)
    draw.text((GAP, height - FONT_SIZE - 2 * GAP), legend, fill="black", font=font)

    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    for i, name in enumerate(names):
        y = top + i * cell
        x = margin + i * cell
        inset = (cell - FONT_SIZE) // 2
        draw.text((margin - GAP - _width(name, font), y + inset), name, fill="black", font=font)
        _paste_upright(picture, name, (x + inset, top - GAP), font)
        for j, (count, share) in enumerate(zip(matrix[i], shares[i], strict=True)):
            x = margin + j * cell
            shade = tuple(round(255 - share * (255 - dark)) for dark in (8, 48, 107))
            draw.rectangle((x, y, x + cell - 1, y + cell - 1), fill=shade, outline="lightgrey")
            if count:  # zeros would hide the mistakes
                text = str(count)
                x += (cell - _width(text, font)) // 2
                color = "white" if share > 0.5 else "black"
                draw.text((x, y + inset), text, fill=color, font=font)
    return picture


def _paste_upright(picture, text, foot, font):
    """Write text that reads from bottom to top and begins at `foot` (left, bottom)."""
    box = Image.new("RGB", (_width(text, font) + 1, FONT_SIZE + GAP), "white")
    ImageDraw.Draw(box).text((0, 0), text, fill="black", font=font)
    box = box.transpose(Image.Transpose.ROTATE_90)
    picture.paste(box, (foot[0], foot[1] - box.height))


def _font():
    try:
        return ImageFont.load_default(FONT_SIZE)
    except TypeError:  # Pillow before 10.1 has one small font only
        return ImageFont.load_default()


def _width(text, font):
    return ceil(font.getlength(_printable(text, font)))


def _shortened(text, width, font):
    """The longest beginning of a text that is no wider than `width` pixels."""
    text = _printable(text, font)
    while text and _width(text, font) > width:
        text = text[:-1]
    return text


def _printable(text, font):
    """The text with a question mark for what Pillow's old bitmap font cannot write."""
    if isinstance(font, ImageFont.ImageFont):
        return text.encode("latin-1", "replace").decode("latin-1")
    return text
