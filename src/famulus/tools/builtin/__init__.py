"""Our own tools: what an assistant may do on the platform itself, each through the service that every door uses."""
