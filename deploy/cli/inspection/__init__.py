"""What L1 holds of an exchange, in words."""
