# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Recipes
#
# **How do I do this with `sparsenn_core`?** Each recipe is a cell to copy. It was run to make this page, and the
# sentence under it was computed from what came out. The recipes share the first cell; apart from that each section
# stands alone. The pages after this one describe every name.

# %% tags=["parameters"]
epochs: int = 30  # [2, 1000]; passes over the data in every recipe
profile: str = "laptop"  # name of the profile, recorded with the results
output_dir: str = "results/custom/90_recipes"  # folder for the record of the run

# %% tags=["hide-input"]
import pandas as pd

from sparsenn_book import figures
from sparsenn_book.chapter import Chapter

chapter = Chapter("90_recipes", globals())

# %% [markdown]
# ## Imports and data
#
# The data are 1,797 digits of 8 × 8 pixels, which come with scikit-learn: 1,200 to train on, 297 to validate on, 300 to
# test on. `Data.shared(x, y)` shows the same samples to all runs. `nonzeros` counts biases as weights.

# %%
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy

from sparsenn_core import Data, Ensemble, fit, minimise, penalties
from sparsenn_core.networks import MLP
from sparsenn_core.training import SGD, Adam, Checkpoint, EarlyStopping, ProximalAdam, every_epochs

pixels, digits = load_digits(return_X_y=True)
x = torch.as_tensor(pixels / 16, dtype=torch.float32)
y = torch.as_tensor(digits)
train, validation = Data.shared(x[:1200], y[:1200]), Data.shared(x[1200:1497], y[1200:1497])
x_test, y_test = x[1497:], y[1497:]
training = {"loss": cross_entropy, "epochs": epochs, "batch_size": 50}


def network(generator):
    return MLP([64, 32, 10], "relu", generator=generator)


def accuracy(ensemble):
    """The share of test digits that each run reads rightly, [R]."""
    return (ensemble.eval()(x_test).argmax(-1) == y_test).double().mean(-1)


def nonzeros(ensemble):
    """How many weights of each run are not exactly zero, [R]."""
    return sum((w != 0).flatten(1).sum(1) for w in ensemble.params.values())


# %% [markdown]
# ## Many strengths of a penalty in one fit
#
# A penalty's strength may be one number for each run. Sixteen networks start alike, see the same minibatches and differ
# in the strength alone. `ProximalAdam` gives exact zeros; `Adam` would use the subgradient, and weights would hover
# about zero.

# %%
strengths = torch.logspace(-5, -2, 16)
start = Ensemble.of(network, seeds=[0] * 16)
optimizer, penalty = ProximalAdam(3e-3), penalties.L1(strengths)
path = fit(start, train, optimizer=optimizer, penalty=penalty, order=[0] * 16, **training)
sizes, shares = nonzeros(path.ensemble), accuracy(path.ensemble)

# %% tags=["hide-input"]
drawn = sizes > 0  # a logarithmic axis has no zero
fig = figures.figure(
    "Accuracy against weights that are left",
    "weights that are not zero",
    "accuracy on test digits",
    "The share of test digits read rightly against the number of non-zero weights, one mark for each strength of L1.",
)
figures.points(fig, sizes[drawn], shares[drawn], "L1, one network for each strength", 0)
chapter.show(fig.update_xaxes(type="log"))
near = shares >= shares.max() - 0.02
chapter.say(
    f"The best of the 16 networks reads {shares.max():.1%} of the test digits with {sizes[shares.argmax()]:,} weights "
    f"that are not zero; the smallest that reads at most 2 percentage points fewer has {sizes[near].min():,}. The "
    f"strongest penalty leaves {sizes[-1]:,}. One split of the data and one start: no evidence about L1."
)

# %% [markdown]
# ## A module of your own
#
# Any `nn.Module` that can be evaluated for several runs at once will do. Batch norm keeps statistics of each run, and
# dropout draws from a stream of each run's own, seeded by `order`. `build` is called with a generator; stock layers,
# which draw from PyTorch's global one, follow the same seed. Outside a fit ask for `.eval()`.


