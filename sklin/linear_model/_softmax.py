"""The softmax classifier."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax

from sklin.linear_model._base import LinearClassifier, LinearModel
from sklin.losses import CrossEntropy


class SoftmaxModel(LinearModel):
    """A linear model whose scores are logarithms of probabilities, up to a shift."""

    def predict_log_proba(self, X):
        """Logarithm of the probability of each class.

        Parameters
        ----------
        X : {array-like, CSR array} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Natural logarithms, exact also where the probability underflows.
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            scores = np.column_stack([np.zeros_like(scores), scores])
        return log_softmax(scores, axis=1)

    def predict_proba(self, X):
        """Probability of each class: the softmax of the scores.

        Parameters
        ----------
        X : {array-like, CSR array} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities; each row sums to one.
        """
        return np.exp(self.predict_log_proba(X))


class SoftmaxClassifier(SoftmaxModel, LinearClassifier):
    r"""Linear classifier with the cross-entropy of the softmax: multinomial logistic regression.

    It minimises exactly

    .. math:: \frac{1}{N} \sum_i -\log \frac{e^{s_{i y_i}}}{\sum_j e^{s_{ij}}}
              + \alpha R(W), \qquad s_i = W x_i + b,

    with the intercept b outside the penalty.

    Parameters
    ----------
    alpha : float, default=1e-4
        Strength of the regularizer, the lecture's lambda. The loss is a mean, so a value means the
        same for every number of samples.
    regularizer : str or Regularizer, default="l2"
        The penalty R on the coefficients: "l2", "l1", "elasticnet", "group_l2", "max_norm",
        "dropout" or an object of `sklin.regularizers`.
    optimizer : str or Optimizer, default="auto"
        How the objective is minimised: "auto", "lbfgs", "newton", "admm", "proximal_newton",
        "proximal_gradient", "gradient_descent", "sgd", "adagrad", "adam", "random_search",
        "random_local_search" or an object of `sklin.optimizers`. "auto" picks a deterministic
        full-batch method with a certificate; for dropout, which has none, and in ``partial_fit``,
        a mini-batch method.
    fit_intercept : bool, default=True
        Whether to fit an intercept. It is not penalised.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, multiplied into the sample weights. "balanced" gives every class
        the same weight in all.
    tol : float, default=1e-4
        The fit stops when the objective is proven to be within ``tol`` times itself of the
        minimum. Where nothing is proven (``alpha=0``, a stochastic optimizer, steps on a loss with
        kinks), when it changes by less than that.
    max_iter : int, default=1000
        Largest number of iterations (epochs for stochastic optimizers).
    target_objective : float or None, default=None
        A value of the objective that is good enough to stop.
    early_stopping : bool, default=False
        Whether to hold out some samples, of each class in proportion, stop when the accuracy on
        them no longer rises, and keep the weights that were most accurate there.
    validation_fraction : float, default=0.1
        Share of the samples that ``early_stopping`` holds out.
    n_iter_no_change : int, default=5
        Iterations in a row whose held-out accuracy is not higher by ``tol`` than the best before,
        after which ``early_stopping`` stops.
    warm_start : bool, default=False
        Whether to start from the weights of the last fit.
    random_state : int, RandomState instance or None, default=None
        Seed of the stochastic optimizers; the others do not use it.

    Attributes
    ----------
    coef_ : ndarray of shape (n_classes, n_features), or (1, n_features) for two classes
        The weights W: each row is a template of its class. For two classes the second row less
        the first.
    intercept_ : ndarray of shape (n_classes,), or (1,) for two classes
        The intercepts b.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    n_iter_ : int
        Iterations made.
    loss_curve_ : list of float
        The objective at the start and after each iteration.
    objective_ : float
        Mean loss + alpha R(W) at the published weights, on the training samples (less those held
        out). After ``partial_fit``, the mean over the last call's mini-batches.
    duality_gap_ : float
        How far ``objective_`` can be above the minimum, proven by a dual point to within rounding;
        inf where nothing is proven.
    validation_scores_ : list of float
        Held-out accuracy at the start and after each iteration, with ``early_stopping``.
    optimizer_state_ : State
        State of the optimizer after ``partial_fit``.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X had them in `fit`.

    See Also
    --------
    LinearSVMClassifier : The same with margin losses.
    sklearn.linear_model.LogisticRegression : The same objective in other words.

    Notes
    -----
    `sklearn.linear_model.LogisticRegression` minimises the sum of the losses times C plus half the
    squared weights. For N samples (or weights of that sum) its minimum is the same for
    ``C = 1 / (2 * alpha * N)`` with three or more classes. With two classes this classifier keeps
    the lecture's two rows, ``w`` and ``-w``, and publishes their difference ``v = 2 w``, of penalty
    ``alpha |v|^2 / 2``; there ``C = 1 / (alpha * N)``.

    References
    ----------
    CS231n, lecture 3, "Loss functions and optimization".

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklin import SoftmaxClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> model = SoftmaxClassifier(alpha=1e-3).fit(X / 16, y)
    >>> bool(model.duality_gap_ <= 1e-4 * model.objective_)
    True
    >>> bool(model.score(X / 16, y) > 0.95)
    True
    """

    def __init__(
        self,
        *,
        alpha=1e-4,
        regularizer="l2",
        optimizer="auto",
        fit_intercept=True,
        class_weight=None,
        tol=1e-4,
        max_iter=1000,
        target_objective=None,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        warm_start=False,
        random_state=None,
    ):
        self.alpha = alpha
        self.regularizer = regularizer
        self.optimizer = optimizer
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.target_objective = target_objective
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.random_state = random_state

    def _make_loss(self):
        return CrossEntropy()
