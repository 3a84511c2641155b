"""Equal things are recognised, things that differ are told apart, and what cannot be seen into is refused."""

import enum
import functools
import math
import sys
import threading
from dataclasses import dataclass
from types import FunctionType

import numpy as np
import pytest
import torch
from torch import nn

from sparsenn_core.errors import InputError
from sparsenn_core.randomness import generator
from sparsenn_core.training import SGD, cosine, every_epochs, named
from sparsenn_core.training.anatomy import is_library
from sparsenn_core.training.identity import PYTHON, Recognition, difference


def digest(value):
    return Recognition("it").digest(value)


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@dataclass
class Pair:
    first: object
    second: object = None


class Slotted:
    __slots__ = ("inside",)

    def __init__(self, inside):
        self.inside = inside


class Scaled:
    def __init__(self, factor):
        self.factor = factor

    def loss(self, outputs, targets):
        return self.factor * (outputs - targets).square().mean()

    @functools.cached_property
    def doubled(self):
        return 2 * self.factor

    def __getstate__(self):
        return {}


class Hidden(nn.Module):
    """Attributes of every kind that a module may compute with."""

    def __init__(self, slope=0.1, power=2, exponents=(1, 2)):
        super().__init__()
        self.parts = nn.Sequential(nn.Linear(2, 2), nn.LeakyReLU(slope))
        self.power = power
        self.exponents = exponents

    def forward(self, x):
        return self.parts(x) ** self.power


def module(change=lambda net: None, **settings):
    net = Hidden(**settings).to("meta")
    change(net)
    return net


def add_hook(net):
    net.parts[1].register_forward_hook(lambda module, args, output: 2 * output)


def compiled_from(text, name="made", **scope):
    """The function `name` of a program's text, as if it stood in a module."""
    exec(compile(text, "a file", "exec"), scope | {"__name__": "own"}, made := {})
    function = made[name]
    return FunctionType(function.__code__, scope | made | {"__name__": "own"}, name, function.__defaults__)


def scaling(factor):
    return lambda outputs, targets: factor * (outputs - targets).square().mean()


@torch.no_grad()
def watched(moment, scale=1):
    return {}


ONE = "def helper(x): return x + 1\ndef made(x): return helper(x)"
TWO = "def helper(x): return x + 2\ndef made(x): return helper(x)"

# each: how to make a thing, called twice for two equal ones, and how to make another
PAIRS = {
    "number types": (lambda: 1, lambda: 1.0),
    "truth and number": (lambda: 1, lambda: True),
    "signs of zero": (lambda: 0.0, lambda: -0.0),
    "not a number": (lambda: math.nan, lambda: math.inf),
    "text and bytes": (lambda: "1", lambda: b"1"),
    "where texts end": (lambda: ["ab", "c"], lambda: ["a", "bc"]),
    "where lists end": (lambda: [[1], 2], lambda: [[1, 2]]),
    "tuples and lists": (lambda: (1, 2), lambda: [1, 2]),
    "keys": (lambda: {"a": 1}, lambda: {"b": 1}),
    "sets": (lambda: {"a", "b", "c"}, lambda: {"a", "b", "d"}),
    "ranges": (lambda: range(3), lambda: range(4)),
    "enums": (lambda: Colour.RED, lambda: Colour.BLUE),
    "dtypes": (lambda: torch.float32, lambda: torch.float64),
    "devices": (lambda: torch.device("cpu"), lambda: torch.device("meta")),
    "tensors": (lambda: torch.tensor([1.0, 2.0]), lambda: torch.tensor([1.0, 3.0])),
    "types of tensors": (lambda: torch.zeros(2), lambda: torch.zeros(2, dtype=torch.float64)),
    "shapes": (lambda: torch.zeros(2, 3), lambda: torch.zeros(3, 2)),
    "strides are not shapes": (lambda: torch.arange(6).view(2, 3).T, lambda: torch.arange(6).view(3, 2)),
    "arrays": (lambda: np.arange(3.0), lambda: np.arange(3)),
    "generators": (lambda: generator(0, "order"), lambda: generator(1, "order")),
    "dataclasses": (lambda: Pair(1, [2]), lambda: Pair(1, [3])),
    "slots": (lambda: Slotted(1), lambda: Slotted(2)),
    "objects that hide": (lambda: Scaled(1), lambda: Scaled(2)),
    "bound methods": (lambda: Scaled(1).loss, lambda: Scaled(2).loss),
    "methods of tensors": (lambda: torch.zeros(2).add, lambda: torch.ones(2).add),
    "methods of what is empty": (lambda: [].count, lambda: [1].count),
    "partials": (lambda: functools.partial(watched, scale=1), lambda: functools.partial(watched, scale=2)),
    "modules as losses": (lambda: nn.HuberLoss(delta=1.0), lambda: nn.HuberLoss(delta=5.0)),
    "weights of losses": (
        lambda: nn.CrossEntropyLoss(torch.ones(2)),
        lambda: nn.CrossEntropyLoss(torch.tensor([1.0, 2.0])),
    ),
    "schedules": (lambda: cosine(20), lambda: cosine(1000)),
    "closures": (lambda: scaling(1), lambda: scaling(2)),
    "lambdas": (lambda: [lambda x: x + 1], lambda: [lambda x: x + 2]),
    "defaults": (lambda: compiled_from("def made(x=1): return x"), lambda: compiled_from("def made(x=2): return x")),
    "helpers": (lambda: compiled_from(ONE), lambda: compiled_from(TWO)),
    "inner functions": (
        lambda: compiled_from("def made(x): return [y + 1 for y in x]"),
        lambda: compiled_from("def made(x): return [y + 2 for y in x]"),
    ),
    "globals": (
        lambda: compiled_from("def made(x): return x * scale", scale=1),
        lambda: compiled_from("def made(x): return x * scale", scale=2),
    ),
    "torch functions": (lambda: torch.tanh, lambda: torch.sin),
    "decorated": (lambda: watched, lambda: torch.no_grad()(lambda moment: {})),
    "optimizers": (lambda: SGD(torch.tensor([0.1, 0.2])), lambda: SGD(torch.tensor([0.1, 0.3]))),
    "observers": (lambda: every_epochs(watched, 2), lambda: every_epochs(watched, 3)),
    "slopes": (module, lambda: module(slope=0.2)),
    "constants": (module, lambda: module(power=3)),
    "tuples in modules": (module, lambda: module(exponents=(1, 3))),
    "training mode": (module, lambda: module(lambda net: net.eval())),
    "hooks": (module, lambda: module(add_hook)),
    "parts": (module, lambda: module(lambda net: net.parts.append(nn.Tanh()))),
    "exchanged parts": (module, lambda: module(lambda net: setattr(net.parts, "1", nn.ELU(0.1)))),
}


