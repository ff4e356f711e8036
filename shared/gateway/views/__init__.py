"""What a bot is shown."""
