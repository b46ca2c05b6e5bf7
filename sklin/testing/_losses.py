"""The laws of losses."""

from __future__ import annotations

import numpy as np

from sklin.losses import Loss
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

AXES = ("sample", "class", "class")


def check_loss(loss):
    """Hold a loss to the laws that fits and their certificates rest on.

    Random scores of two and of four classes, nearly equal and far apart, and scores on which hinges
    have their kinks, are put to every method that the loss gives:

    - Parameters are readable, good, copied by `sklearn.base.clone`, kept by pickle and not changed
      by use.
    - `value` agrees with `value_and_gradient`, which gives finite numbers of the right shape,
      leaves its arguments alone, fills ``out`` (which may be the scores), and treats each sample
      by itself.
    - The gradient is the slope of the value; at a kink it is a subgradient. The value is convex.
    - If ``smooth``: the gradient has no jumps; `hessian_product` is its slope, linear, symmetric,
      and not negative; `hessian_diagonal` is its diagonal.
    - `curvature`, if finite, bounds the change of the gradient.
    - If it ``certifies``: values are not negative; Fenchel and Young's inequality holds, with
      equality for gradients; `balance` makes the mean of dual points zero inside the domain.
    - If it gives `proximal_slope`, that is a gradient at the prox, wherever its search begins.
    - If it has kinks and gives `smoothed`: that is smooth, at most the loss, tends to it as the
      width shrinks, and its gradients lie in the dual domain of the loss.
    - ``shift_invariant`` is true if, and only if, a shift of all scores changes nothing.
    - float32 scores give a float32 gradient, the same but for rounding.

    A loss need not treat all classes alike. A loss that is smooth may say that it is not.

    Parameters
    ----------
    loss : Loss
        The loss to check.

    Raises
    ------
    AssertionError
        If a law is broken; the message says which, where, and by how much.
    TypeError
        If ``loss`` is not an instance of `sklin.losses.Loss`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklin.losses import Loss
    >>> from sklin.testing import check_loss
    >>> class SquaredError(Loss):
    ...     def value_and_gradient(self, scores, y, out=None):
    ...         error = np.array(scores)
    ...         error[np.arange(len(y)), y] -= 1
    ...         value = np.square(error).sum(axis=1)
    ...         gradient = np.multiply(error, 2, out=out)
    ...         return value, gradient
    >>> check_loss(SquaredError())

    Without the factor 2, the derivative is wrong:

    >>> class Slip(SquaredError):
    ...     def value_and_gradient(self, scores, y, out=None):
    ...         value, gradient = super().value_and_gradient(scores, y, out)
    ...         gradient /= 2
    ...         return value, gradient
    >>> check_loss(Slip())  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    AssertionError: Slip(): the gradient must be the slope of the value; at sample ...
    """
    check_kind(loss, Loss)
    laws = Laws(loss, AXES)
    check_parameter_laws(laws)
    parameters = loss.get_params(deep=False)
    for n_classes in (2, 4):
        scores, y = draw(n_classes, 0)
        check_call(laws, scores, y)
        check_samples_apart(laws, scores, y)
        check_slope(laws, n_classes)
        check_convexity(laws, n_classes)
        check_jumps(laws, n_classes)
        if loss.certifies:
            check_duality(laws, n_classes)
            check_balance(laws, n_classes)
        if loss.proximable:
            check_proximal_slope(laws, n_classes)
        check_shift(laws, n_classes)
        check_single(laws, n_classes)
        if loss.smooth:
            check_hessian(laws, n_classes)
        elif overrides(loss, "smoothed"):
            check_smoothed(laws, n_classes)
    laws.require(
        is_same(parameters, loss.get_params(deep=False)),
        "use must not change the parameters",
        f"they are now {loss.get_params(deep=False)}",
    )


def overrides(loss, name):
    """Whether a loss gives a method of its own."""
    return getattr(type(loss), name) is not getattr(Loss, name)


