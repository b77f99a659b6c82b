"""What the process itself is told: signals, and how long it waits when told to end."""
