"""Which optimizer serves which loss and regularizer: derived from what each of them declares."""

from __future__ import annotations

from typing import NamedTuple

from sklin.optimizers._admm import ADMM
from sklin.optimizers._base import in_a_line
from sklin.optimizers._gradient import GradientDescent
from sklin.optimizers._minibatch import SGD, AdaGrad, Adam
from sklin.optimizers._newton import LBFGS, Newton
from sklin.optimizers._proximal import ProximalGradient
from sklin.optimizers._proximal_newton import ProximalNewton
from sklin.optimizers._search import RandomLocalSearch, RandomSearch

OPTIMIZERS = {
    "random_search": RandomSearch,
    "random_local_search": RandomLocalSearch,
    "gradient_descent": GradientDescent,
    "sgd": SGD,
    "adagrad": AdaGrad,
    "adam": Adam,
    "lbfgs": LBFGS,
    "newton": Newton,
    "admm": ADMM,
    "proximal_gradient": ProximalGradient,
    "proximal_newton": ProximalNewton,
}


def serving(loss, regularizer):
    """Names of the optimizers that serve a loss and a regularizer at their default parameters.

    Parameters
    ----------
    loss : Loss
        The loss.
    regularizer : Regularizer
        The regularizer.

    Returns
    -------
    list of str
        Keys of ``OPTIMIZERS``.
    """
    return [name for name, kind in OPTIMIZERS.items() if not kind().missing(loss, regularizer)]


def advice(loss, regularizer):
    """A sentence that names the optimizers that would serve."""
    # Random searches always would, and are no advice.
    names = [repr(name) for name in serving(loss, regularizer) if not name.startswith("random")]
    if not names and not GradientDescent(0.01).missing(loss, regularizer):
        return "Use optimizer=GradientDescent(learning_rate=...), which follows a subgradient."
    if not names:
        return "No optimizer by name serves the two together, but a random search."
    return f"Use optimizer='auto' or one of {', '.join(names)}."


class Cell(NamedTuple):
    """One cell of the compatibility table.

    Parameters
    ----------
    loss : Loss
        The loss.
    regularizer : Regularizer
        The regularizer.
    optimizer : Optimizer
        The optimizer.
    missing : str
        A clause that names what the optimizer lacks to serve the two; empty if nothing.
    """

    loss: object
    regularizer: object
    optimizer: object
    missing: str


def objects(components):
    """The components of an iterable; a class stands for its object with default parameters."""
    return [part() if isinstance(part, type) else part for part in components]


def compatibility(losses, regularizers, optimizers=None):
    """Which optimizer serves which loss and regularizer, as they declare it.

    Parameters
    ----------
    losses : iterable of Loss
        The losses. Here as below, a class stands for its object with default parameters.
    regularizers : iterable of Regularizer
        The regularizers.
    optimizers : iterable of Optimizer, default=None
        The optimizers. None stands for all of ``OPTIMIZERS`` and, since it needs less,
        `GradientDescent` with a learning rate.

    Returns
    -------
    list of Cell
        A cell for each optimizer, regularizer and loss, the losses running fastest.

    See Also
    --------
    compatibility_table : The same as text.
    serving : Names of the optimizers that serve one loss and regularizer.

    Examples
    --------
    >>> from sklin.losses import WestonWatkins
    >>> from sklin.optimizers import GradientDescent, compatibility
    >>> from sklin.regularizers import L1, L2
    >>> plain = GradientDescent(learning_rate=0.01)
    >>> for cell in compatibility([WestonWatkins], [L1, L2], [GradientDescent, plain]):
    ...     print(cell.regularizer, cell.optimizer, "-", cell.missing or "serves")
    L1() GradientDescent() - needs a smooth loss, and WestonWatkins() has kinks
    L2() GradientDescent() - needs a smooth loss, and WestonWatkins() has kinks
    L1() GradientDescent(learning_rate=0.01) - serves
    L2() GradientDescent(learning_rate=0.01) - serves
    """
    if optimizers is None:
        optimizers = objects(OPTIMIZERS.values())
        searching = [type(optimizer) for optimizer in optimizers].index(GradientDescent)
        optimizers.insert(searching + 1, GradientDescent(learning_rate=0.01))
    losses, regularizers = objects(losses), objects(regularizers)
    return [
        Cell(loss, regularizer, optimizer, optimizer.missing(loss, regularizer))
        for optimizer in objects(optimizers)
        for regularizer in regularizers
        for loss in losses
    ]


def compatibility_table(losses, regularizers, optimizers=None):
    """The compatibility of losses, regularizers and optimizers as a table of plain text.

    Parameters
    ----------
    losses, regularizers, optimizers : iterables
        As of `compatibility`.

    Returns
    -------
    str
        A row for each optimizer, a column for each regularizer. An entry tells the losses that are
        served: "all"; "smooth", those without kinks; "-", none; or else their names.

    Examples
    --------
    >>> from sklin.losses import CrossEntropy, WestonWatkins
    >>> from sklin.optimizers import LBFGS, ProximalGradient, GradientDescent, compatibility_table
    >>> from sklin.regularizers import L1, L2
    >>> optimizers = [LBFGS, ProximalGradient, GradientDescent]
    >>> print(compatibility_table([CrossEntropy, WestonWatkins], [L2, L1], optimizers))
                        L2      L1
    LBFGS()             all     -
    ProximalGradient()  all     all
    GradientDescent()   smooth  -
    """
    rows = {}
    for cell in compatibility(losses, regularizers, optimizers):
        row = rows.setdefault(in_a_line(cell.optimizer), {})
        row.setdefault(in_a_line(cell.regularizer), []).append(cell)
    lines = [["", *next(iter(rows.values()), {})]]
    # Defaults are named without the empty brackets that a row keeps, which is code to copy.
    lines[0] = [name.removesuffix("()") for name in lines[0]]
    lines += [[name, *map(losses_served, row.values())] for name, row in rows.items()]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def losses_served(cells):
    """In a word, the losses that are served of some cells that differ in the loss alone."""
    served = [cell.loss for cell in cells if not cell.missing]
    if len(served) == len(cells):
        return "all"
    if served and served == [cell.loss for cell in cells if cell.loss.smooth]:
        return "smooth"
    return ", ".join(map(in_a_line, served)) or "-"
