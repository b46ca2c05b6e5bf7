"""What the page asks and what it is told: a state as JSON in, numbers as JSON out.

A step that the page shows is an iterate of one run of the optimizer, from the weights at which it
began. Restarting the optimizer at every step would be simpler, and would lose what a method
remembers: L-BFGS its curvature, SGD its momentum, Adam its means.
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

import numpy as np

from sklin._component import check_choice, check_number
from sklin.losses import LOSSES, CrossEntropy
from sklin.objective import Objective, Samples
from sklin.optimizers import OPTIMIZERS, choose
from sklin.regularizers import REGULARIZERS

N_CLASSES, N_FEATURES = 3, 2
MAX_POINTS = 200
MAX_STEPS = 2000
MAX_SECONDS = 3.0
LARGEST_POINT, LARGEST_WEIGHT = 10.0, 1e6
# Small beside the number of points that a page holds, so that a batch is not all of them.
BATCH_SIZE = 4
TOL = 1e-6

HINGES = {"": "hinge", "_squared": "squared_hinge"}
CHOICES = {
    "loss": {
        **{
            name + suffix: kind(loss=hinge)
            for name, kind in LOSSES.items()
            for suffix, hinge in HINGES.items()
        },
        "cross_entropy": CrossEntropy(),
    },
    "regularizer": {name: kind() for name, kind in REGULARIZERS.items()},
    "optimizer": {**OPTIMIZERS, "auto": None},
}
FIELDS = ("points", "W", "b", *CHOICES, "alpha", "step_size", "seed", "n_steps")


class Problem(NamedTuple):
    """What a state of the page stands for.

    Parameters
    ----------
    objective : Objective
        Mean loss of the points plus alpha R(W).
    params : ndarray of shape (3, 3)
        The weights, the intercepts last.
    optimizer : Optimizer
        How it is minimised.
    seed : int
        Of the random numbers of a stochastic optimizer.
    n_steps : int
        Iterations asked for.
    """

    objective: Objective
    params: np.ndarray
    optimizer: object
    seed: int
    n_steps: int


def options():
    """The names that the page may choose from, whether each optimizer has a step size, limits."""
    return {
        **{field: list(choices) for field, choices in CHOICES.items()},
        "uses_step_size": [name for name in OPTIMIZERS if _step_parameter(name)],
        "uses_batches": [name for name, kind in OPTIMIZERS.items() if kind.uses_batches],
        "ignores_alpha": [
            name
            for name, regularizer in CHOICES["regularizer"].items()
            if regularizer.is_constraint or regularizer.needs_batches
        ],
        "batch_size": BATCH_SIZE,
        "max_points": MAX_POINTS,
        "max_steps": MAX_STEPS,
    }


def read(state):
    """Check a state that came as JSON.

    Parameters
    ----------
    state : object
        What the JSON held. It should be a dict with the fields ``points``, [x, y, class] each;
        ``W`` and ``b``; the names ``loss``, ``regularizer`` and ``optimizer``; ``alpha``,
        ``step_size``, ``seed`` and ``n_steps``.

    Returns
    -------
    Problem
        What it stands for.

    Raises
    ------
    TypeError, ValueError
        With a sentence that names the field, if something else came.
    """
    if not isinstance(state, dict):
        raise TypeError(f"The request must be a JSON object; got a {type(state).__name__}.")
    for field in state:
        if field not in FIELDS:
            raise ValueError(f"{field[:40]!r} is no field; the fields are {', '.join(FIELDS)}.")
    for field in FIELDS:
        if field not in state:
            raise ValueError(f"{field} is missing.")
    for field, choices in CHOICES.items():
        if not isinstance(state[field], str) or len(state[field]) > 40:
            raise TypeError(f"{field} must be one of {', '.join(map(repr, choices))}.")
        check_choice(field, state[field], choices)
    check_number("alpha", state["alpha"], low=0, high=1e3, closed="both")
    check_number("step_size", state["step_size"], low=1e-6, high=1e3, closed="both")
    check_number("seed", state["seed"], low=0, high=2**31 - 1, closed="both", integer=True)
    check_number("n_steps", state["n_steps"], low=1, high=MAX_STEPS, closed="both", integer=True)
    X, y = _points(state["points"])
    coef = [_row(f"W[{k}]", row, N_FEATURES) for k, row in enumerate(_list("W", state["W"]))]
    params = np.column_stack([coef, _row("b", state["b"], N_CLASSES)])
    objective = Objective(
        Samples(X, y, N_CLASSES),
        CHOICES["loss"][state["loss"]],
        CHOICES["regularizer"][state["regularizer"]],
        float(state["alpha"]),
    )
    optimizer = _optimizer(state["optimizer"], float(state["step_size"]), objective)
    return Problem(objective, params, optimizer, state["seed"], state["n_steps"])


def evaluate(state):
    """The numbers of the page at a state's weights.

    Parameters
    ----------
    state : object
        As of `read`.

    Returns
    -------
    dict
        ``scores`` and ``losses`` of the points, the mean loss ``data``, the ``penalty`` alpha R(W),
        their sum ``total``, the ``gradient`` of that by W and b, and ``refusal``: why the optimizer
        cannot serve the loss and the regularizer, or nothing. What is not finite is None.
    """
    problem = read(state)
    with np.errstate(all="ignore"):
        objective, params = problem.objective, problem.params
        point = objective.evaluate(params)
        losses = objective.loss.value(point.scores, objective.samples.y)
        try:
            problem.optimizer.check_objective(objective)
            refusal = ""
        except ValueError as error:
            refusal = str(error)
        return {
            "scores": _plain(point.scores),
            "losses": _plain(losses),
            "data": _plain(point.data_value),
            "penalty": _plain(objective.penalty(params)),
            "total": _plain(point.value),
            "gradient": _split(point.gradient),
            "refusal": refusal,
        }


def run(state):
    """The iterates of the optimizer from a state's weights.

    Parameters
    ----------
    state : object
        As of `read`.

    Returns
    -------
    dict
        ``steps``, the start and each iterate: W, b, the objective there as ``total``, and the
        ``bound`` below the minimum that is proven so far, or None. ``status`` and ``message`` say
        why it ended. The same state gives the same iterates, and one with more ``n_steps`` their
        continuation.

    Raises
    ------
    ValueError
        If the optimizer cannot serve the loss and the regularizer, with its sentence.
    """
    objective, params, optimizer, seed, n_steps = read(state)
    steps, ended, deadline, bound = [], "", time.monotonic() + MAX_SECONDS, -math.inf

    def watch(n_iter, step):
        nonlocal ended, bound
        if np.abs(step.params).max() > LARGEST_WEIGHT:
            ended = f"Stopped: a weight exceeds {LARGEST_WEIGHT:g}. Lower the step size."
            return True
        # A mini-batch method's own value is an estimate, on the way; what is shown is the value.
        bound = max(bound, step.value - step.gap)
        total = _plain(objective.value(step.params))
        steps.append({**_split(step.params), "total": total, "bound": _plain(bound)})
        if time.monotonic() > deadline:
            ended = f"Stopped after {MAX_SECONDS:g} seconds of computing."
        return bool(ended)

    with np.errstate(all="ignore"):
        result = optimizer.minimize(
            objective,
            params,
            max_iter=n_steps,
            # What a stochastic method does beside the minimum is a thing to be seen: it goes on.
            tol=0.0 if optimizer.is_stochastic else TOL,
            random_state=seed,
            callback=watch,
        )
    return {"steps": steps, "status": result.status, "message": ended or result.message}


def _list(name, values, length=N_CLASSES):
    if not isinstance(values, list):
        raise TypeError(f"{name} must be a list; got a {type(values).__name__}.")
    if len(values) != length:
        raise ValueError(f"{name} must have {length} entries; got {len(values)}.")
    return values


def _row(name, values, length, limit=LARGEST_WEIGHT):
    for k, value in enumerate(_list(name, values, length)):
        check_number(f"{name}[{k}]", value, low=-limit, high=limit, closed="both")
    return np.array(values, dtype=float)


def _points(points):
    """X and y of the points."""
    if not isinstance(points, list):
        raise TypeError(f"points must be a list; got a {type(points).__name__}.")
    if not 1 <= len(points) <= MAX_POINTS:
        raise ValueError(f"points must be 1 to {MAX_POINTS}; there are {len(points)}.")
    X, y = np.empty((len(points), N_FEATURES)), np.empty(len(points), dtype=int)
    for i, point in enumerate(points):
        *place, label = _list(f"points[{i}]", point, N_FEATURES + 1)
        X[i] = _row(f"points[{i}]", place, N_FEATURES, LARGEST_POINT)
        name = f"points[{i}][{N_FEATURES}]"
        check_number(name, label, low=0, high=N_CLASSES - 1, closed="both", integer=True)
        y[i] = label
    return X, y


def _step_parameter(name):
    """The parameter of an optimizer that the page's step size is, or None."""
    parameters = OPTIMIZERS[name]().get_params()
    return next((p for p in ("learning_rate", "scale") if p in parameters), None)


def _optimizer(name, step_size, objective):
    if name == "auto":
        return choose(objective)
    optimizer, parameter = OPTIMIZERS[name](), _step_parameter(name)
    # A walk is to begin at the weights that the page shows, not near them.
    wanted = {"batch_size": BATCH_SIZE, "start_scale": 0.0}
    if parameter:
        wanted[parameter] = step_size
    return optimizer.set_params(**{k: v for k, v in wanted.items() if k in optimizer.get_params()})


def _plain(values):
    """Numbers as JSON has them: lists of floats, None for what is not finite."""
    if np.ndim(values):
        return [_plain(value) for value in values]
    return float(values) if math.isfinite(values) else None


def _split(params):
    return {"W": _plain(params[:, :-1]), "b": _plain(params[:, -1])}
