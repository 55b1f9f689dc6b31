"""The stages of dvc.yaml, one file each. They know no problem by name: a room does the work."""
