"""The turn's own statements as scripts for the fast lane: the only SQL that spans threads, messages and runs.

A turn is one transaction over all three. Whoever writes to a run must hold it: each writing script checks owner, epoch
and status in its own transaction. The thread's row is locked first, so that two scripts never wait for each other.
"""
