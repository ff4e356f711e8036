"""How batches' records come to L1 and back: a descriptor for each data availability module, all in one registry."""
