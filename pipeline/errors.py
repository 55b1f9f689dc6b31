"""Faults that a user can mend; the command line prints their message alone, without a traceback."""


class InputError(Exception):
    """Something given to the pipeline cannot be used: a parameter, an argument or a file.

    `faults` holds one sentence per fault; the command line prints one per line and exits with 2.
    """

    def __init__(self, *faults: str):
        super().__init__("\n".join(faults))
        self.faults = faults


class TrainingError(Exception):
    """Every replica diverged, so there is nothing to save; the command line exits with 1."""
