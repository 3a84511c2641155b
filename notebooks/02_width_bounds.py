# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Neuron sharing, the multi-task lasso and width bounds
#
# **Question.** Weight decay makes a network with several outputs prefer neurons that all outputs share. Does training
# find the network that weight decay asks for, and how many neurons do the cheapest outgoing weights of a layer use?

# %% tags=["parameters"]
steps: int = 230000  # [1, 10000000]; full-batch training steps; the study took 1,000,000
students: int = 3  # [1, 1000]; initial weights for each rule; the first are the study's
samples: list[int] = [10, 20, 30, 40]  # [1, 1000]; distinct; N of the dimension problems (D = 10, K = 500)
ranks: list[int] = [2, 5, 10, 20]  # [1, 20]; distinct; ranks of the rank problems (N = 20, K = 200)
repetitions: int = 100  # [2, 100000]; random problems of each kind
widths: list[int] = [7, 8, 9, 10, 11]  # [4, 12]; distinct; K of the brute-force problems (D = 2, N = 3)
small_repetitions: int = 1000  # [2, 1000000]; brute-force problems for each K
enumerated: int = 4  # [1, small_repetitions]; of these, enumerated set by set, for the smallest and largest K
enumerated_conic: int = 1  # [1, small_repetitions]; the same by the study's formulation, smallest K only
conic: int = 3  # [1, repetitions]; dimension problems solved by the study's formulation as well
boundary_draws: int = 3  # [1, 1000]; problems at the bound for each pair of ranks
seed: int = 0  # [0, 1000000000]
device: str = "auto"  # one of auto, cpu, cuda
profile: str = "laptop"  # name of the profile, recorded with the results
output_dir: str = "results/custom/02_width_bounds"  # folder for tables and claims

# %% tags=["hide-input"]
import pandas as pd

from sparsenn_book.chapter import Chapter
from sparsenn_book.studies import width_bounds as width

chapter = Chapter("02_width_bounds", globals())
said, of_lasso = width.sentences, width.sentences_of_lasso

# %% [markdown]
# **What we learned**

# %% tags=["hide-input"]
chapter.say(width.learned(chapter.full.tables, chapter.tables, chapter.profile))

# %% [markdown]
# The chapter rebuilds the experiments of Shenouda, Parhi, Lee and Nowak {cite}`shenouda2023vector` from their code
# ([joeshenouda/vv-spaces-nn-width], commit 0c295de). Some words keep numbers apart. *Recorded* is what their
# notebooks printed. *Run again* is their training rule, run here. A *certified* solution has a proof of how near it is
# to the best one. The proof is a bound, computed from the data: no solution costs less. Neurons are counted in three
# ways. *Active*, the study's count: outgoing weights with a norm above $10^{-3}$. *In use*, for trained networks: the
# product of the norms of outgoing and incoming weights is above $10^{-3}$. *Used*, for certified solutions: outgoing
# weights that are not zero, without a threshold.
#
# [joeshenouda/vv-spaces-nn-width]: https://github.com/joeshenouda/vv-spaces-nn-width
#
# ## Ten lines first
# A layer of 500 neurons on 10 samples must produce 10 outputs. How many neurons do the cheapest outgoing weights use?

# %%
import numpy as np

from sparsenn_core import lasso

rng = np.random.default_rng(0)
features = rng.standard_normal((500, 10))  # what 500 neurons give on 10 samples, one row a neuron
targets = rng.standard_normal((10, 10))  # what 10 outputs must be on the samples
solution = lasso.solve(features, targets)
bounds = lasso.width_bounds(features, targets)
print(f"{solution.width} of 500 neurons used, at the cost {solution.objective:.6f}, proven to {solution.gap:.0e} of it")
print(f"the only solution: {solution.unique}; no such problem needs more than {bounds.sharp} for the least cost")

