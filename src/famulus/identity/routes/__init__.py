"""Accounts and sessions over HTTP, a module a subject."""
