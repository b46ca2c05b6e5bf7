"""Every default is the documented one, and every number is held to its documented interval."""

import ast
import inspect
import re

import pytest

import sklin
from sklin.losses import LOSSES, CrossEntropy
from sklin.optimizers import (
    ADMM,
    LBFGS,
    OPTIMIZERS,
    SGD,
    AdaGrad,
    Adam,
    ConstantRate,
    CosineDecay,
    InverseDecay,
    Newton,
    ProximalGradient,
    ProximalNewton,
    RandomLocalSearch,
    RandomSearch,
    StepDecay,
)
from sklin.regularizers import REGULARIZERS

CLASSES = [
    *LOSSES.values(),
    CrossEntropy,
    *REGULARIZERS.values(),
    *OPTIMIZERS.values(),
    ConstantRate,
    StepDecay,
    InverseDecay,
    CosineDecay,
    *(getattr(sklin, name) for name in sklin.__all__ if inspect.isclass(getattr(sklin, name))),
]


def documented_defaults(kind):
    """What the section Parameters of a docstring says of ``name : type, default=value``."""
    for names, values in re.findall(
        r"^    (\w+(?:, \w+)*) : .*?default=(.+)$", kind.__doc__, re.MULTILINE
    ):
        values = ast.literal_eval(values)
        yield from zip(names.split(", "), values if ", " in names else (values,), strict=True)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_the_defaults_are_the_documented_ones(kind):
    required = [
        name
        for name, parameter in inspect.signature(kind).parameters.items()
        if parameter.default is parameter.empty
    ]
    if required:
        pytest.fail(f"{kind.__name__} cannot be made without {required}")
    documented = dict(documented_defaults(kind))
    assert documented == kind().get_params(deep=False)


# The smallest number that is allowed, if the end belongs to the interval, and numbers beyond it.
INTERVALS = [
    (ADMM, "rho", [1e-3, 1, 10.0], [0, -1]),
    (ADMM, "relaxation", [1e-3, 1, 1.99], [0, 2, -1]),
    (ADMM, "turns", [1, 7], [0, 1.5]),
    (LBFGS, "memory", [1, 7], [0, -1, 1.5, True]),
    (Newton, "warm_up", [0, 3], [-1, 0.5]),
    (Newton, "max_direct", [0, 3], [-1, 0.5]),
    (Newton, "max_cg", [1, 3], [0, 1.5]),
    (ProximalNewton, "memory", [1, 7], [0, 1.5]),
    (ProximalNewton, "max_inner", [1, 7], [0, 1.5]),
    (ProximalNewton, "max_cg", [1, 7], [0, 1.5]),
    (ProximalNewton, "max_finish", [0, 7], [-1, 0.5]),
    (ProximalGradient, "max_finish", [0, 7], [-1, 0.5]),
    (RandomSearch, "scale", [0, 2], [-1]),
    (RandomSearch, "patience", [1, None], [0, 1.5]),
    (RandomLocalSearch, "scale", [0, 2], [-1]),
    (RandomLocalSearch, "start_scale", [0, 2], [-1]),
    (RandomLocalSearch, "acceptance", [0, 0.5], [-0.1, 1.5]),
    (RandomLocalSearch, "patience", [1, None], [0, 1.5]),
    *((kind, "batch_size", [1, 9], [0, 1.5]) for kind in (SGD, AdaGrad, Adam)),
    (SGD, "momentum", [0, 0.99], [-0.1, 1]),
    (AdaGrad, "epsilon", [1e-300, 0.5], [0, -1]),
    (Adam, "epsilon", [1e-300, 0.5], [0, -1]),
    (Adam, "beta1", [0, 0.99], [-0.1, 1]),
    (Adam, "beta2", [0, 0.99], [-0.1, 1]),
    *(
        (kind, "learning_rate", [1e-300, 2.0], [0, -1])
        for kind in (ConstantRate, StepDecay, InverseDecay, CosineDecay)
    ),
    (StepDecay, "factor", [1e-3, 1], [0, 1.1]),
    (StepDecay, "every", [1e-3, 5], [0, -1]),
    (InverseDecay, "decay", [0, 5], [-1]),
    (InverseDecay, "power", [0, 2], [-1]),
    (CosineDecay, "n_iter", [0.5, 5], [0, -1]),
    (CosineDecay, "final", [0, 5e-3], [-1]),
]


@pytest.mark.parametrize(
    "kind, name, good, bad",
    INTERVALS,
    ids=[f"{kind.__name__}-{name}" for kind, name, *_ in INTERVALS],
)
def test_numbers_are_held_to_their_intervals(kind, name, good, bad):
    for value in good:
        kind(**{name: value}).check_parameters()
    for value in [*bad, float("nan"), "1", [1]]:
        with pytest.raises((ValueError, TypeError), match=rf"\b{name}\b"):
            kind(**{name: value}).check_parameters()


@pytest.mark.parametrize("kind", [*OPTIMIZERS.values(), StepDecay, InverseDecay, CosineDecay])
def test_every_number_has_its_interval(kind):
    """None of the table above is forgotten."""
    asked = {name for other, name, *_ in INTERVALS if other is kind}
    numbers = {
        name
        for name, value in kind().get_params(deep=False).items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }
    # A learning rate may be a schedule; test_schedules.py asks.
    assert numbers - asked <= {"learning_rate"}
