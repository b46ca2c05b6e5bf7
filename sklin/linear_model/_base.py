"""The scikit-learn face of a fit: validate, build the objective, minimise, publish."""

from __future__ import annotations

import warnings
from copy import deepcopy
from typing import ClassVar

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from sklin import optimizers
from sklin._checks import is_valid, refuse_images
from sklin._compat import CallbackSupportMixin, check_sample_weight, with_callbacks
from sklin._component import check_choice, check_number, resolve
from sklin._docs import DocumentationLinks
from sklin._linalg import threads_for
from sklin._state import all_or_nothing
from sklin.linear_model._watch import Watch
from sklin.objective import Objective, Samples
from sklin.regularizers import REGULARIZERS, Regularizer


def _steps_by_batches(estimator):
    """Whether the mini-batch steps of ``partial_fit`` can be taken; why not, as an error."""
    if estimator.early_stopping:
        raise AttributeError("early_stopping needs all samples at once; partial_fit sees some.")
    optimizer = estimator.optimizer
    kind = optimizers.OPTIMIZERS.get(optimizer) if isinstance(optimizer, str) else type(optimizer)
    if optimizer == "auto" or kind is None or issubclass(kind, optimizers.MiniBatch):
        return True
    if not issubclass(kind, optimizers.Optimizer):
        return True  # it is no optimizer at all, and partial_fit says so
    raise AttributeError(
        f"partial_fit takes mini-batch steps, and optimizer={optimizer!r} goes by all samples at "
        "once. Use optimizer 'auto', 'sgd', 'adagrad' or 'adam'."
    )


# Squares of features, and of slopes over alpha, are summed on the way to a minimum.
LARGEST_FEATURE = {np.dtype(np.float32): 1e12, np.dtype(np.float64): 1e100}
ALPHAS = (1e-100, 1e100)
FLOATS = (np.float64, np.float32)


def check_size(X):
    """Raise a ValueError if the features are so large that sums of their squares overflow."""
    values = X.data if sparse.issparse(X) else X
    largest = max(-float(values.min(initial=0)), float(values.max(initial=0)))
    if largest > LARGEST_FEATURE[values.dtype]:
        raise ValueError(
            f"X must hold numbers of at most {LARGEST_FEATURE[values.dtype]:g} in {values.dtype}, "
            f"got one of size {largest:.3g}. Scale the features."
        )


def check_alpha(name, alpha):
    """Raise unless a strength is a number, zero or within reason."""
    check_number(name, alpha, low=0, high=ALPHAS[1], closed="both")
    if 0 < alpha < ALPHAS[0]:
        raise ValueError(f"{name} must be 0 or in [{ALPHAS[0]:g}, {ALPHAS[1]:g}]; got {alpha!r}.")


def check_weights(sample_weight, X):
    """Weights of samples as a validated float64 array; None for None."""
    if sample_weight is None:
        return None
    weight = check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    if not weight.any():
        raise ValueError("sample_weight must not be zero for every sample.")
    with np.errstate(over="ignore"):
        if not np.isfinite(weight.sum()):
            raise ValueError("sample_weight must have a finite sum; divide it by its largest.")
    return weight


class LinearModel(DocumentationLinks, ClassifierMixin, BaseEstimator):
    """What has ``coef_`` and ``intercept_``: its parameters, the check of its data, predictions."""

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
        for name in {key.partition("__")[0] for key in nested}:
            value, named = getattr(self, name, None), self._named.get(name, {})
            if isinstance(value, str) and value in named:
                setattr(self, name, named[value]())
            elif isinstance(value, str):
                keys = ", ".join(key for key in nested if key.startswith(f"{name}__"))
                names = named and f"one of {', '.join(map(repr, named))}, or "
                raise ValueError(
                    f"{keys} cannot be set: {name}={value!r} has no parameters. Give {name} "
                    f"{names or ''}an object."
                )
        return super().set_params(**nested)

    def _check_data(self, X, y, classes=None, reset=True):
        """Validated ``X``, y as indices of classes, and the classes, found if not given."""
        refuse_images(self, X)
        X, y = validate_data(
            self,
            X,
            y,
            reset=reset,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            accept_large_sparse=True,
        )
        check_size(X)
        try:
            check_classification_targets(y)
            present, index = np.unique(y, return_inverse=True)
        except TypeError as error:
            kinds = " and ".join(sorted({type(label).__name__ for label in y}))
            if " and " not in kinds:
                raise
            raise TypeError(f"y must hold labels of one kind, got {kinds}.") from error
        if classes is not None:
            strange = np.setdiff1d(present, classes)
            if len(strange):
                raise ValueError(f"y holds labels that are not in classes: {strange!r}.")
            index = np.searchsorted(classes, present)[index]
        else:
            classes = present
        if len(classes) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least two classes; y holds one class, "
                f"{classes.tolist()[0]!r}."
            )
        return X, index, classes

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
        if not hasattr(self, "coef_"):
            check_is_fitted(self)
        if not is_valid(self, X, FLOATS):
            refuse_images(self, X)
            X = validate_data(self, X, accept_sparse="csr", dtype=list(FLOATS), reset=False)
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


