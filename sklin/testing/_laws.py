"""What the laws of all components share: how a broken law is told, and the laws of parameters."""

from __future__ import annotations

import pickle

import numpy as np
from sklearn.base import clone

# What holds exactly but for the rounding of a few operations in float64, relative to the numbers
# that are compared. Rounding alone makes 1e-13 or so of sums and logarithms.
EXACT = 1e-10
# Step of finite differences, and how well they agree with the derivative: rounding of a value of
# size 1 makes eps / STEP = 2e-11, and what the derivative moves over the step is taken in account.
STEP = 1e-5
SLOPE = 1e-6
# Float32 has an eps of 1.2e-7; cancellation in sums of large terms costs some digits more.
SINGLE = 1e-4
# A gradient that has no jump moves by almost nothing over the last of so many halvings of a
# segment; one that jumps moves by the jump. Rounding of the gradient itself stays below JUMP.
HALVINGS = 48
JUMP = 1e-4


def name_of(component):
    """The repr of a component on one line; the name of its type where it has no repr."""
    try:
        return " ".join(repr(component).split())
    except Exception:  # a stranger's repr may raise anything, and the report is to be made
        return type(component).__name__


def broken(component, law, detail):
    """Raise the AssertionError that says which law is broken, where, and by how much."""
    raise AssertionError(f"{name_of(component)}: {law}; {detail}.")


def check_kind(component, base):
    """Raise a TypeError unless ``component`` is an instance of ``base``."""
    if isinstance(component, base):
        return
    hint = " It is a class: give an instance of it." if isinstance(component, type) else ""
    raise TypeError(
        f"An instance of {base.__name__} can be checked; got {component!r}, a "
        f"{type(component).__name__}.{hint}"
    )


class Laws:
    """Comparisons for one component that raise the sentence of the law when they fail.

    Parameters
    ----------
    component : Component
        What is checked.
    axes : tuple of str
        What the axes of its arrays count.
    """

    def __init__(self, component, axes):
        self.component = component
        self.axes = axes

    def require(self, condition, law, detail):
        """Raise unless ``condition`` holds."""
        if not condition:
            broken(self.component, law, detail)

    def _place(self, index, shape):
        axes = [f"{axis} {i}" for axis, i in zip(self.axes, index, strict=False)]
        return f"at {', '.join(axes)} of {' x '.join(map(str, shape))} " if axes else ""

    def _worst(self, law, excess, tol, left, right, verb, where):
        """Raise at the entry where ``excess`` is most above ``tol``, if there is one."""
        excess, tol = np.asarray(excess, dtype=float), np.broadcast_to(tol, np.shape(excess))
        beyond = np.where(np.isnan(excess), np.inf, excess - tol)
        if not (beyond > 0).any():
            return
        index = np.unravel_index(beyond.argmax(), beyond.shape)
        (one, a), (other, b) = left, right
        a, b = (np.broadcast_to(values, beyond.shape)[index] for values in (a, b))
        self.require(
            False,
            law,
            f"{self._place(index, beyond.shape)}{where}{one} is {a:.8g} and {verb} {other}, "
            f"{b:.8g}, by {excess[index]:.2g} where {tol[index]:.1g} is allowed",
        )

    def same_shape(self, law, found, shape, what):
        """Raise unless ``found`` is an array of numbers of the given shape, all of them finite."""
        array = isinstance(found, np.ndarray)
        kind = f"of shape {found.shape}" if array else f"a {type(found).__name__}"
        good = array and found.shape == shape
        self.require(good, law, f"{what} is {kind} and must be an array of shape {shape}")
        bad = ~np.isfinite(found)
        if bad.any():
            index = np.argwhere(bad)[0]
            broken(
                self.component,
                law,
                f"{self._place(index, shape)}{what} is {found[tuple(index)]} and must be finite",
            )

    def close(self, law, left, right, tol, where=""):
        """Raise where the arrays of two pairs (name, array) differ by more than ``tol``."""
        a, b = np.asarray(left[1], dtype=float), np.asarray(right[1], dtype=float)
        self.require(
            a.shape == b.shape,
            law,
            f"{where}{left[0]} is of shape {a.shape} and {right[0]} of shape {b.shape}",
        )
        with np.errstate(invalid="ignore"):
            difference = np.where(a == b, 0.0, np.abs(a - b))
        self._worst(law, difference, tol, left, right, "differs from", where)

    def at_most(self, law, left, right, tol, where=""):
        """Raise where the first of two pairs (name, array) exceeds the second by more than tol."""
        a, b = np.asarray(left[1], dtype=float), np.asarray(right[1], dtype=float)
        with np.errstate(invalid="ignore"):
            excess = np.where(a == b, 0.0, a - b)
        self._worst(law, excess, tol, left, right, "exceeds", where)

    def between(self, law, what, low, high, tol, where=""):
        """Raise where ``what``, a pair (name, array), lies outside two slopes by more than tol."""
        low, high = np.minimum(low, high), np.maximum(low, high)
        nearest = np.clip(what[1], low, high)
        self.close(law, what, ("the slope", nearest), tol, where)

    def unchanged(self, what, before, after):
        """Raise unless an input is as it was."""
        self.require(
            np.array_equal(before, after),
            "the inputs must not be changed",
            f"{what} changes its argument, by {np.abs(after - before).max():.2g}",
        )


