"""matplotlib, which is no dependency and is imported when something is drawn."""


def pyplot_for(display):
    """Import matplotlib's pyplot.

    Parameters
    ----------
    display : object
        What draws with it.

    Returns
    -------
    pyplot : module
        The module.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            f"{type(display).__name__} draws with matplotlib, which is not installed: "
            "pip install matplotlib."
        ) from error
    return pyplot
