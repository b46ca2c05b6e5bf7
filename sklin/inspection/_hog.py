"""A picture of the edges that histograms of oriented gradients see."""

import numpy as np
from sklearn.base import clone

from ..features import HOG
from ..features._hog import cell_edges
from ._matplotlib import pyplot_for

BRIGHTEST = 0.4  # of the image, so that lines are seen over snow as over coal
GREY = (0.299, 0.587, 0.114)


class HOGDisplay:
    """Edges in the cells of an image.

    In every cell a star of lines, one for each bin, along the edges that voted for it, which is
    across their gradient. The stronger the bin, the longer and the more opaque its line. Directions
    on the full circle make half lines, with the bright side to their left, seen from the centre.

    Use `from_estimator` to make one of a :class:`~sklin.features.HOG`.

    Parameters
    ----------
    image : array-like of shape (h, w), (h, w, 1) or (h, w, 3)
        The image, shown in dark grey.
    cells : array-like of shape (n_cell_rows, n_cell_columns, orientations)
        The histograms of the cells, not negative.
    rows : array-like of shape (n_cell_rows + 1,)
        The first row of pixels of each row of cells, and the end of the last.
    columns : array-like of shape (n_cell_columns + 1,)
        The same along the image's width.
    signed : bool, default=False
        Whether the bins divide the full circle, or the half circle.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the picture.
    figure_ : matplotlib Figure
        The figure that they are in.
    image_ : matplotlib AxesImage
        The image.
    lines_ : matplotlib LineCollection
        The lines, the weakest first. Bins without votes have none.

    Raises
    ------
    ValueError
        If the shapes do not fit each other, or `cells` has negative or infinite entries.

    See Also
    --------
    sklin.features.HOG : The features.
    skimage.feature.hog : Returns such a picture as an array of pixels, without the image.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.inspection import HOGDisplay
    >>> cells = np.random.default_rng(0).random((2, 3, 9))
    >>> display = HOGDisplay(np.zeros((16, 24)), cells, [0, 8, 16], [0, 8, 16, 24])
    >>> display.cells.shape
    (2, 3, 9)
    """

    def __init__(self, image, cells, rows, columns, *, signed=False):
        self.image, self.cells = np.asarray(image), np.asarray(cells, dtype=np.float64)
        self.rows, self.columns = np.asarray(rows), np.asarray(columns)
        self.signed = signed
        shape = self.image.shape
        if len(shape) not in (2, 3) or self.image.size == 0 or shape[2:] not in ((), (1,), (3,)):
            raise ValueError(f"image must be of shape (h, w), (h, w, 1) or (h, w, 3), got {shape}.")
        wanted = (self.rows.size - 1, self.columns.size - 1)
        if self.cells.ndim != 3 or self.cells.shape[:2] != wanted or self.cells.size == 0:
            raise ValueError(
                "cells must be of shape (n_cell_rows, n_cell_columns, orientations), for rows and "
                f"columns of one entry more than that; got {self.cells.shape}, for "
                f"{self.rows.size} rows and {self.columns.size} columns."
            )
        if not (self.cells >= 0).all() or not np.isfinite(self.cells).all():
            raise ValueError("cells must hold finite numbers that are not negative.")

    @classmethod
    def from_estimator(cls, estimator, image, *, ax=None, color="gold"):
        """Draw what a transformer sees in an image.

        The histograms are those of single cells, before they are normalised in blocks or weighted
        by a window.

        Parameters
        ----------
        estimator : HOG
            The transformer, fitted or not. Of a Pipeline, give its step.
        image : array-like of shape (h, w), (h, w, 1) or (h, w, 3)
            One image, of any size.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        color : matplotlib color, default="gold"
            Color of the lines; a light one, as the image is dark.

        Returns
        -------
        HOGDisplay
            What was drawn.

        Raises
        ------
        TypeError
            If `estimator` is no HOG.
        ValueError
            If `image` is not one image, or a parameter of `estimator` is not as it should be.
        ImportError
            If matplotlib is not installed.
        """
        if not isinstance(estimator, HOG):
            raise TypeError(f"estimator must be a HOG, got {type(estimator).__name__}.")
        image = np.asarray(image)
        if image.ndim not in (2, 3):
            raise ValueError(f"image must be one image (h, w) or (h, w, c), got {image.shape}.")
        of_cells = clone(estimator).set_params(
            cells_per_block=(1, 1), block_norm=None, block_sigma=None, image_shape=None
        )
        histograms = of_cells.fit_transform([image])
        rows, columns = cell_edges(image.shape[:2], estimator.pixels_per_cell, estimator.grid)
        cells = histograms.reshape(len(rows) - 1, len(columns) - 1, -1)
        if image.shape[2:] == (4,):
            image = image[..., :3]  # HOG warns of it
        display = cls(image, cells, rows, columns, signed=estimator.signed)
        return display.plot(ax, color=color)

    def plot(self, ax=None, *, color="gold"):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        color : matplotlib color, default="gold"
            Color of the lines; a light one, as the image is dark.

        Returns
        -------
        HOGDisplay
            The display itself, with the attributes of what was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        pyplot = pyplot_for(self)
        from matplotlib.collections import LineCollection
        from matplotlib.colors import to_rgb

        if ax is None:
            ax = pyplot.subplots(layout="constrained")[1]
        self.ax_, self.figure_ = ax, ax.figure
        grey = self.image.astype(np.float64)
        if grey.ndim == 3:
            grey = grey[..., 0] if grey.shape[2] == 1 else grey @ GREY
        low, high = grey.min(), grey.max()
        self.image_ = ax.imshow(
            grey, cmap="gray", vmin=low, vmax=low + ((high - low) or 1.0) / BRIGHTEST
        )
        segments, strengths = self._lines()
        colors = np.column_stack([np.tile(to_rgb(color), (len(strengths), 1)), strengths])
        width = np.clip(30 / max(self.cells.shape[:2]), 0.8, 2.2)  # few cells are large
        self.lines_ = LineCollection(segments, colors=colors, linewidths=width, capstyle="round")
        ax.add_collection(self.lines_)
        ax.set(
            xlim=(-0.5, max(self.columns[-1], grey.shape[1]) - 0.5),
            ylim=(max(self.rows[-1], grey.shape[0]) - 0.5, -0.5),
        )
        ax.set_axis_off()
        return self

    def _lines(self):
        """Segments (n, 2, 2) of points (x, y) and their strengths from 0 to 1, the weakest first.

        The strongest bins of all but 1 cell in 100 are 1: one lamp would leave the rest in the
        dark.
        """
        largest = np.quantile(self.cells.max(axis=2), 0.99) or self.cells.max() or 1.0
        strengths = np.minimum(self.cells / largest, 1)
        orientations = strengths.shape[2]
        gradient = (np.arange(orientations) + 0.5) * (2 if self.signed else 1) / orientations
        edge = np.pi * (gradient + 0.5)
        half_heights, half_widths = np.diff(self.rows) / 2, np.diff(self.columns) / 2
        # Pixels are drawn around whole numbers.
        y = self.rows[:-1] + half_heights - 0.5
        x = self.columns[:-1] + half_widths - 0.5
        centres = np.stack(np.meshgrid(x, y), axis=-1)[:, :, np.newaxis]
        reach = 0.95 * np.minimum.outer(half_heights, half_widths)[..., np.newaxis]
        ends = (reach * np.sqrt(strengths))[..., np.newaxis] * np.stack(
            [np.cos(edge), np.sin(edge)], axis=-1
        )
        start = np.broadcast_to(centres, ends.shape) if self.signed else centres - ends
        segments = np.stack([start, centres + ends], axis=-2)
        drawn = np.flatnonzero(strengths)
        drawn = drawn[np.argsort(strengths.flat[drawn], kind="stable")]
        return segments.reshape(-1, 2, 2)[drawn], strengths.flat[drawn]
