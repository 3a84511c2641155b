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
# \lVert w_t - w^\star \rVert = (1 - \eta)^t \lVert w_0 - w^\star \rVert, \qquad
# \lVert w_t - w^\star \rVert < \varepsilon $$

# %% tags=["parameters"]
steps: int = 10  # [1, 1000]; gradient steps
profile: str = "laptop"
output_dir: str = "results/custom/01_small"

# %%
# ruff: noqa: E402
import small_study as study

from sparsenn_book.chapter import Chapter
from sparsenn_book.records import closure

closure.PACKAGES = (
    *closure.PACKAGES,
    "small_study",
)  # it is no part of the installed packages; a line of code this long is
chapter = Chapter("01_small", globals())
settings = chapter.settings(study.CurveSettings)
curves = chapter.table("curves", study.curves, settings)

# %% [markdown]
# ## What we learned

# %% tags=["hide-input"]
chapter.say(
    rf"- The loss falls to $\lambda = {curves.loss.min():.3g}$ in {settings.steps} steps, where $\|w\| < \varepsilon$."
    "\n- **Take to your own training**: a learning rate of one half needs "
    rf"{int((curves.rate == 0.5).sum())} steps, and $\eta > 2$ none."
)

# %% [markdown]
# ## Loss during training

# %% tags=["hide-input"]
chapter.show(study.loss(curves), headline="small.recovery")

# %%
chapter.show(study.recovery())

# %% [markdown]
# A table wider than a phone:

# %%
chapter.show(study.wide_table())

# %% [markdown]
# | a condition with a long name | and another quantity | the third of the columns | as coded | as described |
# |---|---|---|---|---|
# | gradient descent without momentum | 0.1234567890123 | $\sum_{i=1}^{n} \lambda_i \lVert w_i \rVert_2^2$ | yes | no |
#
# ## Claims

# %%
chapter.claims(study.claims, settings)

# %%
chapter.colophon()
