"""The goals: by how much sklin wants to be sooner than whom, and what else they need measured."""

import math
import time
from statistics import median
from typing import NamedTuple

import numpy as np
from _cases import Case
from _peers import peers
from _race import OURS, ladder, quietly, read_off, seconds_to_proof, timed, weights
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from sklin import SoftmaxClassifier

GAP = 1e-3  # what the hinges are to prove
LIMIT = 1.3  # how many times its two bare products a value and gradient may take
CRAMMER_SINGER = "LinearSVC crammer_singer"
HINGES = ("hog", "pixels")  # on which hinges are to prove the gap soonest


class Row(NamedTuple):
    """A line of the table of goals: what was to be, and what was found."""

    what: str
    rival: str
    wanted: str
    found: str
    met: str


class Goal(NamedTuple):
    """To be ``wanted`` times sooner than the fastest of the peers of some names, all if None."""

    case: Case
    alpha: float | None  # None for every alpha that is run
    level: float
    rivals: tuple | None
    wanted: float


LBFGS, NEWTON_CG, SAGA = (f"LogisticRegression {s}" for s in ("lbfgs", "newton-cg", "saga"))
RACES = [
    Goal(Case("softmax", "l2", "pixels"), 1e-3, 1e-4, (LBFGS,), 30),
    Goal(Case("softmax", "l2", "pixels"), 1e-5, 1e-4, (LBFGS,), 100),
    Goal(Case("softmax", "l2", "hog"), 1e-3, 1e-4, (LBFGS, NEWTON_CG), 4),
    Goal(Case("softmax", "l2", "hog"), 1e-5, 1e-4, (LBFGS, NEWTON_CG), 4),
    Goal(Case("softmax", "l2", "words"), 1e-3, 1e-4, (LBFGS,), 12),
    *(
        Goal(Case(f"{kind}-squared", "l2", data), None, 1e-4, None, 20)
        for data in ("pixels", "words")
        for kind in ("weston-watkins", "one-vs-rest")
    ),
    Goal(Case("softmax", "l1", "hog"), None, 1e-3, (SAGA,), 20),
    Goal(Case("softmax", "elasticnet", "hog"), None, 1e-3, (SAGA,), 20),
    Goal(Case("softmax", "l2", "sparse"), None, 1e-4, (NEWTON_CG,), 1),
]


def favoured(case, alpha):
    """Names of the peers on which a goal hangs for this case and alpha."""
    names = {CRAMMER_SINGER} if case.data in HINGES else set()
    for goal in RACES:
        if goal.case == case and goal.alpha in (None, alpha):
            names.update(goal.rivals or ())
    return names


def words_for(seconds):
    return f"{1e3 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def verdict(ours, theirs, wanted, at_least=False):
    """How many times sooner, in words, and whether that is as wanted.

    ``at_least`` says that the rival was stopped, so its time is a bound.
    """
    if not math.isfinite(ours):
        return ("neither is there", "open") if at_least else ("sklin is not there", "no")
    ratio = theirs / ours
    met = "yes" if ratio >= wanted else "open" if at_least else "no"
    return f"{'over ' if at_least else ''}{ratio:.3g} times", met


def rows_of_races(results):
    """The goals that the races tell about."""
    for goal in RACES:
        for result in results:
            case, alpha = Case(*result["case"]), result["alpha"]
            if case == goal.case and goal.alpha in (None, alpha):
                yield _row_of_race(goal, result)


