"""Formats checked against samples, and learned from configurations."""
