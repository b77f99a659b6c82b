"""Files that are still written: rotated, truncated, compressed, and read on after a restart."""