# %% [markdown]
# ## What weight decay pays
# A two-layer ReLU network $f(x) = \sum_k v_k \max(0, w_k^\top x + b_k)$ has for each neuron incoming weights
# $\bar w_k = (w_k, b_k)$, bias included, and outgoing weights $v_k$, one entry for each output. Scaling
# $(\bar w_k, v_k) \to (c \bar w_k, v_k / c)$ with $c > 0$ does not change $f$, and
#
# $$ \tfrac12 \left( \lVert \bar w_k \rVert^2 + \lVert v_k \rVert^2 \right) \ge \lVert \bar w_k \rVert \lVert v_k \rVert
# \qquad \text{with equality exactly if} \quad \lVert \bar w_k \rVert = \lVert v_k \rVert . $$
#
# So a loss plus weight decay, $\tfrac\lambda2$ times the sum of squares, has the same least value as the loss plus
# $\lambda$ times the **VV norm** $\sum_k \lVert v_k \rVert \lVert \bar w_k \rVert$. At a minimum with weight decay
# every neuron is **balanced**: $\lVert \bar w_k \rVert = \lVert v_k \rVert$. For fixed unit directions $\bar w_k$ the
# penalty is
# $\lambda \sum_k \lVert v_k \rVert_2$. A neuron that serves two outputs with weights $a$ and $b$ costs
# $\sqrt{a^2 + b^2}$, two neurons that serve one output each cost $|a| + |b|$: outputs share.
#
# *PathProx* (Yang et al. 2022, arXiv:2210.03069) trains in this form: after a gradient step of the loss alone, project
# $\bar w_k$ onto the unit sphere and shrink $v_k$ to $\max(0, 1 - \eta \lambda / \lVert v_k \rVert) v_k$. Both together
# are one exact minimisation of the penalty plus the squared distance moved, the *prox* (`penalties.PathProx`).
#
# ## Neuron sharing: three rules from the same weights
# The study's data are 50 points in the plane and the two outputs of a random network with 5 neurons; the student has
# 100 neurons. The study's run "with weight decay" is PathProx with $\lambda = 5\cdot10^{-5}$. Beside it stand the
# study's run without any decay and what PyTorch's SGD calls `weight_decay`, which the study did not run. All runs are
# one ensemble: full batches, step size $\eta = 0.2$, float32, as in the study; each seed gives the three rules the same
# initial weights. The study trained for 1,000,000 steps, and so does the full profile; `laptop` stops at 230,000, where
# the recorded number of active neurons has become constant.
#
# ### The certified optimum
# The *objective* is the mean squared error plus $\lambda$ times the VV norm. Over networks of *every* width the
# objective is a group penalty whose features run over the whole sphere of directions
# $\bar w$. It is solved by *column generation*: solve for the outgoing weights of a few directions, find the direction
# whose addition would lower the cost most, add it, and repeat. With $L$ the residual, scaled, that direction maximises
# the *dual function* $g(\bar w) = \lVert L \max(0, \bar X \bar w) \rVert$, and once $g \le 1$ everywhere no direction
# helps: that is the proof. For inputs in the plane the 50 lines on which a neuron can switch cut the sphere into
# cells, edges and vertices. Within one of them $g^2$ is a quadratic form, whose largest value is an eigenvalue if the
# eigenvector lies in that cell or edge; if not, the largest value stands on the rim. So finitely many candidates hold
# the maximum over all directions.

# %% tags=["hide-input"]
training = chapter.settings(width.TrainingSettings)
trace, weights = chapter.several(("trace", "weights"), width.trained, training)
optimum, optimum_neurons = chapter.several(("optimum", "optimum_neurons"), width.certified_optimum)
chapter.say(said.of_optimum(optimum, optimum_neurons))

# %% tags=["hide-input"]
chapter.show(width.figures.training(trace, optimum), headline="width.recorded-not-optimal")

# %% tags=["hide-input"]
comparison = chapter.settings(width.DistanceSettings)
distance = chapter.table("distance", width.distances, comparison, trace, weights, optimum, optimum_neurons)
chapter.say(said.of_training(trace, distance))

# %% [markdown]
# *Try* `sparsenn run 02_width_bounds -p students 12`, against the 3 initial weights of the profile `laptop`, which
# these commands start from, and the 10 of the full one; the faint lines of PathProx should spread wider than those of
# weight decay.
#
# ### Where the neurons are
# Each neuron is a dot at the direction $\theta$ of $w_k$ and its offset $b_k / \lVert w_k \rVert$, with an area in
# proportion to $|v_{dk}| \lVert w_k \rVert$. A neuron is *drawn* for output $d$ if that product is above $10^{-3}$, as
# in the study, and *in use* if $\lVert v_k \rVert \lVert \bar w_k \rVert$ is, which does not depend on how it is
# scaled. Offsets beyond 3 are not shown.

# %% tags=["hide-input"]
neurons = chapter.table("neurons", width.placed, weights, optimum_neurons)
chapter.show(width.figures.neurons(neurons))

