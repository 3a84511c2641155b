"""Training near a teacher in closed form: the network replaced by its linearization there (Gauss-Newton)."""

from sparsenn_core.linearized.curves import Linearization, TurningPoint, turning_point
from sparsenn_core.linearized.jacobian import fisher_distance, jacobian, spectrum

__all__ = [
    "Linearization",
    "TurningPoint",
    "fisher_distance",
    "jacobian",
    "spectrum",
    "turning_point",
]