def draw(n_classes, seed, n=60, round_to=None):
    """Scores from nearly equal to far apart, the first all zero, and labels; every class is met.

    Rounded to halves, many of them tie, or lie just at a margin.
    """
    rng = np.random.RandomState(seed)
    scores = rng.standard_normal((n, n_classes)) * np.logspace(-1.5, 1, n)[:, None]
    scores[0] = 0
    if round_to:
        scores = np.round(scores / round_to) * round_to
    return scores, np.append(np.arange(n_classes), rng.randint(n_classes, size=n - n_classes))


def dot(a, b):
    return (a * b).sum(axis=1)


def gradient_of(loss, scores, y):
    return loss.value_and_gradient(scores, y)[1]


def check_call(laws, scores, y):
    """Shapes, finite numbers, arguments unchanged, ``out`` filled, `value` the same."""
    loss = laws.component
    s, labels = scores.copy(), y.copy()
    returned = loss.value_and_gradient(s, labels)
    law = "value_and_gradient must return the values and the gradients"
    pair = isinstance(returned, tuple) and len(returned) == 2
    laws.require(pair, law, f"it returns a {type(returned).__name__}")
    value, gradient = returned
    laws.unchanged("value_and_gradient", scores, s)
    laws.unchanged("value_and_gradient", y, labels)
    laws.same_shape(law, value, y.shape, "the value")
    laws.same_shape(law, gradient, scores.shape, "the gradient")
    plain = loss.value(s, labels)
    laws.unchanged("value", scores, s)
    law = "value must agree with value_and_gradient"
    left, right = ("value", plain), ("that of value_and_gradient", value)
    laws.close(law, left, right, EXACT * (1 + np.abs(value)))
    law = "out must be filled with the gradient and returned"
    for order in "CF":
        for itself in (False, True):
            out = scores.copy(order) if itself else np.full(scores.shape, np.nan, order=order)
            source = out if itself else s
            found, filled = loss.value_and_gradient(source, labels, out=out)
            where = "with the scores as out, " if itself else f"with out in {order} order, "
            laws.require(filled is out, law, f"{where}another array is returned")
            tol = EXACT * (1 + np.abs(gradient))
            laws.close(law, ("out", out), ("the gradient", gradient), tol, where)
            tol = EXACT * (1 + np.abs(value))
            laws.close(law, ("the value", found), ("the value without", value), tol, where)
    laws.unchanged("value_and_gradient with out", scores, s)


def check_samples_apart(laws, scores, y):
    """A sample's loss is its own, whatever the other samples and their order are."""
    loss = laws.component
    value, gradient = loss.value_and_gradient(scores, y)
    law = "each sample must have its loss by itself"
    order = np.random.RandomState(1).permutation(len(y))
    for where, index in (("permuted, ", order), ("alone, ", [7]), ("among three, ", [50, 3, 20])):
        part, slope = loss.value_and_gradient(scores[index], y[index])
        expected = value[index]
        tol = EXACT * (1 + np.abs(expected))
        laws.close(law, ("the value", part), ("that among all", expected), tol, where)
        expected = gradient[index]
        tol = EXACT * (1 + np.abs(expected))
        laws.close(law, ("the gradient", slope), ("that among all", expected), tol, where)


def check_slope(laws, n_classes):
    """Differences behind and ahead of the point enclose the gradient, at a kink too."""
    loss = laws.component
    for round_to in (None, 0.5):
        scores, y = draw(n_classes, 2, round_to=round_to)
        value, gradient = loss.value_and_gradient(scores, y)
        behind, ahead = np.empty_like(scores), np.empty_like(scores)
        for k, unit in enumerate(STEP * np.eye(n_classes)):
            ahead[:, k] = (loss.value(scores + unit, y) - value) / STEP
            behind[:, k] = (value - loss.value(scores - unit, y)) / STEP
        # Sums that cancel in the value do not in its rounding: the scores count, too.
        size = 1 + np.abs(value) + np.abs(scores).max(axis=1)
        law = "the gradient must be the slope of the value"
        laws.between(law, ("the gradient", gradient), behind, ahead, SLOPE * size[:, None])


