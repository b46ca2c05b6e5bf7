import threading

import pytest

from sklin.demo._server import Server

THREE = [
    [0.5, 0.4, 0],
    [0.7, 0.1, 0],
    [-0.4, 0.5, 1],
    [-0.6, 0.2, 1],
    [0.1, -0.5, 2],
    [0.2, 0.3, 2],
]


@pytest.fixture
def state():
    """A state of the page, as its JSON is read."""
    return {
        "points": [list(point) for point in THREE],
        "W": [[0.3, -1.1], [0.7, 0.1], [-0.5, 0.4]],
        "b": [0.1, -0.2, 0.3],
        "loss": "weston_watkins",
        "regularizer": "l2",
        "optimizer": "gradient_descent",
        "alpha": 0.05,
        "step_size": 0.1,
        "seed": 7,
        "n_steps": 20,
    }


@pytest.fixture(scope="module")
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
