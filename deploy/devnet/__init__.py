"""A development chain with everything on it, and the OS processes beside it."""
