"""Settings from files: which files, what they may say, and what of several counts."""
