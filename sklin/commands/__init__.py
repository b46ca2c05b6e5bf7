"""What `python -m sklin` can do, a module for each command."""