def check_convexity(laws, n_classes):
    """Below the chord between two points; above the tangent, at a kink too."""
    loss = laws.component
    for seed, round_to in ((3, None), (4, 0.5)):
        (a, y), (b, _) = (draw(n_classes, s, 200, round_to) for s in (seed, seed + 10))
        first, last = loss.value(a, y), loss.value(b, y)
        size = 1 + np.abs(first) + np.abs(last)
        for t in (0.1, 0.5, 0.8):
            chord = (1 - t) * first + t * last
            between = loss.value((1 - t) * a + t * b, y)
            law = "the value must be convex in the scores"
            left, right = ("a value", between), ("the chord above it", chord)
            laws.at_most(law, left, right, EXACT * size)
        gradient = gradient_of(loss, a, y)
        for other in (b, -a, a + 1e-3 * b):
            tangent = first + dot(gradient, other - a)
            law = "the gradient must be a subgradient"
            left, right = ("a tangent", tangent), ("the value", loss.value(other, y))
            laws.at_most(law, left, right, EXACT * (size + np.abs(tangent)))


def check_jumps(laws, n_classes):
    """Segments at random and through zero, followed to where the gradient changes most.

    There, and over longer steps, it changes by at most the curvature times the distance.
    """
    loss = laws.component
    (a, y), (b, _) = draw(n_classes, 5, 200), draw(n_classes, 6, 200)
    b[::4] = -a[::4]
    jump, distance = largest_jump(lambda scores: gradient_of(loss, scores, y), a, b)
    size = max(np.abs(gradient_of(loss, a, y)).max(), np.abs(gradient_of(loss, b, y)).max())
    if loss.smooth:
        law = "the gradient of a loss that declares smooth must not jump"
        left = ("the change that is left when its segment has become a point", jump)
        laws.at_most(law, left, ("none", 0.0), JUMP * size)
    bound = loss.curvature(n_classes)
    law = "curvature must bound the second derivative"
    number = isinstance(bound, (int, float, np.number)) and bound >= 0
    laws.require(number, law, f"it is {bound!r} and must be a number, 0 or more")
    if bound == np.inf:
        return
    left = ("the change of the gradient over a step", jump)
    right = ("curvature times the step", bound * distance)
    laws.at_most(law, left, right, JUMP * size)
    for seed, round_to in ((7, None), (8, 0.5)):
        scores, y = draw(n_classes, seed, 200, round_to)
        direction = np.random.RandomState(seed).standard_normal(scores.shape)
        gradient = gradient_of(loss, scores, y)
        for size in (1e-3, 0.1, 1.0):
            other = scores + size * direction
            change = np.linalg.norm(gradient_of(loss, other, y) - gradient, axis=1)
            allowed = bound * np.linalg.norm(other - scores, axis=1)
            left = ("the change of the gradient over a step", change)
            right = ("curvature times the step", allowed)
            laws.at_most(law, left, right, EXACT * (1 + np.abs(gradient).max()))


def hessians(loss, scores, y):
    """Second derivatives (n, K, K), a column for each unit direction."""
    unit = np.eye(scores.shape[1])
    columns = [loss.hessian_product(scores, y, np.tile(e, (len(y), 1))) for e in unit]
    return np.stack(columns, axis=2)


def slopes(loss, scores, y, direction, step):
    """Slopes of the gradient behind and ahead of the scores."""
    here = gradient_of(loss, scores, y)
    ahead = gradient_of(loss, scores + step * direction, y)
    behind = gradient_of(loss, scores - step * direction, y)
    return (here - behind) / step, (ahead - here) / step


def is_calm(loss, scores, y, direction):
    """Whether the second derivative of a sample's loss does not jump nearby, (n_samples,).

    Then the slopes behind and ahead draw together in proportion to the step.
    """
    far, near = 1e2 * STEP, STEP
    behind, ahead = slopes(loss, scores, y, direction, far)
    gap, size = np.abs(ahead - behind), 1 + np.abs(ahead) + np.abs(behind)
    behind, ahead = slopes(loss, scores, y, direction, near)
    drawn = far / near * np.abs(ahead - behind)
    return (np.abs(gap - drawn) <= 0.5 * gap + SLOPE * size).all(axis=1)


