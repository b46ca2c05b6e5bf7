"""The folds of a cross-validation, and the path of fits along each."""

from __future__ import annotations

import numbers
import time
import warnings
from typing import NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import check_cv

from sklin.objective import Objective


class Fold(NamedTuple):
    """One split, and what the classifier of its training part is fitted to and scored with.

    Parameters
    ----------
    train, held : ndarray of int
        The samples fitted to, and those held out.
    y : ndarray of int, shape (n_train,)
        The former's labels as indices of ``classes``.
    weight : ndarray of shape (n_train,) or None
        Their weights, those of their classes included.
    classes : ndarray of shape (n_classes_in_train,)
        The labels that the training part holds.
    held_y, held_weight : ndarray of shape (n_held,), the latter or None
        Labels and weights of the samples held out.
    """

    train: np.ndarray
    held: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None
    classes: np.ndarray
    held_y: np.ndarray
    held_weight: np.ndarray | None


class Point(NamedTuple):
    """What is kept of one fit of a path."""

    score: float
    seconds: float
    n_iter: int
    converged: bool
    gap: float


def make_folds(model, cv, X, y, classes, weight, groups):
    """Split samples, and check the splits.

    Parameters
    ----------
    model : LinearClassifier
        The plain classifier, for its ``class_weight``.
    cv : int, splitter, iterable or None
        As the ...CV estimators take it.
    X : {ndarray, CSR array} of shape (n_samples, n_features)
        The samples.
    y : ndarray of int, shape (n_samples,)
        Their labels as indices of ``classes``.
    classes : ndarray of shape (n_classes,)
        The labels.
    weight : ndarray of shape (n_samples,) or None
        Their weights, without those of the classes.
    groups : array-like of shape (n_samples,) or None
        Their groups.

    Returns
    -------
    list of Fold
        The folds.

    Raises
    ------
    ValueError
        If there is none, or one that cannot be fitted to or scored on.
    """
    splits = list(check_cv(cv, y, classifier=True).split(X, classes[y], groups))
    if not splits:
        raise ValueError(f"cv must give at least one split; got {cv!r}, which gives none.")
    folds = []
    for number, split in enumerate(splits):
        train, held = (_indices(part, number, len(y)) for part in split)
        for name, part in (("trains on", train), ("holds out", held)):
            if len(part) == 0 or (weight is not None and not weight[part].any()):
                weighted = "" if len(part) == 0 else ", of any sample_weight"
                raise ValueError(f"Fold {number} of cv {name} no sample{weighted}.")
        present, train_y = np.unique(y[train], return_inverse=True)
        if len(present) < 2:
            raise ValueError(
                f"Fold {number} of cv trains on one class, {classes.tolist()[present[0]]!r}; a "
                "classifier needs two or more. Shuffle the samples, or take fewer folds."
            )
        train_weight, held_weight = (
            None if weight is None else weight[part] for part in (train, held)
        )
        folds.append(
            Fold(
                train,
                held,
                train_y,
                model._times_class_weight(train_weight, train_y, classes[present]),
                classes[present],
                classes[y[held]],
                held_weight,
            )
        )
    return folds


def rehearse(model, X, folds, scorer, scoring):
    """Score zero weights on each fold, so that a scorer that cannot says so before the work."""
    model = clone(model)
    for number, fold in enumerate(folds):
        params = np.zeros((len(fold.classes), X.shape[1] + bool(model.fit_intercept)))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # zero weights predict one class
                held_out_score(model, params, X[fold.held], fold, scorer)
        except Exception as error:  # a scorer may raise anything; it is raised again, with where
            raise ValueError(
                f"scoring={scoring!r} cannot score fold {number} of cv"
                f"{'' if fold.held_weight is None else ' with sample_weight'}: {error}"
            ) from error


def _indices(part, number, n_samples):
    """A part of a split as an array of indices; masks are taken, too."""
    part = np.asarray(part)
    if part.dtype == bool and part.shape == (n_samples,):
        return np.flatnonzero(part)
    if part.ndim != 1 or (len(part) and part.dtype.kind not in "iu"):
        raise ValueError(
            f"cv must give splits into two arrays of indices; fold {number} holds an array of "
            f"shape {part.shape} and dtype {part.dtype}."
        )
    part = part.astype(np.intp)
    if len(part) and not (-n_samples <= part.min() and part.max() < n_samples):
        raise ValueError(
            f"cv must give indices of the {n_samples} samples; fold {number} holds "
            f"{part.min()} to {part.max()}."
        )
    return part


def follow(model, alphas, X, fold, scorer, task):
    """Fit a fold at each alpha in turn, each fit starting from the last, and score the fits.

    Parameters
    ----------
    model : LinearClassifier
        The plain classifier; its alpha plays no part.
    alphas : ndarray of shape (n_alphas,)
        In the order of the path.
    X : {ndarray, CSR array} of shape (n_samples, n_features)
        All samples.
    fold : Fold
        Which of them to fit to and to score on.
    scorer : callable
        As `sklearn.metrics.check_scoring` gives it.
    task : Task
        The fold, to the callbacks; each fit is a part of it.

    Returns
    -------
    list of Point
        One for each alpha.
    """
    model = clone(model)
    loss, regularizer = model._check_parameters()
    held_X = X[fold.held]
    # All alphas share these samples, and what is computed of them once: X'X, above all.
    samples = model._samples(X[fold.train], fold.y, fold.weight, len(fold.classes))
    points, params = [], None
    with task:
        for alpha in alphas:
            with task.part("alpha"):
                start = time.perf_counter()
                model.set_params(alpha=float(alpha))
                objective = Objective(samples, loss, regularizer, model.alpha)
                result = model._minimize(objective, model._optimizer_for(objective), params)
                seconds = time.perf_counter() - start
                # The optimizer has caught it, and the path is to end.
                if result.status == "interrupted":
                    raise KeyboardInterrupt
                params = result.params
                score = held_out_score(model, params, held_X, fold, scorer)
            gap = result.gap / abs(result.value or 1.0)
            points.append(Point(score, seconds, result.n_iter, result.converged, gap))
    return points


def held_out_score(model, params, X, fold, scorer):
    """Score parameters on the held-out samples ``X`` of a fold, a float."""
    model.classes_, model.n_features_in_ = fold.classes, X.shape[1]
    model.coef_, model.intercept_ = model._published(params.astype(X.dtype))
    weight = {} if fold.held_weight is None else {"sample_weight": fold.held_weight}
    score = scorer(model, X, fold.held_y, **weight)
    if not isinstance(score, numbers.Real):
        raise TypeError(f"it must give a number; got {score!r}, a {type(score).__name__}.")
    return float(score)
