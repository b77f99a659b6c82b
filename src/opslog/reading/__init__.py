"""Sources read to their end: one pass, in the order of time where that is wanted."""
