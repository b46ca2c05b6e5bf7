"""The private names of scikit-learn that are needed anyway, in one place."""

from sklearn.utils.validation import _check_sample_weight as check_sample_weight

__all__ = ["check_sample_weight"]
