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

# %% tags=["parameters"]
seeds: int = 10  # [1, 1000]; runs of each condition: data, order and initial weights of their own
epochs: int = 120  # [1, 100000]; longest training; the study allowed 10,000 without penalty and 100,000 with
patience: int = 100  # [1, 100000]; epochs without a lower loss before a run stops
samples: int = 5120  # [16, 10000000]; training inputs a run
batch_size: int = 16  # [1, samples]; minibatch
learning_rate: float = 0.01  # (0, 1]; the study's records show 0.01 in most runs, 0.005 in the others
strength: float = 1e-5  # [0, 100]; of the penalty
init_scales: list[float] = [0.2, 1.0]  # (0, 100]; distinct; factors on the initial weights
doubled_l2: bool = True  # the study counts L2 twice: in the loss and as the optimizer's weight decay
last_activation: str = "same"  # one of same, linear; after the last layer
bias: bool = False  # biases in the students
starts: int = 4  # [1, 1000]; random starts of the minimiser for each penalty, student and activation
minimiser_steps: int = 2000  # [0, 1000000]; proximal steps before the polish
dead_starts: int = 20  # [1, 1000]; relu students that are dead before training, trained on without patience
wake_epochs: int = 300  # [1, 100000]; how long they are trained
experiments: list[int] = [4]  # [3, 6]; distinct; which of experiments 3 to 6 are solved
student_activations: list[str] = ["tanh"]  # one of relu, sigmoid, tanh; distinct; of the students of these
student_samples: int = 1000  # [16, 10000000]; their training inputs; the study had 100,000 for experiments 3 to 5
student_starts: int = 1  # [1, 1000]; random starts of each activation
student_steps: int = 2000  # [0, 1000000]; proximal steps of each start
short_epochs: int = 5  # [1, 99]; of the study's schedule in experiments 3 to 5, cut; its own runs took 393 to 785
short_seeds: int = 2  # [1, 1000]; runs of each of these experiments
short_samples: int = 1600  # [16, 10000000]; their training inputs; the study had 100,000
cross_samples: int = 1000  # [16, 10000000]; training inputs for pairs of activations; the study had 5,120
cross_starts: int = 1  # [1, 1000]; random starts of each pair of activations
cross_steps: int = 600  # [0, 1000000]; proximal steps of each of these
test_samples: int = 50000  # [100, 10000000]; fresh inputs for the error
device: str = "auto"  # one of auto, cpu, cuda
profile: str = "laptop"  # name of the profile, recorded with the results
output_dir: str = "results/custom/01_l1_path"  # folder for rows and claims

# %% tags=["hide-input"]
import pandas as pd

from sparsenn_book.chapter import Chapter
from sparsenn_book.studies import l1_path

chapter = Chapter("01_l1_path", globals())
objective, schedule = chapter.settings(l1_path.Objective), chapter.settings(l1_path.Schedule)
length, grid = chapter.settings(l1_path.Length), chapter.settings(l1_path.Grid)
search, dead = chapter.settings(l1_path.MinimiserSettings), chapter.settings(l1_path.DeadStarts)
fresh, short = chapter.settings(l1_path.FreshInputs), chapter.settings(l1_path.ShortSchedule)
solving, crossing = chapter.settings(l1_path.Solving), chapter.settings(l1_path.Crossing)
said, figures, full = l1_path.sentences, l1_path.figures, chapter.full.tables


def say(text):
    """A sentence about this page's rows, unless the page trained too little for any."""
    if chapter.profile != "smoke":
        chapter.say(text)


# %% tags=["hide-input"]
# every table of this page; the sections below show them
cases = [(student, activation) for student in l1_path.STUDENTS for activation in l1_path.ACTIVATIONS]
wide = [case for case in cases if case[0] == "multi_channel"]
found, minimisers, ended, curves, weights = {}, {}, {}, {}, {}
for case in cases:
    names = [f"{kind}_{'_'.join(case)}" for kind in ("found", "minimisers")]
    found[case], minimisers[case] = chapter.several(names, l1_path.minimisers, *case, objective, search)
    names = [f"{kind}_{'_'.join(case)}" for kind in ("ended", "curves", "weights")]
    ended[case], curves[case], weights[case] = chapter.several(
        names, l1_path.trained, *case, objective, schedule, length, grid
    )
