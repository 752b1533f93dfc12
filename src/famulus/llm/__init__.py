"""The model room: one protocol, several wires. Messages and tools in, a stream of small values out.

It owns the talk with model providers and every error that can come of it. It refuses to know who asks, what
is stored or which tools exist: those arrive as plain values and leave as plain values. Only the table of commands
that are understood without a model has names of tools in it, and none that is not offered is called.
"""
