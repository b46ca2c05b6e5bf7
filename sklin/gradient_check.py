r"""Is the gradient right? Compare it with finite differences.

The lecture: the numerical gradient is approximate, slow and easy to write, the analytic one exact,
fast and error-prone; so derive the second, and check it by the first. Differences are centred and
in double precision, as the course notes advise:

.. math:: g_k \approx \frac{F(\theta + h e_k) - F(\theta - h e_k)}{2h}

Where the step crosses a kink the two sides of the point have different slopes. The difference then
is no derivative, and differs from a right gradient; such entries are told apart from bugs, since
the two slopes stay apart when h shrinks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone

from sklin._component import check_choice, check_number

__all__ = ["GradientReport", "check_gradient", "numerical_gradient"]


def numerical_gradient(function, params, *, step=1e-5, scheme="central"):
    """Gradient of a function by finite differences, one entry after the other.

    Parameters
    ----------
    function : callable
        From an array of the shape of ``params`` to a float.
    params : array-like
        Where to take the gradient.
    step : float, default=1e-5
        The step h.
    scheme : {"central", "forward"}, default="central"
        Differences about the point, of error h^2, or ahead of it as on the lecture's slides, of
        error h.

    Returns
    -------
    ndarray of the shape of ``params``
        The gradient, float64.

    Raises
    ------
    ValueError
        If ``step`` is not positive, or ``scheme`` is unknown.

    References
    ----------
    CS231n, lecture 3.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin import numerical_gradient
    >>> numerical_gradient(lambda w: float(w @ w), np.array([1.0, -2.0])).round(6)
    array([ 2., -4.])
    """
    check_number("step", step, low=0, closed="neither")
    check_choice("scheme", scheme, ("central", "forward"))
    point = np.array(params, dtype=np.float64)
    gradient = np.empty_like(point)
    here = function(point.copy()) if scheme == "forward" else None
    for index in np.ndindex(point.shape):
        value = point[index]
        point[index] = value + step
        ahead = function(point.copy())
        if scheme == "forward":
            gradient[index] = (ahead - here) / step
        else:
            point[index] = value - step
            gradient[index] = (ahead - function(point.copy())) / (2 * step)
        point[index] = value
    return gradient


@dataclass
class GradientReport:
    """What a gradient check found; printing it gives a readable account.

    Parameters
    ----------
    entries : list of tuple of int
        The entries of the parameters that were checked.
    analytic, numerical : ndarray of shape (n_entries,)
        Their analytic derivatives and their centred differences.
    errors : ndarray of shape (n_entries,)
        Relative errors: the difference beyond what rounding explains, by the larger of the two.
        At a kink: by how much the analytic value lies outside the slopes on the two sides.
    kinks : ndarray of bool, shape (n_entries,)
        Whether the step crosses a kink.
    tol : float
        The largest error allowed.
    """

    entries: list
    analytic: np.ndarray
    numerical: np.ndarray
    errors: np.ndarray
    kinks: np.ndarray
    tol: float

    @property
    def passed(self):
        """Whether every error is within ``tol``."""
        return bool((self.errors <= self.tol).all())

    def __str__(self):
        smooth = self.errors[~self.kinks]
        lines = [
            f"Gradient check {'passed' if self.passed else 'FAILED'}: {len(self.entries)} entries, "
            f"largest relative error {smooth.max(initial=0.0):.1e} (allowed {self.tol:.0e}); "
            f"{int(self.kinks.sum())} at a kink.",
            f"{'entry':>12} {'analytic':>15} {'numerical':>15} {'error':>9}",
        ]
        for i in np.argsort(-self.errors, kind="stable")[:5]:
            entry = ", ".join(map(str, self.entries[i]))
            lines.append(
                f"{entry:>12} {self.analytic[i]:>15.8g} {self.numerical[i]:>15.8g} "
                f"{self.errors[i]:>9.1e}{'  kink' if self.kinks[i] else ''}"
            )
        return "\n".join(lines)


def check_gradient(
    target, X=None, y=None, *, params=None, step=1e-5, tol=1e-5, n_entries=100, random_state=0
):
    """Check an analytic gradient by finite differences.

    Parameters
    ----------
    target : classifier, objective or callable
        A classifier of this package, whose objective on ``X`` and ``y`` is checked; an object with
        ``shape`` and ``value_and_gradient(params)``; or a callable from parameters to the pair of
        a value and a gradient.
    X : array-like of shape (n_samples, n_features), optional
        Samples, for a classifier.
    y : array-like of shape (n_samples,), optional
        Labels, for a classifier.
    params : array-like, optional
        Where to check; small random numbers by default. A callable needs it.
    step : float, default=1e-5
        Step of the differences.
    tol : float, default=1e-5
        Largest relative error allowed. The course notes: above 1e-2 a gradient is wrong; below
        1e-7 it is right.
    n_entries : int, default=100
        Number of entries to check, drawn at random where there are more.
    random_state : int, RandomState instance or None, default=0
        Source of the parameters and the entries.

    Returns
    -------
    GradientReport
        The report; ``report.passed`` is the verdict, ``print(report)`` the account.

    Raises
    ------
    TypeError
        If ``target`` is none of the three, or ``params`` is missing.

    References
    ----------
    CS231n, lecture 3 and the course notes on gradient checks.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklin import LinearSVMClassifier, check_gradient
    >>> report = check_gradient(LinearSVMClassifier(), *load_iris(return_X_y=True))
    >>> report.passed
    True

    A slip of the sign is found:

    >>> import numpy as np
    >>> slip = check_gradient(lambda w: (float(w @ w), -2 * w), params=np.array([1.0, 2.0]))
    >>> slip.passed
    False
    """
    check_number("step", step, low=0, closed="neither")
    check_number("n_entries", n_entries, low=1, integer=True)
    rng = random_state
    if not isinstance(rng, np.random.RandomState):
        rng = np.random.RandomState(random_state)
    if hasattr(target, "make_objective"):
        if X is None or y is None:
            raise TypeError("X and y must be given to check the gradient of a classifier.")
        X = X.astype(np.float64) if hasattr(X, "astype") else X
        target = clone(target).make_objective(X, y)[0]
    if hasattr(target, "value_and_gradient"):
        function = target.value_and_gradient
        if params is None:
            params = 0.1 * rng.standard_normal(target.shape)
    elif callable(target):
        function = target
        if params is None:
            raise TypeError("params must be given to check the gradient of a callable.")
    else:
        raise TypeError(
            "target must be a classifier of sklin, an object with value_and_gradient, or a "
            f"callable; got {target!r}."
        )
    params = np.array(params, dtype=np.float64)
    value, gradient = function(params.copy())
    gradient = np.array(gradient)  # a copy: the function may reuse its buffer
    if gradient.shape != params.shape:
        raise ValueError(
            f"The gradient must have the shape of the parameters, {params.shape}; it has "
            f"{gradient.shape}."
        )
    chosen = rng.permutation(params.size)[:n_entries]
    entries = [tuple(map(int, np.unravel_index(i, params.shape))) for i in sorted(chosen)]

    def moved(entry, by):
        other = params.copy()
        other[entry] += by
        return float(function(other)[0])

    def slopes(entry, by):
        """Slopes behind and ahead of the point."""
        return (value - moved(entry, -by)) / by, (moved(entry, by) - value) / by

    # Terms may cancel in the value, but not in its rounding.
    terms = np.abs(gradient * params)
    size = max(abs(value), terms[np.isfinite(terms)].max(initial=1e-8))
    rounding = 8 * np.finfo(float).eps * size / step
    numerical, errors, kinks = [], [], []
    for entry in entries:
        behind, ahead = slopes(entry, step)
        # The slopes of a smooth function draw together as the step shrinks, in proportion to it.
        apart = [ahead - behind]
        for part in (2, 4):
            nearer = slopes(entry, step / part)
            apart.append(part * (nearer[1] - nearer[0]))
        kink = max(abs(a - apart[0]) for a in apart) > 0.2 * abs(apart[0]) + 64 * rounding
        centred, exact = (ahead + behind) / 2, float(gradient[entry])
        if kink:
            low, high = min(behind, ahead), max(behind, ahead)
            off = max(low - exact, exact - high, 0.0)
        else:
            # What the difference still moves as the step shrinks is its own error: h^2, or h where
            # the second derivative jumps.
            off = max(abs(exact - centred) - 2 * abs(centred - sum(nearer) / 2), 0.0)
        size = max(abs(exact), abs(centred), 1e-300)
        numerical.append(centred)
        errors.append(max(off - rounding, 0.0) / size if np.isfinite(exact - centred) else np.inf)
        kinks.append(kink)
    return GradientReport(
        entries,
        np.array([float(gradient[entry]) for entry in entries]),
        np.array(numerical),
        np.array(errors),
        np.array(kinks),
        tol,
    )