woken, wake_weights, wake_curves = chapter.several(
    ("woken", "wake_weights", "wake_curves"), l1_path.waking, objective, schedule, dead
)
wakes = chapter.table("wakes", l1_path.judged, objective, fresh, woken, wake_weights)
minima = chapter.table("minima", l1_path.judged, objective, fresh, *found.values(), *minimisers.values())
runs = chapter.table("runs", l1_path.judged, objective, fresh, *ended.values(), *weights.values())
least_wide = [kind[case] for kind in (found, minimisers) for case in wide]
all_wide = [kind[case] for kind in (ended, found, weights, minimisers) for case in wide]
arranged = chapter.table("arranged", l1_path.arranged, objective, *least_wide)
zeroed = chapter.table("zeroed", l1_path.zeroed, objective, *all_wide)
faults = chapter.table("faults", l1_path.faults)
for experiment in solving.experiments:
    for activation in student_activations:
        names = [f"{kind}_{experiment}_{activation}" for kind in ("solved", "solved_weights")]
        chapter.several(names, l1_path.solved, experiment, activation, objective.strength, solving, fresh.test_samples)
for experiment in l1_path.CELLS:
    names = [f"{kind}_{experiment}" for kind in ("short", "short_curves")]
    chapter.several(names, l1_path.shortened, experiment, objective.strength, short, fresh.test_samples)
crossed = chapter.table("crossed", l1_path.crossed, objective.strength, cross_samples, crossing, fresh.test_samples)

# %% [markdown]
# ## What we learned

# %% tags=["hide-input"]
chapter.say(l1_path.learned(full, chapter.full.age, chapter.tables, chapter.profile))

# %% [markdown]
# ## Ten lines
#
# A teacher with 7 weights, a student with 52, and the L1 objective minimised from one start. The minimiser needs no
# threshold: the weights it does not need are exactly zero.

# %%
import torch

from sparsenn_core import networks, penalties, training

