# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Rebound
#
# **Question.** A student network starts at its teacher, or next to it, and learns the teacher's outputs. A study
# (Barth and von Petersenn, arXiv 2509.15060) saw the two "initially converge but subsequently diverge" in their
# weights, while the test loss keeps falling. Does this happen, and why?

# %% tags=["parameters"]
dimensions: list[int] = [2, 25, 25, 1]  # [1, 1000]; 3 or more; units of each layer, inputs first
biases: str = "tiny"  # one of tiny, zero, uniform; of the teacher; tiny is what the study's projection leaves
num_runs: int = 20  # [1, 10000]; runs of each experiment, with teacher, data and start of their own; the study's
dataset_size: int = 300  # [1, 100000]; training samples a run in experiments A and B; the study's: 10,000
test_set_size: int = 200  # [1, 100000]; test samples a run
epochs: int = 500  # [2, 100000]; steps of gradient descent in A and B; the study's
learning_rate: float = 0.01  # (0, 1]; in A and B; the study's
noise: float = 0.001  # (0, 10]; standard deviation of the targets' noise in B, on 10,000 samples; the study's
perturbation: float = 1e-6  # (0, 10]; A: displacement of the student, times N(0, 1); the study's
turning_noise: float = 0.15  # [0, 10]; noise, on 10,000 samples, beside a displacement of 1e-3, for the closed form
alpha: float = 0.0001  # [0, 10]; strength of DRR in B as coded
beta: float = 10.0  # (0, 1000]; sharpness of DRR
rho: float = 0.0  # [0, 10]; squared L2 beside DRR
projection_frequency: int = 1  # [1, 100000]; epochs between the study's projections, where they are on
map_runs: int = 30  # [1, 100000]; runs of each rule, precision and displacement, and of B's variants
map_size: int = 32  # [1, 100000]; their training samples
map_perturbations: list[float] = [1e-6, 1e-4, 1e-2]  # (0, 10]; distinct; displacements in the map
counted_runs: int = 100  # [1, 100000]; runs of which it is counted how many turn back
counted_perturbations: list[float] = [3e-7, 1e-6, 3e-6]  # (0, 10]; distinct; their displacements
spectrum_runs: int = 10  # [1, 10000]; teachers whose curvature is taken
spectrum_size: int = 2000  # [1, 100000]; samples for the curvature; more than parameters
scaling_size: int = 100  # [1, 100000]; training samples a run in C in float32; the study's: 10,000
exact_size: int = 50  # [1, 100000]; training samples a run in C in float64
scaling_runs: int = 20  # [1, 10000]; runs of C for each noise; the study's
scaling_points: int = 25  # [3, 100]; sizes of the noise in C, from 1e-5 on, each 1.615 times the last; the study's
scaling_rate: float = 1e-5  # (0, 1]; learning rate in C; the study's
scaling_epochs: int = 100  # [1, 100000]; epochs in C; the study's
pruning_runs: int = 20  # [1, 10000]; wide students that are pruned
pruning_epochs: int = 1000  # [1, 100000]; steps of Adam in their training
pruning_alphas: list[float] = [0.1, 1e-4]  # [0, 10]; distinct; strengths of DRR in the pruning variant, as coded first
pruning_teacher: list[int] = [2, 10, 5, 1]  # [1, dimensions]; as many as dimensions; ends of dimensions; its units
pruning_size: int = 100  # [1, 100000]; training samples a run in the pruning variant
tolerance: float = 0.05  # [0, 10]; share by which pruning may raise the training loss
seed: int = 42  # [0, 1000000000]
device: str = "auto"  # one of auto, cpu, cuda
profile: str = "laptop"  # name of the profile, recorded with the results
output_dir: str = "results/custom/05_rebound"  # folder for rows and claims

# %% tags=["hide-input"]
from dataclasses import replace

from sparsenn_book.chapter import Chapter
from sparsenn_book.studies import rebound

chapter = Chapter("05_rebound", globals())
ab = chapter.settings(rebound.ExperimentSettings)
both = chapter.settings(rebound.TurningSettings, turning_perturbation=1e-3)
few = chapter.settings(rebound.SmallSettings)
b_settings = chapter.settings(rebound.VariantSettings)
map_settings = chapter.settings(rebound.MapSettings)
count_settings = chapter.settings(rebound.CountSettings)
spectrum_settings = chapter.settings(rebound.SpectrumSettings)
margin_settings = chapter.settings(rebound.MarginSettings)
scaling_settings = chapter.settings(rebound.ScalingSettings)
level_settings = chapter.settings(rebound.LevelSettings)
pruning_settings = chapter.settings(rebound.PruningSettings)


