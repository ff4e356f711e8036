"""The outside world: L1, Redis, storage and configuration."""
