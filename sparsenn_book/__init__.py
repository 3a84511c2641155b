"""What makes a book out of `sparsenn_core`: chapters, tables with an identity, claims, studies, the runner."""