# %% tags=["hide-input"]
chapter.say(said.of_places(neurons, training.steps))

# %% [markdown]
# *Try* `sparsenn run 02_width_bounds -p steps 20000`, against the 230,000 of the profile `laptop`: early in training
# PathProx should have nearly as many dots as the run without decay, and larger ones.
#
# ### How far is training from the optimum?
# *Same directions* is the certified optimum over the outgoing weights alone, the run's own directions $\bar w_k$ kept.
# It splits the distance: bad outgoing weights (objective against same directions) and bad directions (same directions
# against 1). *Outputs* is the root mean squared difference to the optimum's outputs on 10,000 fresh inputs, over that
# of the generating network's outputs. A run is *collapsed* if its mean squared error is above a tenth of the targets'
# variance, and *still moving* if its objective fell by more than 1 % in the last tenth of training.

# %% tags=["hide-input"]
chapter.show(said.distance_table(distance, training.steps))

# %% tags=["hide-input"]
chapter.say(said.of_distance(distance, optimum, training.steps))

# %% [markdown]
# ### Neural balance
# Small steps of weight decay shrink the imbalance $\sum_k \bigl| \lVert \bar w_k \rVert^2 - \lVert v_k \rVert^2
# \bigr|$. For one step of size $\eta$, with $g_w, g_v$ the gradients of the loss and $\langle \bar w_k, g_w \rangle =
# \langle v_k, g_v \rangle$,
#
# $$ \lVert \bar w_k^+ \rVert^2 - \lVert v_k^+ \rVert^2 = (1 - \eta \lambda)^2 \left( \lVert \bar w_k \rVert^2 - \lVert
# v_k \rVert^2 \right) + \eta^2 \left( \lVert g_w \rVert^2 - \lVert g_v \rVert^2 \right) , $$
#
# so that without the last term, which fades with the gradients, the imbalance falls by $(1 - \eta\lambda)^2$ a step
# and without decay it stays. PathProx keeps $\lVert \bar w_k \rVert = 1$ and has no part in this.

# %% tags=["hide-input"]
chapter.show(width.figures.balance(trace))

# %% tags=["hide-input"]
chapter.say(said.of_balance(trace))

# %% [markdown]
# *Try* `sparsenn run 02_width_bounds -p steps 500000`, against the 230,000 of the profile `laptop`: the straight line
# should bend where the last term, or rounding, takes over.
#
# ## The multi-task lasso
# Freeze the directions of a layer, write its outputs on the data as features $\Phi \in \mathbb R^{K \times N}$, one
# row for each of $K$ neurons, and what the next layer must receive as targets $\Psi \in \mathbb R^{D \times N}$. The
# cheapest outgoing weights $V \in \mathbb R^{D \times K}$ with columns $v_k$ solve
#
# $$ (P) \qquad \min_V \sum_{k=1}^K \lVert v_k \rVert_2 \quad \text{subject to} \quad V \Phi = \Psi , $$
#
# and the width of the solution is the number of its nonzero columns, the neurons that it *uses*. The dual of (P) is to
# maximise
# $\langle \Psi, L \rangle$ over $L \in \mathbb R^{D \times N}$ with $\lVert L \varphi_k \rVert \le 1$ for every row
# $\varphi_k$ of $\Phi$. Any feasible pair $V, L$ encloses the optimum between $\langle \Psi, L \rangle$ and
# $\sum_k \lVert v_k \rVert$; the distance of the two, over the cost, is the *gap*. Only neurons with
# $\lVert L \varphi_k \rVert = 1$ can be used. So they are read off a certificate, with no threshold on
# $\lVert v_k \rVert$ but with a tolerance, given below, of $\lVert L \varphi_k \rVert$. If
# the matrices $L \varphi_k \varphi_k^\top$ of these neurons are linearly independent, the
# solution is the only one, hence the sparsest.
#
# The study asks how many neurons solutions use for random problems, with a conic solver (a program for any convex
# problem, called through cvxpy) whose answer it cuts at $\lVert v_k \rVert > 10^{-7}$. Here the same kinds of
# problems, newly drawn since the study's have no seed, are solved to a gap near rounding.

