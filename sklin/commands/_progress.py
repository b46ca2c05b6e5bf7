"""How far a command has come, on stderr."""

import sys


class Progress:
    """A progress bar on the terminal; a line for each new kind of work anywhere else.

    Parameters
    ----------
    n_steps : int
        Number of calls of `step` until all is done.
    stream : file, default=None
        Where to write; None means standard error.
    """

    WIDTH = 24

    def __init__(self, n_steps, stream=None):
        self.n_steps = n_steps
        self.stream = sys.stderr if stream is None else stream
        self.done = -1
        self.text = ""

    def step(self, text):
        """Say that the work before is done, and what comes next.

        Parameters
        ----------
        text : str
            What comes next.
        """
        self.done += 1
        share = min(self.done / self.n_steps, 1)
        if self.stream.isatty():
            full = round(share * self.WIDTH)
            bar = "#" * full + "." * (self.WIDTH - full)
            line = f"[{bar}] {share:4.0%} {text}"[:79]
            print("\r" + line.ljust(79), end="", file=self.stream, flush=True)
        elif text != self.text:
            print(f"{share:4.0%} {text}", file=self.stream, flush=True)
        self.text = text

    def clear(self):
        """Wipe the bar off the terminal, to make room for other output."""
        if self.stream.isatty():
            print("\r" + " " * 79 + "\r", end="", file=self.stream, flush=True)
