"""Jupyter's libraries come without the grammar that JupyterLab has installed, and leave it to others."""

from pathlib import Path

from tests.attempts import fresh

SLOW = "raise AssertionError('a grammar is compiled')\n"


def imported(folder: str) -> bool:
    """Whether the grammar can still be imported by others once ours are; it is one that fails to."""
    import importlib
    import sys

    sys.path.insert(0, folder)
    importlib.import_module("grader.kernel.session")
    try:
        importlib.import_module("rfc3987_syntax")
    except AssertionError:
        return True
    return False


def test_no_grammar_is_compiled(tmp_path: Path) -> None:
    (tmp_path / "rfc3987_syntax.py").write_text(SLOW, "utf-8")
    assert fresh(imported, str(tmp_path)) is True
