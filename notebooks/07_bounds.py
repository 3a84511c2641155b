# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Generalization bounds
#
# **Question.** A theorem may bound how much worse a trained network does on new samples than on its training samples,
# from the sizes of its weights alone. A study (Galanti, Xu, Galanti and Poggio, NeurIPS 2023) says that such a bound
# becomes far smaller for convolutional networks if it counts how few nodes feed each node. What do such bounds give,
# with every constant in them, and does any of them follow what happens?

# %% tags=["parameters"]
dataset: str = "digits"  # one of digits, mnist, fashion-mnist, svhn; only digits are always there
samples: int = 1437  # [100, 100000]; training samples; the study's: 60,000, of which its bounds count 50,000
schedules: list[str] = ["readme"]  # one of readme, code; distinct; what the study's README says, and what its code does
depths: list[int] = [3, 5]  # [1, 8]; distinct; convolutions; the study's: 3 to 8
widths: list[int] = [8, 24]  # [1, 2000]; distinct; channels of each; the study's: 200, 600 and 1,000
epochs: int = 30  # [1, 1000]; passes over the training samples; the study's: 500 or 510
every: int = 5  # [1, 1000]; epochs between two looks; the last look counts as the end
deep_dataset: str = "digits"  # one of digits, mnist, fashion-mnist, svhn; for networks of all depths
deep_samples: int = 400  # [100, 100000]; training samples
deep_tests: int = 2000  # [1, 100000]; test samples, if there are as many
deep_schedules: list[str] = ["readme"]  # one of readme, code; distinct
deep_depths: list[int] = [3, 4, 5, 6, 7]  # [1, 27]; distinct; convolutions; the study's: 3 to 8
deep_widths: list[int] = [4, 16]  # [1, 2000]; distinct; channels of each
deep_epochs: int = 20  # [1, 1000]
margin: float = 0.5  # (0, 10]; a training sample with less margin counts as an error
delta: float = 0.001  # (0, 1); probability that a bound may fail; the study's
counter_draws: int = 12  # [2, 1000]; draws of the signs in the three cases
search_draws: int = 12  # [2, 1000]; draws of the signs under all bounds
search_steps: int = 40  # [0, 10000]; steps of each search
search_samples: list[int] = [32, 128]  # [2, 1437]; distinct; digits in the search
growth_depths: list[int] = [1, 2, 3, 4, 5, 6]  # [1, 6]; distinct; on 8x8 images
growth_widths: list[int] = [4, 16, 64]  # [1, 512]; distinct
growth_samples: list[int] = [64, 256, 1024]  # [16, 1437]; distinct
grid_depths: list[int] = [2, 4]  # [1, 6]; distinct; of the grid of small networks on digits
grid_widths: list[int] = [4, 16]  # [1, 512]; distinct
grid_samples: list[int] = [200, 800]  # [50, 1437]; distinct
grid_decays: list[float] = [0.0, 0.003]  # [0, 1]; distinct; weight decay
grid_noises: list[float] = [0.0, 0.2]  # [0, 1); distinct; share of labels that are changed
grid_epochs: int = 30  # [1, 1000]
posterior_width: int = 8  # [1, 512]; of the network with two convolutions that PAC-Bayes is about
posterior_epochs: int = 40  # [0, 1000]
posterior_steps: int = 800  # [0, 100000]; steps in which the posterior is optimised
posterior_draws: int = 300  # [1, 100000]; networks drawn to estimate its error
student_samples: int = 5120  # [2, 100000]; those of the chapter on the L1 path, whose students are looked at
needs: list[str] = ["01_l1_path"]  # chapters whose tables this one reads
seed: int = 7  # [0, 1000000000]
device: str = "auto"  # one of auto, cpu, cuda
profile: str = "laptop"  # name of the profile, recorded with the results
output_dir: str = "results/custom/07_bounds"  # folder for rows and claims

# %% tags=["hide-input"]
from sparsenn_book.chapter import Chapter
from sparsenn_book.studies import bounds as study

