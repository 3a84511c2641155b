"""A look at network, data and loss before training: what does not fit together is refused in one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from sparsenn_core.errors import InputError
from sparsenn_core.penalties import Penalty
from sparsenn_core.training.data import Data
from sparsenn_core.training.ensemble import Ensemble, plain_attention
from sparsenn_core.training.evaluation import Evaluation

FEW, SAMPLES = 2, 3  # runs and samples: different, so that the two cannot be mixed up


def check(ensemble: Ensemble, data: Data, evaluation: Evaluation, names: Sequence[str]) -> None:
    """`InputError` unless a few runs can be evaluated on a few samples, with a loss for each run that has gradients in
    the parameters `names`.

    Where the fast way of evaluating does not give the outputs and gradients that `vmap` gives, it is not used.
    """
    of = type(ensemble.template).__name__
    few = ensemble.select(torch.arange(min(FEW, len(ensemble))))
    own = data if data.of_run is None else replace(data, of_run=data.of_run[: len(few)])
    spread = torch.linspace(0, data.samples - 1, min(SAMPLES, data.samples), dtype=torch.float64).long()
    x, y = own.gather(spread.expand(1, len(few), -1).to(data.inputs.device))
    x, y, version = x[0], y[0], x._version
    params, buffers = few.params, {k: v.clone() for k, v in few.buffers.items()}
    _same_type(x, params, of)
    seeds = torch.zeros(len(few), dtype=torch.int64)
    with torch.no_grad(), plain_attention():
        try:
            out, _ = evaluation.by_vmap(params, buffers, x, False, seeds, 1)
        except InputError:
            raise
        except Exception as error:  # whatever the user's network makes of these samples
            raise InputError(f"{of}: {_reason(error, few, x)}") from error
        _check_outputs(out, y, of)
        try:
            losses = evaluation.stacked_loss(out, y)
        except Exception as error:
            shapes = f"outputs {list(out.shape[1:])}, targets {list(y.shape[1:])}"
            raise InputError(f"the loss cannot be evaluated on {shapes}: {_line(error)}") from error
        if not isinstance(losses, Tensor) or losses.shape != (len(few),):
            raise InputError("the loss must be one number for a batch of samples, their mean")
    if x._version != version:
        raise InputError(f"{of} writes into its inputs; let its forward begin with a copy")
    _check_gradients(ensemble, few, x, y, evaluation, names)


def _check_gradients(
    ensemble: Ensemble, few: Ensemble, x: Tensor, y: Tensor, evaluation: Evaluation, names: Sequence[str]
) -> None:
    """Outputs may agree where gradients do not: a part of the network may be computed without them."""

    def gradients(fast: bool) -> list[Tensor]:
        leaves = {k: few.params[k].detach().requires_grad_() for k in names}
        params, buffers = few.params | leaves, {k: v.clone() for k, v in few.buffers.items()}
        with torch.enable_grad(), plain_attention():
            if fast and evaluation.forward is not None:
                out = evaluation.forward(params, x, False)
            else:
                out, _ = evaluation.by_vmap(params, buffers, x, False, torch.zeros(len(few), dtype=torch.int64), 1)
            losses = evaluation.stacked_loss(out, y)
            return [out, *torch.autograd.grad(losses.sum(), list(leaves.values()), materialize_grads=True)]

    of = type(ensemble.template).__name__
    try:
        expected = gradients(fast=False)
    except RuntimeError as error:
        raise InputError(f"{of}: the loss has no gradient in the trained parameters: {_line(error)}") from error
    if evaluation.forward is None:
        return
    try:
        agree = all(_same(a.detach(), b.detach()) for a, b in zip(gradients(fast=True), expected, strict=True))
    except Exception:  # of an operation that does not know stacked samples
        agree = False
    if not agree:
        evaluation.forward = None


def check_penalty(penalty: Penalty, ensemble: Ensemble) -> None:
    """`InputError` unless the penalty, widened to all runs, gives one number for each of a few runs."""
    few = torch.arange(min(FEW, len(ensemble)))
    name = type(penalty).__name__
    try:
        with torch.no_grad():
            value = penalty.select(few).value({k: w[: len(few)] for k, w in ensemble.params.items()})
    except InputError:
        raise
    except Exception as error:  # whatever a user's own penalty does
        raise InputError(f"the value of {name} cannot be computed: {_line(error)}") from error
    if not isinstance(value, Tensor) or value.shape != (len(few),):
        found = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise InputError(f"the value of {name} must be one number a run, [{len(few)}] for {len(few)} runs, not {found}")


def _same_type(x: Tensor, params: dict[str, Tensor], of: str) -> None:
    weight = next(iter(params.values()))
    if x.is_floating_point() and x.dtype != weight.dtype:
        kinds = f"the data are {x.dtype}, the weights of {of} {weight.dtype}".replace("torch.", "")
        raise InputError(f"{kinds}; convert one of them, e.g. data.to(dtype={weight.dtype})")


def _reason(error: Exception, ensemble: Ensemble, x: Tensor) -> str:
    """Whether one network alone fails too, or only several at once."""
    try:
        ensemble[0](x[0])
    except Exception as alone:
        return f"it cannot be evaluated on inputs {['n', *x.shape[2:]]}: {_line(alone)}"
    if "random operation" in str(error):
        return "it draws random numbers; only nn.Dropout has a stream for each run, other noise belongs into the data"
    return f"PyTorch cannot evaluate several of these at once ({_line(error)}); train them one by one with torch.optim"


def _check_outputs(out: Tensor, y: Tensor, of: str) -> None:
    if not isinstance(out, Tensor):
        raise InputError(f"{of} returns {type(out).__name__}, and one tensor is needed; wrap it in a module")
    if not out.is_floating_point():
        raise InputError(f"{of} returns {out.dtype}, and floating-point outputs are needed".replace("torch.", ""))
    if y.is_floating_point() and out.shape != y.shape and out.numel() == y.numel():
        shapes = f"{['n', *out.shape[2:]]}, the targets {['n', *y.shape[2:]]}"
        raise InputError(f"the outputs are {shapes}; of equal size, they would be spread against each other: reshape")
    if y.is_floating_point() and out.ndim != y.ndim:
        raise InputError(f"the outputs are {['n', *out.shape[2:]]}, the targets {['n', *y.shape[2:]]}")


def _same(found: Tensor, expected: Tensor) -> bool:
    """Equal to half of the digits of their type."""
    half = torch.finfo(expected.dtype).eps ** 0.5
    scale = float(expected.abs().nan_to_num(0.0, 0.0, 0.0).max())
    return found.shape == expected.shape and torch.allclose(found, expected, half, half * scale, equal_nan=True)


def _line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
