"""Compiling the pure modules, and packing wheels of the project."""