def _row_of_race(goal, result):
    case, alpha, level = goal.case, result["alpha"], goal.level
    what = f"{case}, alpha {alpha:g}, to {level:.0e}"
    wanted = f"{goal.wanted:g} times sooner" if goal.wanted > 1 else "not slower"
    names = [n for n in result["curves"] if n != OURS and n in (goal.rivals or result["curves"])]
    names = [name for name in names if result["curves"][name]]
    if not names:
        return Row(what, "no peer", wanted, "", "open")
    times = {name: read_off(result, name, level) for name in names}
    # What did not get there is known to take longer than its longest fit. What ended far off says
    # nothing about time, unless all did.
    minimum = result["minimum"]
    off = {name: result["curves"][name][-1][1] / minimum - 1 for name in names}
    times = {name: t for name, t in times.items() if off[name] < 1 or min(off.values()) >= 1}
    known = {n: t if math.isfinite(t) else result["ends"][n][0] for n, t in times.items()}
    rival = min(known, key=known.get)
    stopped = not math.isfinite(times[rival])
    ours = read_off(result, OURS, level)
    ratio, met = verdict(ours, known[rival], goal.wanted, stopped)
    theirs = words_for(known[rival])
    if stopped:
        theirs = f"{off[rival]:.0e} off after {theirs}"
    found = words_for(ours)
    if not math.isfinite(ours):
        seconds, value, *_ = result["curves"][OURS][-1]
        found = f"{value / minimum - 1:.0e} off after {words_for(seconds)}"
    found = f"{found}, theirs {theirs}: {ratio}"
    if result["gap"] > level:
        found += f"; but the minimum is known to {result['gap']:.0e} only"
        met = "no" if met == "no" else "open"
    return Row(what, rival, wanted, found, met)


def alternate(functions, n_repeat):
    """Medians of the seconds of functions that are run by turns, so all meet the same weather."""
    for function in functions:
        function()
    times = [[timed(function)[0] for function in functions] for _ in range(n_repeat)]
    return [median(column) for column in zip(*times, strict=True)]


