"""What losses, regularizers and optimizers share: parameters, and being given by name."""

import numpy as np
import pytest
from sklearn.base import clone

from sklin._component import Component, check_choice, check_number, resolve


class Wheel(Component):
    def __init__(self, size=1.0):
        self.size = size

    def check_parameters(self):
        check_number("size", self.size, low=0, closed="neither")


class Cart(Component):
    def __init__(self, wheel=None):
        self.wheel = wheel


PARTS = {"wheel": Wheel, "cart": Cart}


def test_parameters():
    wheel = Wheel(size=2)
    assert wheel.get_params() == {"size": 2}
    assert wheel.set_params(size=3) is wheel and wheel.size == 3
    copy = clone(wheel)
    assert copy is not wheel and copy.size == 3
    assert repr(wheel) == "Wheel(size=3)" and repr(Wheel()) == "Wheel()"


def test_nested_parameters():
    cart = Cart(Wheel())
    assert cart.set_params(wheel__size=5).wheel.size == 5
    assert clone(cart).wheel is not cart.wheel


def test_constructors_only_store():
    wheel = Wheel(size=-1)
    assert wheel.size == -1
    with pytest.raises(ValueError, match="size"):
        wheel.check_parameters()
    Component().check_parameters()


@pytest.mark.parametrize(
    "value, limits",
    [
        (0, {"low": 0}),
        (0, {"low": 0, "closed": "both"}),
        (1, {"low": 0, "high": 1, "closed": "right"}),
        (0.5, {"low": 0, "high": 1, "closed": "neither"}),
        (np.float32(0.5), {"low": 0}),
        (np.int64(3), {"low": 1, "integer": True}),
        (3, {"low": 3, "integer": True}),
        (float("inf"), {"low": 0, "closed": "both"}),
    ],
)
def test_number_is_good(value, limits):
    check_number("size", value, **limits)


@pytest.mark.parametrize(
    "value, limits, error, interval",
    [
        (-1, {"low": 0}, ValueError, r"a number in \[0, inf\)"),
        (0, {"low": 0, "closed": "neither"}, ValueError, r"a number in \(0, inf\)"),
        (0, {"low": 0, "high": 1, "closed": "right"}, ValueError, r"a number in \(0, 1\]"),
        (1, {"low": 0, "high": 1}, ValueError, r"a number in \[0, 1\)"),
        (2, {"low": 0, "high": 1, "closed": "both"}, ValueError, r"a number in \[0, 1\]"),
        (float("nan"), {"low": 0, "closed": "both"}, ValueError, "nan"),
        (float("inf"), {"low": 0}, ValueError, "inf"),
        (True, {"low": 0}, TypeError, "a bool"),
        (np.True_, {"low": 0}, TypeError, "a bool"),
        ("1", {"low": 0}, TypeError, "'1', a str"),
        (None, {"low": 0}, TypeError, "a NoneType"),
        (1j, {"low": 0}, TypeError, "a complex"),
        (np.ones(2), {"low": 0}, TypeError, "a ndarray"),
        (1.5, {"low": 1, "integer": True}, TypeError, r"an integer in \[1, inf\)"),
        (0, {"low": 1, "integer": True}, ValueError, r"an integer in \[1, inf\)"),
    ],
)
def test_number_is_bad(value, limits, error, interval):
    with pytest.raises(error, match=f"size must be .*{interval}"):
        check_number("size", value, **limits)


def test_choice():
    check_choice("loss", "hinge", ("hinge", "squared_hinge"))
    for bad in ("log", None, 1, ["hinge"], b"hinge"):
        with pytest.raises(ValueError, match="loss must be one of 'hinge', 'squared_hinge'; got"):
            check_choice("loss", bad, ("hinge", "squared_hinge"))


def test_resolve_takes_names_and_objects():
    new = resolve("part", "wheel", PARTS, Component)
    assert isinstance(new, Wheel) and new.size == 1
    assert resolve("part", "wheel", PARTS, Component) is not new
    mine = Wheel(size=7)
    assert resolve("part", mine, PARTS, Component) is mine


@pytest.mark.parametrize(
    "value, error, message",
    [
        ("sail", ValueError, "part must be one of 'wheel', 'cart'; got 'sail'"),
        (None, TypeError, "part must be one of 'wheel', 'cart' or a Wheel object; got None"),
        (3, TypeError, "got 3, a int"),
        (Cart(), TypeError, "or a Wheel object; got Cart"),
        (Wheel, TypeError, "It is a class: give an instance of it"),
        (Wheel(size=-1), ValueError, r"size must be a number in \(0, inf\); got -1"),
    ],
)
def test_resolve_refuses(value, error, message):
    with pytest.raises(error, match=message):
        resolve("part", value, PARTS, Wheel)
