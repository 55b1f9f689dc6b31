"""The sequence problems, one package each."""
