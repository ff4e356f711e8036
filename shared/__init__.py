"""What operator, watcher and tools have in common; see the layers in `pyproject.toml`."""
