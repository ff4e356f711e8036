"""What server and clients say to each other: records and receipts as JSON, proofs of withdrawals."""
