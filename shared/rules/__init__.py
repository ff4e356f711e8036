"""The rulebook: one micro-step over a handful of leaves. Pure: no I/O, clock, float or environment."""