# %%
class Residual(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        self.first, self.last = nn.Linear(64, width), nn.Linear(width, 10)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.2))
            for _ in range(depth)
        )

    def forward(self, x):
        h = self.first(x)
        for block in self.blocks:
            h = h + block(h)
        return self.last(h)


start = Ensemble.of(lambda generator: Residual(32, 2), seeds=4)
residual = fit(start, train, optimizer=Adam(3e-3), order=range(4), **training)
alone = fit(start.select([2]), train, optimizer=Adam(3e-3), order=[2], **training)

# %% tags=["hide-input"]
shares = accuracy(residual.ensemble)
apart = max(float((w[2] - alone.ensemble.params[k][0]).abs().max()) for k, w in residual.ensemble.params.items())
chapter.say(
    f"The four networks read {shares.min():.1%} to {shares.max():.1%} of the test digits. Run 2 trained alone ends "
    + ("with the same weights, bit for bit." if apart == 0 else f"with weights that differ by at most {apart:.0e}.")
)

# %% [markdown]
# ## A penalty of your own
#
# A frozen dataclass with `value`, one number for each run, is enough for `SGD` and `Adam`.

# %%
from dataclasses import dataclass


@dataclass(frozen=True)
class LogSum(penalties.Penalty):
    """strength * sum log(1 + |w| / width): cheaper for large weights than L1."""

    width: float = 0.1

    def value(self, params):
        costs = [penalties.sum_runs((w.abs() / self.width).log1p()) for _, w in self.covered(params)]
        return self.strength * sum(costs)


strengths = torch.tensor([0.0, 1e-4, 1e-3])
seeds = [0] * 3
start = Ensemble.of(network, seeds)
log_sum = fit(start, train, optimizer=Adam(3e-3), penalty=LogSum(strengths), order=seeds, **training)

# %% tags=["hide-input"]
small = sum((w.abs() < 1e-3).flatten(1).sum(1) for w in log_sum.ensemble.params.values())
zeros = sum((w == 0).flatten(1).sum(1) for w in log_sum.ensemble.params.values())
chapter.say(
    f"Weights below 0.001: {', '.join(f'{n:,}' for n in small)} at the strengths "
    f"{', '.join(f'{s:g}' for s in strengths)}. Exact zeros: {', '.join(f'{n:,}' for n in zeros)}."
)

# %% [markdown]
# With a `prox`, proximal optimizers can use it. The prox of the number of non-zero weights keeps a weight or drops it.
# `step` is one number a run for `ProximalSGD`, and a tensor for every weight for `ProximalAdam`.


# %%
@dataclass(frozen=True)
class L0(penalties.Penalty):
    """strength * the number of weights that are not zero."""

    convex = False

    def value(self, params):
        counts = [penalties.sum_runs((w != 0).to(w.dtype)) for _, w in self.covered(params)]
        return self.strength * sum(counts)

    def prox(self, params, step):
        kept = dict(params)
        for name, w in self.covered(params):
            size = step[name] if isinstance(step, dict) else penalties.per_run(step, w)
            kept[name] = w * (w.square() > 2 * size * penalties.per_run(self.strength, w))
        return kept


strengths = torch.tensor([0.0, 1e-5, 1e-4])
l0 = fit(start, train, optimizer=ProximalAdam(3e-3), penalty=L0(strengths), order=seeds, **training)

# %% tags=["hide-input"]
rows = zip(strengths, nonzeros(l0.ensemble), accuracy(l0.ensemble), strict=True)
said = [f"{count:,} at strength {s:g} ({share:.1%} of the test digits)" for s, count, share in rows]
chapter.say(f"Weights left: {', '.join(said)}.")

# %% [markdown]
# ## Something of your own between steps
#
# A function given as `between=` is called after every step, one made with `after_epochs` after epochs. It may write
# into parameters, buffers and the optimizer's memory. Not all runs need be there: `moment.runs` says which are.

# %%
radius = torch.tensor([0.3, 0.6, 1.2])  # largest norm of a unit's weights, one a run


