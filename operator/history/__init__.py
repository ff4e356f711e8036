"""What has happened, for whoever asks later: derived from the inputs alone, kept in a database."""
