"""What every compiled module shares: bytes, text buffers, blocks of lines."""