# %% tags=["hide-input"]
dimension = chapter.table("dimension", width.dimension, chapter.settings(width.DimensionSettings))
rank = chapter.table("rank", width.rank, chapter.settings(width.RankSettings))
small = chapter.table("small", width.small, chapter.settings(width.SmallSettings))
chapter.say(of_lasso.of_solutions(dimension, rank, small))

# %% [markdown]
# ### Width and the number of samples
# $D = 10$ outputs, $K = 500$ Gaussian features of $N$ samples: ranks $r_\Phi = N$ and $r_\Psi = \min(N, 10)$. The
# study draws its upper line at $ND + 1$. In the table *objectives* is the recorded mean cost less the certified one.
# The number after *of* is the certified mean cost.

# %% tags=["hide-input"]
chapter.show(width.figures.histograms("dimension", dimension))

# %% tags=["hide-input"]
chapter.show(of_lasso.readable("dimension", dimension))

# %% tags=["hide-input"]
chapter.say(of_lasso.of_comparison("dimension", dimension))

# %% [markdown]
# *Try* `sparsenn run 02_width_bounds -p samples "[5, 10]"`: with $N = 5$ the counts should move nearer the lower bound.
#
# ### Width and rank
# $N = 20$, $K = 200$, features of rank $r_x$, targets in their row space. The titles of the study's figure say
# $D = 10$ and its upper lines stand at $10 r_x$; its code draws $D = r_x$ targets, for which the bound is $r_x^2$. Both
# readings side by side; the recorded counts belong to the code. At $r_x = 10$ both draw the same problems.

# %% tags=["hide-input"]
chapter.show(width.figures.histograms("rank", rank))

# %% tags=["hide-input"]
chapter.show(of_lasso.readable("rank", rank))

# %% tags=["hide-input"]
chapter.say(of_lasso.of_comparison("rank", rank) + "\n\n" + of_lasso.of_failures(rank))

# %% [markdown]
# *Try* `sparsenn run 02_width_bounds -p ranks "[1, 2, 3]"`: at such small ranks many problems should use every neuron
# that the sharper bound allows.
#
# ### What a threshold does
# The same problems once more by the study's formulation (cvxpy, one norm for each column), with the conic solver that
# cvxpy uses now, its answer cut at several thresholds.

# %% tags=["hide-input"]
thresholds = chapter.table("thresholds", width.thresholds, chapter.settings(width.ThresholdSettings), dimension)
chapter.show(of_lasso.cuts(thresholds))

# %% tags=["hide-input"]
chapter.say(of_lasso.of_thresholds(thresholds))

# %% [markdown]
# ### The brute-force problems
# For $D = 2$, $N = 3$ and $K = 7, \dots, 11$ the study tries every set of $N$ to $K$ neurons, 99 to 1,981 sets a
# problem, and draws lines at 3 and $ND + 1 = 7$; its repository holds no outcome. A certificate replaces the search:
# where the solution is the only one, its width is the answer. To check this, some problems are searched all the same,
# by the certified solver and, independently, by the study's formulation.

# %% tags=["hide-input"]
chapter.show(width.figures.brute_force(small))

# %% tags=["hide-input"]
searches = chapter.table("enumeration", width.enumerated, chapter.settings(width.EnumerationSettings), small)
chapter.say(of_lasso.of_brute_force(small, searches))