def check_hessian(laws, n_classes):
    """The second derivatives, away from where they jump: there, one of their limits is right.

    They may be made of differences, so nothing about them is asked more exactly than SLOPE.
    """
    loss = laws.component
    scores, y = draw(n_classes, 9)
    direction = np.random.RandomState(9).standard_normal(scores.shape)
    calm = is_calm(loss, scores, y, direction)
    for unit in np.eye(n_classes):
        calm &= is_calm(loss, scores, y, np.tile(unit, (len(y), 1)))
    scores, y, direction = scores[calm], y[calm], direction[calm]
    s, d = scores.copy(), direction.copy()
    product = loss.hessian_product(s, y, d)
    laws.unchanged("hessian_product", scores, s)
    laws.unchanged("hessian_product", direction, d)
    law = "hessian_product must be the slope of the gradient"
    laws.same_shape(law, product, scores.shape, "the product")
    behind, ahead = slopes(loss, scores, y, direction, STEP)
    tol = SLOPE * (1 + np.abs(scores).max(axis=1) + np.abs(product).max(axis=1))[:, None]
    laws.between(law, ("the product", product), behind, ahead, 10 * tol)
    hessian = hessians(loss, scores, y)
    tol = SLOPE * (1 + np.abs(hessian).max(axis=(1, 2)))
    linear = (hessian * direction[:, None, :]).sum(axis=2)
    law = "hessian_product must be linear in the direction"
    left, right = ("a product", product), ("the sum of those of its parts", linear)
    laws.close(law, left, right, 10 * tol[:, None])
    law = "the second derivative must be symmetric"
    left, right = ("an entry", hessian), ("its mirror image", hessian.transpose(0, 2, 1))
    laws.close(law, left, right, tol[:, None, None])
    found, diagonal = loss.hessian_diagonal(s, y), np.einsum("ikk->ik", hessian)
    laws.unchanged("hessian_diagonal", scores, s)
    law = "hessian_diagonal must be the diagonal of the second derivative"
    laws.same_shape(law, found, scores.shape, "the diagonal")
    laws.close(law, ("it", found), ("the diagonal", diagonal), tol[:, None])
    eigenvalues = np.linalg.eigvalsh((hessian + hessian.transpose(0, 2, 1)) / 2)
    law = "the second derivative must not be negative"
    least = -eigenvalues[:, 0]
    laws.at_most(law, ("minus the least eigenvalue", least), ("zero", 0.0), n_classes * tol)
    bound = loss.curvature(n_classes)
    law = "curvature must bound the second derivative"
    left, right = ("the largest eigenvalue", eigenvalues[:, -1]), ("curvature", bound)
    laws.at_most(law, left, right, n_classes * tol)
    single = loss.hessian_product(scores.astype(np.float32), y, direction.astype(np.float32))
    law = "float32 must stay float32"
    laws.require(single.dtype == np.float32, law, f"hessian_product gives {single.dtype}")


def check_domain(laws, loss, dual, y, what):
    """``<dual, s> - l(s) <= l*(dual)`` for scores s of every size, l* finite."""
    law = "l(s) + l*(beta) >= <beta, s> must hold (Fenchel and Young)"
    conjugate = loss.conjugate(dual.copy(), y)
    laws.same_shape(law, conjugate, y.shape, f"the conjugate of {what}")
    rng = np.random.RandomState(len(y))
    # The supremum is met near margins, and an infinite one shows far out.
    for size in (0.1, 1, 1, 1, 10, 1e3, 1e5):
        for _ in range(5):
            scores = size * rng.standard_normal(dual.shape)
            value = loss.value(scores, y)
            gain = dot(dual, scores) - value
            tol = EXACT * (1 + np.abs(value) + np.abs(dual * scores).sum(axis=1))
            where = f"for {what} and scores of size {size:g}, "
            laws.at_most(law, ("<beta, s> - l(s)", gain), ("l*(beta)", conjugate), tol, where)


