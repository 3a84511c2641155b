# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Compressive sensing
#
# **Question.** Few of many coefficients of a linear model are not zero, and there are few noisy samples. *Exact
# gradient pruning* (EGP) makes the choice of coefficients random, computes the expected loss in closed form, and
# descends its gradient. A study (Barth and von Petersenn, arXiv 2509.15060) says that it "outperforms compressive
# sensing algorithms such as IHT and (Relaxed-) Lasso across a wide range of settings and signal-to-noise ratios". Where
# does it win, where does it lose, and why?
#
# | profile | time | memory | device |
# |---|---|---|---|
# | smoke | 15 s | 1 GB | CPU |
# | laptop | 80 s | 1 GB | CPU |
# | full | 31 min | 1 GB | CPU |
#
# **Setting.** The draws are those of Hastie, Tibshirani and Tibshirani (arXiv 1707.08692): $n$ samples of $p$ Gaussian
# predictors with correlation $\rho^{|i-j|}$, $s$ coefficients of 1, the others 0, and Gaussian noise of variance
# $\sigma^2 = \beta^\top\Sigma\beta / \nu$ at the signal-to-noise ratio $\nu$. Every method gives a path of candidates,
# and the same 500 validation samples choose from it. 500 are many beside $n$, as in the study: they favour methods with
# many candidates. Errors are computed from the law of the data, not from a test sample.
#
# - **EGP**: columns of many strengths $\lambda_0$, $\lambda_1$ and sizes of initial weights, trained as one batch with
#   Adam. The supports met along the way are refitted by least squares; the study trains again on one support, which is
#   a convex problem, so the refit is its minimiser. The size of a support counts a little in the choice, as in the
#   study.
# - **lasso**: the exact path (LARS). **Relaxed lasso**: mixes of the lasso and least squares on its support.
# - **forward stepwise** selection and **IHT** (normalised iterative hard thresholding), each refitted by least squares.
#
# No support of more than $n/2$ entries is refitted.

# %% tags=["parameters"]
samples: list[int] = [100, 50, 100]  # [4, 100000]; n of each setting
coefficients: list[int] = [10, 1000, 1000]  # [1, 100000]; p of each setting
nonzeros: list[int] = [5, 5, 10]  # [1, 100000]; s of each setting
snrs: list[float] = [0.05, 0.17, 0.55, 1.82, 6.03, 20.0]  # (0, 1e9); signal-to-noise ratios
repetitions: int = 10  # [1, 10000]; draws of each setting; design and noise are shared by all ratios
rho: float = 0.35  # [0, 1); correlation of neighbouring predictors
places: str = "first"  # one of first, spread; where the coefficients of 1 are
lambda0_count: int = 12  # [1, 1000]; values of lambda0
lambda0_least: float = 0.01  # (0, 1]; least lambda0 as a share of the largest useful one
lambda1_shares: list[float] = [0.0, 0.03, 0.1, 0.3]  # [0, 1]; of the largest useful lambda1; 0 should be one of them
init_shares: list[float] = [0.0, 0.5, 1.0]  # [0, 1]; initial weights, from the Glorot bound (0) to 1 (1)
epochs: int = 150  # [1, 100000]; steps of Adam on all samples
learning_rate: float = 0.1  # (0, 10]
check: int = 25  # [1, 100000]; steps between looks at the gates
size_weight: float = 0.0025  # [0, 10]; of a support's size beside ln(validation error) in EGP's choice
lasso_penalties: int = 100  # [2, 100000]; on the lasso's path
relaxed_penalties: int = 50  # [2, 100000]; on the relaxed lasso's path
relaxed_mixes: int = 10  # [2, 1000]; mixes of lasso and least squares
thresholding_size: int = 30  # [1, 1000]; largest support of IHT
seed: int = 2026  # [0, 1000000000]
profile: str = "laptop"  # name of the profile, recorded with the results
output_dir: str = "results/custom/06_compressive_sensing"  # folder for rows and claims

# %% tags=["hide-input"]
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown

from sparsenn_book import figures
from sparsenn_book.records import provenance, wilson, write_claims, write_rows
from sparsenn_book.studies import compressive_sensing as study
from sparsenn_book.studies.compressive_sensing import figures as draw

