"""What a bot asks for."""
