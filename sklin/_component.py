"""What losses, regularizers and optimizers share: parameters, and being given by name."""

from __future__ import annotations

import numbers

from sklearn.base import BaseEstimator

from sklin._docs import DocumentationLinks


class Component(DocumentationLinks, BaseEstimator):
    """A part of a classifier that holds its own parameters.

    Components are scikit-learn parameter objects: they have ``get_params``, ``set_params`` and a
    readable ``repr``, and `sklearn.base.clone` copies them. Constructors only store, so that a
    grid search can set what it likes; `check_parameters` says what is wrong when a fit begins.
    """

    def check_parameters(self):
        """Raise a ValueError or TypeError that names the first parameter with a bad value."""


def check_number(name, value, *, low, high=float("inf"), closed="left", integer=False):
    """Raise unless ``value`` is a number between ``low`` and ``high``.

    Parameters
    ----------
    name : str
        What the message calls the number.
    value : object
        The number to check.
    low, high : float
        The ends of the allowed interval.
    closed : {"left", "right", "both", "neither"}
        The ends that belong to the interval.
    integer : bool
        Whether only whole numbers are allowed.

    Raises
    ------
    TypeError
        If ``value`` is no number (booleans are none), or not whole where it must be.
    ValueError
        If ``value`` lies outside the interval, or is not a number (nan).
    """
    kind = numbers.Integral if integer else numbers.Real
    left, right = closed in ("left", "both"), closed in ("right", "both")
    interval = f"{'[' if left else '('}{low}, {high}{']' if right else ')'}"
    expected = f"{'an integer' if integer else 'a number'} in {interval}"
    if isinstance(value, bool) or not isinstance(value, kind):
        raise TypeError(f"{name} must be {expected}; got {value!r}, a {type(value).__name__}.")
    above = value >= low if left else value > low
    below = value <= high if right else value < high
    if not (above and below):
        raise ValueError(f"{name} must be {expected}; got {value!r}.")


def check_choice(name, value, choices):
    """Raise a ValueError unless ``value`` is one of the strings ``choices``."""
    if not (isinstance(value, str) and value in choices):
        allowed = ", ".join(map(repr, choices))
        raise ValueError(f"{name} must be one of {allowed}; got {value!r}.")


def resolve(parameter, value, registry, base):
    """Turn a name or an object into a checked component.

    Parameters
    ----------
    parameter : str
        The parameter that the value came from, for the error message.
    value : str or Component
        A key of ``registry``, or an instance of ``base``.
    registry : dict of str to type
        The components that have a name.
    base : type
        What an object must be an instance of.

    Returns
    -------
    Component
        The object itself, or a new one with default parameters for a name.

    Raises
    ------
    ValueError
        If the name is unknown, or a parameter of the object is bad.
    TypeError
        If the value is neither a name nor an instance of ``base``.
    """
    if isinstance(value, str):
        check_choice(parameter, value, registry)
        value = registry[value]()
    elif not isinstance(value, base):
        raise TypeError(
            f"{parameter} must be one of {', '.join(map(repr, registry))} or a {base.__name__} "
            f"object; got {value!r}, a {type(value).__name__}."
            + (" It is a class: give an instance of it." if isinstance(value, type) else "")
        )
    value.check_parameters()
    return value
