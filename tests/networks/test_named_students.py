"""The students of the L1 study by name."""

import pytest
import torch

from sparsenn_core.errors import InputError
from sparsenn_core.networks import student


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("baseline", 7),
        ("multi_channel", 52),
        ("fcn_128_128", 18_048),
        ("fcn_256_32", 11_296),
        ("fcn_1024_128", 143_488),
    ],
)
@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh", "gelu"])
def test_weights_are_as_many_as_the_study_has(name, weights, activation):
    net = student(name, activation, 1.0, torch.Generator().manual_seed(0))
    assert sum(p.numel() for p in net.parameters()) == weights
    assert net(torch.zeros(3, 12)).shape == (3, 1)


def test_scale_generator_and_last_layer():
    def made(scale, seed, **options):
        return student("fcn_256_32", "tanh", scale, torch.Generator().manual_seed(seed), **options)

    first = [p.detach() for p in made(1.0, 3).parameters()]
    assert all(torch.equal(a, b.detach()) for a, b in zip(first, made(1.0, 3).parameters(), strict=True))
    assert all(torch.allclose(0.2 * a, b.detach()) for a, b in zip(first, made(0.2, 3).parameters(), strict=True))
    free = made(20.0, 3, last_activation="linear", bias=True)
    x = torch.randn(100, 12, generator=torch.Generator().manual_seed(1))
    assert float(free(x).detach().abs().max()) > 1
    assert all(torch.count_nonzero(p) == 0 for p in free.parameters() if p.ndim == 1)


def test_an_unknown_student_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match="fcn_128_128"):
        student("fcn_128_12", "relu", 1.0, torch.Generator())
