"""The laws of optimizers."""

from __future__ import annotations

import copy
import math
import random
from contextlib import contextmanager
from functools import cache
from itertools import product

import numpy as np
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import log_softmax

from sklin.losses import CrossEntropy, Loss, WestonWatkins
from sklin.objective import Objective, Samples
from sklin.optimizers import NEEDS, Optimizer, Step, choose
from sklin.regularizers import L1, L2, Dropout, GroupL2, MaxNorm, Regularizer
from sklin.testing._laws import (
    EXACT,
    SINGLE,
    Laws,
    broken,
    check_kind,
    check_parameter_laws,
    is_same,
    name_of,
)

ALPHA = 0.1
# Iterations of the runs that look at how an optimizer behaves, not at how far it comes.
FEW = 6


class Kinked(Loss):
    """The largest violation, as a stranger may write it: a subgradient, and nothing else."""

    smooth = False

    def value_and_gradient(self, scores, y, out=None):
        index = np.arange(len(y))
        z = scores + 1 - scores[index, y][:, None]
        z[index, y] = 0
        worst = z.argmax(axis=1)
        gradient = np.zeros_like(scores)
        gradient[index, worst] += 1
        gradient[index, y] -= 1
        return z[index, worst], gradient


class Even(Regularizer):
    """Neighbouring features shall have like weights: a gradient, and no prox."""

    smooth = True

    def value(self, coef):
        return float(np.square(np.diff(coef, axis=1)).sum())

    def gradient(self, coef):
        step = 2 * np.diff(coef, axis=1)
        return np.pad(step, [(0, 0), (1, 0)]) - np.pad(step, [(0, 0), (0, 1)])


class Bare(Regularizer):
    """The largest weight, and nothing but its value."""

    def value(self, coef):
        return float(np.abs(coef).max(initial=0.0))


LOSSES = (CrossEntropy(), WestonWatkins(), Kinked())
REGULARIZERS = (L2(), L1(), GroupL2(), MaxNorm(0.5), Dropout(0.2), Even(), Bare())


def check_optimizer(optimizer, *, max_iter=300, share=0.01):
    """Hold an optimizer to the laws that the loop, and those who read its result, rest on.

    Small problems of three classes are put to it: every kind of loss and regularizer, and a softmax
    whose minimum scipy finds.

    - ``needs`` are keys of ``sklin.optimizers.NEEDS``. Parameters are readable, good, copied by
      `sklearn.base.clone`, kept by pickle and not changed by use.
    - A loss or a regularizer that lacks what it needs is refused by a ValueError; whatever has it
      is served, on dense and sparse samples, in float64 and float32, which stay as they are.
    - It yields steps of the right shape. The first is the start, unless the optimizer is
      stochastic and goes by no mini-batches, as a random search does. The start is not changed,
      nor are the parameters of a step once it is made.
    - The value of a step is the objective there (of mini-batches: of the first step).
    - A gap that it states, if finite, is true: ``value - gap`` lies below the minimum.
    - Random numbers come from ``rng`` alone; without ``is_stochastic`` it uses none.
    - The objective goes down, to the minimum but for ``share`` of what there was to gain (with
      kinks or a bound, which fixed steps wander about, for a tenth).

    Parameters
    ----------
    optimizer : Optimizer
        The optimizer to check, with settings that suit a well scaled problem of sixty samples.
    max_iter : int, default=300
        Iterations in which it shall reach the minimum.
    share : float, default=0.01
        How much of what there is to gain from the start may be left; more for searches.

    Raises
    ------
    AssertionError
        If a law is broken; the message says which, where, and by how much.
    TypeError
        If ``optimizer`` is not an instance of `sklin.optimizers.Optimizer`.

    Examples
    --------
    >>> from sklin.optimizers import Optimizer, Step
    >>> from sklin.testing import check_optimizer
    >>> class Plain(Optimizer):
    ...     needs = ("gradient",)
    ...     def steps(self, objective, params, tol, rng):
    ...         while True:
    ...             value, gradient = objective.value_and_gradient(params)
    ...             yield Step(params, value)
    ...             params = params - 0.3 * gradient
    >>> check_optimizer(Plain())

    With ``+=``, as on two slides of the lecture, it goes up, and changes the start in place:

    >>> class Slip(Plain):
    ...     def steps(self, objective, params, tol, rng):
    ...         while True:
    ...             value, gradient = objective.value_and_gradient(params)
    ...             yield Step(params, value)
    ...             params += 0.3 * gradient
    >>> check_optimizer(Slip())  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    AssertionError: Slip(): the start must not be changed; it is, by ...
    """
    check_kind(optimizer, Optimizer)
    laws = Laws(optimizer, ("class", "feature"))
    check_needs(laws)
    check_parameter_laws(laws)
    with np.errstate(all="ignore"):
        check_steps(laws)
        for loss, regularizer in product(LOSSES, REGULARIZERS):
            check_service(laws, loss, regularizer)
        check_kinds_of_samples(laws)
        check_randomness(laws)
        check_minimum(laws, max_iter, share)
        check_other_minima(laws, max_iter, share)


