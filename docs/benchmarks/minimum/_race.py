"""Time against suboptimality: one watched fit of sklin, and ladders of whole fits of the peers."""

import time
import warnings
from statistics import median_low

import numpy as np
from _data import Data
from sklearn.exceptions import ConvergenceWarning

from sklin import optimizers
from sklin._linalg import threads_for

LEVELS = (1e-2, 1e-3, 1e-4)
OURS = "sklin"
# Fits that take less are repeated, for their times scatter.
SHORT = 1.0
# How many times the budget of the others sklin has, and peers on which a goal hangs.
FAVOUR = 4
# The first tol of a peer whose ladder goes by it. On pixels its fits take long at 1, too.
FIRST_TOL = 100.0


def timed(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def quietly(function):
    """Result of a peer's fit, whose warnings that it stopped early are what was asked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return function()


def repeated(function, n_repeat):
    """What a function of a time and more gives, the one of median time of ``n_repeat`` calls."""
    runs = [function()]
    while len(runs) < n_repeat and runs[0][0] < SHORT:
        runs.append(function())
    middle = median_low([run[0] for run in runs])
    return next(run for run in runs if run[0] == middle)


def watched(case, data, alpha, tol, budget, start=None):
    """Minimise as ``fit`` does, and note where it stands after each iteration.

    Parameters
    ----------
    case : Case
        What is minimised.
    data : Data
        On what.
    alpha, tol : float
        Parameters of the estimator.
    budget : float
        Seconds after which it is stopped.
    start : ndarray, optional
        Parameters to start from.

    Returns
    -------
    seconds : float
        All of it: the validation of the data, and all set-up, too.
    notes : list of (float, float, float, int)
        Seconds since the start, best value, proven gap of it, and passes over the data.
    result : sklin.optimizers.Result
        Where it ended.
    """
    notes, best, bound = [], np.inf, -np.inf
    begin = time.perf_counter()

    def note(n_iter, step):
        nonlocal best, bound
        seconds = time.perf_counter() - begin
        best, bound = min(best, step.value), max(bound, step.value - step.gap)
        notes.append((seconds, best, best - bound, objective.samples.n_passes))
        return seconds > budget

    objective, _ = case.estimator(alpha, tol=tol).make_objective(data.X, data.y)
    with threads_for(*data.X.shape, objective.shape[0]):
        result = optimizers.choose(objective).minimize(
            objective, start, tol=tol, max_iter=10**6, callback=note
        )
    return time.perf_counter() - begin, notes, result


def warm_up(cases, peers):
    """Fit everything to a handful of samples: what comes with first calls is not to be timed."""
    rng = np.random.default_rng(0)
    data = Data(rng.standard_normal((60, 5)), np.arange(60) % 3, "")
    for case in cases:
        watched(case, data, 0.1, LEVELS[0], 1.0)
        for peer in peers:
            if (case.loss, case.regularizer) in peer.serves:
                ladder(peer, case, data, 0.1, lambda params: 0.0, 0.0, 1.0, 1)


def weights(model, case):
    """The parameters of sklin's objective at a peer's fit."""
    coef = np.asarray(model.coef_, dtype=float)
    return np.column_stack([coef, model.intercept_]) if case.fit_intercept else coef


def ladder(peer, case, data, alpha, value_of, target, budget, n_repeat, tol=1e-12, first=1):
    """Whole fits of a peer, each with twice the iterations, or a quarter of the tol, of the last.

    Parameters
    ----------
    peer : Peer
        The peer.
    case, data, alpha
        As for `watched`.
    value_of : callable
        The objective, a function of the parameters.
    target : float
        Value that is good enough.
    budget : float
        Seconds that a fit may take: the next is not begun if it would take longer.
    n_repeat : int
        How often short fits are made; their median counts.
    tol : float
        The peer's own tolerance.
    first : int
        Iterations of the first fit.

    Returns
    -------
    notes : list of (float, float, int)
        Seconds of a fit, the best value so far, and the iterations (or what stands for them).
    spent : float
        Seconds of the longest fit.
    end : {"target", "budget", "itself", "parameters"} or str
        Why it ended; a sentence if it failed.
    """
    notes, best, spent, max_iter = [], np.inf, 0.0, first
    n_params = data.X.shape[1] * (data.y.max() + 1)
    if n_params > peer.max_params:
        return notes, spent, f"not run: it holds the square of {n_params:,} parameters"
    while True:
        eased = max(tol, FIRST_TOL / max_iter**2) if peer.by_tol else tol
        model = peer.make(case, alpha, len(data.y), max_iter, eased)
        try:
            seconds, model = repeated(
                lambda model=model: timed(lambda: quietly(lambda: model.fit(data.X, data.y))),
                n_repeat,
            )
        except Exception as error:  # a stranger's, and the others are to run all the same
            return notes, spent, f"failed: {type(error).__name__}: {error}"[:100]
        value = value_of(weights(model, case))
        if np.isfinite(value):
            best = min(best, value)
            notes.append((seconds, best, max_iter))
        last, spent = spent, max(seconds, spent)
        if best <= target:
            return notes, spent, "target"
        n_iter = np.max(getattr(model, "n_iter_", max_iter))
        if eased == tol if peer.by_tol else n_iter < max_iter:
            return notes, spent, "itself"
        # The iterations double, the set-up does not.
        if seconds + 2 * np.clip(seconds - last, 0.25 * seconds, 0.5 * seconds) > budget:
            return notes, spent, "budget"
        max_iter *= 2


def race(case, data, alpha, rivals, budget, favoured, n_repeat):
    """All methods on one case.

    Parameters
    ----------
    case, data, alpha
        As for `watched`.
    rivals : list of Peer
        The peers.
    budget : float
        Seconds that a peer's fit may take.
    favoured : collection of str
        Names of peers that get `FAVOUR` times the budget, as sklin gets: goals hang on them.
    n_repeat : int
        How often short fits are made.

    Returns
    -------
    dict
        ``minimum``, the best value of all; ``gap``, relative, how much lower the minimum can be;
        ``curves``, by method, lists of (seconds, value, ...); ``ends``, by method, (seconds,
        reason).
    """
    _, notes, result = repeated(
        lambda: watched(case, data, alpha, LEVELS[-1], FAVOUR * budget), n_repeat
    )
    # Further, and not timed: what the others are measured by.
    _, more, _ = watched(case, data, alpha, 1e-7, budget, result.params)
    best = min(value for _, value, *_ in notes + more)
    bound = max(value - gap for _, value, gap, _ in notes + more)
    curves, ends = {OURS: notes}, {OURS: (notes[-1][0], result.status)}
    objective, _ = case.estimator(alpha).make_objective(data.X, data.y)
    for peer in rivals:
        allowed = budget * (FAVOUR if peer.name in favoured else 1)
        # Of the bound, not of the best: where sklin is far off, they shall go on beyond it.
        target = bound * (1 + LEVELS[-1])
        curve, spent, end = ladder(
            peer, case, data, alpha, objective.value, target, allowed, n_repeat
        )
        curves[peer.name], ends[peer.name] = curve, (spent, end)
        best = min([best, *(value for _, value, _ in curve)])
    return {
        "case": list(case),
        "alpha": alpha,
        "data": str(data),
        "minimum": float(best),
        "gap": float((best - bound) / best),
        "curves": curves,
        "ends": ends,
    }


def seconds_to(curve, minimum, level, between=False):
    """Seconds after which a curve is within ``level`` of the minimum, relative; inf if never.

    ``between`` reads a ladder: its rungs are a factor of two apart, and what lies between them is
    interpolated (in logarithms), in favour of the peer.
    """
    last = None
    for seconds, value, *_ in curve:
        off = max(value / minimum - 1, 1e-16)
        if off <= level:
            if not between or last is None or off == last[1]:
                return seconds
            share = np.log(last[1] / level) / np.log(last[1] / off)
            return float(np.exp((1 - share) * np.log(last[0]) + share * np.log(seconds)))
        last = seconds, off
    return np.inf


def seconds_to_proof(curve, level):
    """Seconds after which the gap that sklin has proven is at most ``level``, relative."""
    return next((s for s, value, gap, _ in curve if gap <= level * value), np.inf)


def read_off(result, name, level):
    """`seconds_to` of a method in the result of a `race`."""
    return seconds_to(result["curves"][name], result["minimum"], level, between=name != OURS)
