"""What need not be checked: plain arrays that scikit-learn's validation leaves as they are."""

import numpy as np


def is_valid(estimator, X, dtypes):
    """Whether `validate_data` would return ``X`` as it is, for an estimator that is fitted.

    It asks libraries of data frames, tags and the configuration first, 100 us for an array of any
    size: as long as a histogram of gradients takes.

    Parameters
    ----------
    estimator : estimator
        What ``X`` is for.
    X : object
        Anything.
    dtypes : sequence of dtypes
        What ``X`` may be.

    Returns
    -------
    bool
        False if in doubt: `validate_data` will then say what is wrong, if anything is.
    """
    if type(X) is not np.ndarray or X.ndim != 2 or len(X) == 0 or X.dtype not in dtypes:
        return False
    # Of an estimator that has seen names, validate_data warns that they are missing.
    if X.shape[1] != vars(estimator).get("n_features_in_") or hasattr(
        estimator, "feature_names_in_"
    ):
        return False
    if X.dtype.kind != "f":
        return True
    with np.errstate(all="ignore"):
        return bool(np.isfinite(X.sum()))  # a sum that overflows is in doubt
