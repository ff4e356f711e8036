"""Who is nearest to liquidation, and who is closed against first."""