def tell(text: str) -> None:
    """A sentence computed from rows, marked where this run is no evidence."""
    chapter.say(rebound.sentences.marked(text, chapter.profile))


# %% tags=["hide-input"]
curves, students = chapter.several(("curves", "students"), rebound.experiments.published, ab)
turning, turned_students = chapter.several(("turning", "turned_students"), rebound.experiments.turning, both)
turned_back, spread = chapter.several(("turned_back", "spread"), rebound.counting.counted, count_settings)
mapped, ledger = chapter.several(("map", "ledger"), rebound.rules.mapped, map_settings)
prediction = chapter.table("prediction", rebound.closed_form.predicted, curves, turning, ab, both)
scaling = chapter.table("scaling", rebound.scaling.scaled, scaling_settings)
distances = chapter.table("distances", rebound.distances.compared, students, turned_students, ab, both, few)

# %% [markdown]
# **What we learned**

# %% tags=["hide-input"]
summary, origin = rebound.sentences.source(chapter)
tell(rebound.sentences.learned(summary) + "\n\n" + origin)

# %% [markdown]
# ## A first look
#
# One teacher, one student moved from it by a millionth in every weight, 500 steps of gradient descent without noise:
# once with weights and arithmetic in float32, numbers of about 7 digits, and once in float64, of about 16.

# %%
one = replace(rebound.PRESETS["A"], num_runs=1, dataset_size=100, test_set_size=1)
for precision in ("float32", "float64"):
    distance = rebound.train(replace(one, precision=precision)).curves["squared_distance"][0]
    start, least, end = distance[0], distance.min(), distance[-1]
    print(f"{precision}: from {start:.4e} to {least:.4e} at epoch {int(distance.argmin())}, then to {end:.4e}")

# %% [markdown]
# The number is the squared distance of the two networks: the sum over all 751 weights and biases of the squared
# difference of student and teacher. A student *turns back* if, from epoch 1 on, it is closest before the last epoch. It
# *rebounds* if it first comes nearer than its start and then ends at least 0.05 % above its least distance.

# %% [markdown]
# ## The setting
#
# Teacher and student are tanh networks with 2 inputs, two hidden layers of 25 units and 1 output. The teacher's weights
# are random (Glorot), its biases about 1e-6. Inputs are uniform on the square from −1 to 1. Targets are the teacher's
# outputs, plus noise where an experiment has it. An *epoch* is one step of gradient descent on the mean squared error
# of all samples. *Experiment A*: the student is displaced, there is no noise. *Experiment B*: the student starts at the
# teacher, there is noise. *Experiment C*: as B, and the final distance is drawn against the size of the noise.
#
# The settings are those in the titles of the study's figures (the published pictures cut the titles off). There are 20
# runs. A and B have learning rate 0.01 and 500 epochs, A a displacement of 1e-6 times N(0, 1) in every weight, B noise
# of standard deviation 0.001; C has learning rate 1e-5 and 100 epochs. The study has 10,000 samples. On fewer samples
# the noise is reduced here as the square root of their number, so that it pulls a student as strongly.
#
# A fourth experiment is this book's own, *noise and displacement*: as A, but the student is displaced by 1e-3 times
# N(0, 1), and there is noise of standard deviation 0.15 on 10,000 samples. In it the two pull against each other.

# %% [markdown]
# ## Experiment A
#
# The study scales each run to between 0 and 1 and averages twenty. Bands hold the middle 80 % of the runs.

# %% tags=["hide-input"]
chapter.show(rebound.figures.study_curves(curves, "A"), headline="rebound.a-float64")
tell(rebound.sentences.experiment_a(curves))

# %% [markdown]
# *Try* `sparsenn run rebound -p perturbation 1e-3`: the steps are then large enough for float32, and the valley goes.

# %% tags=["hide-input"]
chapter.show(rebound.figures.raw_beside_normalised(curves[curves.experiment == "A"]))
tell(rebound.sentences.raw(curves))

# %% [markdown]
# ## Experiment B

# %% tags=["hide-input"]
chapter.show(rebound.figures.study_curves(curves, "B"))
tell(rebound.sentences.experiment_b(curves, spread))

# %% [markdown]
# The test loss, drawn with noisy targets as in the study, depends on the number of samples (10,000 in the study).
#
# ### As coded, as described
#
# The study's code and its description of B differ. Is one of them the published figure?
#
# | | penalty | projection |
# |---|---|---|
# | as coded | DRR, $\alpha \sum_w (1 - e^{-\beta \lvert w \rvert})$, scaled by layer | none |
# | as described | none | after every epoch |
# | as first coded | none | at epoch 1 only (remainder of epoch and frequency the wrong way round) |
#
# DRR, differentiable relaxation of $\ell_0$ regularization, counts weights softly. The *projection* is meant to keep
# weights away from ties, so that the function determines them. Its code multiplies every weight by a random factor
# between 1 and 1 + 1.2e-6, so that weights only grow.

