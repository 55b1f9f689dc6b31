"""Faults that a user can mend; the command line prints their message alone, without a traceback."""


class InputError(Exception):
    """Something given to the pipeline cannot be used: a parameter, an argument or a file.

    `faults` holds one sentence per fault; the command line prints one per line and exits with 2.
    """

    def __init__(self, *faults: str):
        self.faults = tuple(map(_in_a_line, faults))
        super().__init__("\n".join(self.faults))


def _in_a_line(fault: str) -> str:
    """A fault without what would begin a line or move a terminal's cursor, be it part of a name."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in fault)


class TrainingError(Exception):
    """The work itself failed, with all that was given in order; the command line exits with 1.

    Every replica diverged, a worker process was killed, or Dask's scheduler is gone.
    """