chapter = Chapter("07_bounds", globals())
study_settings = chapter.settings(study.StudySettings)
search_settings = chapter.settings(study.SearchSettings)
growth_settings = chapter.settings(study.GrowthSettings)
grid_settings = chapter.settings(study.GridSettings)
posterior_settings = chapter.settings(study.PosteriorSettings)
student_settings = chapter.settings(study.StudentSettings)

# %% tags=["hide-input"]
bounds, errors, margins = chapter.several(("bounds", "errors", "margins"), study.training.followed, study_settings)
deep_settings = chapter.settings(study.DeepSettings)
deep_bounds, deep_errors = chapter.several(("deep_bounds", "deep_errors"), study.training.deeper, deep_settings)
counterexamples = chapter.table("counterexamples", study.search.counterexamples, search_settings)
slack = chapter.table("slack", study.search.slack, search_settings)
growth = chapter.table("growth", study.growth.growth, growth_settings)
rescaled = chapter.table("rescaled", study.growth.rescaled, growth_settings)
grid = chapter.table("grid", study.correlation.networks, grid_settings)
correlations = chapter.table("correlations", study.correlation.rank_correlations, grid)
posteriors = chapter.table("posteriors", study.posterior.posteriors, posterior_settings)
needed = [chapter.needed("01_l1_path", name) for name in study.students.NEEDED]
students = chapter.table("students", study.students.students, student_settings, *needed)

# %% [markdown]
# **What we learned**

# %% tags=["hide-input"]
chapter.say(study.learned.learned(chapter.full.tables, chapter.tables, chapter.profile))

# %% [markdown]
# ## Your own network
#
# One call reads any chain of linear layers, convolutions, relu, flattening and average pooling. Most bounds ask for
# layers without biases.

# %%
import torch
from torch import nn

from sparsenn_core import bounds as library
from sparsenn_core.datasets import load

images = load("digits")
model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32, bias=False), nn.ReLU(), nn.Linear(32, 10, bias=False))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for _ in range(100):
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(images.train_x), images.train_y).backward()
    optimizer.step()

held_out = (images.test_x, images.test_y)
found = library.table(model, images.train_x, images.train_y, margin=1.0, delta=0.001, held_out=held_out)
found[found["not_covered"] == ""][["bound", "kind", "value", "total"]]

# %% [markdown]
# The *gap* is the error on new samples less that on the training samples. The *margin* of a sample is the output of its
# class less the largest other output. The column `empirical`, not shown here, is the share of training samples with
# less margin than asked for. `value` bounds by how much the error on new samples exceeds that share; `total` is their
# sum, a bound on the error itself. It holds with probability 1 − `delta` over the draw of the training samples, if the
# margin was chosen before training. An error is at most 1, so a bound of 1 or more is *vacuous*: it is true and says
# nothing.
#
# The `kind` says what a number is. A *certificate* holds for the network as it is. Some theorems were not read: where
# the table of sources below says "recalled", the certificate holds if what is recalled is right. With *a-priori radii*
# a bound holds if somebody had promised, before training, that the norms would not be larger than they turned out to
# be. With an *unspecified constant* the theorem does not say what to multiply by; the number is for constant 1.
# A *measure* is no bound. *Not valid* is a formula that fails below. A network that a bound does not cover (a bias, max
# pooling, another activation) gives a row without a number and with the reason; one that is no chain is refused.
#
# ## All bounds of a trained network
#
# CONV-3-8 is the study's network with 3 convolutions of 2x2, each of 8 channels, without padding or bias and followed
# by relu, then one linear layer. Kernels have weight norm (one length times a direction), the loss is the mean squared
# error against one-hot targets, the optimizer SGD on minibatches of 32.
#
# The rows that begin with *sparse* are forms of the corrected bound, which is proved below. Where a text says no more,
# *the corrected bound* is the form *sparse, refined*.
#
# Two schedules: the README has learning rate 0.01, times 0.1 after epochs 60, 120 and 160, momentum 0.9 and weight
# decay 0.003; the code has the factor 0.2 after 60, 100 and 300, no momentum and weight decay 0.0008.

# %% tags=["hide-input"]
chapter.show(study.figures.all_bounds(bounds), headline="bounds.vacuous")
chapter.say(study.sentences.all_bounds(bounds, errors))

