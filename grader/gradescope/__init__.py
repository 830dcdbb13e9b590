"""Gradescope: the zip that it builds a container from (`pack`), and what grades in there (`run`)."""
