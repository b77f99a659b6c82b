"""The words of a record: columns, levels, services, times, zones, errors, counts."""
