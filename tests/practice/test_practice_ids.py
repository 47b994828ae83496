from __future__ import annotations

import re
from uuid import UUID, uuid4

import hypothesis.strategies as st
import pytest
from hypothesis import given

from practice.ids import kraken_id_of, number_of_kraken_id, number_of_uuid, uuid_of

NUMBERS = st.integers(1, 2**63 - 1)


@given(number=NUMBERS)
def test_an_id_leads_back_to_its_number_and_to_its_kind_only(number: int) -> None:
    order, trade = uuid_of("order", number), uuid_of("trade", number)
    assert UUID(order) != UUID(trade)
    assert (number_of_uuid("order", order), number_of_uuid("trade", order)) == (number, None)
    text = kraken_id_of("O", number)
    assert re.fullmatch(r"O[A-Z2-7]{5}-[A-Z2-7]{5}-[A-Z2-7]{6}", text)
    assert (number_of_kraken_id("O", text), number_of_kraken_id("T", text)) == (number, None)


@pytest.mark.parametrize("text", ["", "nope", str(uuid4()), "OAAAAA-AAAAA-AAAAA1", "O" * 17])
def test_what_is_no_id_of_this_exchange_has_no_number(text: str) -> None:
    assert number_of_uuid("order", text) is None
    assert number_of_kraken_id("O", text) is None
