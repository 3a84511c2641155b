"""Figures of the chapter on neuron sharing, the multi-task lasso and width bounds: tables in, plotly figure out."""

from sparsenn_book.studies.width_bounds.figures.lasso import bounds, brute_force, histograms, spectra
from sparsenn_book.studies.width_bounds.figures.sharing import balance, neurons, training

__all__ = ["balance", "bounds", "brute_force", "histograms", "neurons", "spectra", "training"]
