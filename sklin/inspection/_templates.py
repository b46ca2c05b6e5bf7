"""A picture of the templates that a linear classifier compares images with."""

from __future__ import annotations

from math import ceil, isqrt, prod

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..features._transformer import ImageTransformer
from ._drawing import template_levels
from ._matplotlib import pyplot_for

# Rows of unit images scored at once: of 32 x 32 x 3 numbers, 12 MB.
CHUNK = 512
# Of the differences that weights should explain; float32 steps leave .0005 unexplained.
UNEXPLAINED = 0.01


class TemplatesDisplay:
    """The weights of each class as an image.

    A linear classifier's score ``w · x + b`` is the larger the more the image x looks like the
    weights w: they are the class's template. A weight of zero is mid-grey. Bright channels speak
    for the class, dark ones against it. Each template has its own contrast, such that all but its
    largest 0.5% of weights fit.

    Use `from_estimator` to make one of a fitted classifier, or of a pipeline that begins at
    pixels.

    Parameters
    ----------
    templates : array-like of shape (n_classes, h, w), (n_classes, h, w, 1) or (n_classes, h, w, 3)
        The weights, of any scale.
    class_names : sequence of n_classes str, default=None
        What is written above the templates; None writes their numbers.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure that they are in.
    images_ : list of n_classes matplotlib AxesImage
        The templates.

    Raises
    ------
    ValueError
        If `templates` are of another shape or not finite, or `class_names` are not as many.

    See Also
    --------
    sklin.inspection.draw_templates : The same by Pillow alone, from ``coef_``.

    References
    ----------
    .. [1] CS231n, lecture 2 and 3: the rows of W as templates.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklin import SoftmaxClassifier
    >>> from sklin.inspection import TemplatesDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> pipeline = make_pipeline(StandardScaler(), SoftmaxClassifier(alpha=0.01)).fit(X, y)
    >>> TemplatesDisplay.from_estimator(pipeline).templates.shape
    (10, 8, 8)
    """

    def __init__(self, templates, *, class_names=None):
        self.templates = np.asarray(templates, dtype=np.float64)
        shape = self.templates.shape
        if (
            len(shape) not in (3, 4)
            or self.templates.size == 0
            or shape[3:] not in ((), (1,), (3,))
        ):
            raise ValueError(
                "templates must be of shape (n_classes, h, w), (n_classes, h, w, 1) or "
                f"(n_classes, h, w, 3), got {shape}."
            )
        if not np.isfinite(self.templates).all():
            raise ValueError("templates must be finite.")
        self.class_names = list(range(len(templates)) if class_names is None else class_names)
        if len(self.class_names) != len(self.templates):
            raise ValueError(
                f"class_names must be as many as templates, {len(self.templates)}, got "
                f"{len(self.class_names)}."
            )

    @classmethod
    def from_estimator(cls, estimator, *, image_shape=None, class_names=None, ax=None):
        """Draw the templates of a fitted classifier, as weights of the pixels it is given.

        They are found by asking: the score of an image with one bright pixel, less the score of the
        black image, is the weight of that pixel. So every pipeline serves whose steps are affine
        (scalers, PCA, selected features), and a grid search over one; whether the scores are affine
        is checked on random images.

        Parameters
        ----------
        estimator : estimator
            A fitted classifier with a ``decision_function``, or a Pipeline or search that ends in
            one.
        image_shape : tuple (h, w) or (h, w, c), default=None
            Shape of the images, c = 1 or 3. None takes square ones, in color if the number of
            features is three times a square.
        class_names : sequence of n_classes str, default=None
            What is written above the templates; None writes ``classes_``.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        TemplatesDisplay
            What was drawn. Two classes have the templates -w and w.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has no ``decision_function``, or a step whose features are no affine function of
            pixels, as those of HOG.
        ValueError
            If the scores are no affine function of the pixels, or `image_shape` does not fit.
        ImportError
            If matplotlib is not installed.
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "decision_function"):
            raise TypeError(
                "estimator must be a linear classifier with a decision_function, or a pipeline "
                f"that ends in one; {type(estimator).__name__} has none."
            )
        steps = getattr(getattr(estimator, "best_estimator_", estimator), "steps", [])
        for name, step in steps:
            if isinstance(step, ImageTransformer):
                raise TypeError(
                    f"The features of step {name!r}, a {type(step).__name__}, are no affine "
                    "function of the pixels, so that their weights are no images."
                )
        n_features = getattr(estimator, "n_features_in_", None)
        shape = _square(n_features) if image_shape is None else tuple(image_shape)
        # A step that takes images, not rows, counts no features, or what it takes for them.
        rows = (prod(shape),) if n_features == prod(shape) else shape
        weights = _weights(estimator, rows)
        if len(weights) == 1:
            weights = np.vstack([-weights, weights])
        if class_names is None:
            class_names = estimator.classes_
        return cls(weights.reshape(-1, *shape), class_names=class_names).plot(ax)

    def plot(self, ax=None, *, n_columns=None, cmap="gray"):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        n_columns : int, default=None
            Templates in a row; None makes about twice as many columns as rows.
        cmap : str or matplotlib Colormap, default="gray"
            Of templates without colors of their own.

        Returns
        -------
        TemplatesDisplay
            The display itself, with the attributes of what was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        pyplot = pyplot_for(self)
        n, h, w = self.templates.shape[:3]
        columns = min(n, n_columns or isqrt(2 * n - 1) + 1)
        rows = ceil(n / columns)
        step_x, step_y = 1.08 * w, 1.08 * h + 0.16 * w
        if ax is None:
            size = (1.3 * columns, 1.3 * rows * step_y / step_x)
            ax = pyplot.subplots(figsize=size, layout="constrained")[1]
        self.ax_, self.figure_, self.images_ = ax, ax.figure, []
        # A letter is about half as wide as high: the longest name fits its template.
        points = 72 / self.figure_.dpi * ax.bbox.width / columns
        font_size = min(9, 1.7 * points / max(len(str(name)) for name in self.class_names))
        levels = template_levels(self.templates.reshape(n, -1)).reshape(self.templates.shape)
        for i, (name, level) in enumerate(zip(self.class_names, levels, strict=True)):
            x, y = i % columns * step_x, i // columns * step_y
            picture = ax.imshow(
                np.clip(level if level.ndim == 2 or level.shape[2] == 3 else level[..., 0], 0, 1),
                extent=(x, x + w, y + h, y),
                cmap=cmap,
                vmin=0,
                vmax=1,
                interpolation="nearest",
            )
            self.images_.append(picture)
            ax.text(
                x + w / 2, y - 0.03 * h, str(name), ha="center", va="bottom", fontsize=font_size
            )
        ax.set(xlim=(-0.04 * w, columns * step_x), ylim=(rows * step_y - 0.16 * w, -0.2 * w))
        ax.set_aspect("equal")
        ax.set_axis_off()
        return self


def _square(n_features):
    """The shape of square images of so many numbers."""
    for shape, n_pixels in (((), n_features), ((3,), (n_features or 0) / 3)):
        side = isqrt(int(n_pixels or 0))
        if side and side * side == n_pixels:
            return (side, side, *shape)
    raise ValueError(
        f"image_shape must be given: {n_features} features are not the pixels of a square image, "
        "in grey or in RGB."
    )


def _weights(estimator, shape):
    """Weights (n_scores, n_pixels) of the pixels of images of this shape, rows or not."""
    n_pixels = prod(shape)

    def scores(rows):
        try:
            found = estimator.decision_function(rows.reshape(-1, *shape))
        except ValueError as error:
            raise ValueError(f"estimator cannot score images of shape {shape}: {error}") from error
        return np.asarray(found, dtype=np.float64).reshape(len(rows), -1)

    black = scores(np.zeros((1, n_pixels)))
    weights = np.empty((black.shape[1], n_pixels))
    for start in range(0, n_pixels, CHUNK):
        units = np.eye(min(CHUNK, n_pixels - start), n_pixels, k=start)
        weights[:, start : start + len(units)] = (scores(units) - black).T
    some = np.random.default_rng(0).random((8, n_pixels))
    differences = scores(some) - black
    left = differences - some @ weights.T
    if not np.abs(left).max() <= UNEXPLAINED * np.abs(differences).max():
        raise ValueError(
            "The scores of estimator are no affine function of the pixels, so that it has no "
            "templates. Draw those of a linear classifier on pixels, scaled or projected at most."
        )
    return weights
