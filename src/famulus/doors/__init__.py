"""Doors: wire protocols, translated to and from the rooms below. A door decides nothing."""
