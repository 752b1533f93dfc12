"""Famulus: a self-hosted assistant server for learning platforms and other multi-tenant applications."""
