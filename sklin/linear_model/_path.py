"""Choosing lambda by cross-validation along a path: the ...CV estimators."""

from __future__ import annotations

import numbers
import warnings
from typing import ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.utils.parallel import Parallel, delayed

from sklin._compat import CallbackSupportMixin, callback_context, with_callbacks
from sklin._state import all_or_nothing
from sklin.linear_model._alpha_grid import alpha_grid
from sklin.linear_model._base import ALPHAS, LinearModel, check_weights
from sklin.linear_model._folds import Point, follow, make_folds, rehearse
from sklin.linear_model._softmax import SoftmaxClassifier, SoftmaxModel
from sklin.linear_model._svm import LinearSVMClassifier
from sklin.linear_model._watch import Task
from sklin.objective import Objective
from sklin.regularizers import Dropout


class LambdaPath(CallbackSupportMixin, LinearModel):
    """What the ...CV estimators share; a subclass names its plain classifier."""

    _plain: ClassVar[type]

    @all_or_nothing
    @with_callbacks
    def fit(self, X, y, sample_weight=None, groups=None):
        """Choose alpha by cross-validation, then fit to all samples at it.

        Parameters
        ----------
        X : {array-like, CSR array} of shape (n_samples, n_features)
            The samples.
        y : array-like of shape (n_samples,)
            The label of each sample: two or more classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative. They weight the losses of the fits *and* the held-out scores, so
            that within a fold a weight of two is the sample given twice.
        groups : array-like of shape (n_samples,), default=None
            Group of each sample, for a ``cv`` that keeps groups together.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        ValueError
            If the data, the labels, the weights or a parameter are not as described; if the
            training part of a fold holds one class only, or a part of it no sample (of any
            weight); or if ``scoring`` cannot score the classifier. All of it is found out before
            the first fit.
        TypeError
            If a parameter is of the wrong kind.

        Warns
        -----
        ConvergenceWarning
            Once, if fits stopped before they reached ``tol``: how many, and how far from the
            minimum they can be.

        Notes
        -----
        An interrupt (Ctrl-C) ends a path, and is passed on: nothing is fitted. In the last fit, to
        all samples, it ends that fit, whose best weights are kept, with the warning.
        """
        model = self._model()
        loss, regularizer = model._check_parameters()
        if regularizer.is_constraint or isinstance(regularizer, Dropout):
            raise ValueError(
                f"alpha plays no part in regularizer={self.regularizer!r}, so there is nothing to "
                f"choose. Use {self._plain.__name__}, and GridSearchCV for the regularizer's own "
                "parameters."
            )
        alphas = self._check_alphas()
        scorer = self._scorer(model)
        X, y, classes = self._check_data(X, y)
        weight = check_weights(sample_weight, X)
        folds = make_folds(model, self.cv, X, y, classes, weight, groups)
        all_weight = model._times_class_weight(weight, y, classes)
        samples = model._samples(X, y, all_weight, len(classes))
        objective = Objective(samples, loss, regularizer, 1.0)
        model._optimizer_for(objective).check_objective(objective)
        if alphas is None:
            alphas = alpha_grid(objective, self.alphas)
        rehearse(model, X, folds, scorer, self.scoring)

        metadata = None if weight is None else {"sample_weight": weight}
        context = callback_context(self, len(folds) + 1)
        with Task(self, context, X=X, y=classes[y], metadata=metadata) as task:
            order = np.argsort(-alphas, kind="stable")
            parts = [task.part("fold", len(alphas)) for _ in folds]
            paths = Parallel(n_jobs=self.n_jobs)(
                delayed(follow)(model, alphas[order], X, fold, scorer, part)
                for fold, part in zip(folds, parts, strict=True)
            )
            table = {
                name: np.array([[getattr(point, name) for point in path] for path in paths])
                for name in Point._fields
            }
            table = {name: values[:, np.argsort(order)] for name, values in table.items()}
            # Summed as GridSearchCV sums them: equal means must come out equal, to tell the first.
            means = np.average(np.ascontiguousarray(table["score"].T), axis=1)
            if np.isnan(means).all():
                raise ValueError(f"scoring={self.scoring!r} gave nan for every alpha.")
            best = int(np.nanargmax(means))

            # From zero, so that it is the plain classifier's own fit, whatever the optimizer.
            model.set_params(alpha=float(alphas[best]))
            objective = Objective(samples, loss, regularizer, model.alpha)
            with task.part("refit"):
                result = model._minimize(objective, model._optimizer_for(objective))
            model._publish(result, objective, classes)
            for name in ("coef_", "intercept_", "classes_", "n_iter_", "loss_curve_", "objective_"):
                setattr(self, name, getattr(model, name))
            self.duality_gap_ = model.duality_gap_
            self.alphas_, self.alpha_ = alphas, model.alpha
            self.scores_path_, self.best_score_ = table["score"], float(means[best])
            self.fit_times_path_, self.n_iter_path_ = table["seconds"], table["n_iter"]
        self._warn_if_short(table, result)
        return self

    def score(self, X, y, sample_weight=None):
        """Score on samples by ``scoring``.

        Parameters
        ----------
        X : {array-like, CSR array} of shape (n_samples, n_features)
            The samples.
        y : array-like of shape (n_samples,)
            Their labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.

        Returns
        -------
        float
            The score; the accuracy if ``scoring`` is None.
        """
        if self.scoring is None:
            return super().score(X, y, sample_weight)
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self._scorer(self)(self, X, y, **weight)

    def _model(self):
        """The plain classifier of the same parameters, of any alpha."""
        own = self.get_params(deep=False)
        return self._plain(
            **{name: own[name] for name in self._plain._get_param_names() if name in own}
        )

    def _check_alphas(self):
        """The alphas if they were given, else None."""
        alphas = self.alphas
        low, high = ALPHAS
        numbers_ = f"numbers in [{low:g}, {high:g}]"
        allowed = f"an integer of at least 1, or a one-dimensional array of {numbers_}"
        if isinstance(alphas, numbers.Integral) and not isinstance(alphas, bool | np.bool_):
            if alphas < 1:
                raise ValueError(f"alphas must be {allowed}; got {alphas!r}.")
            return None
        try:
            given = np.array(alphas, dtype=np.float64)
        except (TypeError, ValueError):
            given = None
        if given is None or isinstance(alphas, str) or given.ndim != 1:
            raise TypeError(f"alphas must be {allowed}; got {alphas!r}, a {type(alphas).__name__}.")
        bad = np.flatnonzero(~((given >= low) & (given <= high)))
        if len(given) == 0 or len(bad):
            what = f"{given[bad[0]]} at index {bad[0]}" if len(bad) else "none"
            raise ValueError(f"alphas must be {allowed}; got {what}.")
        return given

    def _scorer(self, model):
        if not (self.scoring is None or isinstance(self.scoring, str) or callable(self.scoring)):
            raise TypeError(
                "scoring must be None, the name of a scorer or a callable; got "
                f"{self.scoring!r}, a {type(self.scoring).__name__}."
            )
        return check_scoring(model, self.scoring)

    def _warn_if_short(self, table, result):
        """Warn once of all fits that stopped short of ``tol``."""
        sentences = []
        short = ~table["converged"]
        if short.any():
            worst = table["gap"][short].max()
            sentences.append(
                f"{short.sum()} of the {short.size} fits of the path did not converge to "
                f"tol={self.tol:g} in max_iter={self.max_iter} iterations; "
                + (
                    f"their minima are proven to be at most {100 * worst:.2g}% lower."
                    if worst < 1
                    else "how near the minimum the worst came is not proven."
                )
            )
        if not result.converged:
            sentences.append(
                f"The fit to all samples at alpha_={self.alpha_:.3g} did not, either. "
                if sentences
                else f"The fit to all samples at alpha_={self.alpha_:.3g} did not converge to "
                f"tol={self.tol:g}. "
            )
            sentences[-1] += result.message
        if sentences:
            warnings.warn(
                f"{type(self).__name__}: {' '.join(sentences)} Scaled features, more iterations or "
                "larger alphas may help.",
                ConvergenceWarning,
                stacklevel=4 + hasattr(self, "set_callbacks"),  # see LinearClassifier.fit
            )


