"""What all optimizers share: the loop that watches them, how it stops, and what it returns.

An optimizer is a recipe for improving parameters, step after step. It is written as a generator:
`Optimizer.steps` yields a `Step` after each improvement and keeps its state in its own local
variables. The loop in `Optimizer.minimize` draws steps from it, records them, tells a callback,
decides when to stop, and keeps the best weights, whatever happens.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

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
    """

    params: np.ndarray
    value: float
    gap: float = math.inf
    done: str = ""


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
    converged : bool
        Whether the stopping rule of the optimizer was met.
    message : str
        A sentence saying why it stopped.
    gap : float
        Proven distance of ``value`` to the minimum; inf where nothing is proven.
    history : list of float
        The objective after each iteration, the start first.
    """

    params: np.ndarray
    value: float
    n_iter: int = 0
    converged: bool = False
    message: str = ""
    gap: float = math.inf
    history: list = field(default_factory=list)


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
    alone: ``shape``, ``value_and_gradient(params)``, ``evaluate(params)`` and, where they are
    declared needed, ``prox``, ``covariance`` and the like (see `sklin.objective.Objective`).

    Attributes
    ----------
    needs_smooth_loss, needs_smooth_regularizer : bool
        Whether it needs a gradient without jumps of the loss, of the regularizer.
    is_stochastic : bool
        Whether it looks at random parts of the data, and so uses ``random_state`` and stops on
        the change of the objective rather than on a proven gap.
    """

    needs_smooth_loss = False
    needs_smooth_regularizer = False
    is_stochastic = False
    # Iterations without a change after which a value that nothing is proven about has settled.
    n_iter_no_change = 1

    def check_objective(self, objective):
        """Raise a ValueError saying what the optimizer needs that the objective does not have."""
        name = type(self).__name__
        loss, regularizer = objective.loss, objective.regularizer
        if self.needs_smooth_loss and not loss.smooth:
            raise ValueError(
                f"optimizer {name} needs a smooth loss, and {loss!r} has kinks. Use "
                "optimizer='auto', which rounds the kinks, 'sgd', which steps over them, or a "
                "smooth loss such as 'squared_hinge'."
            )
        if self.needs_smooth_regularizer and not regularizer.smooth:
            raise ValueError(
                f"optimizer {name} needs a smooth regularizer, and {regularizer!r} has kinks. Use "
                "optimizer='proximal_gradient' or 'auto', or regularizer='l2'."
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
        raise NotImplementedError

    def minimize(
        self, objective, params=None, *, max_iter=1000, tol=1e-4, random_state=None, callback=None
    ):
        """Minimise an objective.

        It stops when the proven gap is at most ``tol`` times the value; where nothing is proven,
        when the value changes by at most ``tol`` times itself in an iteration (stochastic
        optimizers: when five epochs have not lowered it by that much); when no step can improve;
        when the callback says so; on an interrupt; or after ``max_iter`` iterations.

        Parameters
        ----------
        objective : Objective
            What to minimise.
        params : ndarray, optional
            Where to start; zeros by default.
        max_iter : int
            Largest number of iterations (epochs for stochastic optimizers).
        tol : float
            Relative accuracy of the value.
        random_state : int, RandomState instance or None
            Source of randomness for stochastic optimizers.
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
        self.check_parameters()
        self.check_objective(objective)
        rng = random_state
        if not isinstance(rng, np.random.RandomState):
            rng = np.random.RandomState(random_state)
        params = np.zeros(objective.shape) if params is None else np.array(params, dtype=float)
        result = Result(params, math.inf, n_iter=-1)
        steps, quiet, lowest = self.steps(objective, params, tol, rng), 0, math.inf
        try:
            for step in steps:
                if step.done:
                    result.message = step.done
                    break
                result.n_iter += 1
                previous = result.history[-1] if result.history else math.inf
                result.history.append(step.value)
                if not math.isfinite(step.value):
                    result.message = (
                        f"{type(self).__name__} diverged: the objective is {step.value}. "
                        "Scale the features or lower the learning rate."
                    )
                    break
                # A stochastic value is an estimate: the latest weights, not the luckiest.
                if step.value <= result.value or self.is_stochastic:
                    result.params, result.value = step.params, step.value
                result.gap = min(result.gap, step.gap - step.value + result.value)
                if callback is not None and callback(result.n_iter, step):
                    result.message = "The callback asked to stop."
                    break
                if math.isfinite(step.gap):
                    # A minimum of zero is approached for ever; twelve digits of the start will do.
                    rounding = 1e-12 * abs(result.history[0])
                    converged = step.gap <= max(tol * abs(step.value), rounding)
                else:
                    # Epochs of a stochastic method scatter: what counts is a new lowest value.
                    gain = (lowest if self.is_stochastic else previous) - step.value
                    gain = gain if self.is_stochastic else abs(gain)
                    quiet = quiet + 1 if gain <= tol * abs(step.value) else 0
                    converged = quiet >= self.n_iter_no_change
                    lowest = min(lowest, step.value)
                if converged:
                    result.converged = True
                    result.message = (
                        f"Converged: the proven gap is at most tol={tol:g} of the objective."
                        if math.isfinite(step.gap)
                        else f"Converged: the objective changes by less than tol={tol:g} of itself."
                    )
                    break
                if result.n_iter == max_iter:
                    result.message = f"Reached max_iter={max_iter}."
                    break
        except KeyboardInterrupt:
            result.message = "Interrupted."
        finally:
            steps.close()
        result.n_iter = max(result.n_iter, 0)
        return result
