"""Records to columns: record batches, or JSON lines."""
