"""The audit: what was written, against a replay by the same code. Nothing is written by it."""
