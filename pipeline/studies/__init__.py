"""Optuna: questions that are answered by many trainings.

A *study* varies a network over a space; each *trial* trains the network of one point, all its
replicas side by side, with the code of the train stage. The process that runs the study holds it
and writes each trial once it has ended; workers know nothing but `(network, replicas) -> result`.
So a study that was killed goes on where it was, the same trials are made by any number of workers,
and what is exported is the same bytes. Nothing outside this package imports optuna.
"""
