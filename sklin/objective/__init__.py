r"""The objective: mean loss over the samples plus alpha times the regularizer.

.. math:: F(W, b) = \sum_i w_i \, l(W x_i + b,\; y_i) + \alpha R(W), \qquad \sum_i w_i = 1

Vocabulary. ``params`` is one float64 array (n_classes, n_features + 1), the intercept last (absent
without intercept; never in R). A *pass* is one product of all the samples with n_classes vectors;
passes are what a fit costs, so they are counted. Scores are linear in the parameters, so an
`Evaluation` keeps them, and a whole line search along a direction costs one pass.

Everything an optimizer asks of the data is a sum over samples: the value, the gradient ``dual' X``,
the Hessian product, the second moments ``X' X``, the sums of each class.
"""

from sklin.objective._certificate import Certificate
from sklin.objective._evaluation import Evaluation
from sklin.objective._objective import Objective
from sklin.objective._samples import Samples

__all__ = ["Certificate", "Evaluation", "Objective", "Samples"]
