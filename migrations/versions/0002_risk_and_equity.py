"""What risk rules and live trading keep: fees in any currency, dust, the equity at each candle, limits of time."""

import sqlalchemy as sa
from alembic import op

from schema import Integer, Money

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "strategy_metadata", sa.Column("rules", sa.Text(), nullable=False, server_default="{}")
    )
    op.add_column(
        "orders", sa.Column("purpose", sa.Text(), nullable=False, server_default="entry")
    )
    op.add_column("orders", sa.Column("reserved", Money(), nullable=False, server_default="0"))
    op.add_column("orders", sa.Column("failure", sa.Text()))
    op.add_column("trades", sa.Column("fee_cost", Money(), nullable=False, server_default="0"))
    op.add_column("positions", sa.Column("dust", Money(), nullable=False, server_default="0"))
    op.add_column("controls", sa.Column("until", Integer))
    op.create_table(
        "equity",
        sa.Column("strategy_id", sa.Text(), nullable=False),
        sa.Column("timestamp", Integer, nullable=False),
        sa.Column("closed_at", Integer, nullable=False),
        sa.Column("equity", Money(), nullable=False),
        sa.Column("peak", Money(), nullable=False),
        sa.Column("opening", Money(), nullable=False),
        sa.ForeignKeyConstraint(
            ["strategy_id"],
            ["strategy_metadata.strategy_id"],
            name=op.f("fk_equity_strategy_metadata"),
        ),
        sa.PrimaryKeyConstraint("strategy_id", "timestamp", name=op.f("pk_equity")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    # All fees of the first version were in quote currency, and an exit's reason said which one it was.
    op.execute("UPDATE trades SET fee_cost = fee")
    op.execute(
        "UPDATE orders SET purpose = CASE WHEN reason LIKE 'stop-loss:%' THEN 'stop-loss' "
        "WHEN reason LIKE 'take-profit:%' THEN 'take-profit' ELSE 'exit' END WHERE side = 'sell'"
    )
