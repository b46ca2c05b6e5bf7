"""A picture of feature sets side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ._matplotlib import pyplot_for


class FeatureComparisonDisplay:
    """Scores of feature sets, under one classifier or several.

    A row for each feature set: its score in every fold as a small dot, the mean as a large one
    between bars of one standard deviation.

    Use `from_scores` to make one of cross-validated scores, `from_search` of a grid search whose
    grid holds the feature sets.

    Parameters
    ----------
    scores : dict of str to dict of str to array-like of shape (n_folds,)
        The scores of a feature set under a classifier, by its name and the classifier's. A single
        number counts as one fold.
    score_name : str, default="accuracy"
        What the scores are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure that they are in.
    means_ : list of matplotlib ErrorbarContainer
        The means and standard deviations, one container for each classifier.

    Raises
    ------
    ValueError
        If there are no scores, or those of a feature set are no list of finite numbers.

    See Also
    --------
    sklin.inspection.AlphaPathDisplay : Scores of one feature set against alpha.

    Examples
    --------
    >>> from sklin.inspection import FeatureComparisonDisplay
    >>> scores = {"colour": [0.61, 0.58, 0.60], "HoG": [0.72, 0.70, 0.75]}
    >>> display = FeatureComparisonDisplay.from_scores(scores)
    >>> [text.get_text() for text in display.ax_.get_yticklabels()]
    ['colour', 'HoG']
    """

    def __init__(self, scores, *, score_name="accuracy"):
        self.score_name = score_name
        self.scores = {
            features: {name: np.atleast_1d(np.asarray(found, float)) for name, found in row.items()}
            for features, row in scores.items()
        }
        if not self.scores or not all(self.scores.values()):
            raise ValueError("scores must hold at least one feature set, each with scores.")
        for features, row in self.scores.items():
            for found in row.values():
                if found.ndim != 1 or found.size == 0 or not np.isfinite(found).all():
                    raise ValueError(
                        "The scores of a feature set must be finite numbers, one a fold; those of "
                        f"{features!r} are {found}."
                    )

    @classmethod
    def from_scores(cls, scores, *, score_name="accuracy", ax=None):
        """Draw scores that were computed before.

        Parameters
        ----------
        scores : dict
            Of names of feature sets to what :func:`sklearn.model_selection.cross_val_score`
            returned, or to a dict of names of classifiers to that.
        score_name : str, default="accuracy"
            What the scores are.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        FeatureComparisonDisplay
            What was drawn.

        Raises
        ------
        TypeError
            If `scores` is no dict.
        ValueError
            If there are no scores, or those of a feature set are no list of finite numbers.
        ImportError
            If matplotlib is not installed.
        """
        if not isinstance(scores, Mapping):
            raise TypeError(
                "scores must be a dict of names of feature sets to their scores, got "
                f"{type(scores).__name__}."
            )
        rows = {
            name: row if isinstance(row, Mapping) else {"": row} for name, row in scores.items()
        }
        return cls(rows, score_name=score_name).plot(ax)

    @classmethod
    def from_search(cls, search, param, *, names=None, ax=None):
        """Draw a fitted search whose grid has feature sets among its parameters.

        Of each feature set the candidate with the best mean score is drawn, so that alpha and
        whatever else the grid holds are chosen for each. The best of many is a little lucky:
        what is drawn compares, and does not promise.

        Parameters
        ----------
        search : estimator
            A fitted ``GridSearchCV`` or ``RandomizedSearchCV``.
        param : str
            The parameter whose values are the feature sets, such as ``"features"`` for a
            Pipeline with a step of that name.
        names : sequence of str, default=None
            Names of the feature sets in their order in the grid; None takes their classes, or all
            that they print where that is not enough to tell them apart.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        FeatureComparisonDisplay
            What was drawn.

        Raises
        ------
        NotFittedError
            If the search is not fitted.
        TypeError
            If it is no search.
        ValueError
            If it did not search `param`, has several metrics, or `names` are not as many as the
            feature sets.
        ImportError
            If matplotlib is not installed.
        """
        check_is_fitted(search)
        results = getattr(search, "cv_results_", None)
        if results is None:
            raise TypeError(f"search must be a fitted search, got {type(search).__name__}.")
        searched = [key.removeprefix("param_") for key in results if key.startswith("param_")]
        if param not in searched:
            raise ValueError(
                f"param must be one of what was searched, {', '.join(map(repr, searched))}; got "
                f"{param!r}."
            )
        if "mean_test_score" not in results:
            raise ValueError("search must have one metric; this one has several.")
        candidates, values = {}, []
        for i, value in enumerate(results[f"param_{param}"]):
            if not np.ma.is_masked(value):  # a grid of several parts, not all of which have it
                if not any(value is known for known in values):
                    values.append(value)
                place = next(j for j, known in enumerate(values) if value is known)
                candidates.setdefault(place, []).append(i)
        labels = _labels(values) if names is None else list(names)
        if len(labels) != len(values):
            raise ValueError(
                f"names must be as many as feature sets, {len(values)}, got {len(labels)}."
            )
        n_folds = sum(key.startswith("split") and key.endswith("_test_score") for key in results)
        scores = {}
        for label, members in zip(labels, candidates.values(), strict=True):
            best = max(
                members, key=lambda i: np.nan_to_num(results["mean_test_score"][i], nan=-1e9)
            )
            scores[label] = [results[f"split{k}_test_score"][best] for k in range(n_folds)]
        scoring = search.scoring
        name = "accuracy" if scoring is None else scoring if isinstance(scoring, str) else "score"
        return cls.from_scores(scores, score_name=name.replace("_", " "), ax=ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        FeatureComparisonDisplay
            The display itself, with the attributes of what was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        pyplot = pyplot_for(self)
        classifiers = list(dict.fromkeys(name for row in self.scores.values() for name in row))
        if ax is None:
            height = 1.2 + len(self.scores) * (0.3 + 0.12 * len(classifiers))
            ax = pyplot.subplots(figsize=(6.4, height), layout="constrained")[1]
        self.ax_, self.figure_, self.means_ = ax, ax.figure, []
        n_folds = {len(found) for row in self.scores.values() for found in row.values()}
        folds = (
            None if n_folds == {1} else f"{n_folds.pop()} folds" if len(n_folds) == 1 else "folds"
        )
        for i, classifier in enumerate(classifiers):
            rows = [
                (place + 0.2 * (list(row).index(classifier) - (len(row) - 1) / 2), row[classifier])
                for place, row in enumerate(self.scores.values())
                if classifier in row
            ]
            heights = [place for place, _ in rows]
            for place, found in rows:
                if len(found) > 1:
                    ax.plot(found, np.full(len(found), place), ".", color=f"C{i}", alpha=0.4)
            bars = ax.errorbar(
                [found.mean() for _, found in rows],
                heights,
                xerr=[found.std() for _, found in rows] if folds else None,
                fmt="os^Dv"[i % 5],
                color=f"C{i}",
                label=classifier,
                capsize=2,
            )
            self.means_.append(bars)
        ax.set_yticks(range(len(self.scores)), list(self.scores))
        ax.set(ylim=(len(self.scores) - 0.5, -0.5))
        ax.set_xlabel(self.score_name + (f" (mean and std of {folds})" if folds else ""))
        ax.grid(axis="x", alpha=0.3)
        if classifiers != [""]:
            ax.legend()
        return self


def _labels(values):
    short = [
        type(value).__name__ if hasattr(value, "get_params") else str(value) for value in values
    ]
    if len(set(short)) == len(short):
        return short
    return [" ".join(repr(value).split()) for value in values]
