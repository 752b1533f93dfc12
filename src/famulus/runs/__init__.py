"""Runs: how an answer comes about, from the accepted message to the terminal event; knows no wire protocol."""