# %% [markdown]
# *Try* `sparsenn run 02_width_bounds -p widths "[4, 12]"`: with more neurons to choose from, 3 should be enough less
# often.
#
# ## How wide need a layer be?
# Let $p = r_\Phi = \operatorname{rank} \Phi$ and $q = r_\Psi = \operatorname{rank} \Psi$, and let (P) be feasible;
# then $q \le p$. The study bounds the width by the product $pq$: its abstract speaks of the dimensions of the data in
# and out of a layer, its code computes the product; the theorem is recalled here, its proof was not read. Step 4
# implies it.
#
# :::{admonition} Sharper bound (derived here; the literature was not searched)
# Some solution of (P) has at most
#
# $$ p q - \frac{q (q - 1)}{2} $$
#
# nonzero columns, and it can be computed from any solution by linear algebra. For every $p \ge q \ge 1$ there are
# problems all of whose solutions have at least so many.
# :::
#
# **1. Reduction.** Take an orthonormal basis $W \in \mathbb R^{N \times p}$ of the row space of $\Phi$ and write
# $X = \Phi W$ with rows $x_k^\top$, and $B = \Psi W$. As the rows of $\Psi$ lie in the same space, $V \Phi = \Psi$ is
# $V X = \sum_k v_k x_k^\top = B$, and $\operatorname{rank} B = q$. The $x_k$ span $\mathbb R^p$. Its cost being a norm,
# (P) has a solution.
#
# **2. One dual point for all solutions.** The dual is to maximise $\langle B, L \rangle$ over $L \in \mathbb R^{D
# \times p}$ with $\lVert L x_k \rVert \le 1$. Its feasible set is closed, and bounded because the $x_k$ span $\mathbb
# R^p$, so a maximiser $L$ exists, and as the constraints of (P) are linear, its value is that of (P). We may take $L$
# with columns in the column space of $B$: the orthogonal projection $Q Q^\top L$ onto it has the same value and no
# larger $\lVert L x_k \rVert$. Hence $\operatorname{rank} L \le q$. For *any* solution $V$,
#
# $$ \sum_k \lVert v_k \rVert = \langle B, L \rangle = \sum_k \langle v_k, L x_k \rangle \le \sum_k \lVert v_k \rVert
# \lVert L x_k \rVert \le \sum_k \lVert v_k \rVert . $$
#
# Equality throughout means $v_k = a_k L x_k$ with $a_k = \lVert v_k \rVert$, and $\lVert L x_k \rVert = 1$ where $a_k >
# 0$. Solutions differ in the amplitudes $a$ alone.
#
# **3. Counting dimensions.** So $B = \sum_k a_k M_k$ with the atoms $M_k = L x_k x_k^\top$. They lie in the space
# $\mathcal E = \{ L S : S = S^\top \in \mathbb R^{p \times p} \}$. With $G = \sum_k a_k x_k x_k^\top$ we have $B = L
# G$, so $\operatorname{rank} L \ge q$, and with step 2 it is $q$. A symmetric $S$ has $L S = 0$ exactly if its
# columns, and hence its rows, lie in the kernel of $L$, which has dimension $p - q$. Therefore
#
# $$ \dim \mathcal E = \frac{p (p + 1)}{2} - \frac{(p - q)(p - q + 1)}{2} = p q - \frac{q (q - 1)}{2} . $$
#
# **4. Removing neurons.** While the atoms with $a_k > 0$ are linearly dependent, take $c \ne 0$ on them with $\sum_k
# c_k M_k = 0$. As $\langle M_k, L \rangle = \lVert L x_k \rVert^2 = 1$, the inner product with $L$ gives $\sum_k c_k
# = 0$: the cost $\sum_k a_k$ is the same along $a + t c$, so are all outputs, and some $c_k$ is negative. Increase
# $t$ until the first amplitude reaches zero: one neuron less. When no dependence is left, the atoms in use are
# linearly independent elements of $\mathcal E$, so there are at most $\dim \mathcal E$ of them. $\square$
#
# **5. It cannot be improved.** Draw $L \in \mathbb R^{q \times p}$ and $K \ge \dim \mathcal E$ vectors $x_k$ from
# densities, scale the $x_k$ to $\lVert L x_k \rVert = 1$, draw amplitudes $a_k > 0$ from a density, and take the
# problem with features $x_k^\top$ and targets $B = \sum_k a_k M_k = L G$. With probability one $\operatorname{rank} L
# = q$, and every new atom lies outside the span of those before until they span $\mathcal E$, since the matrices $x
# x^\top$ over any open set of $x$ span all symmetric matrices. As $K \ge \dim \mathcal E \ge p$, the $x_k$ span
# $\mathbb R^p$; so the features have rank $p$, $G$ is positive definite, and $\operatorname{rank} B =
# \operatorname{rank} L = q$. Now $V = (a_k L x_k)$ is feasible with cost $\sum_k a_k = \langle B, L \rangle$, and $L$
# is feasible for the dual, so both are optimal. With $L$ and the $x_k$ held fixed, the atoms span $\mathcal E$, so
# $B$ has a density on $\mathcal E$, and with probability one it lies in none of the finitely many proper subspaces
# that fewer than $\dim \mathcal E$ atoms span. By step 2 every solution is a combination of atoms: each has at least
# $\dim \mathcal E$ neurons. $\square$
#
# *Corollaries.* $q = p$ gives $p (p + 1) / 2$. The bound grows with $p$ and with $q$, and $p, q \le N$: the cheapest
# outgoing weights of a layer need never use more than $N (N + 1) / 2$ neurons for $N$ samples, whatever its number of
# outputs, where the study's abstract has $N^2$. With a penalty on the misfit instead of constraints all holds for the
# fitted values $\hat \Psi = V \Phi$, and layer by layer for deep networks: freeze a trained network, take a layer's
# outputs as $\Phi$ and the next layer's inputs, less its bias, as $\Psi$.
#
# *Lower bounds.* With $s$ nonzero columns $\operatorname{rank} \Psi \le s$, so $s \ge q$ always. If $s < p$, the row
# space of $\Psi$ lies in one of finitely many proper subspaces of that of $\Phi$; targets in general position do not,
# so they need $s \ge p$.
#
# ### At the bound
# Problems of step 5, solved and then thinned out by step 4. $K = 4 \dim \mathcal E$, and all $K$ neurons lie on the
# boundary of the dual constraints, so that many solutions exist. *Before* and *after* count the neurons used.
# In the picture, marks of random problems are medians of a kind, their bars run from the least to the largest count.