figures.use()
torch.set_num_threads(1)
started = time.perf_counter()
folder = Path(output_dir)
folder.mkdir(parents=True, exist_ok=True)
names = "samples coefficients nonzeros snrs repetitions rho places lambda0_count lambda0_least lambda1_shares"
names += " init_shares epochs learning_rate check size_weight lasso_penalties relaxed_penalties relaxed_mixes"
names += " thresholding_size seed profile"
settings = {name: globals()[name] for name in names.split()}
schedule = study.Schedule(
    lambda0_count=lambda0_count,
    lambda0_least=lambda0_least,
    lambda1=tuple(lambda1_shares),
    init=tuple(init_shares),
    epochs=epochs,
    learning_rate=learning_rate,
    check=check,
    size_weight=size_weight,
)
paths = study.Paths(lasso_penalties, relaxed_penalties, relaxed_mixes, thresholding_size)
families = study.settings(samples, coefficients, nonzeros, rho, places)

# %% [markdown]
# ## The objective in closed form
#
# With $\theta_j = w_j z_j$ and gates $z_j$ that are open with probability $\gamma_j$,
#
# $$\mathbb{E}\left[\|y - F\theta\|^2 + \lambda_0\|\theta\|_0 + \lambda_1\|\theta\|_1\right] = \|y - F(w\circ\gamma)\|^2
# + \sum_j \left[s_j w_j^2\,\gamma_j(1-\gamma_j) + \lambda_0\gamma_j + \lambda_1\gamma_j|w_j|\right],\qquad
# s_j = \sum_i F_{ij}^2 .$$
#
# The terms $w_j^2\gamma_j^2$ cancel, so the right side is linear in each $\gamma_j$: some minimum lies where every gate
# is open or closed, and there it is a minimum of best subset selection. Nothing is sampled, so gradients are exact.

# %% tags=["hide-input"]
Markdown(
    f"On 20 random problems with 8 gates, the two sides, the left one summed over all $2^8$ settings of the gates, "
    f"differ by at most {study.identity_error(20, 0):.0e}, relative."
)

# %% [markdown]
# ## Test error

# %% tags=["hide-input"]
compared = study.compare(families, snrs, repetitions, schedule, paths, seed)
rows, cells = compared.estimates, study.by_cell(compared.estimates, "EGP", list(study.BASELINES))
for name, table in (
    ("estimates", rows),
    ("objectives", compared.objectives),
    ("searches", compared.searches),
    ("cells", cells),
):
    write_rows(table, folder / f"{name}.parquet", provenance(settings, time.perf_counter() - started))
BANDS = (
    "Medians over repetitions against the signal-to-noise ratio with bands from 30 to 70 percent, one panel a setting"
)
draw.curves(
    rows, [*study.METHODS, study.ORACLE], "rte", "Relative test error", "error / σ<sup>2</sup>",
    f"{BANDS}: the relative test error of five methods and of least squares on the true support.", from_zero=False,
)  # fmt: skip

# %% tags=["hide-input"]
medians = rows.groupby(["setting", "snr", "method"])["rte"].median().unstack("method")
lowest = medians[list(study.METHODS)].idxmin(axis=1)
lowest_counts = "; ".join(f"{method} {int((lowest == method).sum())}" for method in study.METHODS)
gap = np.log(medians["EGP"] / medians[study.ORACLE])
hardest = gap.idxmax()
Markdown(
    "The error is 1 at best and $\\nu + 1$ when all coefficients are set to zero. Cells (setting and ratio) in which a "
    f"method has the lowest median: {lowest_counts}. EGP is furthest above least squares on the true support at "
    f"{hardest[0]}, $\\nu$ = {hardest[1]:g}: {medians.loc[hardest, 'EGP']:.2f} against "
    f"{medians.loc[hardest, study.ORACLE]:.2f}. Even on the true support least squares does worse than setting all "
    f"to zero in {int((medians[study.ORACLE] > 1 + medians.index.get_level_values('snr')).sum())} of {len(medians)} "
    "cells, those of the lowest ratios."
)

# %% [markdown]
# ## Where EGP wins and loses
#
# Methods are compared on the same draw, so that the luck of the draw cancels. A mark is the median of
# $\ln(\text{error of EGP} / \text{error of the other})$ over draws, a bar its interval at 95 % (order statistics).

