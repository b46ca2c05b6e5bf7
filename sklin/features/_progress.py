"""Progress of long transforms, on stderr."""

import sys
from time import perf_counter

# Before this many seconds nobody wonders.
PATIENCE = 2.0


class Progress:
    """Says now and then how many images are done.

    Parameters
    ----------
    name : str
        Of what is working.
    total : int
        How many images there are.
    wanted : bool
        Whether to say anything.
    """

    def __init__(self, name, total, wanted):
        self.name, self.total, self.wanted = name, total, wanted
        self.done = 0

    def __enter__(self):
        self.start = perf_counter()
        self.said = None
        return self

    def advance(self, n):
        """Count `n` more images as done."""
        self.done += n
        now = perf_counter()
        # A terminal writes over its line; a log gets a line every ten seconds.
        pause = 1 if sys.stderr.isatty() else 10
        if self.wanted and now - (self.said or self.start + PATIENCE - pause) >= pause:
            self.said = now
            self._say(end="\r" if sys.stderr.isatty() else "\n")

    def __exit__(self, *exception):
        if self.said is not None:
            self._say(end="\n")

    def _say(self, end):
        seconds = perf_counter() - self.start
        print(
            f"{self.name}: {self.done:,} of {self.total:,} images, {seconds:.0f} s",
            end=end,
            file=sys.stderr,
            flush=True,
        )
