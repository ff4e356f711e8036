"""Faces L1: posts batches, claims their ends, defends the claims."""