class LinearClassifier(CallbackSupportMixin, LinearModel):
    """A model of one alpha; a subclass gives its loss by ``_make_loss``."""

    @all_or_nothing
    @with_callbacks
    def fit(self, X, y, sample_weight=None):
        """Fit the classifier to samples.

        Parameters
        ----------
        X : {array-like, CSR array} of shape (n_samples, n_features)
            The samples. C-ordered float32 and float64 are used as they are, without a copy (the
            mini-batch optimizers, and ``early_stopping``, make one).
        y : array-like of shape (n_samples,)
            The label of each sample: two or more classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative. A weight of two is the sample given twice (to the mini-batch
            optimizers, roughly); only the ratios of the weights matter, since the loss is a mean.

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
            If the optimizer stopped before it reached what it was asked for, or was interrupted;
            the best weights are kept.
        """
        loss, regularizer = self._check_parameters()
        samples, classes = self._check_samples(X, y, sample_weight)
        samples, held_out = self._hold_out(*samples)
        objective = self._objective(loss, regularizer, *samples, len(classes))
        optimizer = self._optimizer_for(objective)
        watch = Watch(self, classes, samples, held_out)
        callback = watch if watch.is_needed else None
        result = self._minimize(objective, optimizer, self._start(classes), callback)
        self._publish(result, objective, classes, watch.best_params)
        if held_out is not None:
            self.validation_scores_ = watch.accuracies
        watch.close()
        if not result.converged and result.status != "callback":
            gap = float(self.duality_gap_) / abs(float(self.objective_) or 1.0)
            proven = (
                f" The minimum is proven to be at most {100 * gap:.2g}% lower." if gap < 1 else ""
            )
            hint = ""
            if optimizer.uses_batches and result.status == "max_iter":
                hint = " Another learning_rate, scaled features or more epochs may help."
            elif result.status == "max_iter" and not optimizer.is_stochastic:
                hint = " Scaled features, more iterations or a larger alpha may help."
            elif result.status == "exhausted":
                hint = " Scaled features, a larger alpha or a larger tol may help."
                if result.n_iter == 0:
                    hint += (
                        " Of a loss of your own, check_gradient tells whether its slope is right."
                    )
            warnings.warn(
                f"{type(self).__name__} did not converge to tol={self.tol:g} in {result.n_iter} "
                f"iterations. {result.message}{proven}{hint}",
                ConvergenceWarning,
                # The caller's line, behind the wrappers: all_or_nothing's, and that which calls the
                # callbacks, if there is one.
                stacklevel=3 + hasattr(self, "set_callbacks"),
            )
        return self

    @available_if(_steps_by_batches)
    @all_or_nothing
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Go on from the last call with one pass over some samples, in mini-batches.

        For data larger than memory, or arriving over time. The state of the optimizer (momentum,
        running means, learning-rate schedule) is kept between the calls, and in pickles, as
        ``optimizer_state_``; a call is an epoch to the schedule. After `fit` it goes on from the
        fitted weights. ``optimizer="auto"`` stands for `sklin.optimizers.Adam` here, or `SGD`
        for regularizers that it does not serve.

        Parameters
        ----------
        X : {array-like, CSR array} of shape (n_samples, n_features)
            The samples.
        y : array-like of shape (n_samples,)
            The label of each sample.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come. Needed in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative. They scale the gradients; only their ratios within a call matter.

        Returns
        -------
        self
            The classifier.

        Raises
        ------
        ValueError
            If ``classes`` is missing in the first call or different in a later one, ``y`` holds
            other labels, or data and parameters are not as described.
        """
        loss, regularizer = self._check_parameters()
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"class_weight={self.class_weight!r} needs all samples at once; partial_fit sees "
                "some at a time. Give a dict."
            )
        first = not hasattr(self, "classes_")
        if first and classes is None:
            raise ValueError("classes must be given in the first call of partial_fit.")
        classes = self.classes_ if classes is None else np.unique(classes)
        if not first and not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"classes must stay those of the first call, {self.classes_!r}; got {classes!r}."
            )
        (X, y, weight), classes = self._check_samples(X, y, sample_weight, classes, reset=first)
        objective = self._objective(loss, regularizer, X, y, weight, len(classes))
        auto = isinstance(self.optimizer, str) and self.optimizer == "auto"
        optimizer = optimizers.choose_batches(objective) if auto else self._resolve_optimizer()
        optimizer.check_objective(objective)
        # What is changed is a copy, so that nothing is lost if the call does not come to its end.
        state = deepcopy(getattr(self, "optimizer_state_", None))
        if state is None or not optimizer.can_resume(state, objective):
            start = np.zeros(objective.shape) if first else self._parameters()
            state = optimizer.begin(objective.feasible(start).astype(X.dtype))
            state.rng = check_random_state(self.random_state)
        # A constraint may be new, or narrower than in the last call.
        state.params[...] = objective.feasible(state.params)
        if state.average is not None:
            state.average[...] = objective.feasible(state.average)
        order = state.rng.permutation(len(y))
        batches = [order[part] for part in optimizer.batches(len(y))]
        with threads_for(*X.shape, len(classes)):
            value = optimizer.epoch(objective, state, batches, state.rng)
        if not np.isfinite(state.params).all():
            raise ValueError(
                f"partial_fit diverged with optimizer={optimizer!r}: scale the features or lower "
                "the learning rate. The weights are still those of the last call."
            )
        self.__dict__.pop("validation_scores_", None)
        curve = self.loss_curve_ if hasattr(self, "optimizer_state_") else []
        self.optimizer_state_ = state
        self.classes_ = classes
        self.coef_, self.intercept_ = self._published(state.answer)
        self.n_iter_ = state.n_epochs
        self.loss_curve_ = [*curve, value]
        self.objective_, self.duality_gap_ = value, np.inf
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
        samples, classes = self._check_samples(X, y, sample_weight)
        return self._objective(loss, regularizer, *samples, len(classes)), classes

    def _samples(self, X, y, weight, n_classes):
        return Samples(X, y, n_classes, sample_weight=weight, fit_intercept=self.fit_intercept)

    def _objective(self, loss, regularizer, X, y, weight, n_classes):
        samples = self._samples(X, y, weight, n_classes)
        return Objective(samples, loss, regularizer, float(self.alpha))

    def _check_samples(self, X, y, sample_weight, classes=None, reset=True):
        """Validated ``(X, y as indices, weight or None)``, and the classes, found if not given."""
        X, index, classes = self._check_data(X, y, classes, reset)
        weight = self._times_class_weight(check_weights(sample_weight, X), index, classes)
        return (X, index, weight), classes

    def _hold_out(self, X, y, weight):
        """The samples to fit to, and those held out for early stopping, or None."""
        if not self.early_stopping:
            return (X, y, weight), None
        try:
            parts = train_test_split(
                np.arange(len(y)),
                test_size=self.validation_fraction,
                stratify=y,
                random_state=self.random_state,
            )
        except ValueError as error:
            raise ValueError(
                f"early_stopping holds out validation_fraction={self.validation_fraction} of the "
                f"{len(y)} samples, of each class in proportion, which cannot be done: {error}"
            ) from error
        kept, held = (
            (X[part], y[part], None if weight is None else weight[part])
            for part in map(np.sort, parts)
        )
        if kept[2] is not None and not kept[2].any():
            raise ValueError("sample_weight is zero for every sample that is not held out.")
        return kept, held

    def _optimizer_for(self, objective):
        if isinstance(self.optimizer, str) and self.optimizer == "auto":
            return optimizers.choose(objective)
        return self._resolve_optimizer()

    def _minimize(self, objective, optimizer, start=None, callback=None):
        # A step that is tried can be so long that scores overflow: it is refused, not warned of.
        quiet = np.errstate(over="ignore", invalid="ignore")
        with quiet, threads_for(*objective.samples.X.shape, objective.shape[0]):
            return optimizer.minimize(
                objective,
                start,
                max_iter=self.max_iter,
                tol=self.tol,
                target=self.target_objective,
                random_state=self.random_state,
                callback=callback,
            )

    def _resolve_optimizer(self):
        return resolve("optimizer", self.optimizer, optimizers.OPTIMIZERS, optimizers.Optimizer)

    def _check_parameters(self):
        """Check what does not depend on data; return the loss and the regularizer."""
        check_alpha("alpha", self.alpha)
        check_number("tol", self.tol, low=0)
        check_number("max_iter", self.max_iter, low=1, integer=True)
        if not isinstance(self.optimizer, str) or self.optimizer != "auto":
            names = {"auto": None, **optimizers.OPTIMIZERS}
            if isinstance(self.optimizer, str):
                check_choice("optimizer", self.optimizer, names)
        check_number(
            "validation_fraction", self.validation_fraction, low=0, high=1, closed="neither"
        )
        check_number("n_iter_no_change", self.n_iter_no_change, low=1, integer=True)
        if self.target_objective is not None:
            check_number("target_objective", self.target_objective, low=-np.inf)
        for name in ("fit_intercept", "warm_start", "early_stopping"):
            value = getattr(self, name)
            if not isinstance(value, bool | np.bool_):
                raise TypeError(f"{name} must be True or False; got {value!r}.")
        if self.regularizer is None or self.regularizer in ("none", "None"):
            allowed = ", ".join(map(repr, REGULARIZERS))
            raise ValueError(
                f"regularizer must be one of {allowed} or a Regularizer object; got "
                f"{self.regularizer!r}. For a fit without a penalty set alpha=0."
            )
        regularizer = resolve("regularizer", self.regularizer, REGULARIZERS, Regularizer)
        return self._make_loss(), regularizer

    def _times_class_weight(self, weight, y, classes):
        """Weights of the samples times those of their classes; None if all are equal."""
        if self.class_weight is None:
            return weight
        weight = np.ones(len(y)) if weight is None else weight
        if isinstance(self.class_weight, str) and self.class_weight == "balanced":
            mass = np.bincount(y, weight)
            per_class = mass.sum() / (len(classes) * np.where(mass > 0, mass, np.inf))
        elif isinstance(self.class_weight, dict):
            # Labels of each class, for a batch need not hold all of them.
            per_class = compute_class_weight(self.class_weight, classes=classes, y=classes)
        else:
            raise ValueError(
                "class_weight must be None, 'balanced' or a dict from label to weight; got "
                f"{self.class_weight!r}."
            )
        if np.any(per_class < 0) or not np.isfinite(per_class).all():
            raise ValueError(
                f"class_weight must not be negative, and finite; got {self.class_weight!r}."
            )
        weight = weight * per_class[y]
        if not weight.any():
            raise ValueError(
                f"class_weight={self.class_weight!r}, times sample_weight, leaves no sample any "
                "weight."
            )
        return weight

    def _start(self, classes):
        """Parameters to start from: zeros, or with warm_start the last fit's."""
        if not (self.warm_start and hasattr(self, "coef_")):
            return None
        if self.coef_.shape[1] != self.n_features_in_:
            raise ValueError(
                f"warm_start needs the features of the last fit, {self.coef_.shape[1]} of them; X "
                f"has {self.n_features_in_}."
            )
        if not np.array_equal(self.classes_, classes):
            raise ValueError(
                f"warm_start needs the classes of the last fit, {self.classes_!r}; y holds "
                f"{classes!r}."
            )
        return self._parameters()

    def _parameters(self):
        """The parameters of the objective that the published weights stand for."""
        coef, intercept = self.coef_, self.intercept_
        if len(self.classes_) == 2:
            coef, intercept = np.vstack([-coef, coef]) / 2, np.hstack([-intercept, intercept]) / 2
        return np.column_stack([coef, intercept]) if self.fit_intercept else np.array(coef)

    def _published(self, params):
        """``coef_`` and ``intercept_`` for parameters: for two classes the difference of rows."""
        if len(params) == 2:
            params = params[1:] - params[:1]
        if not self.fit_intercept:
            return np.array(params), np.zeros(len(params), dtype=params.dtype)
        return np.ascontiguousarray(params[:, :-1]), np.array(params[:, -1])

    def _publish(self, result, objective, classes, params=None):
        """Set the fitted attributes, and the value of the objective at what is published."""
        params = own = result.params if params is None else params
        if len(classes) == 2:
            # Only the difference of the two rows matters to predictions. Split evenly it has the
            # same losses and, every regularizer being convex and even, no larger penalty.
            difference = params[1] - params[0]
            params = split = np.vstack([-difference, difference]) / 2
        params = params.astype(objective.samples.X.dtype)
        self.classes_ = classes
        self.coef_, self.intercept_ = self._published(params)
        self.n_iter_ = result.n_iter
        self.loss_curve_ = list(result.history)
        self.objective_ = objective.precise_value(params.astype(np.float64))
        parts = (type(objective.loss), type(objective.regularizer))
        if len(classes) == 2 and not all(part.__module__.startswith("sklin.") for part in parts):
            # A component of the user's own need not be even: its rows count as they were found.
            even, found = (objective.precise_value(rows) for rows in (split, own))
            if not even <= found + 1e-6 * abs(found):
                self.objective_ = found
        proven = np.isfinite(result.gap)  # not if interrupted before the first step, for one
        bound = result.value - result.gap
        # At the minimum itself rounding can leave the bound above by a last digit.
        self.duality_gap_ = max(self.objective_ - bound, 0.0) if proven else np.inf
        for old in ("optimizer_state_", "validation_scores_"):
            self.__dict__.pop(old, None)