def is_same(a, b):
    """Whether two values of parameters are equal: numbers, arrays, components, containers."""
    if type(a) is not type(b):
        return False
    if hasattr(a, "get_params") and not isinstance(a, type):
        return is_same(a.get_params(deep=False), b.get_params(deep=False))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(is_same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(is_same, a, b))
    if hasattr(a, "__array__"):
        a, b = np.asarray(a), np.asarray(b)
        return a.dtype == b.dtype and np.array_equal(a, b)
    return a is b or bool(a == b) or (a != a and b != b)


def check_parameter_laws(laws):
    """Parameters: readable, good, copied by `clone`, and kept by pickle.

    Pickled is what the object holds, not the object: that also needs its class to be importable,
    which a class in a notebook or a docstring is not.
    """
    component = laws.component
    # Whatever a stranger's code raises is the law's being broken, and is told as that.
    try:
        repr(component)
    except Exception as error:
        broken(component, "repr must show the parameters", f"it raises {error!r}")
    try:
        component.check_parameters()
    except Exception as error:
        broken(component, "check_parameters must pass", f"it raises {error!r}")
    law = "clone must give an object of equal parameters"
    try:
        copy = clone(component)
    except Exception as error:
        broken(component, law, f"it raises {' '.join(repr(error).split())}")
    laws.require(is_same(component, copy), law, f"it gives {name_of(copy)}")
    law = "what the object holds must survive pickle"
    try:
        kept = pickle.loads(pickle.dumps(vars(component)))
    except Exception as error:
        broken(component, law, f"it raises {' '.join(repr(error).split())}")
    laws.require(is_same(vars(component), kept), law, f"it comes back as {kept!r}")


def largest_jump(gradient, a, b):
    """Change of a gradient left over a segment that is halved, each time to where it changes most.

    Parameters
    ----------
    gradient : callable
        From points (n, ...) to gradients of the same shape.
    a, b : ndarray of shape (n, ...)
        Ends of n segments.

    Returns
    -------
    jump : ndarray of shape (n,)
        Norm of the change that is left after `HALVINGS` halvings.
    distance : ndarray of shape (n,)
        Norm of what is left of the segment.
    """
    axes = tuple(range(1, a.ndim))
    shape = (-1, *(1,) * len(axes))
    ga, gb = gradient(a), gradient(b)
    for _ in range(HALVINGS):
        middle = (a + b) / 2
        gm = gradient(middle)
        first = np.abs(ga - gm).max(axis=axes) > np.abs(gb - gm).max(axis=axes)
        first = first.reshape(shape)
        a, ga = np.where(first, a, middle), np.where(first, ga, gm)
        b, gb = np.where(first, middle, b), np.where(first, gm, gb)
    return np.sqrt(np.square(ga - gb).sum(axis=axes)), np.sqrt(np.square(a - b).sum(axis=axes))
