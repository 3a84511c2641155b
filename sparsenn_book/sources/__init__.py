"""What the files of a checkout say: where things lie, what a notebook declares, what a profile sets."""
