"""`candlewell doctor`: what is wrong with a set-up, found by looking, never by changing anything."""
