"""Names of scikit-learn that are private or not in all its releases, in one place."""

from sklearn.utils.validation import _check_sample_weight as check_sample_weight

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before 1.9: no callbacks can be set, so there are none to be called

    class CallbackSupportMixin:
        """Stands in for scikit-learn's, without ``set_callbacks``."""

    def with_callbacks(method):
        """Return the method itself."""
        return method


__all__ = ["CallbackSupportMixin", "callback_context", "check_sample_weight", "with_callbacks"]


def callback_context(estimator, max_subtasks):
    """Root context of a fit for scikit-learn's callbacks, or None where there are none.

    Parameters
    ----------
    estimator : estimator
        The estimator whose fit begins.
    max_subtasks : int
        Largest number of iterations.

    Returns
    -------
    CallbackContext or None
        The context.
    """
    if not getattr(estimator, "_skl_callbacks", None):
        return None
    return estimator._init_callback_context(max_subtasks=max_subtasks)
