"""The heart: blocks in, record batches out; no files, no clocks."""
