"""Conversations: what was said. Threads and their messages; how an answer comes about is none of its business."""