# %% tags=["hide-input"]
b_variants = chapter.table("b_variants", rebound.variants.variants, b_settings)
chapter.show(rebound.figures.b_variants(b_variants))
tell(rebound.sentences.variants_of_b(b_variants))

# %% [markdown]
# *Try* `sparsenn run rebound -p alpha 1e-8`: with so weak a penalty, the curve as coded is that of the noise.

# %% [markdown]
# ## Where students rebound
#
# Which rule of training, which precision, which displacement? Other rules than plain gradient descent are scaled with
# the displacement $d$, so that in exact arithmetic their share of rebounds would hardly depend on it. They run at the
# least and the largest $d$ only, the projection at 0.001: elsewhere no bar means not run. Bars
# are 95 % intervals.

# %% tags=["hide-input"]
chapter.show(rebound.sentences.scale_table())
chapter.show(rebound.figures.rebound_map(mapped))
tell(rebound.sentences.rebound_map(chapter.tables))

# %% [markdown]
# How far the squared distance of the runs that rebound rises above its least value, in percent of that (median over
# runs from all displacements that were tried):

# %% tags=["hide-input"]
chapter.show(rebound.sentences.rise_table(mapped))

# %% [markdown]
# *Try* `sparsenn run rebound -p map_perturbations "[1e-6, 1e-5, 1e-4, 1e-3]"`: from which displacement on does float32
# not matter?
#
# ### Why float32
#
# A weight of 0.3 in float32 has neighbours 3e-8 away. A step, learning rate times gradient, that is below half of that
# is lost, and the weight stands still. Small weights and biases, whose neighbours are nearer, go on. What is then
# followed is not the gradient, and the distance can rise although the loss falls.

# %% tags=["hide-input"]
chapter.show(rebound.figures.precision_ledger(ledger))
tell(rebound.sentences.ledger(ledger))

# %% [markdown]
# ### How many turn back
#
# Twenty runs cannot tell four in five from nearly all, so here are more.

# %% tags=["hide-input"]
chapter.show(rebound.figures.fates(turned_back))
tell(rebound.sentences.counted(turned_back))

# %% [markdown]
# ## The closed form
#
# Near the teacher, the student's displacement $\delta$ obeys a linear recursion: that of the network's linearization
# there. Its eigenvalues $\lambda_k$ are those of the Gauss-Newton matrix $H = \tfrac2n J^\top J$, with $J$ the
# derivatives of the outputs on the $n$ samples by the parameters. $\delta_k$ is the displacement at the start along
# the eigenvector of $\lambda_k$, $\eta$ the learning rate and $\sigma$ the standard deviation of the noise. After $t$
# epochs, with $c_k = (1-\eta\lambda_k)^t$ and $h_k = (1-c_k)/\lambda_k$, the mean over the noise is
#
# $$ \mathbb{E}\,\lVert\theta_t-\theta^\star\rVert^2 = \sum_k \Bigl[ c_k^2\,\delta_k^2
# + \tfrac{2\sigma^2}{n}\,\lambda_k h_k^2 \Bigr]. $$
#
# The first term never grows while $\eta\lambda_k \le 1$: in exact arithmetic, the linear recursion without noise has no
# rebound. (For the networks themselves this is the measurement above, in float64.) The second term only grows. Their
# sum may turn: then the mean over the noise rebounds. For a single run the noise that was drawn stands in place of its
# mean. If it is known, so is the epoch at which the run is closest.

# %% tags=["hide-input"]
chapter.show(rebound.figures.predicted_curves(prediction))
tell(rebound.sentences.closed_form(prediction))

# %% tags=["hide-input"]
closest = rebound.measures.closest_epochs(prediction[prediction.experiment != "B"])
chapter.show(rebound.figures.stopping_times(closest), headline="rebound.stopping")
tell(rebound.sentences.stopping(prediction))

# %% [markdown]
# *Try* `sparsenn run rebound -p turning_noise 3`: with more noise the student leaves the region where the closed form
# holds.
#
# ## The curvature at the teacher
#
# A direction is *learned* where learning rate times epochs times eigenvalue is above 1.

# %% tags=["hide-input"]
spectrum = chapter.table("spectrum", rebound.spectra.spectra, spectrum_settings)
margins = chapter.table("margins", rebound.margins.margins, margin_settings)
chapter.show(rebound.figures.spectrum(spectrum, learning_rate * epochs))
tell(rebound.sentences.spectrum(spectrum, learning_rate * epochs))

