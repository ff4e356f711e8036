"""Traffic, faults and lying parties, for demonstrations and games. Nothing in operator/ or watcher/ imports it."""
