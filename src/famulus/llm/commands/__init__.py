"""Commands without a language model: a small grammar of English sentences, and what they call. It knows no subject.

    said ─▶ text (words, names in quotes) ─▶ forms (the table) × grammar (matching) ─▶ understanding ─▶ a call | words
    result ─▶ telling ─▶ Markdown

What is not in the table is no command: nothing is guessed from single words, and nothing that a document says is read.
"""
