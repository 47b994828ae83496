"""What keeps the database well while the daemon runs: checkpoints, statistics, room on the disk, the archive."""
