"""Sweeps: many runs of one notebook or one table function, on one machine or many, and one table of them all."""
