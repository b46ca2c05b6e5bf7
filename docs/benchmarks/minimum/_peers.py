"""The peers, and how their strength parameter follows from alpha where they minimise the same.

sklin minimises ``mean loss + alpha * sum W^2`` (L2), ``+ alpha * sum |W|`` (L1), or ``+ alpha *
sum (rho |W| + (1 - rho) W^2)`` (elastic net). With n samples and three or more classes that is

- LogisticRegression, ``C * sum loss + sum W^2 / 2``: C = 1 / (2 alpha n); with L1, ``C * sum loss +
  sum |W|``: C = 1 / (alpha n); with a ratio r of its own, ``C * sum loss + sum (r |W| + (1 - r)
  W^2 / 2)``: C = 1 / ((2 - rho) alpha n) and r = rho / (2 - rho), which includes the two others;
- LinearSVC, ``sum W^2 / 2 + C * sum loss``, summed over its binary problems or for Crammer and
  Singer's: C = 1 / (2 alpha n). Its intercept is penalised, so it goes without;
- SGDClassifier, ``mean loss + a * sum W^2 / 2``, summed over its binary problems: a = 2 alpha;
- lightning: FistaClassifier, ``C * sum loss + a * R(W)`` with an R of one's own: C = 1 / n, a =
  alpha; CDClassifier, ``C * sum loss + a * sum W^2 / 2``: C = 1 / n, a = 2 alpha; SDCAClassifier,
  ``mean loss + a * sum W^2 / 2``: a = 2 alpha. None of them has an intercept.

Whether it is so is measured, not believed: what is compared is the value of sklin's objective at
the peer's weights, and a peer that minimised something else would stop short of the minimum.

Where a peer's tolerance is tight it comes within 1e-9 of sklin's value, mostly within 1e-14, on
the iris data at alpha 0.1 and 0.001; FistaClassifier within 1e-6, SGDClassifier as far as its
schedule takes it.

Left out, for their objectives differ: SGDClassifier(loss="log_loss"), which is one-vs-rest, not
the softmax; FistaClassifier(loss="log", multiclass=True), which ended 2% to 20% above the minimum
on iris, with L1 and with the elastic net, after 100,000 iterations; snapml's LogisticRegression,
whose multinomial optimum was found to be another one.
"""

import inspect
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from _cases import L1_RATIO
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.svm import LinearSVC

# A dense matrix of second derivatives, of (n_classes n_features)^2 numbers. At 8,360 its first
# iteration took ten seconds on 2,000 samples, and goes by the number of samples.
MAX_CHOLESKY = 5_000


class Peer(NamedTuple):
    """A peer.

    Parameters
    ----------
    name : str
        As its users know it.
    serves : set of (str, str)
        The losses and regularizers for which it minimises the same objective.
    make : callable
        From case, alpha, n_samples, max_iter and tol to the estimator.
    max_params : float
        Largest number of parameters that it can hold.
    by_tol : bool
        Whether its accuracy is set by tol alone.
    """

    name: str
    serves: set
    make: Callable
    max_params: float = np.inf
    by_tol: bool = False


def logistic(solver):
    penalty = "penalty" in inspect.signature(LogisticRegression).parameters
    default = inspect.signature(LogisticRegression).parameters["penalty"].default if penalty else ""

    def make(case, alpha, n_samples, max_iter, tol):
        rho = {"l2": 0.0, "elasticnet": L1_RATIO, "l1": 1.0}[case.regularizer]
        parameters = dict(
            C=1 / ((2 - rho) * alpha * n_samples),
            solver=solver,
            max_iter=max_iter,
            tol=tol,
            random_state=0,
            fit_intercept=case.fit_intercept,
        )
        if rho:
            parameters["l1_ratio"] = rho / (2 - rho)
            if default == "l2":  # before release 1.8 the ratio alone said nothing
                parameters["penalty"] = "elasticnet"
        return LogisticRegression(**parameters)

    return make


def linear_svc(multi_class, loss, dual):
    def make(case, alpha, n_samples, max_iter, tol):
        return LinearSVC(
            multi_class=multi_class,
            loss=loss,
            dual=dual,
            C=1 / (2 * alpha * n_samples),
            fit_intercept=case.fit_intercept,
            max_iter=max_iter,
            tol=tol,
            random_state=0,
        )

    return make