def project(moment):
    w = moment.params["layers.0.weight"]
    allowed = radius[moment.runs].view(-1, 1, 1)
    moment.params["layers.0.weight"] = w * (allowed / w.norm(dim=-1, keepdim=True)).clamp(max=1)


def keep_norms(moment):
    return {"norm": moment.ensemble.params["layers.0.weight"].norm(dim=-1).amax(-1)}


start, momentum = Ensemble.of(network, seeds=3), SGD(0.1, momentum=0.9)
watched = {"between": [project], "observe": [every_epochs(keep_norms)]}
projected = fit(start, train, optimizer=momentum, order=range(3), **watched, **training)

# %% tags=["hide-input"]
norms = projected.rows[projected.rows.epoch > 0].groupby("run").value.max()
pairs = [f"{norm:.4f} where {r:g} is allowed" for norm, r in zip(norms, radius, strict=True)]
shares = [f"{share:.1%}" for share in accuracy(projected.ensemble)]
chapter.say(
    f"Largest norm of a unit after any epoch: {', '.join(pairs)}. The runs read {', '.join(shares)} of the test digits."
)

# %% [markdown]
# ## Lottery tickets
#
# Train, keep the largest weights, go back to the start and train what was kept. All seeds and sparsities are one
# ensemble: first the dense fit, then the tickets. The second half of the runs are controls, with the same masks and
# other initial weights. Masks also clear the optimizer's memory, or Adam would go on moving what was removed.

# %%
from itertools import product

runs = [(seed, share) for share, seed in product([0.2, 0.05, 0.02], range(3))]
seeds = [seed for seed, _ in runs]
shares_kept = torch.tensor([share for _, share in runs])
start = Ensemble.of(network, seeds)
dense = fit(start, train, optimizer=Adam(3e-3), order=seeds, **training).ensemble

weights = [name for name in dense.params if name.endswith("weight")]
sizes = torch.cat([dense.params[name].flatten(1).abs() for name in weights], 1)
places = (shares_kept * sizes.shape[1]).long()[:, None]
cut = sizes.sort(descending=True).values.gather(1, places)[:, :, None]
masks = {name: (dense.params[name].abs() > cut).float().repeat(2, 1, 1) for name in weights}


def hold(moment):
    for name, mask in masks.items():
        for tensors in (moment.params, *moment.state.values()):
            tensors[name].mul_(mask[moment.runs])


first = Ensemble.of(network, [*seeds, *(seed + 100 for seed in seeds)])
masked = {name: first.params[name] * mask for name, mask in masks.items()}
first = first.with_params(first.params | masked)
tickets = fit(first, train, optimizer=Adam(3e-3), order=seeds * 2, between=[hold], **training)

# %% tags=["hide-input"]
left = sum((tickets.ensemble.params[name] != 0).flatten(1).sum(1) for name in weights)
shares, count = accuracy(tickets.ensemble), len(runs)
table = pd.DataFrame({"kept": [f"{share:.0%}" for _, share in runs], "weights": left[:count]})
table = table.assign(dense=accuracy(dense), ticket=shares[:count], control=shares[count:])
means = table.groupby("kept", sort=False).mean().rename_axis(None)
chapter.show(means.rename(columns=lambda name: name if name == "weights" else f"accuracy, {name}"))
ahead = int((table.ticket > table.control).sum())
moved = sum(int((tickets.ensemble.params[name] * (1 - mask)).count_nonzero()) for name, mask in masks.items())
chapter.say(
    "Means of three seeds, by the share of weights that is kept. The ticket reads more of the test digits than its "
    f"control in {ahead} of {len(runs)} pairs, three of each seed. "
    f"Removed weights that are not zero at the end: {moved}."
)

# %% [markdown]
# ## Validation, early stopping, best weights, folds
#
# With `validation` the loss on those samples is taken after every epoch, without penalty. Early stopping and
# `fit(...).best`, the weights of the best epoch, go by it; runs stop by themselves. `Data.folds` leaves out one part of
# the samples for each run, and makes both data sets.

