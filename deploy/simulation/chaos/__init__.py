"""An exchange under load in which one thing after the other goes wrong; and what has to be true afterwards."""
