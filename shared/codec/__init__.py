"""The wire: records, batches, signed data, to and from bytes."""