@pytest.mark.parametrize(("make", "make_other"), PAIRS.values(), ids=PAIRS)
def test_equal_is_recognised_and_different_is_told_apart(make, make_other):
    assert digest(make()) == digest(make())
    assert digest(make()) != digest(make_other())


def test_an_edited_forward_is_noticed():
    class Edited(Hidden):
        def forward(self, x):
            return self.parts(x) ** self.power + 1

    Edited.__qualname__, Edited.__module__ = Hidden.__qualname__, Hidden.__module__
    assert digest(Edited().to("meta")) != digest(module())


def test_a_function_is_the_same_after_it_has_run_and_wherever_its_text_stands():
    """Python rewrites the bytecode of functions that run often."""
    function = compiled_from(ONE)
    before = digest(function)
    for _ in range(1000):
        function(1)
    assert digest(function) == before == digest(compiled_from("# a comment\n\n" + ONE))


def test_what_an_object_works_out_when_first_asked_does_not_count():
    asked = Scaled(1)
    assert asked.doubled == 2
    assert digest(asked) == digest(Scaled(1))


def test_a_helper_in_another_module_counts():
    """`import mine` and `mine.helper(x)`: the function is found through the module."""

    def using(text):
        mine = type(math)("mine")
        mine.helper = compiled_from(text, "helper")
        return compiled_from("def made(x): return mine.helper(x)", mine=mine)

    assert digest(using(ONE)) == digest(using(ONE)) != digest(using(TWO))


def test_an_own_module_called_as_one_of_pythons_counts_by_its_code(monkeypatch):
    """`token.py` of one's own hides Python's."""
    assert is_library("token")
    token = type(math)("token")
    token.__file__ = "token.py"
    monkeypatch.setitem(sys.modules, "token", token)
    assert not is_library("token")
    assert is_library("torch.nn")
    assert is_library("builtins")
    assert not is_library("sparsenn_core.training")


def test_circles_end():
    circle = [1]
    circle.append(circle)
    other = [2]
    other.append(other)
    assert digest(circle) != digest(other)
    assert digest(compiled_from("def made(x): return made(x - 1) if x else 0"))


@pytest.mark.parametrize(
    ("holding", "where"),
    [
        (threading.Lock, "lock"),
        (lambda: (n for n in range(3)), "generator"),
        (lambda: torch.eye(2).to_sparse(), "sparse"),
    ],
)
def test_what_cannot_be_recognised_is_refused_but_may_be_named(holding, where):
    held = holding()

    def measure(moment):
        return {"it": held}

    with pytest.raises(InputError, match=rf"^observers, .*measure, .*held: .*{where}.*named\(.*$"):
        Recognition("observers").digest(every_epochs(measure))
    by_name = digest(every_epochs(named("a", measure)))
    assert by_name == digest(every_epochs(named("a", watched))) != digest(every_epochs(named("b", measure)))


def test_what_is_nested_too_deep_is_refused():
    deep = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(InputError, match="too deep"):
        digest(deep)


def test_a_named_function_computes_what_it_names():
    assert named("loss", scaling(3))(torch.ones(2), torch.zeros(2)) == 3
    with pytest.raises(InputError, match="not ''"):
        named("", watched)
    with pytest.raises(InputError, match="takes a function, not 3"):
        named("three", 3)


def test_only_bytecode_hangs_on_the_version_of_python():
    plain, code = Recognition("it"), Recognition("it")
    plain.digest([1, "a", torch.ones(2), nn.Linear(2, 2), torch.tanh])
    code.digest([scaling(1)])
    assert not plain.of_code
    assert code.of_code


def test_differences_are_named():
    own = {"network": "1", "loss": "2", "targets": "3"}
    assert difference(own, own) == ""
    assert difference(own | {"loss": "9", "targets": "9"}, own) == "another loss, other targets"
    assert difference(own | {"hooks": "9"}, own) == "another hooks"
    assert difference(own | {PYTHON: "3.11"}, own) == ""
    assert "Python (3.11, this is 3.12)" in difference(own | {PYTHON: "3.11", "loss": "9"}, own | {PYTHON: "3.12"})
