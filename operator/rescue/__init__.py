"""From a store that is lost, or an old copy of one, back to an exchange."""
