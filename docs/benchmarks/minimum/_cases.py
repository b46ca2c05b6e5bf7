"""The cases: a loss and a regularizer on some data, and sklin's estimator for them."""

from typing import NamedTuple

from sklin import LinearSVMClassifier, SoftmaxClassifier
from sklin.regularizers import ElasticNet

L1_RATIO = 0.5  # of the elastic net

LOSSES = {
    "softmax": "softmax",
    "weston-watkins": "Weston-Watkins hinge",
    "weston-watkins-squared": "Weston-Watkins squared hinge",
    "crammer-singer": "Crammer-Singer hinge",
    "one-vs-rest": "one-vs-rest hinge",
    "one-vs-rest-squared": "one-vs-rest squared hinge",
}
REGULARIZERS = {"l2": "L2", "l1": "L1", "elasticnet": "elastic net"}


class Case(NamedTuple):
    """What is minimised.

    Parameters
    ----------
    loss : str
        A key of `LOSSES`.
    regularizer : str
        A key of `REGULARIZERS`.
    data : str
        A key of `_data.TITLES`.
    """

    loss: str
    regularizer: str
    data: str

    def __str__(self):
        regularizer = "" if self.regularizer == "l2" else f"-{self.regularizer}"
        return f"{self.loss}{regularizer}-{self.data}"

    @property
    def title(self):
        return f"{LOSSES[self.loss]}, {REGULARIZERS[self.regularizer]}"

    @property
    def fit_intercept(self):
        """Whether there is an intercept: where some peer penalises its own, nobody has one."""
        return self.loss == "softmax"

    def estimator(self, alpha, **parameters):
        """sklin's estimator."""
        regularizer = ElasticNet(L1_RATIO) if self.regularizer == "elasticnet" else self.regularizer
        parameters |= dict(alpha=alpha, regularizer=regularizer, fit_intercept=self.fit_intercept)
        if self.loss == "softmax":
            return SoftmaxClassifier(**parameters)
        multi_class = self.loss.removesuffix("-squared").replace("-", "_")
        loss = "squared_hinge" if self.loss.endswith("-squared") else "hinge"
        return LinearSVMClassifier(loss=loss, multi_class=multi_class, **parameters)


def cases():
    """All cases, in the order of the tables and the picture."""
    smooth = ("digits", "hog", "words", "pixels")
    table = {
        ("softmax", "l2"): (*smooth, "sparse"),
        ("softmax", "l1"): ("hog",),
        ("softmax", "elasticnet"): ("hog",),
        ("weston-watkins-squared", "l2"): ("words", "pixels"),
        ("one-vs-rest-squared", "l2"): ("words", "pixels"),
        ("one-vs-rest", "l2"): ("hog",),
        ("crammer-singer", "l2"): ("digits", "hog", "pixels"),
        ("weston-watkins", "l2"): ("digits", "hog", "pixels"),
    }
    return [Case(*key, data) for key, row in table.items() for data in row]
