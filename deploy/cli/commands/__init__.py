"""What the commands of `setoff` do."""