def make_objective(loss=None, regularizer=None, dtype=np.float64, to=None, fit_intercept=True):
    """Sixty samples of three classes that overlap, on memory that cannot be written to."""
    rng = np.random.RandomState(0)
    y = np.arange(60) % 3
    X = (rng.standard_normal((60, 4)) + 1.5 * np.eye(3, 4)[y]).astype(dtype)
    weight = rng.uniform(0.5, 2.0, 60)
    for array in (X, y, weight):
        array.flags.writeable = False
    X = X if to is None else to(X)
    samples = Samples(X, y, 3, sample_weight=weight, fit_intercept=fit_intercept)
    return Objective(samples, loss or CrossEntropy(), regularizer or L2(), ALPHA)


@cache
def minimum_of_softmax():
    """Minimum of the softmax with L2, by scipy, from the formulas."""
    objective = make_objective()
    samples = objective.samples
    X, own = np.column_stack([samples.X, np.ones(len(samples.y))]), np.eye(3)[samples.y]

    def function(flat):
        params = flat.reshape(objective.shape)
        logs = log_softmax(X @ params.T, axis=1)
        value = -samples.weight @ (logs * own).sum(axis=1) + ALPHA * np.square(params[:, :-1]).sum()
        gradient = (np.exp(logs) - own).T @ (X * samples.weight[:, None])
        gradient[:, :-1] += 2 * ALPHA * params[:, :-1]
        return value, gradient.ravel()

    start = np.zeros(np.prod(objective.shape))
    options = {"maxiter": 1000, "gtol": 1e-10, "ftol": 1e-16}
    return minimize(function, start, jac=True, method="L-BFGS-B", options=options).fun


# Where kinks or a bound count: (loss, regularizer).
OTHERS = ((0, 1), (0, 3), (1, 0), (1, 1), (1, 3))


@cache
def low_value(pair):
    """A value of another objective that this package reaches, close to the minimum."""
    objective = make_objective(LOSSES[pair[0]], REGULARIZERS[pair[1]])
    return choose(objective).minimize(objective, tol=1e-3, max_iter=10_000).value


def draw_start(objective, seed=0):
    """A random start, inside of a constraint."""
    start = 0.5 * np.random.RandomState(seed).standard_normal(objective.shape)
    return objective.feasible(start)


def told(error):
    """An error on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def check_needs(laws):
    """A tuple of known keys."""
    needs = laws.component.needs
    law = "needs must be a tuple of keys of sklin.optimizers.NEEDS"
    laws.require(isinstance(needs, tuple), law, f"it is {needs!r}, a {type(needs).__name__}")
    known = ", ".join(map(repr, NEEDS))
    for need in needs:
        laws.require(need in NEEDS, law, f"{need!r} is none of {known}")


@contextmanager
def guarded(laws):
    """What use leaves alone: the optimizer, and random numbers that are not rng's."""
    held = copy.deepcopy(vars(laws.component))
    # The old interface is looked at because it is the one that must not be used (NPY002).
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002
    yield
    now = vars(laws.component)
    for name in held | now:
        one, other = now.get(name, "missing"), held.get(name, "missing")
        detail = " ".join(f"{name} is {one!r} now, and was {other!r}".split())
        laws.require(is_same(one, other), "use must not change the optimizer", detail)
    law, now = "random numbers must come from rng alone", np.random.get_state()  # noqa: NPY002
    same = numpy_state[2:] == now[2:] and np.array_equal(numpy_state[1], now[1])
    laws.require(same, law, "those of np.random are used")
    laws.require(random.getstate() == python_state, law, "those of the module random are used")


