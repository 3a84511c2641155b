# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # When L1 finds the teacher
#
# **Question.** A network is trained with the penalty $\lambda \sum |w|$ on the outputs of a sparse network, the
# *teacher*. For which strengths $\lambda$, initial weights, numbers of samples and widths are the weights that stay
# those of the teacher, and can they be at all?

# %% tags=["parameters"]
path_draws: int = 1  # [1, 100]; draws of data, each with paths of its own
path_samples: int = 500  # [20, 100000]; samples of each
path_decades: int = 7  # [1, 12]; powers of ten, from the weakest strength up to 1
path_per_decade: int = 1  # [1, 20]; strengths in each
path_starts: int = 4  # [1, 100]; random starts of the student of 52 weights, of which the best is followed
certified_teachers: list[str] = ["baseline", "split_filter"]  # one of baseline, split_filter, multi_channel; distinct
certified_samples: list[int] = [500, 2000]  # [20, 100000]; distinct; samples of a certificate
certified_strengths: list[float] = [0.00001, 0.001]  # (0, 1]; distinct; its strengths
certified_draws: int = 3  # [1, 1000]; draws of data for each
phase_activations: list[str] = ["tanh"]  # one of tanh, relu; distinct; of the students in the phase diagrams
phase_strengths: list[float] = [0.001, 0.003, 0.01, 0.03, 0.1]  # (0, 10]; distinct; one axis
phase_scales: list[float] = [0.1, 0.3, 1.0, 3.0]  # (0, 100]; distinct; of the initial weights, another axis
phase_samples: list[int] = [30, 100, 300, 1000]  # [2, 100000]; distinct; another axis
phase_channels: list[int] = [1, 4]  # [1, 64]; distinct; in each hidden layer of the student, another axis
phase_runs: int = 5  # [1, 1000]; students in each cell
phase_steps: int = 800  # [4, 100000]; with the penalty; half as many follow without
tree_samples: int = 1000  # [20, 100000]; samples for the tree that is drawn
tree_strength: float = 0.001  # (0, 1]; its strength
tree_starts: int = 4  # [1, 100]; random starts
tree_steps: int = 2000  # [2, 100000]; proximal steps of each
sparsifier_runs: int = 5  # [1, 1000]; reported students of each way
sparsifier_tuning_runs: int = 2  # [1, 100]; students on which each of five numbers is tried, not reported
sparsifier_samples: int = 500  # [2, 100000]; samples of each student
sparsifier_steps: int = 450  # [6, 100000]; with the way at work; half as many follow without
seed: int = 2026  # [0, 1000000000]
device: str = "auto"  # one of auto, cpu, cuda
profile: str = "laptop"  # name of the profile, recorded with the results
output_dir: str = "results/custom/03_l1_phases"  # folder for rows and claims

# %% tags=["hide-input"]
from sparsenn_book.chapter import Chapter
from sparsenn_book.studies import l1_phases as study
from sparsenn_book.studies.l1_phases import sentences_of_ways

chapter = Chapter("03_l1_phases", globals())
figures, say = study.figures, study.sentences

paths, path_weights, path_events = chapter.several(
    ("paths", "path_weights", "path_events"), study.paths.walked, chapter.settings(study.PathSettings)
)
certificates = chapter.table("certificates", study.certificates.certified, chapter.settings(study.CertificateSettings))
phases = chapter.table("phases", study.phases.phases, chapter.settings(study.PhaseSettings))
tree_runs, tree_weights = chapter.several(
    ("tree_runs", "tree_weights"), study.trees.trees, chapter.settings(study.TreeSettings)
)
sparsifier_tuning, sparsifiers = chapter.several(
    ("sparsifier_tuning", "sparsifiers"), study.sparsifiers.sparsified, chapter.settings(study.SparsifierSettings)
)

# %% [markdown]
# ## What we learned

# %% tags=["hide-input"]
told = study.lessons.told(chapter.full, chapter.tables, chapter.profile)
chapter.say(study.lessons.learned(told))

# %% [markdown]
# ## Ten lines
#
# The path of a network of your own: at each strength a stationary point of error + $\lambda \sum |w|$, found from
# the one before, and a refit of the weights that are left, without the penalty.

# %%
import torch

from sparsenn_core import networks, penalties, training

