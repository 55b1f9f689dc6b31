"""The training engine: all replicas of a network in one compiled program."""
