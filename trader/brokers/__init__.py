"""Where orders go: each module is one broker."""
