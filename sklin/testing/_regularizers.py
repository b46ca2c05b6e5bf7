"""The laws of regularizers."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from sklin.regularizers import Regularizer
from sklin.testing._laws import (
    EXACT,
    JUMP,
    SINGLE,
    SLOPE,
    STEP,
    Laws,
    check_kind,
    check_parameter_laws,
    is_same,
    largest_jump,
)

N_CLASSES = 3
STEPS = (0.05, 1.0, 20.0)


def check_regularizer(regularizer, n_features=6):
    """Hold a regularizer to the laws that fits and their certificates rest on.

    Random coefficients of three classes, small and large, some of them zero, are put to every
    method that the regularizer gives:

    - Parameters are readable, good, copied by `sklearn.base.clone`, kept by pickle and not changed
      by use. No method changes its arguments; float32 stays float32; no features are no trouble.
    - The value is a finite float (of a constraint 0 or inf), convex, and remains so less
      ``curvature / 2`` times the sum of squares; if ``separable``, it is a sum over the weights.
    - The gradient is the slope of the value; at a kink it is a subgradient. If ``smooth``, it has
      no jumps.
    - The prox minimises ``R(W) + |W - V|^2 / (2 step)``. If ``smooth``, it agrees with the
      gradient. If ``separable``, it takes an array of steps. Of a constraint it is the projection:
      inside, idempotent, independent of the step.
    - If it ``certifies``: Fenchel and Young's inequality holds, with equality for gradients and for
      what a prox takes away; `shrink` is the largest factor into the domain of the conjugate.
    - The noise of `corrupt` has mean zero, comes from ``rng`` alone, and keeps sparse samples
      sparse; without ``needs_batches`` there is none.

    A regularizer that is smooth may say that it is not; ``curvature`` may be less than there is.

    Parameters
    ----------
    regularizer : Regularizer
        The regularizer to check.
    n_features : int, default=6
        Number of features, for a regularizer that serves one number only.

    Raises
    ------
    AssertionError
        If a law is broken; the message says which, where, and by how much.
    TypeError
        If ``regularizer`` is not an instance of `sklin.regularizers.Regularizer`.
    ValueError
        If it does not serve ``n_features`` features.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.regularizers import Regularizer
    >>> from sklin.testing import check_regularizer
    >>> class SmoothTemplates(Regularizer):
    ...     smooth = True
    ...
    ...     def value(self, coef):
    ...         return float(np.square(coef[:, 1:] - coef[:, :-1]).sum())
    ...
    ...     def gradient(self, coef):
    ...         step = 2 * (coef[:, 1:] - coef[:, :-1])
    ...         gradient = np.zeros_like(coef)
    ...         gradient[:, 1:] += step
    ...         gradient[:, :-1] -= step
    ...         return gradient
    >>> check_regularizer(SmoothTemplates())

    A prox for it that is the one of another regularizer:

    >>> class Slip(SmoothTemplates):
    ...     def prox(self, coef, step):
    ...         return coef / (1 + 2 * step)
    >>> check_regularizer(Slip())  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    AssertionError: Slip(): the prox must minimise R(W) + |W - V|^2 / (2 step); ...
    """
    check_kind(regularizer, Regularizer)
    laws = Laws(regularizer, ("class", "feature"))
    check_parameter_laws(laws)
    regularizer.check_features(n_features)
    parameters = regularizer.get_params(deep=False)
    check_value(laws, n_features)
    check_convexity(laws, n_features)
    if regularizer.has_gradient:
        check_slope(laws, n_features)
    if regularizer.smooth:
        check_jumps(laws, n_features)
    if regularizer.is_constraint:
        check_projection(laws, n_features)
    if regularizer.has_prox:
        check_prox(laws, n_features)
        check_separable_prox(laws, n_features)
    if regularizer.certifies:
        check_shrink(laws, n_features)
        check_duality(laws, n_features)
    check_types(laws, n_features)
    check_no_features(laws)
    check_noise(laws, n_features)
    laws.require(
        is_same(parameters, regularizer.get_params(deep=False)),
        "use must not change the parameters",
        f"they are now {regularizer.get_params(deep=False)}",
    )


def draw(n_features, seed, scale=1.0, zeros=False):
    """Coefficients; with zeros, in about half of the features and of the other entries."""
    rng = np.random.RandomState(seed)
    coef = scale * rng.standard_normal((N_CLASSES, n_features))
    if zeros:
        coef *= (rng.uniform(size=n_features) < 0.5) & (rng.uniform(size=coef.shape) < 0.7)
    return coef


def points(laws, n_features, seed=0):
    """Coefficients of finite value; of a constraint, those to which its prox leads."""
    drawn = [draw(n_features, 0) * 0]
    for k, scale in enumerate((0.1, 1.0, 1.0, 10.0)):
        drawn += [draw(n_features, seed + 10 * k + zeros, scale, zeros) for zeros in (0, 1)]
    if laws.component.is_constraint:
        drawn = [laws.component.prox(coef, 1.0) for coef in drawn]
        drawn += [(a + b) / 2 for a, b in zip(drawn, drawn[::-1], strict=True)]
    return drawn


def square(coef):
    return float((coef * coef).sum())


def inner(a, b):
    return float((a * b).sum())


def check_value(laws, n_features):
    """A finite float; of a constraint 0 or inf."""
    regularizer = laws.component
    if regularizer.is_constraint:
        law = "a constraint must have a prox, the projection"
        laws.require(regularizer.has_prox, law, "it gives none")
        for scale in (0.1, 1.0, 1e3):
            value = regularizer.value(draw(n_features, 1, scale))
            law = "the values of a constraint must be 0 and inf"
            laws.require(
                value in (0, np.inf), law, f"at coefficients of size {scale:g} it is {value}"
            )
    law = "the value must be a finite float"
    if regularizer.is_constraint:
        law = "the value of a constraint must be 0 where its prox leads, and halfway between"
    for coef in points(laws, n_features):
        given = coef.copy()
        value = regularizer.value(given)
        laws.unchanged("value", coef, given)
        good = isinstance(value, float) and np.isfinite(value)
        if regularizer.is_constraint:
            good = good and value == 0
        size = np.abs(coef).max(initial=0.0)
        laws.require(good, law, f"at coefficients up to {size:.3g} it is {value!r}")


def check_convexity(laws, n_features):
    """Below the chord between two points, by the declared curvature; a sum, if separable."""
    regularizer = laws.component
    curvature = regularizer.curvature
    law = "curvature must be a finite number, 0 or more"
    laws.require(0 <= curvature < np.inf, law, f"it is {curvature!r}")
    rng = np.random.RandomState(0)
    for seed in range(5):
        firsts, lasts = points(laws, n_features, seed), points(laws, n_features, seed + 100)
        lasts += [-a for a in firsts] + [2 * a for a in firsts if not regularizer.is_constraint]
        for a, b in zip(firsts * 3, lasts, strict=False):
            ends = regularizer.value(a) / 2 + regularizer.value(b) / 2
            middle = regularizer.value((a + b) / 2)
            bend = curvature / 8 * square(a - b)
            tol = EXACT * (1 + abs(ends) + abs(middle) + bend)
            right = "the chord above it", ends
            laws.at_most("the value must be convex", ("a value", middle), right, tol)
            left = f"a value plus the bend of curvature {curvature:g}", middle + bend
            law = "R less curvature / 2 times the sum of squares must be convex"
            laws.at_most(law, left, right, tol)
            if regularizer.separable:
                mask = rng.uniform(size=a.shape) < 0.5
                mixed = regularizer.value(np.where(mask, a, b)) / 2
                mixed += regularizer.value(np.where(mask, b, a)) / 2
                law = "separable is declared, so the value must be a sum over the weights"
                left, right = ("the value of parts", mixed), ("that of the wholes", ends)
                laws.close(law, left, right, tol)


def check_slope(laws, n_features):
    """Differences behind and ahead of the point enclose the gradient; tangents lie below."""
    regularizer = laws.component
    others = points(laws, n_features, 200)
    for coef in points(laws, n_features, 1):
        given = coef.copy()
        gradient = regularizer.gradient(given)
        laws.unchanged("gradient", coef, given)
        law = "the gradient must be the slope of the value"
        laws.same_shape(law, gradient, coef.shape, "the gradient")
        value = regularizer.value(coef)
        behind, ahead = np.empty_like(coef), np.empty_like(coef)
        for entry in np.ndindex(coef.shape):
            given[entry] = coef[entry] + STEP
            ahead[entry] = (regularizer.value(given) - value) / STEP
            given[entry] = coef[entry] - STEP
            behind[entry] = (value - regularizer.value(given)) / STEP
            given[entry] = coef[entry]
        tol = SLOPE * (1 + abs(value) + np.abs(gradient))
        laws.between(law, ("the gradient", gradient), behind, ahead, tol)
        law = "the gradient must be a subgradient"
        for other in [*others, -coef, 0 * coef, coef + 1e-3 * others[3]]:
            tangent = value + inner(gradient, other - coef)
            right = regularizer.value(other)
            tol = EXACT * (
                1 + abs(value) + np.abs(gradient * (other - coef)).sum() + min(right, 1e9)
            )
            laws.at_most(law, ("a tangent", tangent), ("the value", right), tol)


def check_jumps(laws, n_features):
    """Segments, some through zero and some through zeros of a few features, to a jump."""
    regularizer = laws.component
    law = "a regularizer that declares smooth must give a gradient"
    laws.require(regularizer.has_gradient, law, "it gives none")
    a = np.array([draw(n_features, seed) for seed in range(24)])
    b = np.array([draw(n_features, seed) for seed in range(24, 48)])
    b[:8] = -a[:8]
    some = np.random.RandomState(0).uniform(size=(8, 1, n_features)) < 0.5
    b[8:16] = np.where(some, -a[8:16], a[8:16])

    def gradient(coefs):
        return np.array([regularizer.gradient(coef) for coef in coefs])

    jump, _ = largest_jump(gradient, a, b)
    size = max(np.abs(gradient(a)).max(initial=0.0), np.abs(gradient(b)).max(initial=0.0))
    law = "the gradient of a regularizer that declares smooth must not jump"
    worst = jump.max(initial=0.0)
    left = ("the change that is left when a segment has become a point", worst)
    laws.at_most(law, left, ("none", 0.0), JUMP * size)


def check_prox(laws, n_features):
    """R(p) + |p-v|^2/2s + |u-p|^2/2s <= R(u) + |u-v|^2/2s for every u holds of the prox alone."""
    regularizer = laws.component
    law = "the prox must minimise R(W) + |W - V|^2 / (2 step)"
    others = points(laws, n_features, 300)
    starts = [draw(n_features, seed, scale) for seed, scale in enumerate((0.3, 3.0, 3.0, 30.0))]
    for v in [*starts, 0 * starts[0], draw(n_features, 5, 1.0, zeros=True)]:
        for step in STEPS:
            given = v.copy()
            p = regularizer.prox(given, step)
            laws.unchanged("prox", v, given)
            laws.same_shape(law, p, v.shape, "the prox")
            left = regularizer.value(p) + square(p - v) / (2 * step)
            near = [p + 1e-3 * other for other in others[1:5]]
            if regularizer.is_constraint:
                near = [regularizer.prox(u, step) for u in near]
            near += [p + part * (v - p) for part in (-1e-3, 1e-3, 0.1)]
            for u in [*others, *near, v, 0 * v, 0.5 * p, 1.001 * p, 2 * p]:
                right = regularizer.value(u) + square(u - v) / (2 * step)
                tol = EXACT * (1 + min(right, 1e9) + left)
                lhs = (
                    "the objective of the prox plus |u - p|^2 / (2 step)",
                    left + square(u - p) / (2 * step),
                )
                rhs = ("the objective of another point u", right)
                laws.at_most(law, lhs, rhs, tol, f"with step {step:g} ")
            if regularizer.smooth:
                taken, slope = (v - p) / step, regularizer.gradient(p)
                tol = EXACT * (1 + np.abs(v).max(initial=0.0) / step + np.abs(slope))
                lhs, rhs = ("(V - prox) / step", taken), ("the gradient at the prox", slope)
                law_two = "the prox must agree with the gradient"
                laws.close(law_two, lhs, rhs, 1e3 * tol, f"with step {step:g} ")


def check_separable_prox(laws, n_features):
    """An array of steps acts weight by weight."""
    regularizer = laws.component
    if not regularizer.separable:
        return
    v = draw(n_features, 6, 2.0)
    steps = np.random.RandomState(0).uniform(0.05, 2.0, size=v.shape)
    together = regularizer.prox(v, steps)
    each = np.empty_like(v)
    for entry in np.ndindex(v.shape):
        each[entry] = regularizer.prox(v, float(steps[entry]))[entry]
    law = "separable is declared, so the prox must take an array of steps, weight by weight"
    laws.same_shape(law, together, v.shape, "the prox")
    tol = EXACT * (1 + np.abs(v))
    laws.close(law, ("the prox", together), ("that with the weight's step alone", each), tol)


def check_projection(laws, n_features):
    """Inside, idempotent, whatever the step."""
    regularizer = laws.component
    for scale in (0.1, 1.0, 30.0):
        v = draw(n_features, 7, scale)
        p = regularizer.prox(v, 1.0)
        tol = EXACT * (1 + np.abs(v))
        law = "the prox of a constraint must be a projection"
        again = ("projected again", regularizer.prox(p, 1.0))
        laws.close(law, again, ("projected once", p), tol)
        if regularizer.value(v) == 0:
            laws.close(law, ("a point inside, projected", p), ("the point", v), tol)
        law = "the prox of a constraint must not depend on the step"
        for step in STEPS:
            other = (f"the prox of step {step:g}", regularizer.prox(v, step))
            laws.close(law, other, ("that of step 1", p), tol)


def check_duality(laws, n_features):
    """Equality for gradients, and for what a prox takes away; the inequality for all points."""
    regularizer = laws.component
    pairs = []
    for coef in points(laws, n_features, 400):
        if regularizer.has_gradient:
            pairs.append(("the gradient", coef, regularizer.gradient(coef)))
        if regularizer.has_prox:
            p = regularizer.prox(3 * coef, 0.7)
            pairs.append(("what a prox takes away", p, (3 * coef - p) / 0.7))
    others = [*points(laws, n_features, 500), *(1e3 * u for u in points(laws, n_features, 600))]
    for what, coef, dual in pairs:
        given = dual.copy()
        # Rounding may leave a dual point just outside of the domain.
        factor = regularizer.shrink(given)
        laws.unchanged("shrink", dual, given)
        law = f"{what} must lie in the domain of the conjugate"
        laws.close(law, ("shrink", factor), ("one", 1.0), 1e-9)
        dual = factor * dual
        given = dual.copy()
        conjugate = regularizer.conjugate(given)
        laws.unchanged("conjugate", dual, given)
        law = f"R(W) + R*(U) = <U, W> must hold for {what} U (Fenchel and Young)"
        left = ("R(W) + R*(U)", regularizer.value(coef) + conjugate)
        size = 1 + np.abs(dual * coef).sum() + abs(regularizer.value(coef))
        laws.close(law, left, ("<U, W>", inner(dual, coef)), 1e2 * EXACT * size)
        check_domain(laws, others, dual, conjugate)
    for seed, scale in enumerate((0.1, 1.0, 3.0, 30.0)):
        dual = draw(n_features, 700 + seed, scale)
        check_domain(laws, others, dual, regularizer.conjugate(dual))
        dual = regularizer.shrink(dual) * dual
        check_domain(laws, others, dual, regularizer.conjugate(dual))


def check_domain(laws, others, dual, conjugate):
    """R(W) + R*(U) >= <U, W>, W at random and along U, where an infinite supremum shows."""
    if conjugate == np.inf:
        return
    regularizer = laws.component
    sizes = (1e-2, 1.0, 1e3, 1e6)
    if regularizer.has_prox:
        # prox(t U, t) makes the most of <U, W> - R(W) - |W|^2 / 2t.
        along = [regularizer.prox(size * dual, size) for size in sizes]
    else:
        columns, rows = (np.square(dual).sum(axis=k, keepdims=True) for k in (0, 1))
        parts = (np.abs(dual) == np.abs(dual).max(), columns == columns.max(), rows == rows.max())
        along = [size * dual * part for size in sizes for part in (1, *parts)]
    law = "R(W) + R*(U) >= <U, W> must hold (Fenchel and Young)"
    for coef in [*others, *along]:
        value = regularizer.value(coef)
        if value < np.inf:
            gain = inner(dual, coef) - value
            tol = EXACT * (1 + np.abs(dual * coef).sum() + abs(value) + abs(conjugate))
            laws.at_most(law, ("<U, W> - R(W)", gain), ("R*(U)", conjugate), tol)


def check_shrink(laws, n_features):
    """Into the domain, by no more than need be."""
    regularizer = laws.component
    zero = draw(n_features, 0) * 0
    law = "shrink must lead into the domain of the conjugate"
    laws.require(regularizer.shrink(zero) == 1, law, "it shrinks the zero point")
    for dtype in (np.float64, np.float32):
        for seed, scale in enumerate((0.1, 1.0, 3.0, 37.0)):
            dual = draw(n_features, 800 + seed, scale).astype(dtype)
            factor = regularizer.shrink(dual)
            where = f"for a dual point of size {scale:g} in {np.dtype(dtype)}"
            law = "shrink must give a factor in [0, 1]"
            laws.require(0 <= factor <= 1, law, f"{where} it is {factor!r}")
            law = "shrink must lead into the domain of the conjugate"
            conjugate = regularizer.conjugate(factor * dual)
            laws.require(
                np.isfinite(conjugate),
                law,
                f"{where} the factor is {factor:.8g} and the conjugate there {conjugate}",
            )
            if factor < 1:
                more = min(1.0, factor * 1.00001 + 1e-8)
                law = "shrink must give the largest factor into the domain"
                conjugate = regularizer.conjugate(more * dual.astype(np.float64))
                laws.require(
                    np.isinf(conjugate),
                    law,
                    f"{where} it is {factor:.8g}, and {more:.8g} leads there, too",
                )


def check_types(laws, n_features):
    """Coefficients in float32."""
    regularizer = laws.component
    coef = draw(n_features, 8).astype(np.float32)
    law = "float32 must agree with float64"
    value = regularizer.value(coef)
    laws.require(isinstance(value, float), "the value must be a finite float", f"it is {value!r}")
    expected = regularizer.value(coef.astype(np.float64))
    tol = SINGLE * (1 + min(abs(expected), 1e9))
    laws.close(law, ("the value", value), ("that in float64", expected), tol)
    functions = [("gradient", regularizer.gradient)] if regularizer.has_gradient else []
    if regularizer.has_prox:
        functions += [("prox", lambda coef: regularizer.prox(coef, 0.3))]
    for name, function in functions:
        single = function(coef)
        laws.require(
            single.dtype == np.float32, "float32 must stay float32", f"{name} gives {single.dtype}"
        )
        right = ("that in float64", function(coef.astype(np.float64)))
        laws.close(law, (name, single), right, SINGLE * (1 + np.abs(right[1])))


def check_no_features(laws):
    """Coefficients of no features, for a regularizer that serves any number."""
    regularizer = laws.component
    try:
        regularizer.check_features(0)
    except ValueError:
        return
    empty = np.zeros((N_CLASSES, 0))
    law = "no features must be no trouble"
    value = regularizer.value(empty)
    laws.require(np.isfinite(value), law, f"the value is {value}")
    if regularizer.has_gradient:
        laws.same_shape(law, regularizer.gradient(empty), empty.shape, "the gradient")
    if regularizer.has_prox:
        laws.same_shape(law, regularizer.prox(empty, 1.0), empty.shape, "the prox")
    if regularizer.certifies:
        found = regularizer.shrink(empty), regularizer.conjugate(empty)
        good = found[0] == 1 and np.isfinite(found[1])
        laws.require(good, law, f"shrink and conjugate are {found}")


def check_noise(laws, n_features):
    """Mean zero; none unless declared. Positive samples, so that no bias cancels."""
    regularizer = laws.component
    laws = Laws(regularizer, ("sample", "feature"))
    dense = np.random.RandomState(0).uniform(0.5, 2.0, size=(20, n_features))
    holes = dense * (np.random.RandomState(1).uniform(size=dense.shape) < 0.5)
    for X in (dense, sparse.csr_array(holes)):
        array = X.toarray() if sparse.issparse(X) else X.copy()
        where = f"for {'CSR' if sparse.issparse(X) else 'dense'} samples "
        noise = []
        # So many draws make their mean normal, and a bias of a tenth of the noise more than five
        # sigma; a right mean is beyond five once in a million features.
        for seed in range(300 if regularizer.needs_batches else 2):
            noisy = regularizer.corrupt(X, np.random.RandomState(seed))
            noise.append((noisy.toarray() if sparse.issparse(noisy) else noisy) - array)
        noise = np.array(noise)
        kept = X.toarray() if sparse.issparse(X) else X
        laws.unchanged("corrupt", array, kept)
        law = "corrupt must keep the kind of the samples"
        laws.require(type(noisy) is type(X), law, f"{where}it gives a {type(noisy).__name__}")
        single = regularizer.corrupt(X.astype(np.float32), np.random.RandomState(0))
        law = "float32 must stay float32"
        laws.require(single.dtype == np.float32, law, f"{where}corrupt gives {single.dtype}")
        if not regularizer.needs_batches:
            law = "without needs_batches, corrupt must leave the samples as they are"
            size = np.abs(noise).max(initial=0.0)
            laws.require(size == 0, law, f"{where}it changes them by {size:.2g}")
            continue
        again = regularizer.corrupt(X, np.random.RandomState(seed))
        again = again.toarray() if sparse.issparse(again) else again
        law = "the noise must come from rng alone"
        laws.close(
            law, ("one draw", again - array), ("another of the same rng", noise[-1]), 0, where
        )
        total = noise.sum(axis=1)
        sigma = np.sqrt(np.square(total).sum(axis=0))
        law = "the noise must have mean zero"
        for j in np.flatnonzero(np.abs(total.sum(axis=0)) > 5 * sigma):
            mean = noise[:, :, j].mean() / max(array[:, j].mean(), 1e-300)
            beyond = abs(total[:, j].sum()) / sigma[j]
            detail = f"at feature {j} it is {mean:.3g} times the samples', {beyond:.1f} sigma off"
            laws.require(False, law, where + detail)
