"""Estimators that are fitted and right, or as they were."""

from functools import wraps


def all_or_nothing(method):
    """Make a method leave its estimator as it was if it ends by an error or an interrupt.

    The method replaces attributes, and changes none in place, or they could not be brought back.
    A warning that is turned into an error undoes nothing: it speaks of what was fitted.

    Parameters
    ----------
    method : callable
        A method that fits.

    Returns
    -------
    callable
        The same, of one more frame on the stack.
    """

    @wraps(method)
    def wrapped(self, *args, **kwargs):
        before = dict(vars(self))
        try:
            return method(self, *args, **kwargs)
        except Warning:
            raise
        except BaseException:
            after = vars(self)
            after.clear()
            after.update(before)
            raise

    return wrapped
