# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # L1 path
#
# **Question.** A small convolutional network, the *teacher*, labels random inputs. A *student* of the same kind, or a
# wider one, learns from the labels with an L1 penalty on its weights. Does it find the teacher again, weight by weight?
#
# | profile | time | memory | device |
# |---|---|---|---|
# | smoke | 25 s | 1 GB | CPU |
# | laptop | 3 min | 2 GB | CPU |
# | full | 24 min | 2 GB | CPU |
#
# **Setting.** These are experiments 1 and 2 of a public study ([laschulz/investigating_sparseNN]; its paper was not
# available, its code and records were). The teacher `baselineCNN` has 7 weights in three layers of non-overlapping
# convolutions, no bias, and the same activation after every layer, the last one included. In experiment 1 the student
# has the same 7 weights; in experiment 2 it has four channels in the hidden layers, 52 weights, of which 7 would do.
# The penalty is none, L1 ($\lambda\sum|w|$) or L2 ($\lambda\sum w^2$) with $\lambda = 10^{-5}$; initial weights are the
# usual ones of the activation, times 0.2 or 1.
#
# Three kinds of result stand side by side and are never mixed:
#
# - **recorded**: what the study's own runs recorded;
# - **reference schedule**: the study's training, run again here with the same arithmetic: SGD with momentum 0.9,
#   minibatches of 16, a stop after 100 epochs without a lower loss;
# - **minimiser**: the same objective minimised properly, with the distance to stationarity as a certificate.
#
# [laschulz/investigating_sparseNN]: ../references.md

# %% tags=["parameters"]
seeds: int = 10  # [1, 1000]; runs of each condition: data, order and initial weights of their own
epochs: int = 120  # [1, 100000]; longest training; the study allowed 10,000 without penalty and 100,000 with
patience: int = 100  # [1, 100000]; epochs without a lower loss before a run stops
samples: int = 5120  # [16, 10000000]; training inputs a run
batch_size: int = 16  # [1, 10000000]; minibatch
learning_rate: float = 0.01  # (0, 1]; the study's records show 0.01 in most runs, 0.005 in the others
strength: float = 1e-5  # [0, 100]; of the penalty
init_scales: list[float] = [0.2, 1.0]  # (0, 100]; factors on the initial weights
doubled_l2: bool = True  # the study counts L2 twice: in the loss and as the optimizer's weight decay
last_activation: str = "same"  # one of same, linear; after the last layer
bias: bool = False  # biases in the students
starts: int = 4  # [1, 1000]; starts of the minimiser for each penalty, student and activation
minimiser_steps: int = 2000  # [0, 1000000]; proximal steps before the polish
test_samples: int = 50000  # [100, 10000000]; fresh inputs for the error
device: str = "auto"  # one of auto, cpu, cuda
full_rows: str = "results/full/01_l1_path"  # rows of the full profile, shown where they are
profile: str = "laptop"  # name of the profile, recorded with the results
output_dir: str = "results/custom/01_l1_path"  # folder for rows and claims

# %% tags=["hide-input"]
import time
from pathlib import Path

import pandas as pd
import torch
from IPython.display import Markdown, display

from sparsenn_book import figures
from sparsenn_book.records import provenance, read_rows, wilson, write_claims, write_rows
from sparsenn_book.studies import l1_path as study
from sparsenn_book.studies.l1_path import figures as draw
from sparsenn_core import networks, recovery

figures.use()
torch.set_num_threads(1)
started = time.perf_counter()
where = "cuda" if device == "cuda" or (device == "auto" and torch.cuda.is_available()) else "cpu"
folder = Path(output_dir)
folder.mkdir(parents=True, exist_ok=True)
names = "seeds epochs patience samples batch_size learning_rate strength init_scales doubled_l2 last_activation bias"
names += " starts minimiser_steps test_samples profile"
settings = {name: globals()[name] for name in names.split()}
schedule = study.Schedule(
    samples=samples,
    epochs=epochs,
    patience=patience,
    batch_size=batch_size,
    learning_rate=learning_rate,
    strength=strength,
    doubled_l2=doubled_l2,
    last_activation=last_activation,
    bias=bias,
)
ACTIVATIONS = draw.ACTIVATIONS
STUDENTS = tuple(study.STUDENTS)

