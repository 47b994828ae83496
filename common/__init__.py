"""What more than one daemon needs: database, clock, partitions, market data, exchanges, logs."""
