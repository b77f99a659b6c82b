"""Text for a terminal: tables for people."""