# %% tags=["hide-input"]
draw.differences(
    cells, "EGP against each method, draw by draw",
    "Medians of the paired log ratio of EGP's relative test error and that of lasso, relaxed lasso, forward stepwise "
    "selection and IHT against the signal-to-noise ratio, with 95 percent intervals, one panel a setting; below zero "
    "EGP is better.",
)  # fmt: skip

# %% tags=["hide-input"]
verdicts = cells.groupby(["other", "verdict"]).size().unstack(fill_value=0)
verdicts = verdicts.reindex(index=study.BASELINES, columns=["better", "worse", "same", "open"], fill_value=0)
cells_of_all = len(cells) // len(study.BASELINES)


def where(verdict):
    some = cells[cells["verdict"] == verdict]
    if some.empty:
        return "nowhere"
    low, high = some["snr"].min(), some["snr"].max()
    of = "; ".join(f"{len(part)} at {setting}" for setting, part in some.groupby("setting", sort=False))
    return f"in {len(some)} of {len(cells)} comparisons, at ratios from {low:g} to {high:g} ({of})"


Markdown(
    f"Of {cells_of_all} cells, EGP is better (interval below 0) than the lasso in {verdicts.loc['lasso', 'better']}, "
    f"than the relaxed lasso in {verdicts.loc['relaxed lasso', 'better']}, than forward stepwise selection in "
    f"{verdicts.loc['forward stepwise', 'better']} and than IHT in {verdicts.loc['IHT', 'better']}. It wins "
    f"{where('better')}. It loses (interval above 0) {where('worse')}. In {int(verdicts['same'].sum())} comparisons "
    "most draws tie exactly, because both methods choose the same support."
)


# %% tags=["hide-input"]
def text(estimate):
    return f"{np.expm1(estimate.value):+.1%} ({np.expm1(estimate.low):+.1%} to {np.expm1(estimate.high):+.1%})"


REGIONS = {"ν ≤ 1": (0.0, 1.0), "ν ≥ 1": (1.0, np.inf)}
present = {name: ends for name, ends in REGIONS.items() if any(ends[0] <= snr <= ends[1] for snr in snrs)}
rivals = [*study.BASELINES, study.TOGETHER]
against = {
    f"{name}, {samples}": {o: study.overall(rows, "EGP" + suffix, o + suffix, ends) for o in rivals}
    for samples, suffix in (("500 validation samples", ""), ("n validation samples", study.FEW))
    for name, ends in present.items()
}
pd.DataFrame({name: {o: text(e) for o, e in column.items()} for name, column in against.items()}).rename_axis(
    "EGP's relative test error against"
)

# %% [markdown]
# The table has geometric means over settings and ratios, with Student's intervals over draws: each draw counts once.
# *The four together* are one method with all their candidates, of which validation picks one: a fair match for the
# many candidates of EGP. In the last columns only as many samples validate as train, which leaves less to be gained
# from many candidates.

# %% tags=["hide-input"]
losses = [f"{o} by {text(e)} ({name})" for name, column in against.items() for o, e in column.items() if e.low > 0]
wins = sum(e.high < 0 for column in against.values() for e in column.values())
Markdown(
    f"Of these {sum(map(len, against.values()))} means, {wins} favour EGP with an interval that leaves out zero. "
    + (f"EGP loses to {'; '.join(losses)}." if losses else "EGP loses in none beyond its interval.")
)

# %% tags=["hide-input"]
sums = rows[rows["method"].isin(study.METHODS)].groupby(["setting", "method"], sort=False)
columns = ["seconds", "candidates"]
spent = pd.concat({c: sums[c].mean().unstack("method")[list(study.METHODS)] for c in columns}).rename_axis(
    ["", "setting"]
)
spent.style.format("{:.3g}").set_caption(
    "CPU seconds for one draw (path, refits and choice), and candidates among which validation chooses"
)

# %% [markdown]
# ## Is the support found?

# %% tags=["hide-input"]
draw.curves(
    rows, study.METHODS, "asre", "Coefficients wrongly in or out of the support", "coefficients",
    f"{BANDS}: the size of the symmetric difference of the chosen and the true support, for five methods.",
)  # fmt: skip

