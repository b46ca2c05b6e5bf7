"""How far to go along a direction."""

from __future__ import annotations

import math


def line_search(point, direction, step=1.0, *, ratio=0.5, max_evaluations=30):
    """Find a step along a descent direction at which the slope has mostly gone.

    The objective is convex, so its slope along a line only rises, and the lowest point is where it
    crosses zero. The search brackets the crossing by doubling and closes in by the secant rule.
    It judges by slopes, not by values: near the minimum the values agree to within rounding
    long before the slopes do. Each evaluation reuses the scores and costs no pass over the data.

    Parameters
    ----------
    point : Evaluation
        Where to start.
    direction : ndarray of the shape of the parameters
        Where to go; the slope along it must be negative.
    step : float
        The first step to try.
    ratio : float
        The step is taken when the slope is at most this share of the first one, in size.
    max_evaluations : int
        Largest number of steps to try.

    Returns
    -------
    Evaluation or None
        The new point; None if none was found that is not above the first by more than rounding.
    """
    along = point.along(direction)
    start = float((point.gradient * direction).sum())
    if not start < 0:
        return None
    low, low_slope, high, high_slope = 0.0, start, math.inf, math.inf
    best = None
    same_side = 0
    for _ in range(max_evaluations):
        new, slope = along(step)
        finite = math.isfinite(new.value) and math.isfinite(slope)
        # Beyond the lowest point a slope may be gentle and the value above that of the start.
        lower = finite and (slope <= 0 or new.value <= point.value + point.noise)
        if lower and abs(slope) <= -ratio * start:
            best = new
            break
        if finite and slope < 0:
            same_side = min(same_side, 0) - 1
            low, low_slope = step, slope
            best = new
        else:
            same_side = max(same_side, 0) + 1
            high, high_slope = step, slope if finite else math.inf
        if high == math.inf:
            step *= 4.0
        elif not math.isfinite(high_slope) or abs(same_side) > 1:
            # Regula falsi alone stalls with one end fixed: bisect after two steps on one side.
            step = (low + high) / 2
        else:
            step = low - low_slope * (high - low) / (high_slope - low_slope)
    if best is None or (best.value > point.value and best.value > point.value + point.noise):
        return None
    return best
