"""The scikit-learn face of a fit: validate, build the objective, minimise, publish."""

from __future__ import annotations

import warnings
from typing import ClassVar

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from sklin import optimizers
from sklin._compat import check_sample_weight
from sklin._component import check_choice, check_number, resolve
from sklin._linalg import threads_for
from sklin.objective import Objective, Samples
from sklin.regularizers import REGULARIZERS, Regularizer


class LinearClassifier(ClassifierMixin, BaseEstimator):
    """What the classifiers share; a subclass gives its loss by ``_make_loss``."""

    # The components that may be given by name, and what the name stands for.
    _named: ClassVar = {"regularizer": REGULARIZERS, "optimizer": optimizers.OPTIMIZERS}

    def set_params(self, **params):
        """Set parameters, nested ones of named components too.

        Setting ``optimizer__learning_rate`` where ``optimizer`` is a name first turns the name
        into its default object; likewise for ``regularizer``.

        Parameters
        ----------
        **params : dict
            Parameters and their values.

        Returns
        -------
        self
            The estimator.
        """
        nested = {key: value for key, value in params.items() if "__" in key}
        super().set_params(**{key: params[key] for key in params if key not in nested})
        for name in {key.partition("__")[0] for key in nested} & set(self._named):
            value = getattr(self, name)
            if isinstance(value, str) and value in self._named[name]:
                setattr(self, name, self._named[name][value]())
            elif isinstance(value, str):
                keys = ", ".join(key for key in nested if key.startswith(f"{name}__"))
                raise ValueError(
                    f"{keys} cannot be set: {name}={value!r} has no parameters. Give {name} one of "
                    f"{', '.join(map(repr, self._named[name]))}, or an object."
                )
        return super().set_params(**nested)

    def fit(self, X, y, sample_weight=None):
        """Fit the classifier to samples.

        Parameters
        ----------
        X : {array-like, CSR array} of shape (n_samples, n_features)
            The samples. C-ordered float32 and float64 are used as they are, without a copy.
        y : array-like of shape (n_samples,)
            The label of each sample: two or more classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative. A weight of two is the sample given twice; only the ratios
            of the weights matter, since the loss is a mean.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        ValueError
            If the data, the labels, the weights or a parameter are not as described, or the
            optimizer cannot serve the loss and the regularizer.

        Warns
        -----
        ConvergenceWarning
            If the optimizer stopped before it reached ``tol``; the best weights are kept.
        """
        objective, classes = self.make_objective(X, y, sample_weight)
        if isinstance(self.optimizer, str) and self.optimizer == "auto":
            optimizer = optimizers.choose(objective)
        else:
            optimizer = resolve(
                "optimizer", self.optimizer, optimizers.OPTIMIZERS, optimizers.Optimizer
            )
        with threads_for(*objective.samples.X.shape, len(classes)):
            result = optimizer.minimize(
                objective,
                self._start(classes),
                max_iter=self.max_iter,
                tol=self.tol,
                random_state=self.random_state,
            )
        self._publish(result, objective, classes)
        if not result.converged:
            gap = self.duality_gap_ / abs(self.objective_ or 1.0)
            proven = (
                f" The objective is within {gap:.1e} of its minimum," if np.isfinite(gap) else ""
            )
            warnings.warn(
                f"{type(self).__name__} did not converge to tol={self.tol:g} in {result.n_iter} "
                f"iterations. {result.message}{proven and proven + ' relative to itself.'} Scaling "
                "the features, more iterations or a larger alpha may help.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def make_objective(self, X, y, sample_weight=None):
        """The objective that `fit` minimises on these samples.

        Parameters
        ----------
        X : {array-like, CSR array} of shape (n_samples, n_features)
            The samples.
        y : array-like of shape (n_samples,)
            The label of each sample.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        objective : Objective
            Mean loss + alpha R, a function of the parameters.
        classes : ndarray of shape (n_classes,)
            The labels in the order of the parameters' rows.
        """
        loss, regularizer = self._check_parameters()
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            accept_large_sparse=True,
        )
        check_classification_targets(y)
        classes, y = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least two classes; y holds one class, "
                f"{classes[0]!r}."
            )
        weight = self._check_weights(sample_weight, X, y, classes)
        samples = Samples(
            X, y, len(classes), sample_weight=weight, fit_intercept=self.fit_intercept
        )
        objective = Objective(samples, loss, regularizer, float(self.alpha))
        return objective, classes

    def _check_parameters(self):
        """Check what does not depend on data; return the loss and the regularizer."""
        check_number("alpha", self.alpha, low=0, high=np.finfo(float).max, closed="both")
        check_number("tol", self.tol, low=0)
        check_number("max_iter", self.max_iter, low=1, integer=True)
        if not isinstance(self.optimizer, str) or self.optimizer != "auto":
            names = {"auto": None, **optimizers.OPTIMIZERS}
            if isinstance(self.optimizer, str):
                check_choice("optimizer", self.optimizer, names)
        for name in ("fit_intercept", "warm_start"):
            value = getattr(self, name)
            if not isinstance(value, bool | np.bool_):
                raise TypeError(f"{name} must be True or False; got {value!r}.")
        regularizer = resolve("regularizer", self.regularizer, REGULARIZERS, Regularizer)
        return self._make_loss(), regularizer

    def _check_weights(self, sample_weight, X, y, classes):
        """Weights of the samples, those of their classes included; None if all are equal."""
        weight = None
        if sample_weight is not None:
            weight = check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
            if not weight.any():
                raise ValueError("sample_weight must not be zero for every sample.")
        if self.class_weight is None:
            return weight
        weight = np.ones(len(y)) if weight is None else weight
        if isinstance(self.class_weight, str) and self.class_weight == "balanced":
            mass = np.bincount(y, weight)
            per_class = mass.sum() / (len(classes) * np.where(mass > 0, mass, np.inf))
        elif isinstance(self.class_weight, dict):
            per_class = compute_class_weight(self.class_weight, classes=classes, y=classes[y])
        else:
            raise ValueError(
                "class_weight must be None, 'balanced' or a dict from label to weight; got "
                f"{self.class_weight!r}."
            )
        if np.any(per_class < 0):
            raise ValueError(f"class_weight must not be negative; got {self.class_weight!r}.")
        return weight * per_class[y]

    def _start(self, classes):
        """Parameters to start from: zeros, or with warm_start the last fit's."""
        if not (self.warm_start and hasattr(self, "coef_")):
            return None
        if not np.array_equal(self.classes_, classes):
            raise ValueError(
                f"warm_start needs the classes of the last fit, {self.classes_!r}; y holds "
                f"{classes!r}."
            )
        coef, intercept = self.coef_, self.intercept_
        if len(classes) == 2:
            coef, intercept = np.vstack([-coef, coef]) / 2, np.hstack([-intercept, intercept]) / 2
        return np.column_stack([coef, intercept]) if self.fit_intercept else np.array(coef)

    def _publish(self, result, objective, classes):
        """Set the fitted attributes, and the value of the objective at what is published."""
        params = result.params
        if len(classes) == 2:
            # Only the difference of the two rows matters to predictions. Split evenly it has the
            # same losses and, every regularizer being convex and even, no larger penalty.
            difference = params[1] - params[0]
            params = np.vstack([-difference, difference]) / 2
        dtype = objective.samples.X.dtype
        params = params.astype(dtype)
        coef = objective.samples.coef(params)
        intercept = params[:, -1] if self.fit_intercept else np.zeros(len(classes), dtype=dtype)
        if len(classes) == 2:
            coef, intercept = 2 * coef[1:], 2 * intercept[1:]
        self.classes_ = classes
        self.coef_ = np.ascontiguousarray(coef)
        self.intercept_ = np.array(intercept)
        self.n_iter_ = result.n_iter
        self.loss_curve_ = list(result.history)
        self.objective_ = objective.value(params.astype(np.float64))
        proven = np.isfinite(result.gap)  # not if interrupted before the first step, for one
        self.duality_gap_ = self.objective_ - (result.value - result.gap) if proven else np.inf

    def decision_function(self, X):
        """Scores of the classes.

        Parameters
        ----------
        X : {array-like, CSR array} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or (n_samples,) for two classes
            ``X W' + b``; for two classes the score of the second less that of the first.
        """
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False)
        scores = X @ self.coef_.T
        scores = np.asarray(scores.toarray() if sparse.issparse(scores) else scores)
        scores += self.intercept_
        return scores.ravel() if scores.shape[1] == 1 else scores

    def predict(self, X):
        """Label of the class of the largest score.

        Parameters
        ----------
        X : {array-like, CSR array} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            The predicted labels.
        """
        scores = self.decision_function(X)
        index = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[index]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
