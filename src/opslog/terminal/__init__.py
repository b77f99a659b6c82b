"""Text for people at a terminal: how wide it is, its colors, tables, and amounts in words."""
