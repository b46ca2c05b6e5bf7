"""A picture of the words of a codebook."""

from __future__ import annotations

from math import ceil, isqrt

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ._matplotlib import pyplot_for


class CodebookDisplay:
    """The visual words of a bag, side by side.

    Words of pixels are drawn as small images, each less its mean, all with one contrast; mid-grey
    is no deviation. Words of gradient histograms are drawn as 4 x 4 stars, a ray for each of the 8
    directions in which brightness rises, as long as its share.

    Use `from_estimator` to make one of a fitted estimator.

    Parameters
    ----------
    words : array-like of shape (n_words, h, w, c) or (n_words, 4, 4, 8)
        Images with c = 1 or 3 channels, or histograms of directions.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure that they are in.
    image_ : matplotlib AxesImage
        The mosaic of images; None for stars.
    rays_ : matplotlib LineCollection
        The rays of stars; None for images.

    Raises
    ------
    ValueError
        If `words` are of another shape.

    See Also
    --------
    sklin.features.BagOfVisualWords : Learns words.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.inspection import CodebookDisplay
    >>> CodebookDisplay(np.random.default_rng(0).random((100, 6, 6, 3))).mosaic().shape
    (69, 69, 3)
    """

    def __init__(self, words):
        self.words = np.asarray(words, dtype=np.float64)
        shape = self.words.shape
        self.are_stars = shape[1:] == (4, 4, 8)
        if len(shape) != 4 or self.words.size == 0 or not (self.are_stars or shape[3] in (1, 3)):
            raise ValueError(
                "words must be of shape (n_words, h, w, c) with c in 1, 3, or (n_words, 4, 4, 8), "
                f"got {shape}."
            )

    @classmethod
    def from_estimator(cls, estimator, *, n_words=100, ax=None):
        """Draw words of a fitted bag.

        Parameters
        ----------
        estimator : BagOfVisualWords
            A fitted one, or what has its attribute ``words_``. Of a Pipeline, give its step.
        n_words : int, default=100
            How many to draw, evenly chosen from all; None draws all.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        CodebookDisplay
            What was drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has no words.
        ImportError
            If matplotlib is not installed.
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "words_"):
            raise TypeError(
                "estimator must have words, as BagOfVisualWords has; "
                f"{type(estimator).__name__} has no words_."
            )
        words = estimator.words_
        if n_words is not None and n_words < len(words):
            words = words[np.arange(n_words) * len(words) // n_words]
        return cls(words).plot(ax)

    def mosaic(self):
        """Lay the images out side by side.

        Returns
        -------
        picture : ndarray of shape (height, width) or (height, width, 3)
            From 0 to 1, one pixel of white between the images.

        Raises
        ------
        ValueError
            If the words are stars.
        """
        if self.are_stars:
            raise ValueError("The words are histograms of directions, which are no images.")
        n, h, w, c = self.words.shape
        deviation = self.words - self.words.mean(axis=(1, 2, 3), keepdims=True)
        largest = np.quantile(np.abs(deviation), 0.995) or 1.0
        levels = np.clip(0.5 + 0.5 * deviation / largest, 0, 1)
        columns = _columns(n)
        picture = np.ones((ceil(n / columns) * (h + 1) - 1, columns * (w + 1) - 1, c))
        for i, image in enumerate(levels):
            y, x = i // columns * (h + 1), i % columns * (w + 1)
            picture[y : y + h, x : x + w] = image
        return picture[..., 0] if c == 1 else picture

    def rays(self):
        """Lay the stars out side by side.

        Returns
        -------
        segments : ndarray of shape (n_rays, 2, 2)
            The ends (x, y) of each ray, y downwards, with cells of side 1 and a gap of 1 between
            words.

        Raises
        ------
        ValueError
            If the words are images.
        """
        if not self.are_stars:
            raise ValueError("The words are images, which have no rays.")
        n = len(self.words)
        # Of each word the longest ray reaches the side of its cell.
        largest = self.words.max(axis=(1, 2, 3), keepdims=True)
        lengths = np.maximum(self.words, 0) / np.where(largest > 0, largest, 1) / 2
        angles = np.deg2rad((np.arange(8) + 0.5) * 45)
        ends = lengths[..., np.newaxis] * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        columns = _columns(n)
        i, row, column = np.meshgrid(np.arange(n), np.arange(4), np.arange(4), indexing="ij")
        centres = np.stack([i % columns * 5 + column + 0.5, i // columns * 5 + row + 0.5], axis=-1)
        centres = np.broadcast_to(centres[..., np.newaxis, :], ends.shape)
        return np.stack([centres, centres + ends], axis=-2).reshape(-1, 2, 2)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        CodebookDisplay
            The display itself, with the attributes of what was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        pyplot = pyplot_for(self)
        from matplotlib.collections import LineCollection

        if ax is None:
            ax = pyplot.subplots(figsize=(6, 6), layout="constrained")[1]
        self.ax_, self.figure_ = ax, ax.figure
        self.image_ = self.rays_ = None
        if self.are_stars:
            self.rays_ = ax.add_collection(LineCollection(self.rays(), linewidths=0.8, color="C0"))
            columns = _columns(len(self.words))
            rows = ceil(len(self.words) / columns)
            ax.set(xlim=(-1, 5 * columns), ylim=(5 * rows, -1), aspect="equal")
        else:
            self.image_ = ax.imshow(self.mosaic(), cmap="gray", vmin=0, vmax=1)
        ax.set_axis_off()
        return self


def _columns(n):
    return isqrt(n - 1) + 1
