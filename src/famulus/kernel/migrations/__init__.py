"""Migrations: one linear history for both databases. A migration never imports application code."""
