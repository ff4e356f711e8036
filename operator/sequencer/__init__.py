"""Owns the machine and the order of inputs; answers for nothing that is not on disk."""