# %% [markdown]
# The open diamonds are the study's figure for MNIST, read by eye, at the end of 500 epochs: another data set and other
# widths. Its data term for its own bound is taken on raw images and that of Golowich et al. on normalised ones, its
# spectral norms are those of the reshaped kernel, and its margin is 1. *Try* `sparsenn run bounds -p margin 0.1`, a
# fifth of the default: most bounds divide by the margin and grow about fivefold, the empirical share falls.
#
# What each row is, and where it is from. *Map* means the matrix that a convolution is on images of this size, *kernel*
# its small array of weights, *head* the last layer, and *moved* less the initial weights. "Recalled" and "not read"
# mean what they say.

# %% tags=["hide-input"]
chapter.say(study.sentences.kinds(bounds))

# %% [markdown]
# ## During training

# %% tags=["hide-input"]
chapter.show(study.figures.training(bounds, errors))
chapter.say(study.sentences.training(bounds))
chapter.say(study.sentences.margins(margins))

# %% [markdown]
# *Try* `sparsenn run bounds -p schedules "[code]"`: without momentum less is learned in as many epochs.
#
# ### All depths
#
# At full scale these are images of Fashion-MNIST, 28x28, and the study's depths.

# %% tags=["hide-input"]
chapter.show(study.figures.depths(deep_bounds, deep_errors))
chapter.say(study.sentences.depths(deep_bounds, deep_errors, deep_settings))

# %% [markdown]
# *Try* `sparsenn run bounds -p deep_epochs 100`: how far do the test errors fall?
#
# ## The formula, and three cases in which it fails
#
# A *node* is one position with all its channels. Let $\rho$ be the product of the Frobenius norms of all kernels and of
# the last layer, $L$ the number of layers with the last one, $k$ the number of nodes that feed a node (4 for 2x2),
# $C$ the number of classes. The formula implemented in the reference code is
#
# $$ \begin{aligned}&\frac{2\sqrt2\,(\rho+1)}{n}\Bigl(1+\sqrt{2(L\log 2k+\log C)}\Bigr)
# \sqrt{\textstyle\prod_l k_l\;\max_{\text{pixel}}\sum_i\lVert x_{i,\text{pixel}}\rVert^2}\\
# &\quad+3\sqrt{\log(2(\rho+2)^2/\delta)\,/\,2n}.\end{aligned} $$
#
# Its first part is meant to bound a *Rademacher complexity*: how well, on average, networks with $\rho\le1$ fit signs
# $\xi_{ic}=\pm1$ drawn at random, $R=\tfrac1n\mathbb E\sup_w\sum_{i,c}\xi_{ic}f_c(x_i)$. Any network that is found
# for given signs shows that $R$ is at least so large; so a search can refute a bound, and never prove one. The
# published theorem may differ from the code; its text was not read, and the version recalled (with $L\log2+\sum\log
# k_l$) fails in the same cases.

# %% tags=["hide-input"]
chapter.show(study.figures.counterexamples(counterexamples), headline="bounds.formula-own")
chapter.say(study.sentences.counterexamples(counterexamples))

