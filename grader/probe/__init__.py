"""The part that lives inside the student's kernel. It imports the standard library, torch and numpy only.

It watches and copies; it decides nothing. What it hands out is plain JSON that the other side decodes
into typed records, and nothing of it is believed where a mark hangs on it.
"""
