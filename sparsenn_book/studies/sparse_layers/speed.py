"""Is sparse faster? One layer in several forms, timed on the machine at hand, forward and in a training step."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator

import pandas as pd
import torch
from torch import Tensor, nn

from sparsenn_book.studies.sparse_layers.settings import SpeedSettings
from sparsenn_core.errors import InputError
from sparsenn_core.masks import (
    NM,
    Block,
    Channel,
    Magnitude,
    Structure,
    Unstructured,
    compressed,
    least_seconds,
    make_permanent,
    semi_structured,
    sparsify,
)
from sparsenn_core.networks import initialize_default_
from sparsenn_core.randomness import generator

BLOCK = 32
FORWARD, STEP = "forward", "training step"
DENSE, MASKED, CSR, BLOCKS, CHANNELS, TWO_OF_FOUR = "dense", "masked", "CSR", "blocks", "removed channels", "2:4"


def timed(settings: SpeedSettings, device: str = "cpu") -> pd.DataFrame:
    """One layer, n x n, in every form: phase, form, size, batch, sparsity, seconds (least of some repeats), dense (that
    of the dense layer, of the same type), difference (from the masked layer, as a share of its largest output).
    """
    rows = []
    cells = itertools.product(settings.speed_sizes, settings.speed_batches)
    for size, batch in cells:
        source = generator(settings.seed, "speed", size, batch)
        x = torch.randn(batch, size, generator=source).to(device)
        plain = initialize_default_(nn.Linear(size, size), source).to(device)
        dense = {phase: _seconds(plain, x, phase, settings.speed_repeats) for phase in (FORWARD, STEP)}
        for sparsity in settings.speed_sparsities:
            for phase, form, seconds, difference in _forms(plain, x, sparsity, settings.speed_repeats):
                rows.append({"phase": phase, "form": form, "size": size, "batch": batch, "sparsity": sparsity,
                             "seconds": seconds, "dense": dense[phase], "difference": difference})  # fmt: skip
        rows += _two_of_four(plain, x, settings.speed_repeats)
    return pd.DataFrame(rows)


def _forms(plain: nn.Module, x: Tensor, sparsity: float, repeats: int) -> Iterator[tuple[str, str, float, float]]:
    single = _sparse(plain, sparsity, Unstructured())
    blocks = _sparse(plain, sparsity, Block(BLOCK, BLOCK))
    channels = _sparse(plain, sparsity, Channel())
    csr = compressed(single)
    for phase in (FORWARD, STEP):
        yield phase, MASKED, _seconds(single, x, phase, repeats), 0.0
        small = _without_channels(channels)
        yield phase, CHANNELS, _seconds(small, x, phase, repeats), _difference(small, channels, x)
    yield FORWARD, CSR, _seconds(csr, x, FORWARD, repeats), _difference(csr, single, x)
    yield STEP, CSR, least_seconds(csr_step(csr, x), repeats), 0.0
    try:
        blocked = compressed(blocks, "bsr")
    except InputError:  # no block is empty
        return
    yield FORWARD, BLOCKS, _seconds(blocked, x, FORWARD, repeats), _difference(blocked, blocks, x)


def _sparse(plain: nn.Module, sparsity: float, structure: Structure) -> nn.Module:
    return sparsify(copy.deepcopy(plain), Magnitude(), sparsity, structure=structure)


def _without_channels(masked: nn.Module) -> nn.Module:
    """The layer without its empty rows. Its outputs are fewer: in a chain the next layer's inputs are fewer, too."""
    plain = make_permanent(copy.deepcopy(masked))
    assert isinstance(plain, nn.Linear)
    rows = (plain.weight.detach() != 0).any(1)
    small = nn.Linear(plain.in_features, int(rows.sum()), device=plain.weight.device)
    with torch.no_grad():
        small.weight.copy_(plain.weight[rows])
        small.bias.copy_(plain.bias[rows])
    return small


def _difference(form: nn.Module, masked: nn.Module, x: Tensor) -> float:
    """The largest difference of outputs, as a share of the largest; of removed channels only those that are left."""
    with torch.no_grad():
        expected, found = masked(x), form(x)
        if found.shape != expected.shape:
            expected = expected[:, (masked.weight != 0).any(1)]  # type: ignore[union-attr]
        return float((found - expected).abs().max() / expected.abs().max())


def _seconds(layer: nn.Module, x: Tensor, phase: str, repeats: int) -> float:
    if phase == FORWARD:
        with torch.no_grad():
            return least_seconds(lambda: layer(x), repeats)
    inputs = x.clone().requires_grad_()
    parameters = [p for p in layer.parameters() if p.requires_grad]

    def step() -> None:
        torch.autograd.grad(layer(inputs).sum(), [inputs, *parameters])

    return least_seconds(step, repeats)


def csr_step(layer: nn.Module, x: Tensor) -> Callable[[], object]:
    """A training step of a layer in compressed rows, written out: outputs, and gradients in inputs and stored weights.

    The gradient in a stored weight is the product of an output's gradient and an input: a sampled product.
    """
    weight = layer.get_buffer("weight")
    transposed = weight.to_dense().T.contiguous().to_sparse_csr()
    empty = torch.sparse_csr_tensor(
        weight.crow_indices(),
        weight.col_indices(),
        torch.zeros_like(weight.values()),
        weight.shape,
        check_invariants=True,
    )

    def step() -> tuple[Tensor, Tensor, Tensor]:
        out = layer(x)
        slope = torch.ones_like(out)
        return out, (transposed @ slope.T).T, torch.sparse.sampled_addmm(empty, slope.T, x, beta=0.0).values()

    return step


def _two_of_four(plain: nn.Module, x: Tensor, repeats: int) -> list[dict[str, object]]:
    """2:4 in half precision against dense in half precision, where the device knows it; else nothing."""
    if not x.is_cuda:
        return []
    half, inputs = copy.deepcopy(plain).half(), x.half()
    try:
        masked = sparsify(half, Magnitude(), structure=NM(2, 4))
        kept = make_permanent(copy.deepcopy(masked))
        packed = semi_structured(kept)
    except InputError:
        return []
    rows = {"phase": FORWARD, "form": TWO_OF_FOUR, "size": x.shape[1], "batch": len(x), "sparsity": 0.5}
    seconds, dense = (_seconds(layer, inputs, FORWARD, repeats) for layer in (packed, kept))
    return [rows | {"seconds": seconds, "dense": dense, "difference": _difference(packed, kept, inputs)}]
