"""One network from its parameters to trained weights and results on disk."""