# %% tags=["hide-input"]
top = rows[(rows["snr"] == max(snrs)) & rows["method"].isin(study.METHODS)]
exact = {m: wilson(int((some["asre"] == 0).sum()), len(some)) for m, some in top.groupby("method")}
Markdown(
    f"At $\\nu$ = {max(snrs):g} the chosen support is exactly the true one in "
    + "; ".join(f"{m} {exact[m].value:.0%} ({exact[m].low:.0%} to {exact[m].high:.0%})" for m in study.METHODS)
    + f" of {exact['EGP'].count} draws (Wilson's intervals). A lasso penalty that removes all false coefficients also "
    "shrinks the true ones, so validation prefers a smaller one."
)

# %% tags=["hide-input"]
draw.curves(
    rows, study.METHODS, "nnz", "Coefficients that are not zero", "coefficients",
    f"{BANDS}: the number of coefficients that are not zero, for five methods.",
)  # fmt: skip

# %% tags=["hide-input"]
sizes = rows.groupby(["setting", "snr", "method"])["nnz"].median().unstack("method")
Markdown(
    f"At $\\nu$ = {min(snrs):g} EGP keeps {sizes.xs(min(snrs), level='snr')['EGP'].max():.0f} coefficients at most, "
    f"at $\\nu$ = {max(snrs):g} from {sizes.xs(max(snrs), level='snr')['EGP'].min():.0f} to "
    f"{sizes.xs(max(snrs), level='snr')['EGP'].max():.0f} (medians by setting); the lasso there from "
    f"{sizes.xs(max(snrs), level='snr')['lasso'].min():.0f} to {sizes.xs(max(snrs), level='snr')['lasso'].max():.0f}."
)

# %% tags=["hide-input"]
draw.curves(
    rows, [*study.METHODS, study.ORACLE], "pve", "Proportion of variance explained", "proportion",
    f"{BANDS}: the proportion of variance explained by five methods and by least squares on the true support.",
)  # fmt: skip

# %% tags=["hide-input"]
explained = rows.groupby(["snr", "method"])["pve"].median().unstack("method")
Markdown(
    f"With the true coefficients it is $\\nu / (\\nu + 1)$: {max(snrs) / (max(snrs) + 1):.2f} at the highest ratio, "
    f"where EGP explains {explained.loc[max(snrs), 'EGP']:.2f} and the lasso "
    f"{explained.loc[max(snrs), 'lasso']:.2f} (medians of all draws)."
)

# %% tags=["hide-input"]
draw.curves(
    rows, study.METHODS, "rr", "Relative risk", "excess / signal",
    f"{BANDS}: the relative risk of five methods.",
)  # fmt: skip

# %% tags=["hide-input"]
risk = rows.groupby(["snr", "method"])["rr"].median().unstack("method")
half = {m: [snr for snr in snrs if risk.loc[snr, m] < 0.5] for m in study.METHODS}
Markdown(
    "The relative risk is 1 when all coefficients are zero. Its median over all draws is below one half from "
    + ", ".join(f"$\\nu$ = {min(v):g} on with {m}" if v else f"nowhere with {m}" for m, v in half.items())
    + "."
)

# %% [markdown]
# ## Is it the search?
#
# EGP descends to a local minimum of best subset selection. Here is the objective itself,
# $\|y - F\theta\|^2 + \lambda_0\|\theta\|_0$: its least value over all supports that a method proposed, above the least
# that any of them, or the true support, reaches on the same draw. Validation plays no part.

# %% tags=["hide-input"]
excess = study.excess_objectives(compared.objectives)
draw.excess(
    excess[excess["method"] != study.ORACLE], "Objective above the best known",
    "Mean relative excess of the best subset objective over the best known value against lambda zero, for EGP, forward "
    "stepwise selection and IHT, one panel a setting.",
)  # fmt: skip