def check_duality(laws, n_classes):
    """Not negative; equality for gradients; the inequality for them and what lies between."""
    loss = laws.component
    for seed, round_to in ((20, None), (21, 0.5)):
        scores, y = draw(n_classes, seed, round_to=round_to)
        value, dual = loss.value_and_gradient(scores, y)
        law = "the values of a loss with a conjugate must not be negative"
        laws.at_most(law, ("minus the value", -value), ("zero", 0.0), EXACT)
        law = "l(s) + l*(beta) = <beta, s> must hold for gradients beta (Fenchel and Young)"
        given = dual.copy()
        conjugate = loss.conjugate(given, y)
        laws.unchanged("conjugate", dual, given)
        laws.same_shape(law, conjugate, y.shape, "the conjugate")
        left = ("l(s) + l*(beta)", value + conjugate)
        right = ("<beta, s>", dot(dual, scores))
        size = 1 + np.abs(value) + np.abs(dual * scores).sum(axis=1)
        laws.close(law, left, right, EXACT * size)
        check_domain(laws, loss, dual, y, "gradients")
        other = gradient_of(loss, draw(n_classes, seed + 10)[0], y)
        check_domain(laws, loss, 0.3 * dual + 0.7 * other, y, "what lies between gradients")


def check_balance(laws, n_classes):
    """Mixed with the points, gradients have mean zero and stay in the domain."""
    loss = laws.component
    laws, samples = Laws(loss, ("class", "class")), laws
    everyone = np.arange(n_classes)
    for seed in range(3):
        rng = np.random.RandomState(seed)
        scores, y = draw(n_classes, 40 + seed)
        weight = rng.uniform(size=len(y)) * rng.uniform(0.01, 1, n_classes)[y]
        weight /= weight.sum()
        priors = np.bincount(y, weight, n_classes)
        dual = gradient_of(loss, scores, y)
        residual = weight @ dual
        kept = residual.copy(), priors.copy()
        for factor in (1, 1e-9, 0):
            where = f"for {factor:g} times a residual, "
            t, points = loss.balance(factor * residual, priors)
            law = "balance must give a weight t in [0, 1], as small as the residual"
            laws.at_most(law, ("t", t), ("its bound", 1), 0, where)
            laws.at_most(law, ("minus t", -t), ("zero", 0), 0, where)
            # A class of small prior, 1e-4 or so of the whole, needs that many times more.
            laws.at_most(law, ("t", t), ("a multiple of the residual", 1e5 * factor), 0, where)
            law = "balance must give one dual point a class"
            laws.same_shape(law, points, (n_classes, n_classes), "the points")
            mean = (1 - t) * factor * residual + t * (priors @ points)
            law = "balance must make the mean of the dual points zero"
            size = EXACT * factor * (1 + np.abs(residual).max())
            laws.close(law, ("the mean", mean), ("zero", np.zeros(n_classes)), size, where)
            check_domain(laws, loss, points, everyone, "the points of balance")
        laws.unchanged("balance", kept[0], residual)
        laws.unchanged("balance", kept[1], priors)
        t, points = loss.balance(residual, priors)
        check_domain(samples, loss, (1 - t) * dual + t * points[y], y, "balanced gradients")
        # Rounding leaves residuals that need not even sum to zero.
        t, points = loss.balance(1e-17 * rng.standard_normal(n_classes), priors)
        law = "balance must give a weight t in [0, 1], as small as the residual"
        laws.at_most(law, ("t", t), ("a multiple of rounding", 1e-12), 0)
        check_domain(laws, loss, points, everyone, "the points of balance")


