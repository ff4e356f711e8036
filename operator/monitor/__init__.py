"""What an operator is shown of its own processes."""
