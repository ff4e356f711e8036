"""Checks of a single epoch, for whoever has neither its history nor the state."""
