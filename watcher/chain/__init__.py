"""What a watcher reads from L1: batches, messages, blobs."""
