"""A picture of how the objective fell in one fit or many."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ._matplotlib import pyplot_for


class LossCurveDisplay:
    """The objective after each iteration or epoch.

    Use `from_estimator` or `from_estimators` to make one of fitted classifiers.

    Parameters
    ----------
    curves : dict of str to array-like of shape (n_values,)
        The values of the objective, the first before any step, by the name of the fit.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure that they are in.
    lines_ : list of matplotlib Line2D
        A line for each fit.

    Raises
    ------
    ValueError
        If there are no curves, or one is no list of numbers.

    See Also
    --------
    sklin.inspection.AlphaPathDisplay : Scores and times of many alphas.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklin import SoftmaxClassifier
    >>> from sklin.inspection import LossCurveDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> fits = {
    ...     name: SoftmaxClassifier(alpha=0.01, tol=0.01, optimizer=name).fit(X / 16, y)
    ...     for name in ("lbfgs", "gradient_descent")
    ... }
    >>> display = LossCurveDisplay.from_estimators(fits)
    >>> [line.get_label() for line in display.lines_]
    ['lbfgs', 'gradient_descent']
    """

    def __init__(self, curves):
        self.curves = {name: np.asarray(curve, dtype=float) for name, curve in curves.items()}
        if not self.curves:
            raise ValueError("curves must hold at least one curve.")
        for name, curve in self.curves.items():
            if curve.ndim != 1 or curve.size == 0:
                raise ValueError(
                    f"curves must be lists of numbers; {name!r} is of shape {curve.shape}."
                )

    @classmethod
    def from_estimator(cls, estimator, *, name=None, above=None, ax=None):
        """Draw the curve of one fitted classifier.

        Parameters
        ----------
        estimator : estimator
            A fitted classifier with a ``loss_curve_``, as sklin's and scikit-learn's
            ``MLPClassifier`` are, or a Pipeline that ends in one.
        name : str, default=None
            Its name in the legend; None takes that of its class.
        above : float, default=None
            See `plot`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        LossCurveDisplay
            What was drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has no ``loss_curve_``.
        ImportError
            If matplotlib is not installed.
        """
        last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
        name = type(last).__name__ if name is None else name
        return cls.from_estimators({name: estimator}, above=above, ax=ax)

    @classmethod
    def from_estimators(cls, estimators, *, above=None, ax=None):
        """Draw the curves of fitted classifiers together.

        Parameters
        ----------
        estimators : dict of str to estimator
            Fitted classifiers, as in `from_estimator`, by their names in the legend.
        above : float, default=None
            See `plot`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        LossCurveDisplay
            What was drawn.

        Raises
        ------
        NotFittedError
            If an estimator is not fitted.
        TypeError
            If `estimators` is no dict, or one has no ``loss_curve_``.
        ImportError
            If matplotlib is not installed.
        """
        if not isinstance(estimators, Mapping):
            raise TypeError(
                f"estimators must be a dict of names to estimators, got {type(estimators).__name__}"
                "; from_estimator takes a single one."
            )
        curves = {}
        for name, estimator in estimators.items():
            check_is_fitted(estimator)
            last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
            if not hasattr(last, "loss_curve_"):
                raise TypeError(
                    f"An estimator must have a loss_curve_; {name!r}, a {type(last).__name__}, "
                    "has none."
                )
            curves[name] = last.loss_curve_
        return cls(curves).plot(ax, above=above)

    def plot(self, ax=None, *, above=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        above : float, default=None
            Draw by how much the values lie above this one, on a logarithmic scale: with the
            minimum, how far is left to go. ``model.objective_ - model.duality_gap_`` is a proven
            lower bound of it. Values that do not lie above are left out.

        Returns
        -------
        LossCurveDisplay
            The display itself, with the attributes of what was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        pyplot = pyplot_for(self)
        if ax is None:
            ax = pyplot.subplots(layout="constrained")[1]
        self.ax_, self.figure_, self.lines_ = ax, ax.figure, []
        for name, curve in self.curves.items():
            values = curve if above is None else np.where(curve > above, curve - above, np.nan)
            # A dot shows where a fit that took few steps ended.
            self.lines_ += ax.plot(values, label=name, marker=".", markevery=[len(values) - 1])
        ax.set(xlabel="iteration or epoch", ylabel="mean loss + alpha R(W)")
        if above is not None:
            ax.set(yscale="log", ylabel=f"mean loss + alpha R(W), less {above:.6g}")
        longest = max(map(len, self.curves.values()))
        if longest > 50 * min(map(len, self.curves.values())):
            # Newton's steps beside a thousand of a descent's: both are seen.
            ax.set_xscale("symlog", linthresh=1)
        ax.legend()
        return self