# %% [markdown]
# - *Head*: one output over 28x28 nodes and constant images. Linear functions are in the class, and a factor for the
#   number of nodes that feed the last layer is missing.
# - *Classes*: 1,000 outputs on one pixel. The Frobenius norm of the last layer allows to fit all classes at once, which
#   costs up to $\sqrt C$; the formula has $\log C$ under a root.
# - *Study's own*: CONV-3 with ten classes on digits enlarged to 28x28. A kernel of norm 1 that averages makes
#   a smooth image twice as large. The factor $\prod k_l$ pays for that; nothing pays for the nodes that feed the head.
#
# And for classes $2\sqrt2$ should be $4/\gamma$: the margin changes by up to $\sqrt2$ times a change of the outputs,
# and contraction for vectors costs another $\sqrt2$.
#
# ## The corrected bound
#
# It has two forms, *refined* and *plain*. Let $\kappa=\tfrac1n(1+\sqrt{2N})\sqrt{D}$, with $L-1$ hidden layers of
# weights $w^l_j$ at node $j$ (shared or not), no biases, relu. Then $R\le\rho\,\kappa$ with
#
# - *refined*: $\rho=\sum_c\sum_j\lVert w^L_{c,j}\rVert\,\prod_{l<L}\max_j\lVert w^l_j\rVert_F$,
#   $N=(L-1)\log2+\log C+\log P$,
#   $D=\prod_{l=2}^{L-1}k_l\;\max_{\text{patch}}\sum_i\lVert x_{i,\text{patch}}\rVert^2$;
# - *plain*: $\rho=\sum_c\lVert w^L_c\rVert\,\prod_{l<L}\max_j\lVert w^l_j\rVert_F$, $N=(L-1)\log2+\log C+\log d_0$,
#   $D=k_L\prod_{l=1}^{L-1}k_l\;\max_{\text{pixel}}\sum_i\lVert x_{i,\text{pixel}}\rVert^2$.
#
# ($P$ patches feed the first layer, $d_0$ pixels there are, $k_L$ nodes feed the last layer). Let
# $\mathrm{err}_P$ be the error on new samples, $\mathrm{err}_S^\gamma$ the share of training samples with a margin less
# than $\gamma$. Then with probability $1-\delta$, for all networks at once,
#
# $$ \mathrm{err}_P\le\mathrm{err}_S^\gamma+\tfrac4\gamma(\rho+1)\kappa+3\sqrt{\log(2(\rho+2)^2/\delta)/2n}. $$
#
# **Proof.** *(i)* Scale the hidden layers to $\max_j\lVert w^l_j\rVert_F\le1$ and the head to $\rho$. By Hölder's
# inequality on the head, $nR\le\rho\,\mathbb E\sup_w\max_{c,j}\lVert\sum_i\xi_{ic}z_j(x_i)\rVert$, with $z_j$ the
# vector at node $j$ before the head (for *plain*, all of them as one vector, at most $\sqrt{k_L}$ times the largest).
# *(ii)* For $\lambda>0$ Jensen's inequality and the sum over classes give at most
# $\tfrac\rho\lambda\log\bigl[C\,\mathbb E\sup_{w,j}\exp(\lambda\lVert\sum_i\xi_iz_j(x_i)\rVert)\bigr]$. *(iii)* Peel
# one layer, $z_j=\mathrm{relu}(w_jv_j)$, $v_j$ the vectors of the nodes that feed $j$:
# $\lVert\sum_i\xi_i\,\mathrm{relu}(w_jv_j(x_i))\rVert^2=\sum_r\lVert w_{j,r}\rVert^2
# \bigl(\sum_i\xi_i\,\mathrm{relu}(\hat w_{j,r}v_j(x_i))\bigr)^2\le\sup_{\lVert u\rVert=1}(\cdot)^2$, as relu is
# positively homogeneous. With $e^{|a|}\le e^a+e^{-a}$, symmetry and the contraction of Ledoux and Talagrand over the
# index $(u,j)$ the expectation is at most $2\,\mathbb E\sup_{j}\exp(\lambda\lVert\sum_i\xi_iv_j(x_i)\rVert)$, and
# $\lVert\sum_i\xi_iv_j\rVert^2\le k_l\max_{j'}\lVert\sum_i\xi_iz_{j'}\rVert^2$ for the layer below.
# *(iv)* After $L-1$ layers the supremum over patches (pixels) is at most their sum: $\log P$ ($\log d_0$). Changing one
# sign moves $\lVert\sum_i\xi_iv(x_i)\rVert$ by at most $2\lVert v(x_i)\rVert$, so
# $\log\mathbb E\exp(\mu\lVert\cdot\rVert)\le\mu\sqrt S+\mu^2S/2$, $S=\sum_i\lVert v(x_i)\rVert^2$. The best $\lambda$
# gives $(1+\sqrt{2N})\sqrt D$. *(v)* The ramp loss is $\sqrt2/\gamma$-Lipschitz, and Maurer's contraction makes
# $2R(\mathrm{ramp})\le\tfrac4\gamma R$. Radii $t=1,2,\dots$ get $\delta/t(t+1)$ each. $\square$
#
# Average pooling costs nothing (a mean is no larger than the largest). *Geometric radii* are $1.1^k$ with
# $\tfrac23\delta/(|k|+1)(|k|+2)$ each: then $\rho$ is rounded up, by a tenth at most, in place of the $\rho+1$ that
# costs $\tfrac4\gamma\kappa$ even at $\rho=0$. Of the steps, (iii) and Maurer's lemma are recalled from the literature;
# the combination is derived here.
#
# ## How much of a bound is there
#
# The same search, climbing by gradients, under every bound of the form $\rho\kappa$:

