"""Putting the contracts on a chain, and listing markets there."""