def sgd(loss):
    def make(case, alpha, n_samples, max_iter, tol):
        return SGDClassifier(
            loss=loss,
            alpha=2 * alpha,
            fit_intercept=case.fit_intercept,
            max_iter=max_iter,
            tol=None,
            random_state=0,
        )

    return make


class Ridge:
    """sklin's L2 as lightning asks for a penalty; it has none of its own by that name."""

    def projection(self, coef, alpha, L):
        return coef / (1 + 2 * alpha / L)

    def regularization(self, coef):
        return np.square(coef).sum()


def lightning_peers():
    """Those of sklearn-contrib-lightning, if it is installed."""
    from lightning.classification import CDClassifier, FistaClassifier, SDCAClassifier

    def fista(multiclass):
        def make(case, alpha, n_samples, max_iter, tol):
            return FistaClassifier(
                C=1 / n_samples,
                alpha=alpha,
                loss="squared_hinge",
                penalty=Ridge(),
                multiclass=multiclass,
                max_iter=max_iter,
            )

        return make

    def coordinate_descent(case, alpha, n_samples, max_iter, tol):
        return CDClassifier(
            loss="squared_hinge",
            penalty="l2",
            C=1 / n_samples,
            alpha=2 * alpha,
            max_iter=max_iter,
            tol=tol,
            random_state=0,
        )

    def dual_ascent(case, alpha, n_samples, max_iter, tol):
        loss = "squared_hinge" if case.loss.endswith("-squared") else "hinge"
        return SDCAClassifier(
            loss=loss, alpha=2 * alpha, max_iter=max_iter, tol=tol, random_state=0
        )

    return [
        Peer("lightning FistaClassifier", {("weston-watkins-squared", "l2")}, fista(True)),
        Peer("lightning FistaClassifier", {("one-vs-rest-squared", "l2")}, fista(False)),
        Peer("lightning CDClassifier", {("one-vs-rest-squared", "l2")}, coordinate_descent),
        Peer(
            "lightning SDCAClassifier",
            {("one-vs-rest-squared", "l2"), ("one-vs-rest", "l2")},
            dual_ascent,
        ),
    ]


def peers():
    """All peers, and sentences on those that are not there."""
    smooth = {("softmax", "l2")}
    found = [
        Peer("LogisticRegression lbfgs", smooth, logistic("lbfgs")),
        Peer("LogisticRegression newton-cg", smooth, logistic("newton-cg")),
        Peer(
            "LogisticRegression newton-cholesky", smooth, logistic("newton-cholesky"), MAX_CHOLESKY
        ),
        Peer(
            "LogisticRegression saga",
            smooth | {("softmax", "l1"), ("softmax", "elasticnet")},
            logistic("saga"),
        ),
        # liblinear's Crammer-Singer solver is not told of max_iter.
        Peer(
            "LinearSVC crammer_singer",
            {("crammer-singer", "l2")},
            linear_svc("crammer_singer", "hinge", True),
            by_tol=True,
        ),
        Peer("LinearSVC ovr, dual", {("one-vs-rest", "l2")}, linear_svc("ovr", "hinge", True)),
        Peer(
            "LinearSVC ovr, dual",
            {("one-vs-rest-squared", "l2")},
            linear_svc("ovr", "squared_hinge", True),
        ),
        Peer(
            "LinearSVC ovr, primal",
            {("one-vs-rest-squared", "l2")},
            linear_svc("ovr", "squared_hinge", False),
        ),
        Peer("SGDClassifier", {("one-vs-rest", "l2")}, sgd("hinge")),
        Peer("SGDClassifier", {("one-vs-rest-squared", "l2")}, sgd("squared_hinge")),
    ]
    missing = []
    try:
        found += lightning_peers()
    except ImportError as error:
        missing.append(f"sklearn-contrib-lightning is left out: it cannot be imported ({error}).")
    missing.append("snapml is left out: its multinomial objective is another one.")
    return found, missing
