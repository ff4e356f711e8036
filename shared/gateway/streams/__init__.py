"""What a bot is told as it happens."""
