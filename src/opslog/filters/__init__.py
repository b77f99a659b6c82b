"""Filters as people write them, and what they ask of a record."""
