"""Insights: what happened, in numbers and in order. Reads what the rooms below keep, and keeps nothing itself."""