# %%
folds, left_out = Data.folds(x[:1497], y[:1497], of_run=[0, 1, 2, 3, 4])
start, stopping = Ensemble.of(network, seeds=5), EarlyStopping(patience=3)
held = {"validation": left_out, "early_stopping": stopping}
crossed = fit(start, folds, optimizer=Adam(1e-2), order=range(5), **held, **training)

# %% tags=["hide-input"]
stopped = crossed.status.count("stopped early")
chapter.say(
    f"{stopped} of 5 runs stopped early, after {int(crossed.epochs.min())} to {int(crossed.epochs.max())} of {epochs} "
    f"epochs. Cross-validated loss: {crossed.best_loss.mean():.3f} (folds from {crossed.best_loss.min():.3f} to "
    f"{crossed.best_loss.max():.3f}). Mean accuracy on test digits: {accuracy(crossed.best).mean():.1%} with the best "
    f"weights, {accuracy(crossed.ensemble).mean():.1%} with the last."
)

# %% [markdown]
# ## Saving and going on
#
# With a `Checkpoint` a fit that was interrupted goes on from its file. Only `epochs` may grow; a fit with other data or
# settings is refused. `state_dict` is for what `torch.save` keeps.

# %%
import tempfile
from pathlib import Path

start = Ensemble.of(network, seeds=2)
options = {"optimizer": Adam(3e-3), "order": range(2), "loss": cross_entropy, "batch_size": 50}
with tempfile.TemporaryDirectory() as folder:
    checkpoint = Checkpoint(Path(folder) / "fit.pt", every=1)
    fit(start, train, epochs=1, checkpoint=checkpoint, **options)  # as if it had been stopped here
    resumed = fit(start, train, epochs=2, checkpoint=checkpoint, **options).ensemble
    try:
        fit(start, train, epochs=2, checkpoint=checkpoint, **options | {"optimizer": Adam(1e-3)})
    except ValueError as error:
        refusal = str(error).replace(folder, "...")
    torch.save(resumed.state_dict(), Path(folder) / "weights.pt")
    loaded = start.load_state_dict(torch.load(Path(folder) / "weights.pt"))
whole = fit(start, train, epochs=2, **options).ensemble

# %% tags=["hide-input"]
apart = max(float((loaded.params[k] - w).abs().max()) for k, w in whole.params.items())
chapter.say(
    f"Interrupted, resumed, saved and loaded, the weights differ by {apart:g} from those of a fit in one go. "
    f"The other learning rate was refused: “{refusal}”."
)

# %% [markdown]
# ## A sweep in one fit
#
# Every numeric setting of an optimizer or a penalty may be one number a run, so that a grid is one ensemble.

# %%
grid = torch.cartesian_prod(torch.tensor([3e-4, 1e-3, 3e-3, 1e-2]), torch.tensor([0.0, 1e-4, 1e-3]))
start = Ensemble.of(network, seeds=[0] * len(grid))
settings = {"optimizer": ProximalAdam(grid[:, 0]), "penalty": penalties.L1(grid[:, 1])}
swept = fit(start, train, validation=validation, order=[0] * len(grid), **settings, **training)
best = int(swept.best_loss.argmin())

# %% tags=["hide-input"]
names = [[f"{value:g}" for value in column] for column in grid.T]
losses = pd.DataFrame({"rate": names[0], "strength": names[1], "loss": swept.best_loss})
chapter.show(losses.pivot_table("loss", "rate", "strength", sort=False).rename_axis(None))
chapter.say(
    f"Validation loss by learning rate (rows) and strength (columns). The least, {swept.best_loss[best]:.3f}, is that "
    f"of rate {grid[best, 0]:g} and strength {grid[best, 1]:g}; its best weights read {accuracy(swept.best)[best]:.1%} "
    f"of the test digits. All {len(grid)} fits took {swept.seconds:.1f} s."
)

# %% [markdown]
# ## When is an ensemble worth it?
#
# An ensemble is to fill a processor that one small network leaves idle. What is left of that for one network alone, or
# for larger ones? `benchmarks/users.py` measures it with care, for three networks and 1 to 256 runs; this is a quick
# look at one machine, with one thread and the fused Adam on both sides.

