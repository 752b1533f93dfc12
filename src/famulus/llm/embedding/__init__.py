"""Texts as vectors: one protocol, a model that runs on this machine, and a wire to any server that has another.

choose ─▶ local ─▶ a process of its own (process) ─▶ engine ─▶ the file that build made of the weights (graph)
      └─▶ remote ─▶ POST …/embeddings
"""
