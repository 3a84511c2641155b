"""How much faster is training many small networks as one than the loop that research code writes?

Usage: python benchmarks/ensemble.py [--quick] [--only NAME] [--save FILE.parquet]

One process, one thread. The serial loop (with `DataLoader`, and with an index tensor), the ensemble and a large sgemm
take turns; each figure is the median over three rounds. CPU time decides, because other work on the machine inflates
wall time. Ratios are per step of one run. Compilation is not counted: its seconds are printed beside. On CUDA wall
time between synchronisations is used instead, and only the ensemble's absolute figures mean something.
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.utils.data import DataLoader, TensorDataset

from sparsenn_core import Data, Ensemble, fit, penalties
from sparsenn_core.networks import MLP, TreeCNN, baseline_cnn, initialize_study_, literal_teacher, multi_channel_cnn
from sparsenn_core.randomness import generator
from sparsenn_core.training import SGD, Adam, Optimizer, every_epochs

SERIAL_STEPS = 500


@dataclass(frozen=True)
class Case:
    """One workload: what is trained, how, and how many multiply-adds one step of one run takes."""

    name: str
    asked: float
    runs: int
    samples: int
    batch: int | None
    optimizer: Optimizer
    l1: float
    madds: int

    def build(self, source: torch.Generator) -> torch.nn.Module:
        if self.name.startswith("cnn"):
            net = (baseline_cnn if "7" in self.name else multi_channel_cnn)("tanh", generator=source)
            return initialize_study_(net, "tanh", 1.0, source)
        widths = (12, 128, 128, 1) if self.name.startswith("mlp 12") else (2, 100, 2)
        return MLP(widths, "relu", bias=self.name.startswith("mlp 2"), generator=source)

    def reference(self, source: torch.Generator) -> torch.nn.Module:
        """The same network as research code writes it: nn.Sequential of stock layers."""
        return as_sequential(self.build(source))

    def data(self) -> tuple[torch.Tensor, torch.Tensor]:
        width = 2 if self.name.startswith("mlp 2") else 12
        x = torch.randn(self.samples, width, generator=generator(0, "data"))
        if width == 12:
            return x, literal_teacher("baseline", "tanh", dtype=torch.float32)(x)
        return x, torch.sin(x)


def as_sequential(net: torch.nn.Module) -> torch.nn.Sequential:
    """`net` as an nn.Sequential of nn.Conv1d or nn.Linear and activations, same weights."""
    parts: list[torch.nn.Module] = []
    if isinstance(net, TreeCNN):
        parts.append(torch.nn.Unflatten(1, (1, -1)))
    for i, layer in enumerate(net.layers):
        if isinstance(net, TreeCNN):
            out, inside, kernel = layer.weight.shape
            stock = torch.nn.utils.skip_init(torch.nn.Conv1d, inside, out, kernel, stride=kernel, bias=False)
        else:
            out, inside = layer.weight.shape
            stock = torch.nn.utils.skip_init(torch.nn.Linear, inside, out, bias=layer.bias is not None)
        stock.load_state_dict(layer.state_dict())
        parts.append(stock)
        parts.append(net.last_activation if i == len(net.layers) - 1 else net.activation)
    if isinstance(net, TreeCNN):
        parts.append(torch.nn.Flatten())
    return torch.nn.Sequential(*parts)


def madds(*layers: tuple[int, int]) -> int:
    """Multiply-adds of forward and backward for one sample: three products a layer."""
    return 3 * sum(i * o for i, o in layers)


CASES = [
    Case("mlp 12-128-128-1", 10, 64, 5120, 16, Adam(1e-3), 1e-5, 16 * madds((12, 128), (128, 128), (128, 1))),
    Case("mlp 2-100-2", 14, 64, 50, None, SGD(0.2, weight_decay=1e-4), 0.0, 50 * madds((2, 100), (100, 2))),
    Case("cnn 7 weights", 170, 256, 5120, 16, SGD(0.01, momentum=0.9), 1e-5, 16 * 3 * (12 + 4 + 2)),
    Case("cnn 52 weights", 170, 128, 5120, 16, SGD(0.01, momentum=0.9), 1e-5, 16 * 3 * (48 + 64 + 8)),
]


def clock(device: torch.device) -> float:
    """CPU seconds of this process, or wall seconds after the GPU has finished."""
    if device.type == "cuda":
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def serial_seconds(case: Case, steps: int, *, loader: bool) -> float:
    """Seconds a step of one network in a plain torch.optim loop."""
    x, y = case.data()
    net = case.reference(generator(0, "init"))
    parameters = list(net.parameters())
    if isinstance(case.optimizer, Adam):
        optimizer: torch.optim.Optimizer = torch.optim.Adam(parameters, lr=float(case.optimizer.learning_rate))
    else:
        o = case.optimizer
        optimizer = torch.optim.SGD(
            parameters, lr=float(o.learning_rate), momentum=float(o.momentum), weight_decay=float(o.weight_decay)
        )  # type: ignore[attr-defined]
    loss_of = torch.nn.MSELoss()

    def batches():
        if case.batch is None:
            while True:
                yield x, y
        source = generator(0, "order")
        while True:
            if loader:
                yield from DataLoader(TensorDataset(x, y), batch_size=case.batch, shuffle=True, generator=source)
            else:
                for index in torch.randperm(case.samples, generator=source).split(case.batch):
                    yield x[index], y[index]

    feed = batches()
    next(feed)
    total = 0.0
    start = time.process_time()
    for _ in range(steps):
        bx, by = next(feed)
        optimizer.zero_grad()
        loss = loss_of(net(bx), by)
        if case.l1:
            loss = loss + case.l1 * sum(p.abs().sum() for p in net.parameters())
        loss.backward()
        optimizer.step()
        total += loss.item()
    return (time.process_time() - start) / steps


def together_seconds(case: Case, device: torch.device, rounds: int, *, compiled: bool) -> tuple[float, float]:
    """Seconds a step and run of one fit of all runs, as a median over epochs; and what its first epoch takes more."""
    x, y = case.data()
    ensemble = Ensemble.of(case.build, range(case.runs)).to(device)
    epochs = rounds * (1 if case.batch else 200)
    times: list[float] = []
    start = clock(device)
    fit(
        ensemble,
        Data.shared(x, y).to(device),
        optimizer=case.optimizer,
        epochs=epochs + 1,
        penalty=penalties.L1(case.l1) if case.l1 else None,
        batch_size=case.batch,
        order=range(case.runs) if case.batch else None,
        compiled=compiled,
        observe=[every_epochs(lambda moment: times.append(clock(device)))],
    )
    steps = -(-case.samples // case.batch) if case.batch else 1
    epoch = statistics.median(b - a for a, b in itertools.pairwise(times[1:]))
    return epoch / steps / case.runs, max(0.0, times[1] - start - epoch)


def sgemm_rate(device: torch.device, size: int = 1024) -> float:
    """Multiply-adds a second in a large float32 product."""
    a = torch.randn(size, size, generator=generator(0, "data")).to(device)
    a @ a
    start = clock(device)
    for _ in range(4):
        a @ a
    return 4 * size**3 / (clock(device) - start)


def measure(case: Case, device: torch.device, rounds: int) -> dict[str, object]:
    """One row of the table."""
    figures: dict[str, list[float]] = {k: [] for k in ("loader", "index", "compiled", "eager", "sgemm")}
    setup = []
    for _ in range(3):
        fast, once = together_seconds(case, device, rounds, compiled=True)
        setup.append(once)
        figures["compiled"].append(fast)
        figures["loader"].append(serial_seconds(case, SERIAL_STEPS, loader=True))
        figures["eager"].append(together_seconds(case, device, rounds, compiled=False)[0])
        figures["index"].append(serial_seconds(case, SERIAL_STEPS, loader=False))
        figures["sgemm"].append(sgemm_rate(device))
    loader, index, fast, slow, peak = (statistics.median(figures[k]) for k in figures)
    memory = (
        torch.cuda.max_memory_allocated() / 2**20
        if device.type == "cuda"
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    )
    return {
        "workload": case.name,
        "runs": case.runs,
        "asked": case.asked,
        "serial_us": loader * 1e6,
        "serial_index_us": index * 1e6,
        "eager_us": slow * 1e6,
        "compiled_us": fast * 1e6,
        "ratio_compiled": statistics.median(a / b for a, b in zip(figures["loader"], figures["compiled"], strict=True)),
        "ratio_eager": statistics.median(a / b for a, b in zip(figures["loader"], figures["eager"], strict=True)),
        "ratio_over_index": statistics.median(
            a / b for a, b in zip(figures["index"], figures["compiled"], strict=True)
        ),
        "share_of_sgemm": case.madds / fast / peak,
        "sgemm_gflops": 2 * peak / 1e9,
        "compile_s": setup[0],
        "peak_memory_mib": memory,
        "rounds": rounds,
        "load": os.getloadavg()[0],
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu, 1 thread",
    }


def main() -> None:
    """Measure, print, and save where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three epochs a round instead of seven")
    parser.add_argument("--only", help="workloads whose name contains this")
    parser.add_argument("--save", type=Path, help="also write the rows as parquet")
    options = parser.parse_args()
    torch.set_num_threads(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rows = []
    print(
        f"{'workload':18}{'runs':>5}{'serial us':>11}{'index us':>10}{'eager us':>10}{'compiled us':>12}"
        f"{'ratio':>8}{'asked':>7}{'eager':>7}{'/index':>8}{'sgemm':>7}{'compile s':>10}{'MiB':>6}"
    )
    for case in CASES:
        if options.only and options.only not in case.name:
            continue
        r = measure(case, device, 3 if options.quick else 7)
        rows.append(r)
        print(
            f"{r['workload']:18}{r['runs']:5d}{r['serial_us']:11.1f}{r['serial_index_us']:10.1f}{r['eager_us']:10.2f}"
            f"{r['compiled_us']:12.2f}{r['ratio_compiled']:7.1f}x{r['asked']:6.0f}x{r['ratio_eager']:6.1f}x"
            f"{r['ratio_over_index']:7.1f}x{r['share_of_sgemm']:7.1%}{r['compile_s']:10.1f}{r['peak_memory_mib']:6.0f}",
            flush=True,
        )
    if options.save:
        import pandas as pd

        from sparsenn_book.records import provenance, write_rows

        write_rows(pd.DataFrame(rows), options.save, provenance({"quick": options.quick}, 0.0, str(device)))


if __name__ == "__main__":
    main()
