"""What an earlier comparison of the same methods recorded.

It was made once for this book, by other code: 2,000 steps of 128 samples, Adam with one learning rate for all methods,
means of three runs, the first layer sparse. Spreads (standard deviations) were written down for some cells only.
"""

from __future__ import annotations

import math

SPARSITIES = (0.5, 0.8, 0.9, 0.95, 0.98)
MEANS: dict[str, dict[str, tuple[float, ...]]] = {
    "linear": {
        "as in the study": (0.0256, 0.0641, 0.0362, 1.83, 6.84),
        "random": (0.0463, 0.0809, 0.0504, 1.14, 5.26),
        "one-shot": (0.0370, 0.1008, 0.1230, 0.886, 5.43),
        "gradual": (0.0323, 0.0635, 0.0572, 0.0878, 3.28),
        "SET": (0.0377, 0.0690, 0.0527, 0.0470, 4.19),
        "RigL": (0.0312, 0.0656, 0.0596, 0.0335, 0.780),
        "edge-popup": (0.115, 0.217, 0.645, 1.76, 7.83),
        "straight-through": (0.0214, 0.0830, 0.199, 0.675, 0.231),
        "soft": (0.0219, 0.0467, 0.0550, 0.0320, 0.850),
    },
    "nonlinear": {
        "as in the study": (0.0681, 0.0481, 0.0811, 0.401, 0.511),
        "random": (0.0767, 0.0632, 0.0977, 0.410, 0.547),
        "one-shot": (0.229, 0.0601, 0.0363, 0.0384, 0.0196),
        "gradual": (0.229, 0.0507, 0.0378, 0.0251, 0.0171),
        "SET": (0.0753, 0.0335, 0.0361, 0.0627, 0.414),
        "RigL": (0.0850, 0.0534, 0.0357, 0.0374, 0.0621),
        "edge-popup": (0.782, 0.407, 0.302, 0.288, 0.388),
        "straight-through": (0.0618, 0.0422, 0.0215, 0.0204, 0.0232),
        "soft": (0.0904, 0.0485, 0.0325, 0.0178, 0.0128),
    },
    # shares of wrong digits; recorded were the shares of right ones, to three digits
    "digits": {
        "as in the study": (0.017, 0.021, 0.021, 0.027, 0.045),
        "random": (0.015, 0.023, 0.020, 0.028, 0.039),
        "one-shot": (0.018, 0.019, 0.025, 0.025, 0.035),
        "gradual": (0.017, 0.017, 0.022, 0.027, 0.035),
        "SET": (0.020, 0.022, 0.022, 0.028, 0.033),
        "RigL": (0.020, 0.018, 0.021, 0.027, 0.034),
        "edge-popup": (0.017, 0.021, 0.025, 0.029, 0.045),
        "straight-through": (0.019, 0.021, 0.020, 0.027, 0.032),
        "soft": (0.017, 0.018, 0.021, 0.021, 0.030),
    },
}
SPREADS: dict[tuple[str, str, float], float] = {
    ("linear", "as in the study", 0.9): 0.012,
    ("linear", "as in the study", 0.95): 0.53,
    ("linear", "as in the study", 0.98): 2.5,
    ("linear", "random", 0.95): 0.04,
    ("linear", "random", 0.98): 1.7,
    ("linear", "gradual", 0.98): 1.9,
    ("linear", "RigL", 0.95): 0.008,
    ("linear", "RigL", 0.98): 0.63,
    ("linear", "straight-through", 0.98): 0.12,
    ("linear", "soft", 0.95): 0.015,
    ("linear", "soft", 0.98): 0.59,
    ("nonlinear", "soft", 0.98): 0.003,
    ("digits", "soft", 0.98): 0.009,
}


def recorded(task: str, method: str, sparsity: float) -> tuple[float, float] | None:
    """The recorded mean error and its spread, 0 where none was written down; None where nothing is recorded."""
    means = MEANS.get(task, {}).get(method)
    place = next((i for i, known in enumerate(SPARSITIES) if math.isclose(known, sparsity)), None)
    if means is None or place is None:
        return None
    return means[place], SPREADS.get((task, method, SPARSITIES[place]), 0.0)
