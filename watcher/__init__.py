"""The watcher: follows L1, runs every batch again, and disputes what is wrong."""
