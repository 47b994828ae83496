"""The first version: shared market data, strategies with their ledgers, and what runs the suite."""

import sqlalchemy as sa
from alembic import op

from schema import Integer, Money, Real

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "archived_months",
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("first", Integer, nullable=False),
        sa.Column("last", Integer, nullable=False),
        sa.Column("candles", Integer, nullable=False),
        sa.Column("updated_at", Integer, nullable=False),
        sa.PrimaryKeyConstraint(
            "exchange", "symbol", "timeframe", "month", name=op.f("pk_archived_months")
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "controls",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_at", Integer, nullable=False),
        sa.CheckConstraint(
            "state IN ('running', 'reduce_only', 'halted')", name=op.f("ck_controls_state")
        ),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_controls")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "events",
        sa.Column("event_id", Integer, nullable=False),
        sa.Column("timestamp", Integer, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.CheckConstraint("level IN ('info', 'warning', 'error')", name=op.f("ck_events_level")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_events")),
        sqlite_strict=True,
    )
    op.create_index(
        "idx_events_timestamp", "events", [sa.literal_column("timestamp DESC")], unique=False
    )
    op.create_table(
        "exchange_status",
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="ok", nullable=False),
        sa.Column("state_until", Integer, nullable=True),
        sa.Column("clock_exchange_time", Integer, nullable=True),
        sa.Column("clock_wall_time", Integer, nullable=True),
        sa.Column("clock_speed", Real, server_default="1.0", nullable=False),
        sa.Column("api_url", sa.Text(), server_default="", nullable=False),
        sa.Column("timeframes", sa.Text(), server_default="", nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("updated_at", Integer, nullable=False),
        sa.CheckConstraint(
            "state IN ('ok', 'backing_off', 'banned')", name=op.f("ck_exchange_status_state")
        ),
        sa.PrimaryKeyConstraint("exchange", name=op.f("pk_exchange_status")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "gaps",
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("start", Integer, autoincrement=False, nullable=False),
        sa.Column("end", Integer, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("found_at", Integer, nullable=False),
        sa.Column("asked", Integer, nullable=False),
        sa.Column("ask_again_at", Integer, nullable=True),
        sa.CheckConstraint(
            "state IN ('found', 'fetching', 'filled', 'confirmed_empty', 'out_of_reach')",
            name=op.f("ck_gaps_state"),
        ),
        sa.CheckConstraint('start <= "end"', name=op.f("ck_gaps_order")),
        sa.PrimaryKeyConstraint("exchange", "symbol", "timeframe", "start", name=op.f("pk_gaps")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "heartbeats",
        sa.Column("daemon", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("started_at", Integer, nullable=False),
        sa.Column("beat_at", Integer, nullable=False),
        sa.PrimaryKeyConstraint("daemon", name=op.f("pk_heartbeats")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "markets",
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("amount_step", Money(), nullable=True),
        sa.Column("price_step", Money(), nullable=True),
        sa.Column("min_amount", Money(), nullable=True),
        sa.Column("min_cost", Money(), nullable=True),
        sa.Column("updated_at", Integer, nullable=False),
        sa.PrimaryKeyConstraint("exchange", "symbol", name=op.f("pk_markets")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ohlcv_data",
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("timestamp", Integer, autoincrement=False, nullable=False),
        sa.Column("open", Real, nullable=False),
        sa.Column("high", Real, nullable=False),
        sa.Column("low", Real, nullable=False),
        sa.Column("close", Real, nullable=False),
        sa.Column("volume", Real, nullable=False),
        sa.CheckConstraint(
            "low > 0 AND low <= open AND low <= close AND open <= high AND close <= high",
            name=op.f("ck_ohlcv_data_prices"),
        ),
        sa.CheckConstraint("volume >= 0", name=op.f("ck_ohlcv_data_volume")),
        sa.PrimaryKeyConstraint(
            "exchange", "symbol", "timeframe", "timestamp", name=op.f("pk_ohlcv_data")
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "partitions",
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("built_from", sa.Text(), nullable=True),
        sa.Column("reach", Integer, nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("updated_at", Integer, nullable=False),
        sa.PrimaryKeyConstraint("exchange", "symbol", "timeframe", name=op.f("pk_partitions")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "revisions",
        sa.Column("revision_id", Integer, nullable=False),
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("timestamp", Integer, nullable=False),
        sa.Column("stored_at", Integer, nullable=True),
        sa.Column("found_at", Integer, nullable=False),
        sa.Column("old_open", Real, nullable=False),
        sa.Column("old_high", Real, nullable=False),
        sa.Column("old_low", Real, nullable=False),
        sa.Column("old_close", Real, nullable=False),
        sa.Column("old_volume", Real, nullable=False),
        sa.Column("new_open", Real, nullable=False),
        sa.Column("new_high", Real, nullable=False),
        sa.Column("new_low", Real, nullable=False),
        sa.Column("new_close", Real, nullable=False),
        sa.Column("new_volume", Real, nullable=False),
        sa.PrimaryKeyConstraint("revision_id", name=op.f("pk_revisions")),
        sqlite_strict=True,
    )
    op.create_index(
        "idx_revisions_candle",
        "revisions",
        ["exchange", "symbol", "timeframe", "timestamp"],
        unique=False,
    )
    op.create_table(
        "strategy_metadata",
        sa.Column("strategy_id", sa.Text(), nullable=False),
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("strategy_name", sa.Text(), nullable=False),
        sa.Column("config_file", sa.Text(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("warmup", Integer, nullable=False),
        sa.Column("starting_balance", Money(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("registered_at", Integer, nullable=False),
        sa.Column("updated_at", Integer, nullable=False),
        sa.CheckConstraint("mode IN ('paper', 'live')", name=op.f("ck_strategy_metadata_mode")),
        sa.CheckConstraint(
            "status IN ('waiting', 'running', 'stopped')", name=op.f("ck_strategy_metadata_status")
        ),
        sa.PrimaryKeyConstraint("strategy_id", name=op.f("pk_strategy_metadata")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ticker_data",
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timestamp", Integer, autoincrement=False, nullable=False),
        sa.Column("bid", Real, nullable=True),
        sa.Column("ask", Real, nullable=True),
        sa.Column("last", Real, nullable=False),
        sa.CheckConstraint("last > 0", name=op.f("ck_ticker_data_last")),
        sa.PrimaryKeyConstraint("exchange", "symbol", "timestamp", name=op.f("pk_ticker_data")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "orders",
        sa.Column("order_id", Integer, nullable=False),
        sa.Column("strategy_id", sa.Text(), nullable=False),
        sa.Column("client_order_id", sa.Text(), nullable=False),
        sa.Column("exchange_order_id", sa.Text(), nullable=True),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("amount", Money(), nullable=False),
        sa.Column("price", Money(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("signal_timestamp", Integer, nullable=False),
        sa.Column("decided_at", Integer, nullable=False),
        sa.Column("created_at", Integer, nullable=False),
        sa.Column("updated_at", Integer, nullable=False),
        sa.CheckConstraint("side IN ('buy', 'sell')", name=op.f("ck_orders_side")),
        sa.CheckConstraint(
            "status IN ('new', 'open', 'filled', 'canceled', 'rejected')",
            name=op.f("ck_orders_status"),
        ),
        sa.CheckConstraint("type IN ('market', 'limit')", name=op.f("ck_orders_type")),
        sa.ForeignKeyConstraint(
            ["strategy_id"],
            ["strategy_metadata.strategy_id"],
            name=op.f("fk_orders_strategy_metadata"),
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_orders")),
        sa.UniqueConstraint("client_order_id", name=op.f("uq_orders_client_order_id")),
        sa.UniqueConstraint("strategy_id", "order_id", name=op.f("uq_orders_strategy_id_order_id")),
        sqlite_strict=True,
    )
    op.create_index(
        "idx_orders_strategy",
        "orders",
        ["strategy_id", sa.literal_column("created_at DESC")],
        unique=False,
    )
    op.create_table(
        "positions",
        sa.Column("position_id", Integer, nullable=False),
        sa.Column("strategy_id", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("amount", Money(), nullable=False),
        sa.Column("entry_cost", Money(), nullable=False),
        sa.Column("average_entry", Money(), nullable=False),
        sa.Column("realised_profit", Money(), nullable=False),
        sa.Column("fees", Money(), nullable=False),
        sa.Column("opened_at", Integer, nullable=False),
        sa.Column("closed_at", Integer, nullable=True),
        sa.Column("exit_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(status = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_positions_closed")
        ),
        sa.CheckConstraint("status IN ('open', 'closed')", name=op.f("ck_positions_status")),
        sa.ForeignKeyConstraint(
            ["strategy_id"],
            ["strategy_metadata.strategy_id"],
            name=op.f("fk_positions_strategy_metadata"),
        ),
        sa.PrimaryKeyConstraint("position_id", name=op.f("pk_positions")),
        sqlite_strict=True,
    )
    op.create_index(
        "idx_positions_strategy",
        "positions",
        ["strategy_id", sa.literal_column("opened_at DESC")],
        unique=False,
    )
    op.create_index(
        "uq_positions_open",
        "positions",
        ["strategy_id", "symbol"],
        unique=True,
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "signals",
        sa.Column("strategy_id", sa.Text(), nullable=False),
        sa.Column("timestamp", Integer, autoincrement=False, nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("price", Real, nullable=False),
        sa.Column("rsi", Real, nullable=True),
        sa.Column("indicators", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("created_at", Integer, nullable=False),
        sa.CheckConstraint("signal IN ('buy', 'sell', 'hold')", name=op.f("ck_signals_signal")),
        sa.ForeignKeyConstraint(
            ["strategy_id"],
            ["strategy_metadata.strategy_id"],
            name=op.f("fk_signals_strategy_metadata"),
        ),
        sa.PrimaryKeyConstraint("strategy_id", "timestamp", name=op.f("pk_signals")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "trades",
        sa.Column("trade_id", Integer, nullable=False),
        sa.Column("strategy_id", sa.Text(), nullable=False),
        sa.Column("order_id", Integer, nullable=False),
        sa.Column("exchange_trade_id", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("amount", Money(), nullable=False),
        sa.Column("price", Money(), nullable=False),
        sa.Column("cost", Money(), nullable=False),
        sa.Column("fee", Money(), nullable=False),
        sa.Column("fee_currency", sa.Text(), nullable=False),
        sa.Column("realised_profit", Money(), nullable=False),
        sa.Column("timestamp", Integer, nullable=False),
        sa.CheckConstraint("side IN ('buy', 'sell')", name=op.f("ck_trades_side")),
        sa.ForeignKeyConstraint(
            ["strategy_id", "order_id"],
            ["orders.strategy_id", "orders.order_id"],
            name="fk_trades_orders",
        ),
        sa.ForeignKeyConstraint(
            ["strategy_id"],
            ["strategy_metadata.strategy_id"],
            name=op.f("fk_trades_strategy_metadata"),
        ),
        sa.PrimaryKeyConstraint("trade_id", name=op.f("pk_trades")),
        sa.UniqueConstraint(
            "strategy_id",
            "order_id",
            "exchange_trade_id",
            name=op.f("uq_trades_strategy_id_order_id_exchange_trade_id"),
        ),
        sqlite_strict=True,
    )
    op.create_index(
        "idx_trades_strategy",
        "trades",
        ["strategy_id", sa.literal_column("timestamp DESC")],
        unique=False,
    )