def check_proximal_slope(laws, n_classes):
    """The slope is a gradient at ``scores - step * slope``, which is what makes that the prox."""
    loss = laws.component
    law = "proximal_slope must be a gradient of the loss at scores - step * slope"
    for seed, round_to in ((22, None), (23, 0.5)):
        scores, y = draw(n_classes, seed, round_to=round_to)
        start = gradient_of(loss, draw(n_classes, 24)[0], y)
        for step in (0.01, 1.0, 30.0):
            for guess in (None, start, 100 * start):
                given = scores.copy()
                dual = loss.proximal_slope(given, y, step, start=guess)
                laws.unchanged("proximal_slope", scores, given)
                laws.same_shape(law, dual, scores.shape, "the slope")
                prox = scores - step * dual
                value, conjugate = loss.value(prox, y), loss.conjugate(dual, y)
                size = 1 + np.abs(value) + np.abs(dual * scores).sum(axis=1)
                size += step * np.square(dual).sum(axis=1)
                laws.close(
                    law,
                    (f"for step {step:g}, l(z) + l*(beta)", value + conjugate),
                    ("<beta, z>", dot(dual, prox)),
                    EXACT * size,
                )
            check_domain(laws, loss, dual, y, "slopes at the prox")
        single = loss.proximal_slope(scores.astype(np.float32), y, 1.0)
        law_32 = "float32 must stay float32"
        laws.require(single.dtype == np.float32, law_32, f"the slope is {single.dtype}")
        left = ("proximal_slope in float32", single)
        right = ("that in float64", loss.proximal_slope(scores, y, 1.0))
        laws.close("float32 must agree with float64", left, right, SINGLE * n_classes)


def check_smoothed(laws, n_classes):
    """A smooth minorant, which tends to the loss; gradients in the dual domain of the loss."""
    loss = laws.component
    for round_to in (None, 0.5):
        scores, y = draw(n_classes, 11, round_to=round_to)
        sharp = loss.value(scores, y)
        for width in (1.0, 0.1):
            smooth = loss.smoothed(width)
            law = "smoothed must give a smooth loss"
            told = isinstance(smooth, Loss) and smooth.smooth
            laws.require(told, law, f"smoothed({width}) gives {smooth!r}")
            value, dual = smooth.value_and_gradient(scores, y)
            law = "the smoothed loss must be at most the loss"
            left, right = (f"smoothed({width})", value), ("the loss", sharp)
            laws.at_most(law, left, right, EXACT * (1 + np.abs(sharp)))
            if loss.certifies:
                check_domain(laws, loss, dual, y, f"gradients of smoothed({width})")
        value = loss.smoothed(1e-6).value(scores, y)
        law = "the smoothed loss must tend to the loss as the width shrinks"
        # The error is some multiple of the width: the number of classes, or its logarithm.
        left, right = ("smoothed(1e-6)", value), ("the loss", sharp)
        laws.close(law, left, right, 1e-4 * (1 + np.abs(sharp)))
    rounded = Laws(loss.smoothed(0.3), AXES)
    check_call(rounded, *draw(n_classes, 12))
    for check in (check_slope, check_convexity, check_jumps, check_hessian):
        check(rounded, n_classes)


def check_shift(laws, n_classes):
    """One number added to all scores of a sample."""
    loss = laws.component
    scores, y = draw(n_classes, 13)
    value = loss.value(scores, y)
    moved = loss.value(scores + np.linspace(-3, 3, len(y))[:, None], y)
    change = np.abs(moved - value)
    tol = EXACT * (1 + np.abs(value))
    if loss.shift_invariant:
        law = "shift_invariant is declared, so a shift of all scores must change nothing"
        laws.close(law, ("the shifted value", moved), ("the value", value), tol)
    else:
        law = "shift_invariant must be declared where a shift of all scores changes nothing"
        laws.require((change > tol).any(), law, "no value changes, and it is declared False")


def check_single(laws, n_classes):
    """Scores in float32: a gradient in float32, for a product with samples in float32."""
    loss = laws.component
    scores, y = draw(n_classes, 14)
    scores = scores.astype(np.float32)
    value, gradient = loss.value_and_gradient(scores, y)
    law = "float32 must stay float32"
    laws.require(gradient.dtype == np.float32, law, f"the gradient is {gradient.dtype}")
    law = "float32 must agree with float64"
    value_64, gradient_64 = loss.value_and_gradient(scores.astype(np.float64), y)
    tol = SINGLE * (1 + np.abs(value_64))
    laws.close(law, ("the value", value), ("that in float64", value_64), tol)
    tol = SINGLE * (1 + np.abs(gradient_64))
    laws.close(law, ("the gradient", gradient), ("that in float64", gradient_64), tol)
