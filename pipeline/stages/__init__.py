"""The stages of dvc.yaml, one file each. They are the same for all problems."""
