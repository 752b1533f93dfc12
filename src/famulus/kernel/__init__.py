"""Kernel: settings, errors, database, paging, bus, jobs, live broadcast, outbound HTTP, secrets. Knows no room."""