# %% tags=["hide-input"]
chapter.show(study.figures.slack(slack))
chapter.say(study.sentences.slack(slack))

# %% [markdown]
# *Try* `sparsenn run bounds -p search_steps 400`: a longer search finds more.
#
# ## Growth, and what does not matter

# %% tags=["hide-input"]
chapter.show(study.figures.growth(growth))
chapter.say(study.sentences.growth(growth))
chapter.say(study.sentences.rescaling(rescaled))

# %% [markdown]
# *Try* `sparsenn run bounds -p growth_depths "[1, 6]"` for the ends alone.
#
# ## Does any of them follow the gap?
#
# A grid of small networks on digits: depth, width, number of samples, weight decay and share of changed labels.
# *Kendall's tau* counts the pairs of networks that bound and gap put into the same order, less those in opposite
# order.

# %% tags=["hide-input"]
chapter.show(study.figures.correlations(correlations))
chapter.say(study.sentences.correlation(correlations, grid))

# %% [markdown]
# One margin for all networks, no choice of scale for each: other comparisons divide by each network's own margin. *Try*
# `sparsenn run bounds -p grid_samples "[400]"`: without the number of samples, what is left to follow?
#
# ## Do sparser networks have smaller bounds?
#
# Students of the chapter on the L1 path with 52 weights and relu, where 7 are enough. Each is taken as the classifier
# that says whether the target is above zero; those that did not fit are left out. L1 and L2 are trained from the same
# starts on the same samples.

# %% tags=["hide-input"]
chapter.show(study.figures.students(students))
chapter.say(study.sentences.students(students))

# %% [markdown]
# A norm of 52 small weights may be that of 7 large ones. What counts in a bound of this kind is size; zeros would count
# where the number of weights does.
#
# ## A bound that is below 1
#
# *PAC-Bayes* bounds the error of a classifier that draws its weights anew for each sample, from a Gaussian around the
# trained network (the *posterior*). It pays for the Kullback–Leibler divergence (KL) of the posterior from a *prior*
# that has not seen the samples. Centre and spread of the posterior are optimised.

# %% tags=["hide-input"]
chapter.say(study.sentences.posterior(posteriors))

# %% [markdown]
# ## Claims
#
# Thresholds are where a statement turns false (1 for a bound on an error, 1 for found over claimed), an order of
# magnitude, or what the claim names; they were fixed in code before this page's draws, after trials with other seeds.
# Counts are networks, draws of the signs, or pairs, as each says.

# %% tags=["hide-input"]
chapter.claims(study.claims, study_settings)

# %% [markdown]
# ## Answer

# %% tags=["hide-input"]
chapter.say(study.learned.learned(chapter.full.tables, chapter.tables, chapter.profile))

# %% [markdown]
# **What stays open.** The study's text was not read, so nothing is said of its theorem beyond what the code does. Of
# the comparators the theorem of Ledent et al. and the constants of Gonon et al., of Golowich et al., of Neyshabur et
# al. and of the lemma of Bartlett et al. are recalled or taken from others' code. A bound of Arora et al. by
# compression, and those of Lin and Zhang and of Gouk et al., are left out: their constants are not sure enough.
# Networks with residual additions are read by none. The study's own scale was not run
# here; `sparsenn sweep bounds_study_readme` and `sparsenn sweep bounds_study_code` run it by either schedule, a network
# a run, and the heads of `params/sweeps/bounds_study_*.yaml` say what that costs.

# %% tags=["hide-input"]
chapter.colophon()
