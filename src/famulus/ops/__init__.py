"""Operations: health, readiness and what an operator asks of a running server."""
