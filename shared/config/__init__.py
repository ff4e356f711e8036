"""What a process is told: settings, deployment files, the Redis server it is to use."""