def rows_of_digits(data, alphas, n_repeat):
    """Default fits of the softmax, and hinges to a proven gap, on small data."""
    n, X, y = len(data.y), data.X, data.y
    model, peer = SoftmaxClassifier(alpha=1 / (2 * n)), LogisticRegression()
    ours, theirs = alternate(
        [lambda: model.fit(X, y), lambda: quietly(lambda: peer.fit(X, y))], n_repeat
    )
    objective, _ = model.make_objective(X, y)
    off = objective.value(weights(peer, Case("softmax", "l2", "digits"))) / model.objective_ - 1
    ratio, met = verdict(ours, theirs, 1)
    yield Row(
        "softmax-digits, the default fit",
        "LogisticRegression()",
        "not slower",
        f"{words_for(ours)}, theirs {words_for(theirs)} ({off:.0e} above ours): {ratio}",
        met,
    )
    for alpha in alphas:
        hinges = [
            Case(kind, "l2", "digits").estimator(alpha, tol=GAP)
            for kind in ("crammer-singer", "weston-watkins")
        ]
        peer = LinearSVC(
            multi_class="crammer_singer", C=1 / (2 * alpha * n), fit_intercept=False, random_state=0
        )
        fits = [lambda m=m: quietly(lambda: m.fit(X, y)) for m in (*hinges, peer)]
        ours, other, theirs = alternate(fits, max(3, n_repeat // 5))
        value = hinges[0].make_objective(X, y)[0].value(np.asarray(peer.coef_, dtype=float))
        off = value / hinges[0].objective_ - 1
        ratio, met = verdict(ours, theirs, 1)
        gap = hinges[0].duality_gap_ / hinges[0].objective_
        yield Row(
            f"crammer-singer-digits, alpha {alpha:g}, gap {GAP:.0e}",
            f"{CRAMMER_SINGER}, its default tol",
            "not slower",
            f"{words_for(ours)} (proven {gap:.0e}), theirs {words_for(theirs)} ({off:+.0e} of "
            f"ours): {ratio}; Weston-Watkins {words_for(other)}",
            met if gap <= GAP else "no",
        )


def rows_of_hinges(data, name, results, budget):
    """Hinges to a proven gap against LinearSVC at its own tolerance, on larger data."""
    case = Case("crammer-singer", "l2", name)
    peer = next(peer for peer in peers()[0] if peer.name == CRAMMER_SINGER)
    for alpha in dict.fromkeys(result["alpha"] for result in results):
        here = {Case(*r["case"]): r for r in results if r["alpha"] == alpha}
        if case not in here:
            continue
        theirs, end = here[case]["ends"][CRAMMER_SINGER]
        if end == "target":
            # The race ended at some looser tolerance than its own.
            objective, _ = case.estimator(alpha).make_objective(data.X, data.y)
            last = here[case]["curves"][CRAMMER_SINGER][-1][2]
            more = dict(n_repeat=1, tol=1e-4, first=last)
            _, theirs, end = ladder(
                peer, case, data, alpha, objective.value, -np.inf, budget, **more
            )
        for kind in ("crammer-singer", "weston-watkins"):
            hinge = Case(kind, "l2", name)
            if hinge not in here:
                continue
            notes = here[hinge]["curves"][OURS]
            ours = seconds_to_proof(notes, GAP)
            ratio, met = verdict(ours, theirs, 20, end != "itself")
            found = words_for(ours)
            if not math.isfinite(ours):
                seconds, value, gap, _ = notes[-1]
                found = f"{gap / value:.0e} proven after {words_for(seconds)}"
            stopped = "" if end == "itself" else " (stopped)"
            yield Row(
                f"{hinge}, alpha {alpha:g}, gap {GAP:.0e}",
                f"{CRAMMER_SINGER}, its default tol",
                "20 times sooner",
                f"{found}, theirs {words_for(theirs)}{stopped}: {ratio}",
                met,
            )


def rows_of_products(data, name, n_repeat):
    """A value and gradient of the softmax against its two matrix products alone."""
    objective, _ = Case("softmax", "l2", name).estimator(1e-3).make_objective(data.X, data.y)
    X, rng = objective.samples.X, np.random.default_rng(0)
    params = 0.01 * rng.standard_normal(objective.shape)
    W = np.ascontiguousarray(objective.samples.coef(params).astype(X.dtype))
    Wt = np.ascontiguousarray(W.T)
    G = rng.standard_normal((len(X), len(W))).astype(X.dtype)
    F = np.asfortranarray(G)
    # The layouts that sklin has, and all that there are: a limit is what the best of them takes.
    functions = [
        lambda: objective.value_and_gradient(params),
        lambda: X @ Wt,
        lambda: X @ W.T,
        lambda: X.T @ F,
        lambda: G.T @ X,
        lambda: F.T @ X,
    ]
    n_repeat = max(n_repeat, min(100, int(2 / timed(functions[0])[0])))
    ours, forward, forward_view, backward, *others = alternate(functions, n_repeat)
    products = forward + backward
    best = min(forward, forward_view) + min(backward, *others)
    ratio = ours / products
    return Row(
        f"softmax-{name}, one value and gradient",
        "its two products in the same layout",
        f"at most {LIMIT} times",
        f"{words_for(ours)}, the products {words_for(products)}: {ratio:.2f} times "
        f"({ours / best:.2f} of the fastest layouts')",
        "yes" if ratio <= LIMIT else "no",
    )


def measured(name, data, alphas, results, budget, n_repeat):
    """Rows of the goals that races alone do not tell about, for data of a name.

    Parameters
    ----------
    name : str
        A key of `_data.TITLES`.
    data : Data
        The data.
    alphas : list of float
        The strengths.
    results : list of dict
        The races on these data.
    budget : float
        Seconds that a fit may take.
    n_repeat : int
        How often the short ones are run.

    Returns
    -------
    list of Row
        The rows.
    """
    rows, begin = [], time.perf_counter()
    run = {Case(*result["case"]) for result in results}
    if name == "digits" and Case("crammer-singer", "l2", name) in run:
        rows += rows_of_digits(data, alphas, n_repeat)
    if name in ("hog", "pixels") and Case("softmax", "l2", name) in run:
        rows.append(rows_of_products(data, name, n_repeat))
    if name in HINGES:
        rows += rows_of_hinges(data, name, results, budget)
    if rows:
        print(f"\n{len(rows)} further goals on {name}: {time.perf_counter() - begin:.0f} s")
    return rows
