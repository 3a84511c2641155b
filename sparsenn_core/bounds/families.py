"""What a bound is, and the two ways in which a complexity becomes a bound on errors with confidence.

err_P is the error on new samples, err_S^gamma the share of training samples with a margin below gamma. The ramp loss
with margin gamma is (sqrt 2 / gamma)-Lipschitz in the outputs' Euclidean norm, so that vector contraction (Maurer 2016)
gives 2 R(ramp o F) <= (4 / gamma) R_vec(F); for one output it is (2 / gamma) R(F).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from sparsenn_core.bounds.measured import Measured, log

CERTIFICATE = "certificate"
RADII = "a-priori radii"
UNSPECIFIED = "unspecified constant"
MEASURE = "measure"
INVALID = "not valid"
KINDS = (CERTIFICATE, RADII, UNSPECIFIED, MEASURE, INVALID)
"""What a number is: it holds with probability 1 - delta for the trained network as it is; it holds for networks whose
norms were promised before training to be at most what they turned out to be; the theorem has a constant that nobody
has written down, drawn as 1; a quantity that no theorem makes a bound; a formula that does not hold in general."""

RATIO = 1.1  # of neighbouring radii of the geometric grid
LOWEST = 1000  # its power for a network with rho = 0: a radius of 4e-42


@dataclass(frozen=True)
class Bound:
    """A bound on err_P - err_S^gamma.

    log_value    the natural logarithm of its value
    norm         which norm of which matrix
    assumptions  what has to hold beside the network's form
    citation     who, where, which theorem
    covers       why it says nothing of a network; empty if it does
    """

    name: str
    kind: str
    log_value: Callable[[Measured], float]
    norm: str
    assumptions: str
    citation: str
    covers: Callable[[Measured], str]


def relu_chain(m: Measured) -> str:
    """For bounds on ReLU networks without biases."""
    return m.network.uncovered()


def hidden_chain(m: Measured) -> str:
    """For bounds that ask for a hidden layer as well."""
    return m.network.uncovered(hidden=1)


def loss_factor(m: Measured) -> float:
    """4 / gamma for classes, 2 / gamma for one output."""
    return (4 if m.classes > 1 else 2) / m.gamma


def log_classes(m: Measured) -> float:
    """log C, the price of independent signs for every class; 0 for one output."""
    return math.log(m.classes)


def add(*logs: float) -> float:
    """The logarithm of the sum of numbers with these logarithms."""
    top = max(logs)
    return top if math.isinf(top) else top + math.log(sum(math.exp(one - top) for one in logs))


def over_all_radii(m: Measured, log_rho: float, log_kappa: float, factor: float | None = None) -> float:
    """log of factor (rho + 1) kappa + 3 sqrt(log(2 (rho + 2)^2 / delta) / 2n): a bound for all rho at once.

    Given R(F_rho) <= rho kappa for every rho. Radii t = 1, 2, ... get delta / t(t + 1) each, and rho <= t <= rho + 1.
    """
    factor = loss_factor(m) if factor is None else factor
    confidence = math.log(2 / m.delta) + 2 * add(log_rho, math.log(2))
    return add(math.log(factor) + add(log_rho, 0.0) + log_kappa, math.log(3) + log(confidence / (2 * m.n)) / 2)


def over_geometric_radii(m: Measured, log_rho: float, log_kappa: float) -> float:
    """The same with radii 1.1^k for all whole k, which get 2/3 delta / (|k| + 1)(|k| + 2): no floor where rho is small.

    The sum over k of 1 / (|k| + 1)(|k| + 2) is 3/2. A network with rho = 0 is constant, and its gap is that of one.
    """
    k = math.ceil(log_rho / math.log(RATIO) - 1e-12) if math.isfinite(log_rho) else -LOWEST
    share = 2 / 3 / ((abs(k) + 1) * (abs(k) + 2))
    confidence = math.log(2 / (share * m.delta))
    return add(
        math.log(loss_factor(m)) + k * math.log(RATIO) + log_kappa, math.log(3) + log(confidence / (2 * m.n)) / 2
    )


def of_class(m: Measured, log_rademacher: float) -> float:
    """log of 2 R + 3 sqrt(log(2 / delta) / 2n): for one class, fixed before the data were seen."""
    return add(math.log(2) + log_rademacher, math.log(3) + math.log(math.log(2 / m.delta) / (2 * m.n)) / 2)
