"""Whether a key may withdraw: asked by real ccxt, over real HTTP, of the practice exchange."""

from __future__ import annotations

import base64

import pytest

from tests.practice.running import Practice

SECRET = "practice-secret"


@pytest.fixture(scope="module")
def _practice():
    exchange = Practice(
        "--key", f"careful:{SECRET}", "--key", f"careless:{SECRET}", "--withdrawal-key", "careless"
    )
    yield exchange
    exchange.stop()


@pytest.fixture
def practice(_practice):
    _practice.ask("faults", "DELETE")
    return _practice


@pytest.fixture(params=["binance", "coinbase", "kraken"])
def exchange(request) -> str:
    return str(request.param)


@pytest.fixture
def give(patient, practice, exchange, monkeypatch):
    """Gives the environment keys of that name."""
    for name, url in practice.environment.items():
        monkeypatch.setenv(name, url)
    patient.register("live", mode="live", exchange=exchange)
    patient.beat("live", "running")

    def keys(name: str, secret: str = SECRET) -> None:
        if exchange == "kraken":
            secret = base64.b64encode(secret.encode()).decode()
        monkeypatch.setenv(f"{exchange.upper()}_API_KEY", name)
        file = patient.folder / "secret"
        file.write_text(secret)
        file.chmod(0o600)
        monkeypatch.setenv(f"{exchange.upper()}_API_SECRET_FILE", str(file))

    return keys


def test_a_key_that_cannot_withdraw_is_well(patient, give, exchange):
    give("careful")
    assert "withdrawals" not in patient.wrong()
    _, findings = patient.look()
    assert f"the key of {exchange} cannot withdraw" in [one["found"] for one in findings]


def test_a_key_that_can_withdraw_is_a_problem(patient, give, exchange):
    give("careless")
    found = patient.wrong()["withdrawals"]
    assert found.startswith(
        f"problem: expected a key of {exchange} that cannot withdraw, found one that can"
    )


def test_an_exchange_that_does_not_tell_is_a_warning_and_no_secret_is_shown(
    patient, give, practice, exchange
):
    give("careful", "another-secret")
    found = patient.wrong()["withdrawals"]
    assert found.startswith(
        f"warning: expected a key of {exchange} that cannot withdraw, found not told: "
    )
    assert "another-secret" not in found
    give("careful")
    practice.suffer(kind="body", exchange=exchange, endpoint="rights", body={"odd": []}, count=1)
    assert "not told: " in patient.wrong()["withdrawals"]


def test_a_live_strategy_without_keys_here_is_noted(patient, give, exchange):
    _, findings = patient.look()
    (found,) = [one for one in findings if one["check"] == "withdrawals"]
    assert (found["level"], found["found"]) == (
        "note",
        f"no keys of {exchange} in this environment: not asked",
    )