class SoftmaxClassifierCV(SoftmaxModel, LambdaPath):
    r"""Softmax classifier that chooses its alpha, the lecture's lambda, by cross-validation.

    In each fold `SoftmaxClassifier` is fitted at all alphas, from the largest to the smallest, each
    fit starting from the weights of the last and using what was computed of the samples for all;
    then once to all samples, at the alpha of the best mean score on the held-out ones.

    Parameters
    ----------
    alphas : int or array-like of shape (n_alphas,), default=10
        Strengths of the regularizer to choose from: positive numbers, tried from the largest to
        the smallest, whatever their order, or how many of them to take from the data; see Notes.
    cv : int, splitter or iterable of (train, held-out) indices, default=5
        The folds; an integer, or None for five, stands for a `StratifiedKFold` without shuffling.
        A splitter that keeps groups together takes them from ``fit(..., groups=)``.
    scoring : str, callable or None, default=None
        What the held-out samples are scored by, the larger the better: a name of
        `sklearn.metrics.get_scorer_names`, a ``scorer(classifier, X, y)``, or the accuracy.
    regularizer : {"l2", "l1", "elasticnet", "group_l2"} or Regularizer, default="l2"
        The penalty R on the coefficients; see `sklin.regularizers`. Not one in which alpha plays no
        part, "max_norm" and "dropout".
    optimizer : str or Optimizer, default="auto"
        How the objective is minimised: "auto", "lbfgs", "newton", "admm", "proximal_newton",
        "proximal_gradient", "gradient_descent", "sgd", "adagrad", "adam", "random_search",
        "random_local_search" or an object of `sklin.optimizers`.
    fit_intercept : bool, default=True
        Whether to fit an intercept. It is not penalised.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the losses (not in the scores), multiplied into the sample
        weights. "balanced" gives every class the same weight in all, fold by fold.
    tol : float, default=1e-4
        Each fit stops when its objective is proven to be within ``tol`` times itself of the
        minimum; where nothing is proven, when it changes by less than that.
    max_iter : int, default=1000
        Largest number of iterations of a fit.
    n_jobs : int or None, default=None
        Number of folds that are worked on at once; -1 for as many as there are processors. Each
        holds a copy of its samples.
    random_state : int, RandomState instance or None, default=None
        Seed of the stochastic optimizers; the others do not use it.

    Attributes
    ----------
    alphas_ : ndarray of shape (n_alphas,)
        The alphas, in the order in which they were given; a grid of the data falls.
    alpha_ : float
        The alpha of the best mean score; of equal ones, the first in ``alphas_``.
    best_score_ : float
        Its mean score over the folds.
    scores_path_ : ndarray of shape (n_folds, n_alphas)
        The held-out scores.
    fit_times_path_ : ndarray of shape (n_folds, n_alphas)
        Seconds each fit took. The first of a fold, at the largest alpha, includes what is computed
        once for all of them.
    n_iter_path_ : ndarray of int, shape (n_folds, n_alphas)
        Iterations of each fit.
    coef_ : ndarray of shape (n_classes, n_features), or (1, n_features) for two classes
        The weights W at ``alpha_``, fitted to all samples.
    intercept_ : ndarray of shape (n_classes,), or (1,) for two classes
        The intercepts b.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    n_iter_ : int
        Iterations of the fit to all samples.
    loss_curve_ : list of float
        Its objective at the start and after each iteration.
    objective_ : float
        Mean loss + alpha R(W) at the published weights.
    duality_gap_ : float
        How far ``objective_`` can be above the minimum; inf where nothing is proven.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X had them in `fit`.

    See Also
    --------
    SoftmaxClassifier : The classifier of one alpha.
    sklearn.linear_model.LogisticRegressionCV : The same search in other words.

    Notes
    -----
    The scores, the choice and the weights are those of a `GridSearchCV` over ``alpha`` with the
    same folds, to within ``tol``, with two differences. With ``sample_weight`` the scores are
    weighted, too. And errors are raised, where a grid search scores nan. As there, the classifier
    of a fold knows the classes of its training part alone.

    A number of ``alphas`` makes a geometric grid. Let ``F_0`` be the least mean loss at zero
    weights, and G the gradient of the mean loss in the weights there. Since

    .. math:: F(W, b) \ge F_0 - \alpha R^*(-G / \alpha) \quad \text{for all } W \text{ and } b,

    all weights vanish once ``R*(-G / alpha) = 0``. With L1, elastic net and groups the grid goes
    from there (``max |G|``, ``max |G| / l1_ratio``, ``max |G_g| / sqrt(n_g)``) to 1e-3 of it; with
    L2, where weights never vanish, from where they are proven to lower the objective by no more
    than a tenth of ``F_0``, ``2.5 |G|^2 / F_0``, to 1e-5 of it.

    For the softmax the former is exact: at the first alpha (raised by 1e-6 of itself, for rounding)
    the minimum is at zero weights, at those below it is not.

    References
    ----------
    K. Koh, S.-J. Kim and S. Boyd, "An interior-point method for large-scale l1-regularized logistic
    regression", JMLR 8, 2007, section 2.4. J. Friedman, T. Hastie and R. Tibshirani,
    "Regularization paths for generalized linear models via coordinate descent", Journal of
    Statistical Software 33, 2010, section 2.5.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklin import SoftmaxClassifierCV
    >>> X, y = load_digits(n_class=5, return_X_y=True)
    >>> model = SoftmaxClassifierCV(alphas=[1e-3, 1e-2, 1e-1], cv=3).fit(X / 16, y)
    >>> model.scores_path_.shape
    (3, 3)
    >>> bool(model.best_score_ == model.scores_path_.mean(axis=0).max() > 0.9)
    True
    """

    _plain = SoftmaxClassifier

    def __init__(
        self,
        alphas=10,
        *,
        cv=5,
        scoring=None,
        regularizer="l2",
        optimizer="auto",
        fit_intercept=True,
        class_weight=None,
        tol=1e-4,
        max_iter=1000,
        n_jobs=None,
        random_state=None,
    ):
        self.alphas = alphas
        self.cv = cv
        self.scoring = scoring
        self.regularizer = regularizer
        self.optimizer = optimizer
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.n_jobs = n_jobs
        self.random_state = random_state


