"""Checks of the transformers' parameters: errors that name what came and what is allowed."""

from numbers import Integral, Real

import numpy as np


def is_integer(value):
    """Say whether `value` is an integer that is no boolean.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    bool
        True for Python's and NumPy's integers.
    """
    return isinstance(value, Integral) and not isinstance(value, bool)


def check_integer(name, value, minimum=1):
    """Refuse a parameter that is no integer of at least `minimum`.

    Parameters
    ----------
    name : str
        The parameter's name.
    value : object
        Its value.
    minimum : int, default=1
        The smallest value allowed.
    """
    if not is_integer(value):
        raise TypeError(f"{name} must be an integer >= {minimum}, got {value!r}.")
    if value < minimum:
        raise ValueError(f"{name} must be an integer >= {minimum}, got {value!r}.")


def check_pair(name, value, minimum=1):
    """Refuse a parameter that is no pair (rows, columns) of integers of at least `minimum`.

    Parameters
    ----------
    name : str
        The parameter's name.
    value : object
        Its value.
    minimum : int, default=1
        The smallest value allowed.
    """
    if not isinstance(value, tuple | list) or not all(map(is_integer, value)):
        raise TypeError(
            f"{name} must be a pair (rows, columns) of integers >= {minimum}, got {value!r}."
        )
    if len(value) != 2 or min(value) < minimum:
        raise ValueError(
            f"{name} must be a pair (rows, columns) of integers >= {minimum}, got {value!r}."
        )


def check_bool(name, value):
    """Refuse a parameter that is no boolean.

    Parameters
    ----------
    name : str
        The parameter's name.
    value : object
        Its value.
    """
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {value!r}.")


def check_choice(name, value, allowed):
    """Refuse a parameter that is none of the `allowed` values.

    Parameters
    ----------
    name : str
        The parameter's name.
    value : object
        Its value.
    allowed : sequence
        All values allowed.
    """
    if not any(
        value is choice or (isinstance(value, str) and value == choice) for choice in allowed
    ):
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}.")


def check_share(name, value):
    """Refuse a parameter that is no number above 0 and up to 1.

    Parameters
    ----------
    name : str
        The parameter's name.
    value : object
        Its value.
    """
    wanted = f"{name} must be a number in (0, 1], got {value!r}."
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(wanted)
    if not 0 < value <= 1:
        raise ValueError(wanted)


def check_positive(name, value):
    """Refuse a parameter that is neither None nor a finite number above 0.

    Parameters
    ----------
    name : str
        The parameter's name.
    value : object
        Its value.
    """
    wanted = f"{name} must be None or a finite number > 0, got {value!r}."
    if value is None:
        return
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(wanted)
    if not 0 < value < np.inf:
        raise ValueError(wanted)


def check_scales(name, value):
    """Refuse a parameter that is no tuple of factors of at least 1.

    Parameters
    ----------
    name : str
        The parameter's name.
    value : object
        Its value.
    """
    wanted = f"{name} must be 'auto' or a tuple of numbers >= 1, got {value!r}."
    if not isinstance(value, tuple | list) or not all(
        isinstance(scale, Real) and not isinstance(scale, bool) for scale in value
    ):
        raise TypeError(wanted)
    if not value or not all(1 <= scale < np.inf for scale in value):
        raise ValueError(wanted)


def check_grids(name, value):
    """Refuse a parameter that is neither a pair (rows, columns) nor a sequence of such pairs.

    Parameters
    ----------
    name : str
        The parameter's name.
    value : object
        Its value.
    """
    if isinstance(value, tuple | list) and value and not is_integer(value[0]):
        for i, grid in enumerate(value):
            check_pair(f"{name}[{i}]", grid)
    else:
        check_pair(name, value)