# %% tags=["hide-input"]
boundary = chapter.table("boundary", width.boundary, chapter.settings(width.BoundarySettings))
random = pd.concat([dimension, rank, small])
chapter.show(width.figures.bounds(random, boundary), headline="width.sharp-bound")

# %% tags=["hide-input"]
chapter.say(of_lasso.of_boundary(boundary) + " " + of_lasso.of_bounds_in_use(random))

# %% tags=["hide-input"]
chapter.show(of_lasso.boundary_table(boundary))

# %% [markdown]
# *Try* `sparsenn run 02_width_bounds -p boundary_draws 50`, against 3 in the profile `laptop` and 20 in the full one:
# every further draw should stand on the diagonal.
#
# ### The ranks of data are numerical
# All bounds are made of ranks, and the rank of measured data depends on the tolerance below which a singular value
# counts as zero. Three kinds of features: Gaussian ones, of clear rank; rank 5 made in float64, and the same numbers
# rounded to float32, whose rounding errors have full rank; tanh neurons of one input, whose spectrum falls without a
# gap. And the features of the study's student after each rule.

# %% tags=["hide-input"]
matrices = chapter.settings(width.SpectrumSettings)
spectra, ranks_found = chapter.several(("spectra", "ranks"), width.spectra_and_ranks, matrices, weights)
chapter.show(width.figures.spectra(spectra))

# %% tags=["hide-input"]
chapter.show(of_lasso.rank_table(ranks_found))

# %% tags=["hide-input"]
chapter.say(of_lasso.of_ranks(ranks_found))

# %% [markdown]
# The bounds at work: for the features and the outputs of each trained student, the cheapest $V$ that computes the same
# outputs on the data, thinned out by step 4. The table counts the neurons that this $V$ uses. At a higher cost
# $r_\Phi$ neurons are enough: those of any $r_\Phi$ linearly independent rows of $\Phi$. *Gap* is here the larger of
# relative duality gap and residual: the features of trained students are ill-conditioned.

# %% tags=["hide-input"]
chapter.show(said.needed_table(distance))

# %% tags=["hide-input"]
chapter.say(said.of_needed(distance, training.steps))

# %% [markdown]
# ## Claims
# Who said what, what was recorded, what is measured here. Three thresholds serve most claims; the others name theirs.
# Two numbers are the same if they agree within 1 %: rounding moves the run again by a ten-thousandth, another seed or
# law by several per cent. A recorded mean count is right if it is within one bar of the study's histogram, as that is
# what the histogram shows.
# "More than half" holds if the whole interval of the rate lies above one half, which takes at least four runs. Where an
# interval lies on both sides of its threshold, the claim is undecided. A claim about the end of training is tested only
# on runs that are long enough; pairs with a collapsed run are left out and said to be.

# %% tags=["hide-input"]
chapter.claims(width.claims)

# %% [markdown]
# ## Answer

# %% tags=["hide-input"]
chapter.say(width.learned(chapter.full.tables, chapter.tables, chapter.profile))

# %% [markdown]
# **What stays open.** Whether the sharper bound is known (it was not searched for), how wide layers must be that
# minimise weight decay in a deep network, where layers pay for each other, and why PathProx stops where it does. The
# study's paper was read in its abstract only, so its theorems are recalled here and not quoted; its experiments on
# compression belong to another chapter.

# %% tags=["hide-input"]
chapter.colophon()