# %% [markdown]
# *Try* `sparsenn run rebound -p epochs 5000`: how many more are learned in ten times the time?
#
# ### Does the function determine the weights?
#
# The study relies on a theorem of Fefferman and Markel (1993; recalled here, its page was not read): under *generic
# conditions* a tanh network's function determines its weights up to symmetry. Biases and weights are not zero, biases
# of a layer differ in size, and no two weights on the same input have a simple fraction, of whole numbers up to the
# square of the number of units, as their ratio. In floating point only the *margin* by which a condition holds says
# something.

# %% tags=["hide-input"]
tell(rebound.sentences.margins(margins))

# %% [markdown]
# ## Experiment C: the power law
#
# The study finds the relation of noise and final distance "nearly linear" on logarithmic axes, "indicating power-law".
# In the linear recursion the displacement is proportional to the noise, so the squared distance is proportional to
# $\sigma^2$. The picture shows the squared distance divided by $\sigma^2$: exponent 2 is level.
# The runs in float64 have fewer samples (parameter `exact_size`) than those in float32 (`scaling_size`).

# %% tags=["hide-input"]
levels = chapter.table("levels", rebound.scaling.levels, level_settings)
chapter.show(rebound.figures.noise_scaling(scaling, levels))
tell(rebound.sentences.scaling_of_c(scaling, levels))

# %% tags=["hide-input"]
chapter.show(rebound.sentences.law_table(scaling))

# %% [markdown]
# The exponents are fits made here, by least squares; the study gives none.
#
# ## Up to symmetry
#
# Permuting hidden units and flipping their signs leaves a tanh network's function as it is. The distance *up to
# symmetry* is the least over all such rearrangements of the student. There are too many to try, so there are two
# numbers: the least distance that was found (*at most*), and a bound that no rearrangement can be below (*at least*).
# Where a proof says that they are the same, the distance is *certified*. The study instead brings both networks to a
# *normal form*: hidden units sorted by the size of their biases, with signs such that biases are positive.
#
# Two kinds of students join those of the experiments. Some are *displaced by 0.3* times N(0, 1) and trained by gradient
# descent. A *random student* has nothing of its teacher at the start and is trained by Adam.

# %% tags=["hide-input"]
chapter.show(rebound.figures.distances(distances))
tell(rebound.sentences.symmetry(distances))

# %% tags=["hide-input"]
chapter.show(rebound.sentences.distance_table(distances))

# %% [markdown]
# Medians over runs of squared distances. *Fisher-weighted* counts a direction by how much the outputs depend on it:
# near the teacher it is the mean squared difference of the functions.
#
# ## Pruning a wide student
#
# A small teacher sits inside the wide shape, all other weights zero. Random students are trained by Adam with DRR, at
# the study's strength and at a weaker one. As coded, weights below 1e-3 are then set to zero. A *tolerance search*
# takes the largest threshold that raises the training loss by no more than the tolerance, removes weights that no
# longer lead anywhere, and trains the rest on.

# %% tags=["hide-input"]
pruning, sweep = chapter.several(("pruning", "sweep"), rebound.pruning.pruned_students, pruning_settings)
teacher_weights = int(pruning.weights[pruning.variant == rebound.pruning.TEACHER].iloc[0])
chapter.show(rebound.figures.pruned_by_threshold(sweep, teacher_weights))
tell(rebound.sentences.pruned(pruning))

# %% tags=["hide-input"]
chapter.show(rebound.sentences.pruning_table(pruning))

# %% [markdown]
# Medians over runs; distances to the teacher are squared and up to symmetry.
#
# ## Claims
#
# A claim's threshold, the value from which on it holds, stands in the book's ledger. Thresholds come from the number of
# runs, from the scatter of the study's points or from the width of a line. They were fixed before the draws of this
# page; trials had other seeds. Counts are of independent runs: a student that is trained from several displacements
# counts once.

# %% tags=["hide-input"]
chapter.claims(rebound.claims, ab)

# %% [markdown]
# ## Answer

# %% tags=["hide-input"]
summary, origin = rebound.sentences.source(chapter)
tell(rebound.sentences.answer(summary) + "\n\n" + origin)

# %% [markdown]
# **What stays open.** The study's own runs could not be repeated bit by bit: its random numbers are Julia's, and its
# projection draws from a generator without a seed. Of its text only the abstract was read. Other shapes than 2-25-25-1,
# minibatches, and training long after the linear recursion has ceased to hold were not looked at. Between the bounds of
# the distance up to symmetry of random students lies a gap that no method here closes.

# %% tags=["hide-input"]
chapter.colophon()