teacher = networks.literal_teacher("baseline", "tanh")
inputs = torch.randn(1000, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
data = training.Data.shared(inputs, teacher(inputs))
student = networks.multi_channel_cnn("tanh", generator=torch.Generator().manual_seed(1))
start = training.Ensemble.stack([student])
end = training.minimise(start, data, penalty=penalties.L1(1e-5), steps=2000, first_strength=1000.0)
print(f"objective {end.objective.item():.4e}, {end.nonzero.item()} of 52 weights are not zero")

# %% [markdown]
# *Try*: `first_strength=1.0`. The penalty then starts at its own strength, and units that the teacher does not need
# have no reason to merge.
#
# ## Setting
#
# These are experiments 1 and 2 of a public study ([laschulz/investigating_sparseNN](../references.md); its paper was
# not available, its code and records were). The teacher, `baselineCNN` in the study's code, has three layers of
# non-overlapping convolutions with one filter each, of 3, 2 and 2 *taps* (the weights of a filter, one for each
# position it reads): 7 weights in all, no bias, and the same activation after every layer, the last one included. In
# experiment 1 the student has the same 7 weights; in experiment 2 it has four channels in the hidden layers, 52
# weights, of which 7 would do. The penalty is none, L1 ($\lambda\sum|w|$) or L2 ($\lambda\sum w^2$) with $\lambda =
# 10^{-5}$; initial weights are the usual ones of the activation, times a *scale* of 0.2 or 1.
#
# Three kinds of result stand side by side and are never mixed:
#
# | | | in pictures |
# |---|---|---|
# | **recorded** | what the study's own runs recorded | grey diamonds |
# | **reference schedule** | the study's training, run again here with the same arithmetic | vermilion squares |
# | **minimiser** | the same objective minimised properly, certified to be stationary | blue |
#
# The schedule is SGD with momentum 0.9 on minibatches of 16, with a stop after 100 epochs without a lower loss (the
# *patience*). A minimiser is called the "least found": a non-convex objective may have a lower one.
#
# A network computes the same function after some changes of its weights, its *symmetries*: channels may be permuted,
# tanh units may change sign, and relu units may be scaled, $c$ in and $1/c$ out. How a run ends is told up to these:
#
# | outcome | meaning |
# |---|---|
# | *recovered* | fits; teacher's weights up to symmetry, within 5 % of their norm, layers' sizes matched first |
# | *fitted* | fits ($R^2 \ge 0.99$ on fresh inputs), with other weights |
# | *partial* | better than a constant, $0.01 \le R^2 < 0.99$ |
# | *collapsed* | no better than a constant |
# | *dead* | zero on every input |
#
# ## What the objective asks for
#
# A relu network computes the same function when a unit's incoming weights are multiplied by $c > 0$ and its outgoing
# ones divided by $c$, so the penalty alone decides how the size is shared between the layers. How small can it get? Let
# $a_1, a_2, a_3$ be the sums of absolute weights of the teacher's three layers.
#
# **No relu student of this shape, of any number of channels, that computes the teacher's function has
# $\sum |w| < 3\,(a_1 a_2 a_3)^{1/3}$; the teacher with its layers rescaled to equal sums has exactly that.**
#
# *Proof.* (1) The teacher's gradient. Choose inputs at which every unit is active, which is possible on an open set
# $U$: the four first-layer units read different inputs, so their outputs can be any positive numbers $h_1, \dots, h_4$;
# the second layer is active if $1.29\,h_2 > 1.38\,h_1$ and $1.29\,h_4 > 1.38\,h_3$, the last if the first of these
# units exceeds the second by enough. On $U$ the teacher is linear. Each of the 12 inputs reaches the output by one
# path, and the derivative by it is the product of the three weights on that path. Summing absolute values over all
# paths gives $\|\nabla f\|_1 = a_1 a_2 a_3$. (2) The student's gradient. It is piecewise linear with finitely many
# pieces, so some open part of $U$ lies in one piece, where the derivative by an input is a sum over the paths from it
# on which all units are active, each the product of three weights. Hence $\|\nabla f\|_1$ is at most the sum over all
# paths of $|w_3||w_2||w_1|$. A path chooses a weight $w_3$ of the last layer, then a weight $w_2$ among those of the
# channel that $w_3$ reads, then $w_1$ among those of the channel that $w_2$ reads. Dropping these restrictions only
# adds terms, so $\|\nabla f\|_1 \le S_1 S_2 S_3$, with $S_l$ the sum of absolute weights of layer $l$. (3) If both
# compute the same function, the two gradients agree, so $a_1 a_2 a_3 \le S_1 S_2 S_3 \le
# \big(\tfrac{S_1 + S_2 + S_3}{3}\big)^3$ by the inequality of geometric and arithmetic means. (4) Multiplying the
# teacher's layers by positive factors whose product is one keeps its function and makes the three sums equal, which
# gives equality; a wider student can hold this network beside zeros. ∎
#
# The statement is about students that compute the teacher's function. The objective lets the fit give way a little to
# save penalty; the minimiser below shows how little.

# %% tags=["hide-input"]
chapter.say(said.of_bound(objective.strength))

# %% [markdown]
# ## The minimiser
#
# The same objective, all samples at once: proximal Adam steps on minibatches, which make weights exactly zero; then
# L-BFGS-B with bounds and proximal Newton steps in float64, longest for the best start. Many starts, because the
# objective is not convex: random ones, and for L1 also the teacher itself, which the penalty then bends. With sigmoid
# its mirror images start too: $\sigma(-z) = 1 - \sigma(z)$, so a unit with all signs turned computes nearly the same,
# and each image has a minimum of its own. *Residual* is the largest entry of the shortest subgradient: zero at a
# stationary point, and to be compared with $\lambda = 10^{-5}$.

# %% tags=["hide-input"]
chapter.show(said.least_table(minima))
say(said.of_minima(minima, objective.strength))
chapter.show(figures.heat_maps(arranged), headline="l1.minimiser-support")
say(said.of_weights(arranged))

# %% [markdown]
# Every network is brought into the arrangement closest to the teacher's before it is drawn; units that compute the same
# are merged, so that fewer weights may be left than the table counts. Exact zeros are left blank. The teacher is shown
# with relu's balanced scales.
#
# *Try*: `sparsenn run 01_l1_path -p strength 1e-3`. With relu and tanh the fit gives way more and the seven places
# stay; with sigmoid, whose targets hardly vary, nothing is worth its penalty any more.
#
# ## The reference schedule, run again
#
# All runs of one activation and student train as one ensemble, each with its own data, start and order of minibatches.
# A run is judged by its last weights, as in the study, on fresh inputs.

# %% tags=["hide-input"]
say(said.of_runs(runs))

# %% [markdown]
# ## Recorded, run again, minimised
#
# Each mark is one run. A mark at the level "best constant" does no better than that. Means over runs, which the study
# tabulates, mix these with runs that fit, and describe neither. An open square was still training when its epochs were
# used up: it says where the schedule is then, not where it ends, and is not to be compared with a recorded run that
# stopped by itself.

# %% tags=["hide-input"]
recorded, least = l1_path.recorded_runs(), l1_path.least(minima).reset_index()


def of(table, student):
    return table[table["student"] == student]


wide_runs = of(runs, "multi_channel")
chapter.show(
    figures.objectives(
        of(recorded, "multi_channel"), wide_runs, of(least, "multi_channel"), "Final loss of each run of experiment 2"
    )
)
say(said.of_losses(runs, minima, "multi_channel"))

# %% [markdown]
# *Try*: `sparsenn run 01_l1_path -p epochs 1000`. Against the 120 epochs of the profile `laptop`, which such a command
# starts from, squares move down towards the blue lines, and some of the open ones close.

# %% [markdown]
# ## How runs end
#
# All runs are counted, whether they stopped by themselves or used up their epochs. Of the recorded runs it is not known
# whether a fit has the teacher's weights, so all that fit are called fitted.

# %% tags=["hide-input"]
small_runs = of(runs, "baseline")
chapter.show(figures.outcomes(of(recorded, "baseline"), small_runs, "How runs of experiment 1 (7 weights) end"))
chapter.show(figures.outcomes(of(recorded, "multi_channel"), wide_runs, "How runs of experiment 2 (52 weights) end"))
say(said.of_fates(runs))

# %% [markdown]
# *Try*: `sparsenn run 01_l1_path -p init_scales "[0.1, 0.2]"`, and compare how many sigmoid students stay at a
# constant.
#
# ## The dead, and how they wake
#
# A relu student of 7 weights whose second or third layer has no positive weight outputs zero on every input: what
# enters these layers is never negative. Then no gradient of the *error* reaches any weight. But the penalty has a
# gradient of its own. That of L2 shrinks all weights by one factor, and no sign turns. That of L1 takes the same
# amount off every weight at every step, learning rate × strength / (1 − momentum) in the long run, whatever the
# weight's size: the smallest weight of the dead layer reaches zero first and is carried across. If the unit it lets
# through then meets inputs whose target is not zero, the error pulls it on, and the student *wakes*: its loss falls
# more than 1 % below that of the output zero. It may die again.
#
# So a dead student's earliest hour can be told from its start: the smallest weight of its dead layer over that amount.
# Whether it wakes then is another matter. The weight that turns first may open the student only where the teacher is
# zero as well, and later weights turn when all others have shrunk too, and with them every gradient.
#
# Patience hides this: the loss of a dead student falls too slowly to be seen among its minibatches, and the run stops.
# Here students that start dead train on without it, from the same starts, on the same data in the same order, under
# each penalty.

# %% tags=["hide-input"]
chapter.show(figures.waking(wakes, wake_curves), headline="l1.dead-wakes")
say(said.of_waking(wakes, dead.wake_epochs))

# %% tags=["hide-input"]
chapter.show(figures.waking_time(wakes))
say(said.of_waking_time(wakes))

# %% [markdown]
# *Try*: `sparsenn run 01_l1_path -p learning_rate 0.02`. Every predicted epoch is half of what it was.
#
# ## Small weights, and what a threshold does
#
# The study calls a weight zero below 1e-4. Slide the threshold: to the left, more weights become zero; upwards, the
# error grows. Where marks move left and do not rise, the threshold costs nothing.

# %% tags=["hide-input"]
chapter.show(figures.zeroing(zeroed))
say(said.of_zeroing(zeroed))

# %% tags=["hide-input"]
two = pd.concat([curves[case] for case in wide])
chapter.show(
    figures.training_curves(
        two, "share below 1e-4", "Small weights during training, experiment 2", "share of weights below 1e-4", log=False
    )
)
say(said.of_sparsity(runs))

# %% tags=["hide-input"]
chapter.show(
    figures.training_curves(two, "epoch loss", "Loss during training, experiment 2", "loss with penalty", log=True)
)

# %% [markdown]
# Lines are medians over all runs, *bands* reach from the lower to the upper quartile.

# %% [markdown]
# ## Wider students and other teachers
#
# Experiments 3 to 6 of the study. In 3 and 4 the student of the 7-weight teacher is fully connected, with 11,296 and
# 18,048 weights; a copy of the teacher in it needs 12, 4 and 2 of them, as every place that a filter reads has weights
# of its own, which make a *tree*. In 5 the teacher has four channels, in 6 two filters for even and odd places. One run
# of the study's schedule takes an hour or more; here the L1 objective is minimised instead (`training.minimise_wide`):
# proximal steps, then units that compute the same are merged and superfluous ones removed while the objective falls,
# then L-BFGS-B on what is left. Starts are random ones, and the teacher itself put inside the student.

# %% tags=["hide-input"]
own, kept = l1_path.solved_of(chapter.tables), l1_path.solved_of(full)
solved = own if kept.empty or chapter.profile == "full" else kept
records = l1_path.all_recorded()
wider, drawn, cut = l1_path.sentences_of_experiments, l1_path.figures_of_experiments, l1_path.pages_of_schedules
say(wider.of_source(own, kept, chapter.profile))
chapter.show(drawn.least_and_recorded(solved, records))
chapter.show(wider.solved_table(solved))
say(f"{wider.of_solved(solved)} {wider.of_fit(solved)}")

# %% [markdown]
# *Kept* counts weights that are not zero, by layer, first/second/last; *teacher* is what a copy of it takes. *Starts*
# are the random ones whose end is within 1 % of the least found. Whether L1 can leave exactly the teacher's weights at
# all is certified in chapter [L1 phases](03_l1_phases). A strength is strong where outputs vary little, as those of
# sigmoid units do: there the objective itself may give up some of the fit.
#
# *Try*: `sparsenn run 01_l1_path -p experiments "[3]" -p student_activations "[relu]" -p student_starts 3`.
#
# ## The study's own schedule, cut short
#
# One group of recorded runs from each of experiments 3 to 5, by the reference schedule as coded, at initial scale 0.2
# and the group's rate, 0.01 in experiment 3 and 0.005 in 4 and 5. **No run here is finished**: each is *cut*, stopped
# by us early. Where its curve ends is no final loss and not to be compared with a recorded one; what is left there
# above the least found is error, or penalty on weights not yet taken away. *Try*: `-p short_epochs 20`.

# %% tags=["hide-input"]
shown = cut.shown(chapter.tables, full, chapter.profile)
chapter.show(cut.cut_runs(shown, solved))
say(f"{cut.of_cut(shown, solved)} {cut.of_source(chapter.tables, full, chapter.profile)}")

# %% [markdown]
# ## Must the student have its teacher's activation?
#
# The study pairs every activation with every other, and finds that only pairs of the same one fit. But its students
# have the activation after the last layer too: a relu student cannot output a negative number, a sigmoid or tanh
# student nothing above 1, and without biases none can shift its output. So each pair is minimised twice: with the
# study's last layer, and with linear last layers in teacher and student and biases in the student.

# %% tags=["hide-input"]
pairs = full["crossed"] if "crossed" in full and chapter.profile != "full" else crossed
chapter.show(drawn.pairs(pairs, records), headline="l1.same-activation-free")
say(wider.of_pairs(pairs))

# %% [markdown]
# ## What the study recorded, all six experiments
#
# For two weeks the study's code failed to give the teacher its weights, and teachers stayed as they were drawn. Its
# tables average over runs; here they are, with those runs and without, beside what became of the rest. Who has the
# checkpoints themselves scores them with this book's measures: `l1_path.rescored(paths)`, a table with a row a file.

# %% tags=["hide-input"]
chapter.show(l1_path.averages(records))
say(wider.of_records(records))

# %% [markdown]
# ## The study's own distance
#
# The study measures recovery by matching each teacher weight to a student weight of similar size, layer by layer,
# wherever it stands. Its value for the exact copy of the teacher inside `fcn_128_128`, the student of its experiments 3
# and 4 with two fully connected hidden layers of 128 units, is not zero, because such a network must hold every shared
# filter several times; the network with all weights zero gets a better one.

# %% tags=["hide-input"]
say(said.of_distance(faults))
chapter.show(drawn.distances(records))
say(wider.of_distances(records))

# %% [markdown]
# ## Full scale

# %% tags=["hide-input"]
if chapter.profile != "full" and {"runs", "minima", "wakes"} <= set(full) and "origin" in full["minima"]:
    allowed = chapter.full.settings(l1_path.Length).epochs
    chapter.say(f"{said.of_runs(full['runs'])} {said.of_fates(full['runs'])}")
    lowest = of(l1_path.least(full["minima"]).reset_index(), "multi_channel")
    title = f"Final loss of each run of experiment 2, at most {allowed:,} epochs"
    chapter.show(figures.objectives(of(recorded, "multi_channel"), of(full["runs"], "multi_channel"), lowest, title))
    chapter.say(said.of_losses(full["runs"], full["minima"], "multi_channel"))
    title = f"How runs of experiment 2 end, at most {allowed:,} epochs"
    chapter.show(figures.outcomes(of(recorded, "multi_channel"), of(full["runs"], "multi_channel"), title))
    chapter.say(said.of_waking(full["wakes"], chapter.full.settings(l1_path.DeadStarts).wake_epochs))
else:
    chapter.say("This page is at full scale." if chapter.profile == "full" else "No tables of full scale are kept.")

# %% [markdown]
# ## Claims
#
# A run that used up its epochs may still change its fate, even if it fits. So the interval of a rate counts each such
# run both ways, and a claim is *undecided* where both answers are left.

# %% tags=["hide-input"]
chapter.claims(l1_path.claims)

# %% [markdown]
# ## The answer
#
# Does an L1 student find the teacher again? The objective asks for it; whether training gets there is a matter of start
# and time.

# %% tags=["hide-input"]
chapter.say(l1_path.learned(full, chapter.full.age, chapter.tables, chapter.profile))

# %% [markdown]
# **What stays open.** Whether the least values found are the least there are: the certificate is of stationarity alone.
# Where unfinished runs, and the study's schedule in experiments 3 to 6, end. Whether dead units in live students wake.

# %% tags=["hide-input"]
chapter.colophon()