# %%
import time


def loop_seconds(widths, steps=40):
    """Processor seconds a step of one network in a plain loop."""
    one = MLP(widths, "relu", generator=torch.Generator().manual_seed(0))
    adam = torch.optim.Adam(one.parameters(), lr=3e-3, fused=True)
    begin = time.process_time()
    for index in torch.randint(1200, (steps, 50)):
        adam.zero_grad()
        cross_entropy(one(x[index]), y[index]).backward()
        adam.step()
    return (time.process_time() - begin) / steps


def fit_seconds(widths, runs, epochs=3):
    """Processor seconds a step and run of an ensemble, without the first epoch, in which it is set up."""
    clock = []
    look = every_epochs(lambda moment: clock.append(time.process_time()))
    options = {"loss": cross_entropy, "batch_size": 50, "order": range(runs), "observe": [look]}
    ensemble = Ensemble.of(lambda generator: MLP(widths, "relu", generator=generator), seeds=runs)
    fit(ensemble, train, optimizer=Adam(3e-3), epochs=epochs, **options)
    return (clock[-1] - clock[1]) / (epochs - 1) / (1200 / 50) / runs


# %% tags=["hide-input"]
small, large = [64, 32, 10], [64, 500, 500, 10]
cases = {"32 of 64-32-10": (small, 32), "1 of 64-32-10": (small, 1), "1 of 64-500-500-10": (large, 1)}
times = pd.DataFrame({n: [1e6 * loop_seconds(w), 1e6 * fit_seconds(w, r)] for n, (w, r) in cases.items()})
times.index = ["loop", "ensemble"]
chapter.show(times.T)
speed = times.loc["loop"] / times.loc["ensemble"]
said = [f"{s:.1f} times as fast" if s >= 1.05 else f"{1 / s:.1f} times as slow" for s in speed]
said = ["equally fast" if text.startswith("1.0 ") else text for text in said]
chapter.say(
    f"Microseconds a step and run. Against the loop the ensemble is {said[0]}, {said[1]} and {said[2]}, on the machine "
    "that made this page."
)

# %% [markdown]
# ## Exact minimisers
#
# `fit` stops when epochs are used up, wherever that is. `minimise` goes on until the *residual*, the largest entry of
# the shortest subgradient of loss plus penalty, is below the tolerance: the run has `converged`, to a stationary point,
# which need not be the global minimum: start often. A relu run may end at a kink of the loss, `at_kink`, where the
# residual need not vanish. Runs that have not converged are warned of.

# %%
import warnings

points = torch.rand(100, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2 - 1
curve = Data.shared(points, (points[:, :1] * 2).tanh() - (points[:, 1:] * 2).tanh())
penalty = penalties.L1(1e-4) + penalties.SquaredL2(1e-5)
found, said = {}, {}
for activation in ("tanh", "relu"):
    ensemble = Ensemble.of(lambda g, name=activation: MLP([2, 4, 1], name, generator=g), seeds=3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found[activation] = minimise(ensemble, curve, penalty=penalty, steps=200, newton_steps=10)
    said[activation] = [str(one.message) for one in caught if "minimise" in str(one.message)]

# %% tags=["hide-input"]
for activation, ends in found.items():
    reached = ends.objective[ends.converged]
    agree = int((reached < reached.min() + 1e-8).sum()) if len(reached) else 0
    chapter.say(
        f"**{activation}**: {len(reached)} of {len(ends.residual)} starts converged, {int(ends.at_kink.sum())} ended "
        f"at a kink; the largest residual is {ends.residual.max():.0e}."
        + (f" Of those that converged, {agree} found the least objective, {reached.min():.6f}." if agree else "")
        + (f" The warning: “{said[activation][0]}”." if said[activation] else " There was no warning.")
    )

# %% [markdown]
# ## Where these numbers come from

# %% tags=["hide-input"]
chapter.colophon()
