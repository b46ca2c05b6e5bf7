"""A picture of the path along which a ...CV estimator chose its alpha."""

from __future__ import annotations

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ._matplotlib import pyplot_for

NEEDED = ("alphas_", "scores_path_", "fit_times_path_", "alpha_")


class AlphaPathDisplay:
    """Held-out score and training time against alpha.

    The mean score over the folds, with a band of one standard deviation to either side, on the left
    axis; the mean seconds of a fit on the right one; and the chosen alpha.

    Use `from_estimator` to make one of a fitted estimator.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,)
        The alphas, in any order.
    scores : array-like of shape (n_folds, n_alphas)
        The held-out scores.
    fit_times : array-like of shape (n_folds, n_alphas)
        Seconds each fit took.
    alpha : float
        The chosen alpha.
    score_name : str, default="score"
        What the scores are.

    Attributes
    ----------
    ax_, time_ax_ : matplotlib Axes
        The axes of the scores, and of the times, which shares its x axis.
    figure_ : matplotlib Figure
        The figure that they are in.
    score_line_, time_line_, alpha_line_ : matplotlib Line2D
        The mean scores, the mean times, and the chosen alpha.
    band_ : matplotlib PolyCollection
        The standard deviation of the scores.

    See Also
    --------
    sklearn.model_selection.ValidationCurveDisplay : The like for any parameter and estimator.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklin import SoftmaxClassifierCV
    >>> from sklin.inspection import AlphaPathDisplay
    >>> X, y = load_digits(n_class=3, return_X_y=True)
    >>> model = SoftmaxClassifierCV(alphas=[1e-3, 1e-2, 1e-1], cv=3).fit(X / 16, y)
    >>> display = AlphaPathDisplay(
    ...     model.alphas_, model.scores_path_, model.fit_times_path_, model.alpha_
    ... )
    >>> display.scores.shape
    (3, 3)
    """

    def __init__(self, alphas, scores, fit_times, alpha, *, score_name="score"):
        self.alphas = np.asarray(alphas, dtype=np.float64)
        self.scores = np.asarray(scores, dtype=np.float64)
        self.fit_times = np.asarray(fit_times, dtype=np.float64)
        self.alpha = alpha
        self.score_name = score_name
        for name in ("scores", "fit_times"):
            shape = getattr(self, name).shape
            if self.alphas.ndim != 1 or len(shape) != 2 or shape[1] != len(self.alphas):
                raise ValueError(
                    f"{name} must be of shape (n_folds, n_alphas), for alphas of shape "
                    f"(n_alphas,); got {shape} and {self.alphas.shape}."
                )

    @classmethod
    def from_estimator(cls, estimator, ax=None):
        """Draw the path of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted ``SoftmaxClassifierCV`` or ``LinearSVMClassifierCV``, or what has their
            attributes ``alphas_``, ``scores_path_``, ``fit_times_path_`` and ``alpha_``. Of a
            Pipeline, give its last step.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        AlphaPathDisplay
            What was drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has chosen no alpha along a path.
        ImportError
            If matplotlib is not installed.
        """
        check_is_fitted(estimator)
        missing = [name for name in NEEDED if not hasattr(estimator, name)]
        if missing:
            raise TypeError(
                "estimator must have chosen its alpha along a path, as SoftmaxClassifierCV and "
                f"LinearSVMClassifierCV do; {type(estimator).__name__} has no "
                f"{', '.join(missing)}."
            )
        scoring = getattr(estimator, "scoring", None)
        name = "accuracy" if scoring is None else scoring if isinstance(scoring, str) else "score"
        values = (getattr(estimator, name) for name in NEEDED)
        return cls(*values, score_name=name.replace("_", " ")).plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        AlphaPathDisplay
            The display itself, with the attributes of what was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        pyplot = pyplot_for(self)
        if ax is None:
            ax = pyplot.subplots(layout="constrained")[1]
        order = np.argsort(self.alphas)
        alphas = self.alphas[order]
        means, spread = self.scores.mean(axis=0)[order], self.scores.std(axis=0)[order]
        times = self.fit_times.mean(axis=0)[order]

        self.ax_, self.time_ax_, self.figure_ = ax, ax.twinx(), ax.figure
        self.band_ = ax.fill_between(
            alphas, means - spread, means + spread, color="C0", alpha=0.2, linewidth=0
        )
        (self.score_line_,) = ax.plot(alphas, means, "o-", color="C0", label="held-out score")
        (self.time_line_,) = self.time_ax_.plot(
            alphas, times, "s--", color="C1", markersize=4, label="training time"
        )
        self.alpha_line_ = ax.axvline(
            self.alpha, color="0.4", linestyle=":", label=f"alpha_ = {self.alpha:.3g}"
        )
        # The scores are what is looked at: they lie over the times.
        ax.set_zorder(self.time_ax_.get_zorder() + 1)
        ax.patch.set_visible(False)
        n_folds = len(self.scores)
        ax.set(
            xscale="log",
            xlabel="alpha",
            ylabel=f"held-out {self.score_name} (mean and std of {n_folds} folds)",
        )
        self.time_ax_.set(ylabel="seconds of a fit (mean of the folds)", ylim=(0, None))
        ax.yaxis.label.set_color("C0")
        self.time_ax_.yaxis.label.set_color("C1")
        ax.legend(handles=[self.score_line_, self.time_line_, self.alpha_line_])
        return self
