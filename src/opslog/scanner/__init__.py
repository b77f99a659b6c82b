"""Bytes to spans: formats compiled to one program, and lines matched by it."""