def run(laws, objective, start, *, max_iter=FEW, seed=0, law="what it needs must be enough"):
    """The steps of a run with copies of their parameters, and its result."""
    optimizer, seen = laws.component, []

    def callback(n_iter, step):
        seen.append((step, np.array(step.params)))

    options = {"max_iter": max_iter, "tol": 0, "random_state": seed, "callback": callback}
    with guarded(laws):
        try:
            result = optimizer.minimize(objective, start, **options)
        except Exception as error:
            loss, regularizer = name_of(objective.loss), name_of(objective.regularizer)
            broken(optimizer, law, f"with {loss} and {regularizer} it raises {told(error)}")
    return seen, result


def check_steps(laws):
    """What `steps` itself yields: the loop would hide what it does to the start."""
    objective = make_objective()
    start = draw_start(objective)
    given, made = start.copy(), []
    with guarded(laws):
        for step in few_steps(laws, objective, given):
            law = "steps must yield steps"
            laws.require(isinstance(step, Step), law, f"it yields a {type(step).__name__}")
            check_step(laws, objective, step, exact=not (laws.component.uses_batches and made))
            if not made and (laws.component.uses_batches or not laws.component.is_stochastic):
                law = "the first step must be the start"
                laws.close(law, ("it", step.params), ("the start", start), EXACT)
            made.append((step.params, step.params.copy()))
    laws.require(made, "steps must yield steps", "it yields none")
    change = np.abs(given - start).max()
    laws.require(change == 0, "the start must not be changed", f"it is, by {change:.3g}")
    for number, (params, before) in enumerate(made):
        change = np.abs(params - before).max()
        law = "the parameters of a step must not be changed by later ones"
        laws.require(change == 0, law, f"those of step {number} are, by {change:.3g}")


def few_steps(laws, objective, start):
    """The first steps of a run, outside of the loop."""
    try:
        source = laws.component.steps(objective, start, 0.0, np.random.RandomState(0))
        for step, _ in zip(source, range(FEW), strict=False):
            yield step
            if getattr(step, "done", ""):
                return
    except Exception as error:
        broken(laws.component, "steps must yield steps", f"it raises {told(error)}")


def check_step(laws, objective, step, exact, tol=EXACT):
    """The shape and the value of a step."""
    law = "the parameters must be a finite array of the objective's shape"
    laws.same_shape(law, step.params, objective.shape, "params")
    law = "the value and the gap must be numbers"
    for name, number in (("value", step.value), ("gap", step.gap)):
        good = isinstance(number, (int, float, np.number)) and not math.isnan(number)
        laws.require(good, law, f"the {name} is {number!r}")
    if exact:
        value = objective.value(step.params)
        law = "the value of a step must be the objective there"
        where = f"with {name_of(objective.loss)} and {name_of(objective.regularizer)}, "
        left, right = ("the value", step.value), ("the objective", value)
        laws.close(law, left, right, tol * (1 + abs(value)), where)


def lacks(optimizer, loss, regularizer):
    """What an optimizer declares to need and a pair does not have; empty if nothing."""
    parts = {"loss": loss, "regularizer": regularizer}
    for need in map(NEEDS.__getitem__, optimizer.needs):
        if not need.has(parts[need.part]):
            return need.what
    return "mini-batches" if regularizer.needs_batches and not optimizer.uses_batches else ""


def check_service(laws, loss, regularizer):
    """Refused if something is lacking, else served, and with true values."""
    optimizer, objective = laws.component, make_objective(loss, regularizer)
    lacking = lacks(optimizer, loss, regularizer)
    if not lacking:
        start = draw_start(objective)
        seen, _ = run(laws, objective, start)
        for number, (step, _) in enumerate(seen):
            check_step(laws, objective, step, exact=not (optimizer.uses_batches and number))
        return
    try:
        optimizer.minimize(objective, max_iter=1, random_state=0)
    except Exception as error:
        outcome = "" if isinstance(error, ValueError) else f"it raises {told(error)}"
    else:
        outcome = "it serves them"
    laws.require(
        not outcome,
        "what lacks a need must be refused by a ValueError",
        f"with {name_of(loss)} and {name_of(regularizer)}, which lack {lacking}, {outcome}",
    )


