"""Configuration files that are edited into nonsense while the daemons run, and mended again."""

from __future__ import annotations

from tests.faults.surroundings import BACKFILLER, ID

MISTAKE = 2
# What becomes of each daemon's file, and what it says of it after the file's name.
BROKEN = [
    (lambda _: "key: [\n", "expected YAML, found: while parsing a flow node"),
    (lambda _: "just words\n", "expected keys with values, found 'just words'"),
    (lambda was: f"{was}\nno_such_key: 1\n", "no_such_key: unknown key; known are"),
]
WRONG_VALUE = {
    BACKFILLER: ("ticker_interval_s: 0.2", "ticker_interval_s: often"),
    ID: ("stop_loss: 0.05", "stop_loss: lots"),
}


def test_broken_files_are_nothing_to_running_daemons_refused_at_a_start_and_mended_they_start(
    fleet,
):
    files = {BACKFILLER: fleet.config, ID: fleet.trader_config}
    were = {name: file.read_text(encoding="utf-8") for name, file in files.items()}
    for broken, _ in BROKEN:
        for name, file in files.items():
            file.write_text(broken(were[name]), encoding="utf-8")
        fleet.goes_on("ohlcv_data", "signals")
    fleet.stop_both()

    def refused(texts: dict[str, str], whys: dict[str, str]) -> None:
        for name, file in files.items():
            file.write_text(texts[name], encoding="utf-8")
        for name, said in fleet.refuses(MISTAKE).items():
            who = "trader" if name == ID else name
            assert said.startswith(f"{who}: {files[name]}: {whys[name]}")

    for broken, why in BROKEN:
        refused({name: broken(was) for name, was in were.items()}, dict.fromkeys(files, why))
    wrong = {name: was.replace(*WRONG_VALUE[name]) for name, was in were.items()}
    assert all(wrong[name] != were[name] for name in files)
    keys = {name: value.partition(":")[0] for name, (_, value) in WRONG_VALUE.items()}
    refused(wrong, {name: f"{key}: expected" for name, key in keys.items()})

    for name, file in files.items():
        file.write_text(were[name], encoding="utf-8")
    fleet.start_both()
    fleet.goes_on("ohlcv_data", "signals", "trades")
    fleet.assert_nothing_is_wrong()
