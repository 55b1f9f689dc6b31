"""Hyperparameter studies with Optuna.

A *study* varies a network over a search space. Each *trial* trains the network of one point, all
replicas, with the code of the train stage. One process runs the study: it proposes
points, hands jobs to workers and writes each finished trial to disk. A study that was killed
therefore resumes where it was, and its exports are the same bytes for any number of workers.
"""
