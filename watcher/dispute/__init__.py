"""The player of this watcher: what it knows, what it can pay, what it plays."""
