import os

# Read by scipy when it is first imported. Without it one of scikit-learn's estimator checks is
# skipped, and a skipped check says nothing.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
