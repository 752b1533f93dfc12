"""OpenAPI documents as tools: each operation that a document describes is one, called as the document says."""
