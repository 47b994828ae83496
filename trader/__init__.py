"""The trader: shared database -> signal -> order -> trade -> position, one process per strategy_id."""