teacher = networks.literal_teacher("baseline", "tanh")
inputs = torch.randn(300, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
data = training.Data.shared(inputs, teacher(inputs))
start = training.Ensemble.stack([networks.baseline_cnn("tanh", generator=torch.Generator().manual_seed(3))])
path = training.path(start, data, penalties.L1, [1e-4, 1e-3, 1e-2, 1e-1, 1.0], first_steps=0)
for i, strength in enumerate(path.strengths.tolist()):
    print(
        f"strength {strength:g}: {path.nonzero[i, 0]} weights, error {path.loss[i, 0]:.1e}, "
        f"after the refit {path.refit_loss[i, 0]:.1e}"
    )

# %% [markdown]
# *Try* `lambda s: penalties.L1(s) + penalties.SquaredL2(0.01)` in place of `penalties.L1`: the elastic net.
#
# ## Words
#
# - The **support** of a network is the set of its weights that are not exactly zero. It is *found* if it is the
#   teacher's up to the symmetries that leave the function as it is: order of the units or channels, signs of tanh
#   units, scales of relu units. Before that, units without effect are dropped, those that no weight enters or leaves
#   (and relu units that stay zero), and equal units are merged. So a student can have more weights and find it.
# - The **baseline** teacher has three layers of non-overlapping convolutions, 3, 2 and 2 weights, the same activation
#   after each. Its **students** here have 7 weights, as it has; 52, the same convolutions with four channels; or 58,
#   fully connected, 12-4-2-1, the smallest fully connected network that holds it (with 18 weights, since filters that
#   positions share are written out). Two more teachers stand in one section: **split-filter**, with filters of its own
#   for even and odd positions, and **multi-channel**, with four channels, 51 weights.
# - A **path** follows one local minimum while the strength changes. Weights *leave* (become exactly zero) and *enter*.
# - A **refit** minimises the error alone over the support that the penalty chose.
# - A run is *recovered* if it fits fresh inputs ($R^2 \ge 0.99$) with the teacher's weights to 5 %; *fitted* if it fits
#   with others; *partial* ($0.01 \le R^2 < 0.99$), *collapsed* (no better than a constant) or *dead* (output zero) if
#   it does not.
# - The **initial scale** multiplies the weights from which a student starts.
#
# ## Along the path
#
# The students of 7 and 58 weights start at the teacher, the minimum without penalty; that of 52 at the best of some
# random starts. Shaded: exactly the teacher's support.

# %% tags=["hide-input"]
chapter.show(figures.kept(paths))
chapter.say(say.of_paths(paths))

# %% [markdown]
# A channel that the teacher does not need costs its penalty. Where the other weights fit without it, it gains nothing,
# and dropping it pays. A point that is followed may keep it all the same, at weak strengths.
# In the fully connected student a weight between a unit and another chunk of inputs may gain a little: the penalty
# shrinks the fit, and such a weight can make up for some of it.
#
# *Try* `sparsenn run 03_l1_phases -p path_per_decade 4` for a finer path.

# %% tags=["hide-input"]
chapter.show(figures.lifelines(path_weights))
chapter.say(say.of_events(path_events, paths))

# %% [markdown]
# **Where does a path end?** Of a linear model there is a largest useful strength, above which zero is the minimiser:
# the largest entry of the loss gradient at zero (`training.largest_strength`). With hidden tanh or relu units and no
# bias that gradient is zero. Zero is then stationary at *every* strength, and says nothing of when a fit stops paying:
# what a path follows is a local minimum, which may outlive its use.

# %% tags=["hide-input"]
chapter.say(say.of_collapse(paths))
chapter.say(say.of_way_back(paths))

# %% [markdown]
# *Try* `sparsenn run 03_l1_phases -p path_samples 100`: with fewer samples than this, which weights enter?
#
# ## Refit: the choice without the shrinkage

# %% tags=["hide-input"]
chapter.show(figures.refits(paths))
chapter.say(say.of_refits(paths))

# %% [markdown]
# Where a refit follows, the strength need not balance fit against sparsity: it only has to choose.
#
# *Try* `training.refit(ensemble, data)` on a network that you have pruned.
#
# ## Can L1 keep the support at all?
#
# Put the teacher into a larger network, minimise the objective over its weights alone, and look at the others, all
# zero. There a minimiser needs
#
# $$ \left|\frac{\partial L}{\partial w}\right| \le \lambda . $$
#
# The left side is the *slope* of a weight. Where a slope is larger, that weight wants to leave zero, and no stationary
# point on this branch has this support, however long it is trained. The condition is necessary. In channels that are
# wholly zero it holds trivially: no gradient reaches them at all, except with sigmoid, whose units are not zero at
# zero.

# %% tags=["hide-input"]
chapter.show(figures.slopes(certificates), headline="phases.fcn-tanh")
chapter.say(say.of_slopes(certificates))

# %% [markdown]
# Marks on the lowest line are slopes of zero. Where no weight of the support pays, all are dropped and no mark is
# drawn. Do more samples help?

# %% tags=["hide-input"]
chapter.say(say.of_samples(certificates))

# %% [markdown]
# *Try* `recovery.support_certificate(network, x, y, strength)` with a teacher of your own.
#
# ## What a minimiser looks like
#
# A fully connected student with twice the units that the teacher needs, 12-8-4-1 with tanh, minimised from random
# starts and arranged like the teacher: inputs in chunks of three, units by chunk, spare ones last. Exact zeros are
# blank.

# %% tags=["hide-input"]
chapter.show(figures.maps(tree_weights))
chapter.say(say.of_tree(tree_runs, tree_weights))

# %% tags=["hide-input"]
chapter.show(figures.tree(tree_weights))

# %% [markdown]
# Slide the threshold to zero to see what L1 adds to the tree.
#
# *Try* `sparsenn run 03_l1_phases -p tree_strength 0.01`.
#
# ## Phase diagrams
#
# A minimiser says what the objective asks for. These runs say what a short training reaches: proximal Adam steps on
# minibatches with the penalty, then half as many on the weights that are left, without. Every run has data, start and
# order of its own. A run finds the support with its exact zeros; whether it also fits, after so few steps without the
# penalty, is told further below. What an axis does not change is strength 0.03, initial scale 1, 1,000 samples, four
# channels. The line separates cells in which half of the runs find the support.

# %% tags=["hide-input"]
for diagram in study.measures.DIAGRAMS:
    chapter.show(figures.diagram(phases, diagram))
    chapter.say(say.of_diagram(phases, diagram))

# %% tags=["hide-input"]
chapter.say(f"The cells of the first diagram, {phase_activations[0]}; the share's 95 % interval is from low to high:")
table = study.measures.cells(phases, "strength x scale", phase_activations[0])
chapter.show(table.set_index(["strength", "scale"]))

# %% tags=["hide-input"]
chapter.show(figures.outcomes(phases))
chapter.say(say.of_outcomes(phases))

# %% [markdown]
# *Try* `sparsenn run 03_l1_phases -p phase_steps 3000`: does the lower edge move to weaker strengths?
#
# ## Other ways to be sparse
#
# The same students (four channels, tanh, scale 1), starts, data and steps for each way, each with one number chosen
# from five on other runs, and the same steps without penalty at the end.
#
# | way | the number |
# |---|---|
# | L1 | strength |
# | reweighted L1 | strength; in two more rounds a weight $w$ pays $0.1 / (\vert w \vert + 0.1)$ of it |
# | elastic net | strength; a tenth of it on $w^2$ |
# | group lasso | strength, for whole channels |
# | hard thresholding | weights kept after every step, the largest |
# | magnitude | weights kept once, after training without a penalty |

# %% tags=["hide-input"]
chapter.show(figures.ways(sparsifiers))
chapter.show(sentences_of_ways.table(sparsifiers))
chapter.say(sentences_of_ways.of_ways(sparsifiers, sparsifier_tuning))

# %% [markdown]
# A large weight need not be a needed one: training without a penalty has no reason to leave a channel unused, and
# removing small weights then removes a part of the function.
#
# *Try* `sparsenn run 03_l1_phases -p sparsifier_steps 3000`.
#
# ## Claims
#
# All were stated, with their thresholds, before the draws that test them; pilot runs had another seed. Counts are of
# independent draws or runs, but for paths: each draw of data gives two, one with tanh and one with relu.

# %% tags=["hide-input"]
chapter.claims(study.claims)

# %% [markdown]
# ## Answer

# %% tags=["hide-input"]
chapter.say(study.lessons.answer(told))

# %% tags=["hide-input"]
chapter.colophon()
