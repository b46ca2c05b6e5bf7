"""The laws that every component obeys, for components of your own.

A loss or a regularizer that you wrote passes `check_loss` or `check_regularizer`, or is told in one
sentence which law it breaks, where, and by how much. The components of this package are held by
the same functions.
"""

from sklin.testing._losses import check_loss
from sklin.testing._optimizers import check_optimizer
from sklin.testing._regularizers import check_regularizer

__all__ = ["check_loss", "check_optimizer", "check_regularizer"]
