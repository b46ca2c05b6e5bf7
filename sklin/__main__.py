"""`python -m sklin`: hand the arguments to the command that their first word names."""

import sys
from importlib import import_module

# Their modules have a `main(argv)` that returns the exit status. A folder of one of these names
# can be given as ./NAME.
COMMANDS = {
    "demo": "sklin.commands._demo",
    "predict": "sklin.commands._predict",
}
DEFAULT = "sklin.commands._compare"


def main(argv=None):
    """Run a command.

    Parameters
    ----------
    argv : list of str, default=None
        The arguments; None takes those of the command line.

    Returns
    -------
    int
        The exit status.
    """
    argv = sys.argv[1:] if argv is None else argv
    if argv and argv[0] in COMMANDS:
        return import_module(COMMANDS[argv[0]]).main(argv[1:])
    return import_module(DEFAULT).main(argv)


if __name__ == "__main__":
    sys.exit(main())
