"""The campus over HTTP, a module a subject: places, people, courses."""
