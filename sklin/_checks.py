"""What need not be checked, and what scikit-learn's checks would not know how to name."""

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


def refuse_images(estimator, X):
    """Say what to do with images where rows of features are expected.

    Parameters
    ----------
    estimator : estimator
        What ``X`` was given to.
    X : object
        Anything.

    Raises
    ------
    ValueError
        If ``X`` is an array of more than two axes, or a list of arrays of two or more.
    """
    first = X[0] if isinstance(X, list | tuple) and X else None
    ndim = getattr(X, "ndim", 0)
    if isinstance(first, np.ndarray) and first.ndim > 1:
        found, flat = (
            f"a list of arrays, the first of shape {first.shape}",
            "[x.ravel() for x in X]",
        )
    elif isinstance(ndim, int) and ndim > 2:
        found, flat = f"array with dim {ndim}", "X.reshape(len(X), -1)"
    else:
        return
    raise ValueError(
        f"Found {found}, while dim <= 2 is required by {type(estimator).__name__}: a row of "
        "features for each sample. Make features of images first, make_pipeline(HOG(), "
        f"StandardScaler(), {type(estimator).__name__}()), or take the pixels as rows, {flat}."
    )
