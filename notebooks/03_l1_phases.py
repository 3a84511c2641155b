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

chapter = Chapter("03_l1_phases", globals())

paths, path_weights, path_events = chapter.several(
    ("paths", "path_weights", "path_events"), study.paths.walked, chapter.settings(study.PathSettings)
)
certificates = chapter.table("certificates", study.certificates.certified, chapter.settings(study.CertificateSettings))
tree_runs, tree_weights = chapter.several(
    ("tree_runs", "tree_weights"), study.trees.trees, chapter.settings(study.TreeSettings)
)
sparsifier_tuning, sparsifiers = chapter.several(
    ("sparsifier_tuning", "sparsifiers"), study.sparsifiers.sparsified, chapter.settings(study.SparsifierSettings)
)
phases = chapter.table("phases", study.phases.phases, chapter.settings(study.PhaseSettings))

# %% tags=["hide-input"]
chapter.colophon()