# %% tags=["hide-input"]
mean_excess = excess.groupby("method")["value"].mean()
mean_error = np.log(
    rows[rows["method"].isin(study.REFITTED)].pivot(
        index=["setting", "snr", "repetition"], columns="method", values="rte"
    )
).mean()
missed = compared.searches["missed_truth"]
rate = wilson(int(missed.sum()), len(missed))
proposed = rows[rows["method"].isin(study.REFITTED)].groupby(["snr", "method"])["proposed_truth"].mean().unstack()
chosen = rows.assign(hit=rows["asre"] == 0).groupby(["snr", "method"])["hit"].mean().unstack("method")
middle = snrs[len(snrs) // 2]
Markdown(
    f"On average EGP is {mean_excess['EGP']:.1%} above the best known value, IHT {mean_excess['IHT']:.1%} and forward "
    f"stepwise selection {mean_excess['forward stepwise']:.1%}; the true support is {mean_excess[study.ORACLE]:.1%} "
    f"above it. Of the three, {mean_excess[list(study.REFITTED)].idxmin()} has the lowest objective and "
    f"{mean_error.idxmin()} the lowest test error. The true support beats everything that EGP proposes, at "
    f"some $\\lambda_0$, on {rate.value:.1%} of {rate.count} draws ({rate.low:.1%} to {rate.high:.1%}); on the others "
    f"EGP proposes the truth or, at every $\\lambda_0$, a support that the samples prefer to it. "
    f"At $\\nu$ = {middle:g} the true support is among EGP's proposals on {proposed.loc[middle, 'EGP']:.0%} of draws "
    f"and chosen on {chosen.loc[middle, 'EGP']:.0%} (forward stepwise: "
    f"{proposed.loc[middle, 'forward stepwise']:.0%} and {chosen.loc[middle, 'forward stepwise']:.0%})."
)

# %% [markdown]
# ## What EGP's parts are worth
#
# EGP as above against EGP with something left out or changed, on the same draws: no column with an L1 term; initial
# weights of one size; every other $\lambda_0$; only the gates at the end of training; validation error alone, without
# the size of the support; the study's fixed strengths, $\lambda_0$ from 0 to 180 and $\lambda_1$ in units of 100
# whatever the data; a ridge refit, its strength chosen by validation, in place of least squares.

# %% tags=["hide-input"]
variants = [*study.VARIANTS, study.STUDY, "EGP, ridge"]
found = [(v, name, study.overall(rows, "EGP", v, ends)) for name, ends in present.items() for v in variants]
parts = pd.DataFrame([{"variant": v, "region": r, "value": e.value, "low": e.low, "high": e.high} for v, r, e in found])
write_rows(parts, folder / "parts.parquet", provenance(settings, time.perf_counter() - started))
draw.parts(
    parts, "EGP against its variants",
    "Mean paired log ratios of EGP's relative test error and that of seven variants with 95 percent intervals, for "
    "signal-to-noise ratios below and above 1; left of zero EGP as used here is better than the variant.",
)  # fmt: skip

# %% tags=["hide-input"]
last = parts[parts["region"] == list(present)[-1]].set_index("variant")


def change(variant):
    e = last.loc[variant]
    return f"{np.expm1(-e['value']):+.1%} ({np.expm1(-e['high']):+.1%} to {np.expm1(-e['low']):+.1%})"


Markdown(
    f"At {list(present)[-1]}, the change of the error when columns with an L1 term are left out: "
    f"{change('EGP, lambda1 = 0')}; with initial weights of one size: {change('EGP, one size of weights')}; "
    f"with the last gates only: {change('EGP, last gates only')}; with the study's fixed strengths: "
    f"{change(study.STUDY)}; with a ridge refit: {change('EGP, ridge')}."
)

# %% [markdown]
# Any method that selects a subset can be refitted by ridge, so the comparison is made once more with that for all:

# %% tags=["hide-input"]
ridged = {f"{m}, ridge" for m in study.REFITTED[1:]} | {"lasso", "relaxed lasso"}
pd.DataFrame(
    {
        name: {other: text(study.overall(rows, "EGP, ridge", other, ends)) for other in sorted(ridged)}
        for name, ends in present.items()
    }
).rename_axis("relative test error of EGP, ridge, against")

# %% [markdown]
# ## Claims
#
# The claims that are this book's own were written with draws of seed 42 before us. The draws shown are of seed 2026 by
# default, drawn afterwards, so that they test the claims.

# %% tags=["hide-input"]
stated = study.claims(compared)
path = write_claims(stated, folder, profile)
pd.DataFrame({"claim": [c.statement for c in stated], "verdict": [c.verdict(profile) for c in stated]}).style.hide()

# %% [markdown]
# ## Versions and device

# %% tags=["hide-input"]
origin = provenance(settings, time.perf_counter() - started)
Markdown(
    f"{origin['seconds']:.0f} s on {origin['device']}; "
    + ", ".join(f"{k} {v}" for k, v in origin["versions"].items())
    + "."
)
