"""Formats as they are written: layouts, patterns, %-formats, templates, format files."""
