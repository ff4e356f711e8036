"""What a refusal says to people: by how much, and what to do."""
