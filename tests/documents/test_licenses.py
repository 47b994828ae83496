"""docs/LICENSES.md is what the locks and the installed packages say."""

from __future__ import annotations

import pytest

from scripts import licenses


def test_the_table_of_licences_is_todays():
    assert licenses.main(["--check"]) == 0


def test_a_lock_that_has_changed_makes_the_table_stale(monkeypatch, tmp_path, capsys):
    document = tmp_path / "LICENSES.md"
    text = licenses.DOCUMENT.read_text(encoding="utf-8")
    document.write_text(text.replace("| ta | 0.11.0 |", "| ta | 0.10.0 |"), encoding="utf-8")
    monkeypatch.setattr(licenses, "DOCUMENT", document)
    assert licenses.main(["--check"]) == 1
    assert "is stale: run `python -m scripts.licenses`" in capsys.readouterr().err
    assert licenses.main([]) == 0
    assert document.read_text(encoding="utf-8") == text


def test_a_package_of_another_version_than_the_locks_is_refused():
    package = licenses.Package("ta", ("0.10.0",), "nobody")
    with pytest.raises(licenses.UnknownLicence, match="expected version 0.10.0, as the lock says"):
        assert package.licence


def test_a_licence_that_nobody_has_decided_on_is_refused(monkeypatch):
    monkeypatch.setattr(licenses, "_ACCEPTED", {"MIT"})
    package = next(one for one in licenses.packages() if one.name == "pandas")
    with pytest.raises(licenses.UnknownLicence, match="pandas: .*found 'BSD-3-Clause'"):
        assert package.licence
