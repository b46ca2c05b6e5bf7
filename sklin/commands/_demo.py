"""`python -m sklin demo`: the lecture's interactive demo, in a browser."""

import argparse
import sys
import threading
import webbrowser

from sklin.demo._server import Server

PROGRAM = "python -m sklin demo"

DESCRIPTION = """\
Train a linear classifier in view: drag points of three classes, choose a loss,
a regularizer and an optimizer, and follow its steps.

The page is served to this machine alone (127.0.0.1) and loads nothing from the
network. Ctrl-C ends it.
"""


def main(argv=None):
    """Serve the page until interrupted.

    Parameters
    ----------
    argv : list of str, default=None
        The arguments; None takes those of the command line.

    Returns
    -------
    int
        The exit status: 0 after Ctrl-C, 2 for a port that cannot be had.
    """
    arguments = _parser().parse_args(argv)
    try:
        server = Server(arguments.port)
    except OSError as error:
        reason = error.strerror or error
        print(
            f"{PROGRAM}: error: --port: cannot serve at port {arguments.port}: {reason}. Take "
            "another, or leave --port out for a free one.",
            file=sys.stderr,
        )
        return 2
    with server:
        try:
            # The address ends its line: what is copied up to the next space must be it alone.
            print(f"The demo is at {server.address}\nCtrl-C ends it.", flush=True)
            if not arguments.no_browser:
                # A browser in the terminal returns when it is left, and is to be served before.
                opening = threading.Thread(target=webbrowser.open, args=(server.address,))
                opening.daemon = True
                opening.start()
            server.serve_forever()
        except KeyboardInterrupt:
            print("\nThe demo has ended.")
    return 0


def _port(text):
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port < 2**16:
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 to 65535; got {text!r}")
    return port


def _parser():
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description=DESCRIPTION,
        epilog="Exit status: 0 after Ctrl-C, 2 for a mistake in the arguments or a port in use.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port", type=_port, default=0, metavar="N", help="the port (default: a free one)"
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="print the address; do not open a browser"
    )
    return parser
