"""Parameters, execution, freshness, the book and the command line. Imports no science."""