# %% [markdown]
# ## What the objective asks for
#
# For relu the answer is known in closed form. A relu network computes the same function when a layer is multiplied by
# $c > 0$ and another divided by $c$, so the penalty alone decides how the size is shared between the layers. With
# $a_1, a_2, a_3$ the sums of absolute weights of the teacher's three layers, the least possible penalty is
# $3\,(a_1 a_2 a_3)^{1/3}\lambda$ by the inequality of arithmetic and geometric means, reached when all three are equal.

# %%
teacher = networks.literal_teacher("baseline", "relu")
optimum = recovery.relu_l1_optimum(teacher)
sums = ", ".join(f"{float(w.abs().sum()):.2f}" for w in teacher.parameters())
Markdown(
    f"Here the three sums are {sums}, so the least penalty is {optimum:.4f} λ. The fit may give way a little to save "
    "penalty; the minimiser below shows how little."
)

# %% [markdown]
# ## The reference schedule, run again
#
# All runs of one activation and student train as one ensemble, each with its own data, start and order of minibatches.
# A run is judged by its last weights, as in the study, on fresh inputs.

# %% tags=["hide-input"]
tables, curves = [], []
for student in STUDENTS:
    for activation in ACTIVATIONS:
        runs = study.runs_table(student, [(activation, activation)], ["none", "l1", "l2"], init_scales, seeds)
        trained = study.train(runs, schedule, where, every=max(1, epochs // 60))
        tables.append(study.evaluate(trained, schedule, test_samples))
        curves.append(trained.curves)
runs, curves = pd.concat(tables, ignore_index=True), pd.concat(curves, ignore_index=True)
seconds = time.perf_counter() - started
write_rows(runs, folder / "runs.parquet", provenance(settings, seconds, where))
write_rows(curves, folder / "curves.parquet", provenance(settings, seconds, where))

ended = int((runs["status"] != "all epochs used").sum())
Markdown(
    f"{len(runs)} runs in {seconds:.0f} s. {ended} of them stopped by themselves; the others used up the "
    f"{epochs:,} epochs of this profile. The study allowed 10,000 epochs without penalty and 100,000 with, and most of "
    "its runs of experiment 2 took 1,000 to 15,000."
)

# %% [markdown]
# ## The minimiser
#
# The same objective, all samples at once: proximal Adam steps on minibatches, which make weights exactly zero; then
# L-BFGS-B with bounds and proximal Newton steps in float64, longest for the best start. Many starts, because the
# objective is not convex. *Residual* is the largest entry of the shortest subgradient: zero at a stationary point, and
# to be compared with
# $\lambda = 10^{-5}$.

# %% tags=["hide-input"]
found = {
    (s, a): study.minima(s, a, schedule, starts=starts, steps=minimiser_steps, test_samples=test_samples)
    for s in STUDENTS
    for a in ACTIVATIONS
}
minima = pd.concat([m.table for m in found.values()], ignore_index=True)
write_rows(minima, folder / "minima.parquet", provenance(settings, time.perf_counter() - started))
ranked = minima.sort_values("objective").groupby(["student", "student_activation", "penalty"])
best = ranked.first()
agree = ranked["objective"].apply(lambda o: f"{int((o <= 1.01 * o.min()).sum())} of {len(o)}")
pd.DataFrame(
    {
        "least objective": best["objective"].map("{:.4e}".format),
        "residual": best["residual"].map("{:.0e}".format),
        "weights kept": best["nonzero"],
        "starts within 1 %": agree,
    }
).rename_axis(["student", "activation", "penalty"])

# %% tags=["hide-input"]
wide = best.loc["multi_channel"].xs("l1", level="penalty")
kept = {a: int(wide.loc[a, "nonzero"]) for a in ACTIVATIONS}
Markdown(
    f"With relu the least value found is {wide.loc['relu', 'objective']:.5e}, against the closed form of "
    f"{optimum * strength:.5e}; the small difference is what the fit gives way. Of its 52 weights the best L1 "
    f"minimiser keeps {kept['relu']} with relu and {kept['tanh']} with tanh, all others are exactly zero; with "
    f"sigmoid it keeps {kept['sigmoid']}."
)

# %% [markdown]
# ## Recorded, run again, minimised
#
# Each mark is one run. A mark at the level "best constant" does no better than that: the student has *collapsed*, or,
# with relu, *died*. Means over runs, which the study tabulates, mix these with runs that fit, and describe neither.

# %% tags=["hide-input"]
recorded = pd.read_csv("notebooks/data/l1_recorded_runs.csv")
recorded = recorded[recorded["teacher_is_literal"] & (recorded["teacher_activation"] == recorded["student_activation"])]
inputs = study.evaluation.fresh_inputs(test_samples)
variance = {a: float(networks.literal_teacher("baseline", a)(inputs).var()) for a in ACTIVATIONS}
least = minima.groupby(["student", "student_activation", "penalty"], as_index=False)["objective"].min()


def of(table, student):
    return table[table["student"] == student]


draw.objectives(
    of(recorded, "multi_channel"), of(runs, "multi_channel"), of(least, "multi_channel"), variance,
    "Final loss of each run of experiment 2 by penalty and initial scale, on a logarithmic axis, one panel for each "
    "activation: recorded runs, runs of the reference schedule and the least value found by the minimiser.",
)  # fmt: skip


# %% tags=["hide-input"]
def gap(table, student, activation):
    one = "student == @student and student_activation == @activation and penalty == 'l1'"
    here = table.query(one + " and r2 >= 0.99")
    floor = float(least.query(one)["objective"].iloc[0])
    if here.empty:
        return "no run fits"
    return f"{here['objective'].median() / floor:.3f} times (median of {len(here)})"


Markdown(
    "Experiment 2, L1. Loss of the runs that fit over the minimum: "
    + "; ".join(
        f"{a}: recorded {gap(recorded, 'multi_channel', a)}, run again {gap(runs, 'multi_channel', a)}"
        for a in ACTIVATIONS
    )
    + "."
)

# %% [markdown]
# The same for experiment 1, whose students have the teacher's own shape.

# %% tags=["hide-input"]
draw.objectives(
    of(recorded, "baseline"), of(runs, "baseline"), of(least, "baseline"), variance,
    "Final loss of each run of experiment 1 by penalty and initial scale, on a logarithmic axis, one panel for each "
    "activation: recorded runs, runs of the reference schedule and the least value found by the minimiser.",
)  # fmt: skip

# %% tags=["hide-input"]
relu = runs[(runs["student"] == "baseline") & (runs["student_activation"] == "relu")]
dead = wilson(int((relu["outcome"] == "dead").sum()), len(relu))
Markdown(
    f"With relu the loss takes two values and nothing in between: {dead.value:.0%} of these students "
    f"({dead.low:.0%} to {dead.high:.0%}, n = {dead.count}) output zero on every input, whatever the penalty, and no "
    "gradient can wake them."
)

# %% [markdown]
# ## During training

# %% tags=["hide-input"]
two = curves[curves["student"] == "multi_channel"]
draw.training_curves(
    two, "epoch loss", "Loss with penalty during training, experiment 2", "loss with penalty",
    "Median and quartiles of the epoch loss over all runs of experiment 2, for no penalty, L1 and L2.", log=True,
)  # fmt: skip

# %% tags=["hide-input"]
draw.training_curves(
    two, "share below 1e-4", "Small weights during training, experiment 2", "share of weights below 1e-4",
    "Median and quartiles of the share of weights smaller than 1e-4 over all runs of experiment 2.", log=False,
)  # fmt: skip

# %% tags=["hide-input"]
l1 = runs[(runs["penalty"] == "l1") & (runs["student"] == "multi_channel")]
small = l1[[c for c in l1 if c.startswith("kept_") and c.endswith("1e-4")]].sum(axis=1)
zeros, weights = int(runs["exact_zeros"].sum()), int(runs["weights"].sum())
Markdown(
    f"Under L1 a student of experiment 2 keeps {small.median():.0f} of 52 weights of at least 1e-4 (median of "
    f"{len(l1)} runs) when this schedule ends. Of all {weights:,} weights trained here, {zeros:,} are exactly zero: a "
    "subgradient step carries a weight across zero and back, it never stops there. In the minimiser zeros are exact."
)

# %% [markdown]
# ## How often does a run fit?

# %% tags=["hide-input"]
draw.outcomes(
    of(recorded, "multi_channel"), of(runs, "multi_channel"),
    "Share of runs of experiment 2 with an R squared of at least 0.99, with 95 percent intervals, by penalty and "
    "initial scale, one panel for each activation, recorded and run again.",
)  # fmt: skip


# %% tags=["hide-input"]
def outcome_counts(table):
    keys = ["student", "student_activation", "penalty", "init_scale"]
    counts = table.groupby(keys)["outcome"].value_counts().unstack(fill_value=0)
    return counts.rename_axis(index=["student", "activation", "penalty", "scale"], columns=None)


outcome_counts(runs)

# %% [markdown]
# Every run has exactly one outcome: *recovered* (fits, and its weights are the teacher's up to symmetry, within 5 % of
# their norm after each layer's size is matched), *fitted* (fits with other weights), *partial*, *collapsed* (no better
# than a constant), *dead* (zero on every input). Intervals are Wilson's at 95 %; a shortened schedule counts slow runs
# as partial or collapsed.

# %% [markdown]
# ## Weights, aligned
#
# Channels may be permuted and, with tanh, change sign without changing the function; with relu, scales may move
# between layers. Every network is brought into the arrangement closest to the teacher's before it is drawn. Exact
# zeros are left blank.

# %% tags=["hide-input"]
shown = {}
for activation in ("relu", "tanh"):
    table, ensemble = found["multi_channel", activation].table, found["multi_channel", activation].ensemble
    for penalty in ("l1", "l2"):
        pick = table.query("penalty == @penalty")["objective"].idxmin()
        one = table.loc[[pick]].reset_index(drop=True)
        shown[activation, penalty] = study.weights_table(ensemble.select([pick]).params, one)
weights_rows = pd.concat(shown, names=["activation", "penalty"]).reset_index(level=[0, 1])
write_rows(weights_rows, folder / "weights.parquet", provenance(settings, time.perf_counter() - started))
draw.heat_maps(
    {f"{p.upper()}, minimiser": shown["tanh", p] for p in ("l1", "l2")},
    "Aligned weights of tanh students of 52 weights",
    "Heat map of the 52 weights of the teacher padded with zeros, of the L1 minimiser and of the L2 minimiser. The L1 "
    "minimiser has the teacher's seven weights and blanks elsewhere, the L2 minimiser has weights everywhere.",
)


# %% tags=["hide-input"]
def off(activation, penalty):
    rows = shown[activation, penalty]
    return int((rows.loc[rows["teacher"] == 0, "student"] != 0).sum())


Markdown(
    f"Off the teacher's seven places the L1 minimiser has {off('tanh', 'l1')} weights that are not zero with tanh and "
    f"{off('relu', 'l1')} with relu; the L2 minimiser has {off('tanh', 'l2')} and {off('relu', 'l2')}."
)

# %% [markdown]
# ## The study's own distance
#
# The study measures recovery by matching each teacher weight to a student weight of similar size, layer by layer,
# wherever it stands. Its value for the exact copy of the teacher inside the student `fcn_128_128` of its experiments 3
# and 4 is not zero, because a fully connected network must hold every shared filter several times; the network with all
# weights zero gets a better one.

# %% tags=["hide-input"]
copy, nothing = study.reference_distances()
Markdown(
    f"Exact copy of the teacher: {copy:.4f}. All weights zero: {nothing:.4f}. Up to symmetry the first is 0 and the "
    "second the teacher's norm, which is what this book uses."
)

# %% [markdown]
# ## Rows of the full profile
#
# The figures above show this profile. Where the rows of the full profile lie in the repository, they are shown here.

# %% tags=["hide-input"]
long = Path(full_rows) / "runs.parquet"
if long.exists() and profile != "full":
    rows = read_rows(long)
    origin = rows.attrs["provenance"]
    stopped = int((rows["status"] != "all epochs used").sum())
    message = Markdown(
        f"{len(rows)} runs of at most {origin['parameters']['epochs']:,} epochs, {origin['seconds'] / 60:.0f} minutes "
        f"on {origin['device']}; {stopped} stopped by themselves. Loss of the L1 runs that fit over the minimum, "
        "experiment 2: " + "; ".join(f"{a} {gap(rows, 'multi_channel', a)}" for a in ACTIVATIONS) + "."
    )
    display(message, outcome_counts(rows))
else:
    display(Markdown("No rows of another profile are shown here."))

# %% [markdown]
# ## Claims

# %% tags=["hide-input"]
stated = study.claims(runs, minima)
path = write_claims(stated, folder, profile)
pd.DataFrame({"verdict": [c.verdict(profile) for c in stated]}, index=[c.statement for c in stated])

# %% [markdown]
# ## Versions and device

# %% tags=["hide-input"]
origin = provenance(settings, time.perf_counter() - started, where)
Markdown(
    f"{origin['seconds']:.0f} s on {origin['device']}; "
    + ", ".join(f"{k} {v}" for k, v in origin["versions"].items())
    + "."
)
