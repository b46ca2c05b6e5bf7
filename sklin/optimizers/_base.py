"""What all optimizers share: the loop that watches them, how it stops, and what it returns.

An optimizer is a recipe for improving parameters, step after step. It is written as a generator:
`Optimizer.steps` yields a `Step` after each improvement and keeps its state in its own local
variables. The loop in `Optimizer.minimize` draws steps from it, records them, tells a callback,
decides when to stop, and keeps the best weights, whatever happens.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from sklin._component import Component, check_number


class Step(NamedTuple):
    """Where an optimizer stands after one iteration.

    Parameters
    ----------
    params : ndarray
        The parameters.
    value : float
        The objective there (for stochastic optimizers, its mean over the mini-batches).
    gap : float
        Proven distance to the minimum, ``value - lower bound``; inf where nothing is proven.
    done : str
        Reason why no further step can improve. Such a step repeats the last one.
    rough : bool
        Whether what was minimised so far stands in for the objective, and is still to be refined:
        a small change says nothing then.
    """

    params: np.ndarray
    value: float
    gap: float = math.inf
    done: str = ""
    rough: bool = False


@dataclass
class Result:
    """What a minimisation returns.

    Parameters
    ----------
    params : ndarray
        The best parameters found.
    value : float
        The objective there.
    n_iter : int
        Iterations made.
    status : str
        Why it stopped: "converged" (small change or proven gap), "target", "callback", "max_iter",
        "exhausted" (no step can improve), "diverged" or "interrupted".
    message : str
        A sentence saying the same.
    gap : float
        Proven distance of ``value`` to the minimum; inf where nothing is proven.
    history : list of float
        The objective after each iteration, the start first.
    """

    params: np.ndarray
    value: float
    n_iter: int = 0
    status: str = ""
    message: str = ""
    gap: float = math.inf
    history: list = field(default_factory=list)

    @property
    def converged(self):
        """Whether it stopped because it had reached what was asked for."""
        return self.status in ("converged", "target")

    def record(self, step, latest):
        """Take a step down; keep its parameters if they are the best, or the ``latest`` count."""
        self.n_iter += 1
        self.history.append(step.value)
        if not math.isfinite(step.value):
            return
        # The value of a mini-batch method is an estimate: the latest weights, not the luckiest,
        # are its answer. Among values that rounding alone tells apart the latest is best, too:
        # near the minimum a gradient method goes on gaining digits of the weights.
        rounding = 4 * np.finfo(float).eps * abs(step.value)
        if step.value <= self.value + rounding or latest:
            # A copy: the optimizer, or a callback, may go on writing into its own.
            self.params, self.value = np.array(step.params), step.value
        self.gap = min(self.gap, step.gap - step.value + self.value)


class Stop:
    """The stopping rules of `Optimizer.minimize`, whose parameters it takes."""

    def __init__(self, optimizer, max_iter, tol, target, callback):
        self.optimizer = optimizer
        self.max_iter = max_iter
        self.tol = tol
        self.target = target
        self.callback = callback
        self.quiet = 0
        self.reference = math.inf

    def __call__(self, result, step):
        """Status and message if the run is to stop at a step, else None."""
        if step.done:
            if self.quiet and not math.isfinite(step.gap):
                return "converged", (
                    f"Converged: the last step changed the objective by less than tol={self.tol:g} "
                    "of itself, and none improves it."
                )
            return "exhausted", step.done
        if not math.isfinite(step.value):
            return "diverged", (
                f"{type(self.optimizer).__name__} diverged: the objective is {step.value}. "
                "Scale the features or lower the learning rate."
            )
        if self.callback is not None and self.callback(result.n_iter, step):
            return "callback", "The callback asked to stop."
        if self.target is not None and step.value <= self.target:
            return "target", f"Reached the target: the objective is at most {self.target:g}."
        if math.isfinite(step.gap):
            # A minimum of zero is approached for ever; fifteen digits of the start will do.
            rounding = 1e-15 * abs(result.history[0])
            if step.gap <= max(self.tol * abs(step.value), rounding):
                return "converged", (
                    f"Converged: the proven gap is at most tol={self.tol:g} of the objective."
                )
        elif self.has_settled(step):
            if self.optimizer.uses_batches and step.value > result.history[0]:
                return "diverged", (
                    f"{type(self.optimizer).__name__} diverged: the objective rose from "
                    f"{result.history[0]:.3g} to {step.value:.3g}. Scale the features or lower the "
                    "learning rate."
                )
            return "converged", (
                f"Converged: the objective changes by less than tol={self.tol:g} of itself."
            )
        if result.n_iter == self.max_iter:
            return "max_iter", f"Reached max_iter={self.max_iter}."
        return None

    def has_settled(self, step):
        """Whether the value has not changed for as long as the optimizer bears."""
        # Values of a stochastic method scatter: what counts is a new lowest one. Others may creep:
        # what counts is the change since the last one that counted.
        change = self.reference - step.value
        change = change if self.optimizer.is_stochastic else abs(change)
        if step.rough or change > self.tol * abs(step.value):
            self.quiet, self.reference = 0, step.value
        else:
            self.quiet += 1
            if self.optimizer.is_stochastic:
                self.reference = min(self.reference, step.value)
        patience = self.optimizer.n_iter_no_change
        # Zero asks for all iterations: a stochastic value without a gain says little by itself.
        return patience is not None and self.tol > 0 and self.quiet >= patience


def in_a_line(component):
    """The repr of a component, in one line."""
    return " ".join(repr(component).split())


class Need(NamedTuple):
    """Something that an optimizer needs of a part of the objective.

    Parameters
    ----------
    part : {"loss", "regularizer"}
        The part of which it is needed.
    what : str
        The thing needed, as it stands in a sentence.
    lacking : str
        What to say of a part that does not have it.
    has : callable
        From the part to whether it has it.
    """

    part: str
    what: str
    lacking: str
    has: Callable


# All that an optimizer can need, by the names that `Optimizer.needs` is made of.
NEEDS = {
    "smooth loss": Need("loss", "a smooth loss", "has kinks", lambda loss: loss.smooth),
    "roundable loss": Need(
        "loss",
        "a loss that is smooth, or that has `smoothed` and `conjugate`",
        "has kinks and lacks one of the two",
        lambda loss: loss.roundable,
    ),
    "proximable loss": Need(
        "loss",
        "a loss with `proximal_slope` and `conjugate`",
        "lacks one of the two",
        lambda loss: loss.proximable,
    ),
    "squared norm": Need(
        "regularizer",
        "a regularizer that is a multiple of the squared norm",
        "is none",
        lambda regularizer: regularizer.isotropic,
    ),
    "smooth regularizer": Need(
        "regularizer",
        "a smooth regularizer",
        "is none",
        lambda regularizer: regularizer.smooth and regularizer.has_gradient,
    ),
    "gradient": Need(
        "regularizer",
        "a regularizer with a gradient",
        "has none",
        lambda regularizer: regularizer.has_gradient,
    ),
    "prox": Need(
        "regularizer",
        "a regularizer with a prox",
        "has none",
        lambda regularizer: regularizer.has_prox,
    ),
    "separable prox": Need(
        "regularizer",
        "a regularizer with a separable prox",
        "has none",
        lambda regularizer: regularizer.has_prox and regularizer.separable,
    ),
    "smooth or prox": Need(
        "regularizer",
        "a regularizer that is smooth or has a prox",
        "is neither",
        lambda regularizer: (
            (regularizer.smooth and regularizer.has_gradient) or regularizer.has_prox
        ),
    ),
    "smooth or separable": Need(
        "regularizer",
        "a regularizer that is smooth or has a separable prox",
        "is neither",
        lambda regularizer: (
            (regularizer.smooth and regularizer.has_gradient)
            or (regularizer.has_prox and regularizer.separable)
        ),
    ),
}


class Stall:
    """Tells when steps no longer gain anything but rounding.

    Near the minimum the value changes by less than it is known, and only the proven gap still
    falls; at the accuracy of the data neither does, and a run would go on for ever.

    Parameters
    ----------
    patience : int
        Number of steps in a row without a gain that are borne.
    """

    def __init__(self, patience):
        self.patience = patience
        self.value = self.gap = math.inf
        self.idle = 0

    def __call__(self, value, gap, noise):
        """Whether ``patience`` steps in a row have gained nothing, this one the last."""
        if value < self.value - noise or gap < 0.9 * self.gap:
            self.value, self.gap, self.idle = value, gap, 0
        else:
            self.idle += 1
        return self.idle >= self.patience


class Optimizer(Component):
    """A way of minimising an objective.

    Subclasses give `steps` and declare what they need. The objective is known by its protocol
    alone: ``shape``, ``evaluate(params)``, ``value_and_gradient(params)`` and, where they are
    declared needed, ``prox``, ``covariance`` and the like (see `sklin.objective.Objective`).

    Attributes
    ----------
    needs : tuple of str
        What it needs of the loss and the regularizer, keys of ``sklin.optimizers.NEEDS``.
    uses_batches : bool
        Whether it goes by mini-batches, on which a regularizer may lay noise.
    is_stochastic : bool
        Whether it uses ``random_state``, and its values are estimates.
    in_span : bool
        Whether it may run in other orthonormal coordinates of the features. Then features that
        outnumber the samples are left for coordinates of the span of the samples where a minimum
        lies in it (see `sklin.objective.Objective.in_span`).
    n_iter_no_change : int or None
        Iterations without a change after which a value that nothing is proven about has settled;
        None for never.
    """

    needs = ()
    uses_batches = False
    is_stochastic = False
    in_span = False
    n_iter_no_change = 1

    def missing(self, loss, regularizer):
        """What the optimizer lacks to serve a loss and a regularizer.

        Parameters
        ----------
        loss : Loss
            The loss.
        regularizer : Regularizer
            The regularizer.

        Returns
        -------
        str
            A clause that names what is missing; empty if nothing is.
        """
        parts = {"loss": loss, "regularizer": regularizer}
        for need in map(NEEDS.__getitem__, self.needs):
            if not need.has(parts[need.part]):
                return f"needs {need.what}, and {in_a_line(parts[need.part])} {need.lacking}"
        if regularizer.needs_batches and not self.uses_batches:
            noisy = in_a_line(regularizer)
            return f"goes by all samples at once, and {noisy} works by noise on mini-batches"
        return ""

    def remedy(self, loss, regularizer):
        """Sentence on what to change in the optimizer to serve the two; empty if nothing would."""
        return ""

    def check_objective(self, objective):
        """Raise a ValueError saying what is missing to serve the objective, and what would do."""
        loss, regularizer = objective.loss, objective.regularizer
        missing = self.missing(loss, regularizer)
        if missing:
            # Only here do optimizers know of each other: to name those that would serve.
            from sklin.optimizers._compatibility import advice

            remedy = self.remedy(loss, regularizer)
            raise ValueError(
                f"optimizer {in_a_line(self)} {missing}. {remedy}{remedy and ' '}"
                f"{advice(loss, regularizer)}"
            )

    def steps(self, objective, params, tol, rng) -> Iterator[Step]:
        """Improve ``params`` for ever, yielding a `Step` for the start and after each iteration.

        Parameters
        ----------
        objective : Objective
            What to minimise.
        params : ndarray
            Where to start; not to be changed.
        tol : float
            Relative accuracy that will be asked for, as a hint.
        rng : numpy.random.RandomState
            Source of randomness.

        Yields
        ------
        Step
            The state after each iteration.
        """
        raise NotImplementedError(f"{type(self).__name__} gives no steps.")

    def minimize(
        self,
        objective,
        params=None,
        *,
        max_iter=1000,
        tol=1e-4,
        target=None,
        random_state=None,
        callback=None,
    ):
        """Minimise an objective.

        It stops when the proven gap is at most ``tol`` times the value; where nothing is proven,
        when the value changes by at most ``tol`` times itself in an iteration (mini-batch methods:
        when five epochs have not lowered it by that much; random searches: never, unless told);
        at the target; when no step can improve; when the callback says so; on an interrupt; or
        after ``max_iter`` iterations.

        Parameters
        ----------
        objective : Objective
            What to minimise.
        params : ndarray, optional
            Where to start; zeros by default.
        max_iter : int
            Largest number of iterations (epochs for mini-batch methods).
        tol : float
            Relative accuracy of the value; zero goes on as long as any step improves.
        target : float, optional
            A value of the objective that is good enough.
        random_state : int, RandomState instance or None
            Source of randomness for stochastic optimizers; None is numpy's global one.
        callback : callable, optional
            Called as ``callback(n_iter, step)`` after each iteration; a true answer stops.

        Returns
        -------
        Result
            The best parameters and how they were found.

        Raises
        ------
        ValueError
            If the optimizer cannot serve the objective.
        """
        check_number("max_iter", max_iter, low=1, integer=True)
        check_number("tol", tol, low=0)
        if target is not None:
            check_number("target", target, low=-math.inf)
        self.check_parameters()
        self.check_objective(objective)
        rng = check_random_state(random_state)
        params = np.zeros(objective.shape) if params is None else np.array(params, dtype=float)
        params = objective.feasible(params)
        lift = None
        if self.in_span and objective.is_wide:
            objective = objective.in_span()
            lift, params = objective.samples.lift, objective.samples.lower(params)
            if callback is not None:
                given = callback

                def callback(n_iter, step):
                    return given(n_iter, step._replace(params=lift(step.params)))

        result = Result(params, math.inf, n_iter=-1)
        stop = Stop(self, max_iter, tol, target, callback)
        steps = iter(self.steps(objective, params, tol, rng))
        try:
            for step in steps:
                if not step.done:
                    result.record(step, latest=self.uses_batches)
                verdict = stop(result, step)
                if verdict is not None:
                    result.status, result.message = verdict
                    break
            else:
                result.status = "exhausted"
                result.message = f"{type(self).__name__} made no further step."
        except KeyboardInterrupt:
            result.status, result.message = "interrupted", "Interrupted."
        finally:
            if hasattr(steps, "close"):  # a generator; other iterators need not be told
                steps.close()
        result.n_iter = max(result.n_iter, 0)
        if lift is not None:
            result.params = lift(result.params)
        return result
