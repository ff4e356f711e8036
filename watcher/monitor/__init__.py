"""What people are shown of a watcher: disputes, alerts, metrics, the doctor."""
