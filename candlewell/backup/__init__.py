"""Backups of the shared database and its archive: made, checked, kept by a scheme, restored, and tried."""
