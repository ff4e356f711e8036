"""The machine: runs the rules over batches; traces, snapshots and witnesses."""
