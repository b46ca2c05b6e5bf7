import os

# Read by scipy when it is first imported. Without it one of scikit-learn's estimator checks is
# skipped, and a skipped check says nothing.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="session")
def one_blas_thread():
    """The tests' matrices are small: threads gain nothing and, beside other work, lose minutes."""
    with threadpool_limits(limits=1, user_api="blas"):
        yield
