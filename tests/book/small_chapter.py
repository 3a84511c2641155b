# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A small chapter
#
# **Question.** How does the loss $L(w) = \tfrac12 \lVert w - w^\star \rVert_2^2$ fall? The word *marmoset* is here
# to be searched for.
#
# $$ w_{t+1} = w_t - \eta \nabla L(w_t), \qquad
# \lVert w_t - w^\star \rVert = (1 - \eta)^t \lVert w_0 - w^\star \rVert $$

# %% tags=["parameters"]
steps: int = 10  # gradient steps
profile: str = "laptop"
output_dir: str = "."

# %%
# ruff: noqa: E402
import pandas as pd

from sparsenn_book import figures
from sparsenn_book.records import Claim, exact, provenance, wilson, write_claims, write_rows

figures.use()
epochs = list(range(1, steps + 1))
rows = pd.DataFrame({"step": epochs})
rows_path = write_rows(rows, f"{output_dir}/rows.parquet", provenance({"steps": steps}, seconds=0.1))

# %% [markdown]
# ## Loss during training

# %% tags=["hide-input"]
fig = figures.figure(
    "Loss of the reference schedule against the minimiser, from the same initial weights, for three learning rates",
    "training time (epochs)",
    "mean squared error (1)",
    "The loss falls by a constant factor in each epoch until it meets the minimum.",
)
for i, rate in enumerate((0.1, 0.3, 0.5)):
    curve = [(1 - rate) ** (2 * t) + 1e-3 for t in epochs]
    figures.line(fig, epochs, curve, f"learning rate {rate}", i)
    figures.band(fig, epochs, [c * 0.7 for c in curve], [c * 1.4 for c in curve], f"learning rate {rate}", i)
figures.points(fig, epochs[::3], [0.5 * 0.8**t for t in epochs[::3]], "recorded", "recorded")
figures.level(fig, 1e-3, "minimum")
fig.update_yaxes(type="log")

# %%
grid = figures.panels(
    "Rates by activation",
    ["relu", "sigmoid", "tanh"],
    r"$\lambda$",
    "runs that recover the teacher (fraction)",
    "Recovery is more frequent for small penalties.",
    columns=3,
)
for column in (1, 2, 3):
    rates = [0.9 - 0.2 * column, 0.5, 0.1]
    figures.points(
        grid,
        [1e-4, 1e-3, 1e-2],
        rates,
        "minimiser",
        "minimiser",
        low=[r - 0.08 for r in rates],
        high=[r + 0.08 for r in rates],
        row=1,
        col=column,
    )
grid.update_xaxes(type="log").update_traces(showlegend=False)

# %% [markdown]
# A table wider than a phone:

# %%
pd.DataFrame([[0.123456 * i * j for j in range(14)] for i in range(4)], columns=[f"quantity {j}" for j in range(14)])

# %% [markdown]
# ## Claims

# %%
path = write_claims(
    [
        Claim(
            "small.optimum",
            "small",
            r"The minimum of the penalised loss is $9.169\cdot 10^{-5}$.",
            "the study, Table 1",
            "9.2e-5",
            exact(9.169e-5),
            said=(9.15e-5, 9.25e-5),
        ),
        Claim(
            "small.recovery",
            "small",
            "Most runs recover the teacher.",
            "the study, abstract",
            "9 of 10 runs",
            wilson(3, 64),
            said=(0.5, 1.0),
            ours=(0.0, 0.2),
        ),
        Claim("small.rate", "small", "Half of the runs fit.", "the study", "50 %", wilson(5, 10), said=(0.45, 0.55)),
        Claim(
            "small.collapse",
            "small",
            "No run collapses.",
            "the study, Section 3",
            None,
            wilson(30, 64),
            said=(0.0, 0.05),
        ),
        Claim(
            "small.bound",
            "small",
            "The loss of every step is below the bound $(1-\\eta)^{2t}$ of the text, in all runs of every setting.",
            "this book",
            None,
            wilson(500, 500),
            ours=(0.99, 1.0),
        ),
        Claim("small.scale", "small", "The rate holds at full scale.", "the study", "yes", None, said=(0.9, 1.0)),
    ],
    output_dir,
    profile,
)
