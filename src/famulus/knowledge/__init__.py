"""Knowledge: what is known. Sources, documents, chunks, indexes and retrieval cut by what the asker may see."""
