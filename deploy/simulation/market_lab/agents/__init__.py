"""Who is in the market: objects with seeded chance that see what a trader sees, and give records."""
