"""Receipts that users handed in, and the charges that follow."""
