# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Sparse layers
#
# **Question.** A layer is made sparse by a mask of zeros and ones on its weights. A study
# (himanshuvnm/Sparse_Neural_Network) learns the mask with the weights. What does a learned mask gain over a random one,
# and is a sparse layer faster?

# %% tags=["parameters"]
original_runs: int = 5  # [1, 1000]; runs of the study's notebook in each version
original_steps: int = 501  # [1, 100000]; their steps; the study's
original_sparsity: float = 0.75  # [0, 1); of both of its layers; the study's
tasks: list[str] = [
    "linear",
    "nonlinear",
]  # one of linear, nonlinear, digits, fashion, fashion_cnn; distinct; has linear
sparsities: list[float] = [0.5, 0.95]  # [0, 1); distinct; share of the first layer's weights removed
runs: int = 10  # [1, 1000]; networks for each task, method and sparsity, each with data of its own
steps: int = 200  # [1, 100000]; of training, up to whole epochs
pictures: int = 15360  # [1, 58000]; training pictures of each run of fashion and fashion_cnn
picture_steps: int = 120  # [1, 100000]; of training on them, up to whole epochs
picture_sparsities: list[float] = [0.5, 0.9, 0.95, 0.99]  # [0, 1); distinct; for them, in place of sparsities
batch_size: int = 128  # [1, 1000]; samples a step
rates: list[float] = [0.01, 0.03, 0.1]  # (0, 1]; distinct; learning rates tried for every method
tuning_sparsities: list[float] = [0.95]  # [0, 1); distinct; at which they are tried
tuning_runs: int = 1  # [1, 1000]; runs of each, which are not reported
recorded_tasks: list[str] = ["linear"]  # one of linear, nonlinear, digits; distinct; of an earlier comparison
recorded_sparsities: list[float] = [0.95]  # [0, 1); distinct; of those recorded 0.5, 0.8, 0.9, 0.95, 0.98
recorded_steps: int = 100  # [1, 100000]; the earlier comparison's: 2,000
structure_task: str = "digits"  # one of linear, nonlinear, digits; for N:M, blocks and channels
structure_sparsities: list[float] = [0.9]  # [0, 1); distinct; of those that do not give their own
structure_runs: int = 4  # [1, 1000]; networks of each
penalty_task: str = "nonlinear"  # one of linear, nonlinear, digits; for L0 gates and soft thresholds
strengths: list[float] = [0.0001, 0.001, 0.01]  # [0, 100]; distinct; of the penalty, for each open gate
penalty_runs: int = 3  # [1, 1000]; networks for each strength
mask_draws: int = 1000  # [2, 10000000]; random masks of each shape and sparsity
speed_sizes: list[int] = [256, 1024]  # [32, 16384]; distinct; n of the n x n layers that are timed, multiples of 32
speed_batches: list[int] = [1, 64]  # [1, 65536]; distinct; samples at once
speed_sparsities: list[float] = [0.5, 0.9, 0.98]  # [0, 1); distinct; of the layers that are timed
speed_repeats: int = 7  # [1, 1000]; of which the least time counts
seed: int = 2026  # [0, 1000000000]
device: str = "auto"  # one of auto, cpu, cuda
profile: str = "laptop"  # name of the profile, recorded with the results
output_dir: str = "results/custom/08_sparse_layers"  # folder for rows and claims

# %% tags=["hide-input"]
from sparsenn_book.chapter import Chapter
from sparsenn_book.studies import sparse_layers as study

chapter = Chapter("08_sparse_layers", globals())
say = study.sentences

trained, ends, pictures, predictions = chapter.several(
    ("trained", "ends", "pictures", "predictions"), study.original.run_again, chapter.settings(study.OriginalSettings)
)
tuning = chapter.table("tuning", study.comparison.tuned, chapter.settings(study.TuningSettings))
comparison_settings = chapter.settings(study.ComparisonSettings)
errors, course = chapter.several(("errors", "course"), study.comparison.compared, comparison_settings, tuning)
again = chapter.table("again", study.earlier.again, chapter.settings(study.RecordedSettings))
unread = chapter.table("unread", study.inputs.counted, chapter.settings(study.InputSettings))
speed = chapter.table("speed", study.speed.timed, chapter.settings(study.SpeedSettings))

# %% [markdown]
# ## What we learned

# %% tags=["hide-input"]
told = study.lessons.told(chapter.full, chapter.tables, chapter.profile)
chapter.say(study.lessons.learned(told))

# %% [markdown]
# ## An example
#
# A network of your own, nine tenths of its weights removed bit by bit while it trains, by a loop of your own. Two
# lines of the training are new: `masks.sparsify` before it and `masks.step` in it. `masks.forms` then shows that other
# ways to store the sparse layer give the same outputs.

# %%
import torch
from torch import nn

