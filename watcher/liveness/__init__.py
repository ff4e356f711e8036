"""Keeping the exchange going while its operator is silent, and ending it by rule."""