class LinearSVMClassifierCV(LambdaPath):
    r"""Multiclass support vector machine that chooses its alpha by cross-validation.

    In each fold `LinearSVMClassifier` is fitted at all alphas, from the largest to the smallest,
    each fit starting from the weights of the last and using what was computed of the samples for
    all; then once to all samples, at the alpha of the best mean score on the held-out ones.

    Parameters
    ----------
    alphas : int or array-like of shape (n_alphas,), default=10
        Strengths of the regularizer to choose from: positive numbers, tried from the largest to
        the smallest, whatever their order, or how many of them to take from the data; see Notes.
    loss : {"hinge", "squared_hinge"} or Loss, default="hinge"
        What a margin violation costs, as in `LinearSVMClassifier`.
    multi_class : {"weston_watkins", "crammer_singer", "one_vs_rest"}, default="weston_watkins"
        How the violations of a sample are summed up; see `sklin.losses`.
    margin : float, default=1.0
        By how much the own class must lead, in units of score.
    cv : int, splitter or iterable of (train, held-out) indices, default=5
        The folds; an integer, or None for five, stands for a `StratifiedKFold` without shuffling.
        A splitter that keeps groups together takes them from ``fit(..., groups=)``.
    scoring : str, callable or None, default=None
        What the held-out samples are scored by, the larger the better: a name of
        `sklearn.metrics.get_scorer_names`, a ``scorer(classifier, X, y)``, or the accuracy.
    regularizer : {"l2", "l1", "elasticnet", "group_l2"} or Regularizer, default="l2"
        The penalty R on the coefficients; see `sklin.regularizers`. Not one in which alpha plays no
        part, "max_norm" and "dropout".
    optimizer : str or Optimizer, default="auto"
        How the objective is minimised: "auto", "lbfgs", "newton", "admm", "proximal_newton",
        "proximal_gradient", "gradient_descent", "sgd", "adagrad", "adam", "random_search",
        "random_local_search" or an object of `sklin.optimizers`.
    fit_intercept : bool, default=True
        Whether to fit an intercept. It is not penalised.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the losses (not in the scores), multiplied into the sample
        weights. "balanced" gives every class the same weight in all, fold by fold.
    tol : float, default=1e-4
        Each fit stops when its objective is proven to be within ``tol`` times itself of the
        minimum; where nothing is proven, when it changes by less than that.
    max_iter : int, default=1000
        Largest number of iterations of a fit.
    n_jobs : int or None, default=None
        Number of folds that are worked on at once; -1 for as many as there are processors. Each
        holds a copy of its samples.
    random_state : int, RandomState instance or None, default=None
        Seed of the stochastic optimizers; the others do not use it.

    Attributes
    ----------
    alphas_ : ndarray of shape (n_alphas,)
        The alphas, in the order in which they were given; a grid of the data falls.
    alpha_ : float
        The alpha of the best mean score; of equal ones, the first in ``alphas_``.
    best_score_ : float
        Its mean score over the folds.
    scores_path_ : ndarray of shape (n_folds, n_alphas)
        The held-out scores.
    fit_times_path_ : ndarray of shape (n_folds, n_alphas)
        Seconds each fit took. The first of a fold, at the largest alpha, includes what is computed
        once for all of them.
    n_iter_path_ : ndarray of int, shape (n_folds, n_alphas)
        Iterations of each fit.
    coef_ : ndarray of shape (n_classes, n_features), or (1, n_features) for two classes
        The weights W at ``alpha_``, fitted to all samples.
    intercept_ : ndarray of shape (n_classes,), or (1,) for two classes
        The intercepts b.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    n_iter_ : int
        Iterations of the fit to all samples.
    loss_curve_ : list of float
        Its objective at the start and after each iteration.
    objective_ : float
        Mean loss + alpha R(W) at the published weights.
    duality_gap_ : float
        How far ``objective_`` can be above the minimum; inf where nothing is proven.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X had them in `fit`.

    See Also
    --------
    LinearSVMClassifier : The classifier of one alpha.
    SoftmaxClassifierCV : The same with the cross-entropy.

    Notes
    -----
    The scores, the choice and the weights are those of a `GridSearchCV` over ``alpha`` with the
    same folds, to within ``tol``, with two differences. With ``sample_weight`` the scores are
    weighted, too. And errors are raised, where a grid search scores nan. As there, the classifier
    of a fold knows the classes of its training part alone.

    A number of ``alphas`` makes a geometric grid. Let ``F_0`` be the least mean loss at zero
    weights, and G the gradient of the mean loss in the weights there. Since

    .. math:: F(W, b) \ge F_0 - \alpha R^*(-G / \alpha) \quad \text{for all } W \text{ and } b,

    all weights vanish once ``R*(-G / alpha) = 0``. With L1, elastic net and groups the grid goes
    from there (``max |G|``, ``max |G| / l1_ratio``, ``max |G_g| / sqrt(n_g)``) to 1e-3 of it; with
    L2, where weights never vanish, from where they are proven to lower the objective by no more
    than a tenth of ``F_0``, ``2.5 |G|^2 / F_0``, to 1e-5 of it.

    For a squared hinge (not Crammer-Singer's) the former is exact: at the first alpha (raised by
    1e-6 of itself, for rounding) the minimum is at zero weights, at those below it is not. The
    other losses have many G, at their kinks, and the grid takes one: at its first alpha no weights
    are better than zero by more than 1e-3 of the margin times the number of classes, but there may
    be smaller alphas of which that is true.

    References
    ----------
    K. Koh, S.-J. Kim and S. Boyd, "An interior-point method for large-scale l1-regularized logistic
    regression", JMLR 8, 2007, section 2.4. J. Friedman, T. Hastie and R. Tibshirani,
    "Regularization paths for generalized linear models via coordinate descent", Journal of
    Statistical Software 33, 2010, section 2.5.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklin import LinearSVMClassifierCV
    >>> X, y = load_digits(n_class=3, return_X_y=True)
    >>> model = LinearSVMClassifierCV(alphas=[1e-3, 1e-2, 1e-1], cv=3).fit(X / 16, y)
    >>> model.scores_path_.shape
    (3, 3)
    >>> bool(model.best_score_ == model.scores_path_.mean(axis=0).max() > 0.9)
    True
    """

    _plain = LinearSVMClassifier

    def __init__(
        self,
        alphas=10,
        *,
        loss="hinge",
        multi_class="weston_watkins",
        margin=1.0,
        cv=5,
        scoring=None,
        regularizer="l2",
        optimizer="auto",
        fit_intercept=True,
        class_weight=None,
        tol=1e-4,
        max_iter=1000,
        n_jobs=None,
        random_state=None,
    ):
        self.alphas = alphas
        self.loss = loss
        self.multi_class = multi_class
        self.margin = margin
        self.cv = cv
        self.scoring = scoring
        self.regularizer = regularizer
        self.optimizer = optimizer
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.n_jobs = n_jobs
        self.random_state = random_state
