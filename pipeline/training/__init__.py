"""Training: the compiled loop over replicas, what it starts from, and what it leaves on disk.

One folder, so that dvc.yaml names it once in each stage that trains networks or asks them.
"""