def check_kinds_of_samples(laws):
    """Sparse samples, float32, no intercept: the same laws, to the accuracy of the samples."""
    for options in ({"to": sparse.csr_array}, {"dtype": np.float32}, {"fit_intercept": False}):
        objective = make_objective(**options)
        law = "sparse, float32 and uncentred samples must be served"
        seen, _ = run(laws, objective, draw_start(objective), law=law)
        tol = SINGLE if "dtype" in options else EXACT
        for number, (step, _) in enumerate(seen):
            exact = not (laws.component.uses_batches and number)
            check_step(laws, objective, step, exact, tol)


def check_randomness(laws):
    """The same numbers, the same steps; and none are needed unless it says so."""
    optimizer, objective = laws.component, make_objective()
    start = draw_start(objective)
    seeds = (0, 0) if optimizer.is_stochastic else (0, 1)
    runs = [run(laws, objective, start, seed=seed)[0] for seed in seeds]
    law = "two runs must be the same"
    if not optimizer.is_stochastic:
        law = "without is_stochastic, the steps must not depend on random_state"
    for number, ((one, a), (other, b)) in enumerate(zip(*runs, strict=False)):
        where = f"in step {number} "
        laws.close(law, ("the parameters", a), ("those of another run", b), 0, where)
        laws.close(law, ("the value", one.value), ("that of another run", other.value), 0, where)
    lengths = [len(seen) for seen in runs]
    laws.require(lengths[0] == lengths[1], law, f"they are of {lengths[0]} and {lengths[1]} steps")


def check_bound(laws, objective, seen, minimum):
    """No gap is smaller than the distance to the minimum."""
    law = "a stated gap must be proven: value - gap must lie below the minimum"
    noise = EXACT * (1 + abs(minimum))
    for number, (step, _) in enumerate(seen):
        if math.isfinite(step.gap):
            where = f"in step {number} with {name_of(objective.loss)}, "
            left, right = ("value - gap", step.value - step.gap), ("the minimum", minimum)
            laws.at_most(law, left, right, noise, where)


def check_minimum(laws, max_iter, share):
    """Down, and to the minimum that scipy knows."""
    objective, minimum = make_objective(), minimum_of_softmax()
    start = draw_start(objective)
    seen, result = run(laws, objective, start, max_iter=max_iter)
    check_bound(laws, objective, seen, minimum)
    first, last = objective.value(start), objective.value(result.params)
    law = "the objective must go down"
    detail = f"from {first:.6g} at the start it comes to {last:.6g}"
    laws.require(last < first, law, f"{detail} in {result.n_iter} iterations")
    check_share(laws, objective, start, result, minimum, share)


def check_share(laws, objective, start, result, minimum, share):
    """Little is left of what there was to gain."""
    first, last = objective.value(start), objective.value(result.params)
    left = (last - minimum) / (first - minimum)
    laws.require(
        left <= share,
        "the minimum must be reached",
        f"with {name_of(objective.loss)} and {name_of(objective.regularizer)}, after "
        f"{result.n_iter} iterations {left:.2g} of what there was to gain is left, where "
        f"{share:g} is allowed (status: {result.status})",
    )


def check_other_minima(laws, max_iter, share):
    """With kinks and bounds: gaps are true, and a regularizer is minimised, too.

    A tenth may be left, since fixed steps wander about a kink.
    """
    for pair in OTHERS:
        loss, regularizer = LOSSES[pair[0]], REGULARIZERS[pair[1]]
        if lacks(laws.component, loss, regularizer):
            continue
        objective, minimum = make_objective(loss, regularizer), low_value(pair)
        start = draw_start(objective)
        seen, result = run(laws, objective, start, max_iter=max_iter)
        check_bound(laws, objective, seen, min(minimum, objective.value(result.params)))
        check_share(laws, objective, start, result, minimum, max(share, 0.1))