from sparsenn_core import masks

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 1))
masks.sparsify(model, masks.Magnitude(), 0.9, schedule=masks.Cubic(50, 300), layers=["0"])
optimizer = torch.optim.Adam(model.parameters(), 0.01)
for _ in range(500):
    x = torch.randn(128, 20)
    loss = (model(x) - x.sum(1, keepdim=True)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    masks.step(model, optimizer)
left = masks.remaining(model)["0"]
print(f"{left.kept} of {left.size} weights are left; loss {loss.item():.3f}, of a variance of 20")
for form in masks.forms(model, torch.randn(64, 20)):
    print(f"{form.name:8} outputs differ by {form.difference:.0e} of the largest")

# %% [markdown]
# *Try* `masks.RigL(until=350)` in place of `masks.Magnitude()`, without a schedule.
#
# ## Words
#
# - **Sparsity** is the share of a layer's weights that is removed: at 0.95, one in twenty is left.
# - A **mask** $M$ has a 1 for each weight that stays; the layer uses $W \circ M$.
# - A mask keeps the weights of largest **score**. A **structure** says which weights stay or go together, a
#   **schedule** when they go. The library keeps these apart, so that each can be exchanged.
# - **Straight-through**: the mask is a step function of its scores, whose derivative is zero. For the gradient it
#   counts as the score itself: $\partial L/\partial S = \partial L/\partial (W \circ M) \circ W$.
# - A network is **dense** if nothing is removed.
#
# ## The study's network
#
# Its notebook trains 10 inputs, 64 units and 1 output, both layers sparse, on the sum of the inputs. The layer compares
# scores $S$ with a threshold: $M = 1[S > \tau]$. These are its three outputs: training loss, weights, predictions, the
# last here on points that were not trained on. *As coded* is the study's code. *Mask learned* has the same weights,
# scores and points, and straight-through gradients. The study's pictures are images without numbers, so they are not
# drawn beside.

# %% tags=["hide-input"]
chapter.show(study.figures.training_loss(trained))
chapter.say(say.original(ends, trained))

# %% tags=["hide-input"]
chapter.show(study.figures.sparse_weights(pictures))

# %% tags=["hide-input"]
chapter.show(study.figures.predictions(predictions))
chapter.say(say.untrained(ends))

# %% [markdown]
# *Try* `sparsenn run sparse_layers -p original_sparsity 0.9`: fewer units are left in the second layer, and what a
# learned mask gains changes.
#
# ## What is compared
#
# Input - sparse layer - ReLU - linear layer. In one run all methods have the same data and minibatches, and all but two
# the same initial weights; the table names these two. Otherwise they differ in the mask, and in a learning rate that is
# chosen for each method.
#
# | method | mask |
# |---|---|
# | as in the study | random; initial weights 0.1 N(0, 1) |
# | random | random, fixed |
# | one-shot | the largest weights, chosen once at half time |
# | gradual | ever fewer of the largest weights (Zhu and Gupta 2017) |
# | SET | the smallest weights exchanged for random ones, twenty times (Mocanu et al. 2018) |
# | RigL | the same, for those of largest gradient (Evci et al. 2020) |
# | edge-popup | learned scores; weights frozen, all of one size (Ramanujan et al. 2020) |
# | straight-through | learned scores, weights trained too |
# | soft | a sigmoid of the scores that becomes steeper, and hard for the last three tenths |
#
# Tasks: *linear*, the sum of 20 inputs, 64 units. *Nonlinear*, $x_1x_2 + |x_3| + \max(x_4, x_5)$, of 50 inputs, scaled
# to variance 1, 4096 samples, 128 units. *Digits*, 8 x 8 pixels, 1297 to train on and 500 to test, 128 units. Digits
# are compared at full scale only, as are *fashion*, Fashion-MNIST's 28 x 28 pixels by 128 units, and *fashion_cnn*, two
# sparse convolutions, 8 channels of 5 x 5 and 16 of 3 x 3. Each run draws its own training pictures; all are tested on
# the same 10,000. **Error** is always that on test samples: the mean squared error of *linear* and *nonlinear*, the
# share of wrong answers of the others. Every method gets its learning rate for each task from the same list, by the
# error in runs of their own that are not reported. For *linear* and *nonlinear* these have other samples. For *digits*
# they split the same 1,797 digits in another way. For *fashion* and *fashion_cnn* they see nothing of the test.

# %% tags=["hide-input"]
chapter.say(say.tuning(tuning))

# %% [markdown]
# ## Test error against sparsity
#
# Lines are medians over runs, bands hold the middle 80 %. The axis is stretched towards 1: it is logarithmic in the
# share of weights that is left. Guessing among ten classes has the error 0.9.

# %% tags=["hide-input"]
for task in tasks:
    headline = f"masks.gain-{task}" if task in ("linear", "nonlinear") else ""
    chapter.show(study.figures.against_sparsity(errors, task), headline=headline)
    chapter.say(say.compared(errors, task))

# %% [markdown]
# *Try* `sparsenn run sparse_layers -p sparsities "[0.98, 0.99]"`: who still reads all inputs?
#
# ### Beside an earlier comparison
#
# Some of these errors were recorded once before, by other code: 2,000 steps, learning rate 0.003 for all methods, means
# of three runs on *linear*, *nonlinear* and *digits*. The same settings are run again here, where they are cheap.
#
# A cell is one task, method and sparsity. It is *better* if the whole interval of its mean (95 %) lies below what was
# recorded less the recorded spread, *worse* if above it by more than that spread. For most cells no spread was written
# down; it counts as zero.

# %% tags=["hide-input"]
cells = study.cells.beside(again, errors)
chapter.show(study.figures.recorded_cells(cells))
chapter.show(study.cells.counts(cells).set_index("task"))
chapter.say(say.recorded_cells(cells, again, comparison_settings))

# %% [markdown]
# ## Why: inputs that nobody reads
#
# Of $m$ weights in random places in a layer of $h$ units and $d$ inputs, the expected number of inputs without any is
#
# $$ d\,\binom{dh-h}{m} \Big/ \binom{dh}{m}. $$

# %% tags=["hide-input"]
if "linear" in tasks:
    chapter.show(study.figures.unread(unread, errors))
    chapter.say(say.unread(unread, errors))

# %% [markdown]
# Where few inputs matter, it is the other way round: the weights should be on these.

# %% tags=["hide-input"]
if "nonlinear" in tasks:
    chapter.show(study.figures.found_inputs(errors))
    chapter.say(say.found(errors))

# %% [markdown]
# *Try* `sparsenn run sparse_layers -p steps 2000`: with more steps, do the learned masks find more of them?
#
# ## How masks move
#
# The *churn* of a mask is the share of its entries that differ from those 50 steps before (linear task).

# %% tags=["hide-input"]
if (course["name"] == "churn").any():
    chapter.show(study.figures.churn(course))
    chapter.say(say.course(course))

# %% [markdown]
# *Try* `sparsenn run sparse_layers -p rates "[0.001]"`: slower scores, less churn.
#
# ## Other structures
#
# *N:M* keeps N of every M neighbouring inputs; *blocks* are 4 x 4; a *channel* is a whole unit. All have the
# same learning rate, 0.003, instead of one tuned for each. So these errors cannot be set beside those of the comparison
# above.

# %% tags=["hide-input"]
structured = chapter.table("structured", study.structured.structured, chapter.settings(study.StructureSettings))
chapter.show(study.figures.structures(structured))
chapter.say(say.structures(structured))

# %% [markdown]
# *Try* `sparsenn run sparse_layers -p structure_task linear`: whole channels of a sum can go, single inputs cannot.
#
# ## Sparsity as an outcome
#
# *L0* multiplies each weight with a random gate and pays for the expected number of open ones (Louizos et al. 2018).
# *STR* moves every weight towards zero by a threshold that is trained (Kusupati et al. 2020). Neither is told a
# sparsity.

# %% tags=["hide-input"]
penalized = chapter.table("penalized", study.structured.penalized, chapter.settings(study.PenaltySettings))
chapter.show(study.figures.outcomes(penalized))
chapter.say(say.outcomes(penalized))

# %% [markdown]
# *Try* `sparsenn run sparse_layers -p strengths "[0.03, 0.1]"`: how much can be removed before the error rises?
#
# ## Is sparse faster?
#
# One layer, $n$ x $n$, on the machine that made this page, the least of some repetitions. *Masked* is how layers train:
# weight times mask at every step. *CSR* stores rows without their zeros, *blocks* (32 x 32) the blocks that are not
# empty. *Removed channels* are gone: a smaller dense layer. *Ideal* is 1 / (1 - sparsity).

# %% tags=["hide-input"]
chapter.show(study.figures.speedups(speed))
chapter.say(say.speed(speed))

# %% [markdown]
# `masks.fastest(model, example)` makes these forms of a whole model, refuses one whose outputs differ, and returns the
# fastest. *Try* `sparsenn run sparse_layers -p speed_sizes "[4096]"`.
#
# ## Claims
#
# Claims marked *before the draws that test it* were fixed on pilot runs of another seed. The claim on masked layers is
# not marked: it spoke of training steps as well, and was limited to the forward pass after these had been timed.
# Thresholds: *several times* is three; one percentage point of 500 digits is about one standard deviation between runs.
# Speeds are of one machine. In place of an interval they show the range of all cases, so such a claim is decided only
# if all cases agree. Counts are of independent runs, but for timed cases. The cells of the earlier comparison share
# three seeds, for data, first weights and order: the interval of their share comes from leaving out each of the three.

# %% tags=["hide-input"]
chapter.claims(study.claims)

# %% [markdown]
# ## Answer

# %% tags=["hide-input"]
chapter.say(study.lessons.answer(told))

# %% tags=["hide-input"]
chapter.colophon()
