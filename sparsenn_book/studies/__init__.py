"""Experiments of a study that are too long for its notebook: settings in, rows and trained networks out."""
