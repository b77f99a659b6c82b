"""Spans to records: which lines belong together."""
