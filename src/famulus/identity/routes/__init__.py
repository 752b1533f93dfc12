"""Identity over HTTP, a module a subject."""
