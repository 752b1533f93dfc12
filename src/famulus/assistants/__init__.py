"""Assistants: who answers. The registry, its immutable versions and the resolution global → organization → course."""
