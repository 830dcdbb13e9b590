"""Where `grader.settings` takes its values from, and what it refuses."""

from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.settings import Settings, load_settings
from tests.files import worded


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, "utf-8")


def refused(folder: Path, environment: dict[str, str] | None = None, /, **chosen: object) -> UsageError:
    """Load settings that are wrong; the sentence must exist in every language."""
    with pytest.raises(UsageError) as caught:
        load_settings(folder, environment or {}, **chosen)
    assert all(str(caught.value.params["reason"]) in sentence for sentence in worded(caught.value))
    return caught.value


# ---- where values come from ---------------------------------------------------------------------


def test_without_any_source_the_defaults_hold(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}) == Settings()


def test_reads_every_setting_from_grader_toml(tmp_path: Path) -> None:
    lines = ["seed = 3", 'language = "zh"', 'course = "课程"', "cell_seconds = 5", "run_seconds = 6.5"]
    write(
        tmp_path,
        "grader.toml",
        "\n".join([*lines, "output_bytes = 7", "memory_mb = 0", 'secret = "s"', 'sandbox = "none"']),
    )
    assert load_settings(tmp_path, {}) == Settings(
        seed=3,
        language="zh",
        course="课程",
        cell_seconds=5,
        run_seconds=6.5,
        output_bytes=7,
        memory_mb=0,
        secret="s",
        sandbox="none",
    )


def test_reads_its_table_in_pyproject_toml(tmp_path: Path) -> None:
    write(
        tmp_path,
        "pyproject.toml",
        '[project]\nname = "course"\n[tool.ruff]\nseed = 1\n[tool.grader]\nseed = 4\n',
    )
    assert load_settings(tmp_path, {}) == Settings(seed=4)


@pytest.mark.parametrize("text", ["", '[project]\nname = "course"\n', "[tool.ruff]\nline-length = 110\n"])
def test_a_pyproject_toml_may_say_nothing_of_grader(tmp_path: Path, text: str) -> None:
    write(tmp_path, "pyproject.toml", text)
    assert load_settings(tmp_path, {}) == Settings()


def test_grader_toml_counts_in_place_of_pyproject_toml(tmp_path: Path) -> None:
    write(tmp_path, "grader.toml", "seed = 3")
    write(tmp_path, "pyproject.toml", "[tool.grader]\nseed = 4\nmemory_mb = 5")
    assert load_settings(tmp_path, {}) == Settings(seed=3)


@pytest.mark.parametrize(("name", "head"), [("grader.toml", ""), ("pyproject.toml", "[tool.grader]\n")])
def test_environment_wins_over_files_and_the_command_line_over_all(
    tmp_path: Path, name: str, head: str
) -> None:
    write(tmp_path, name, f"{head}seed = 1\nmemory_mb = 1\nrun_seconds = 1")
    environment = {"GRADER_SEED": "2", "GRADER_MEMORY_MB": "2"}
    assert load_settings(tmp_path, environment, seed=3) == Settings(seed=3, memory_mb=2, run_seconds=1)


def test_an_option_that_was_not_given_changes_nothing(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {"GRADER_SEED": "2"}, seed=None, language=None) == Settings(seed=2)


def test_an_option_of_zero_counts_as_given(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {"GRADER_SEED": "2"}, seed=0) == Settings(seed=0)


def test_the_environment_holds_texts(tmp_path: Path) -> None:
    environment = {"GRADER_CELL_SECONDS": "1.5", "GRADER_LANGUAGE": "zh", "GRADER_UNKNOWN": "x", "SEED": "x"}
    assert load_settings(tmp_path, environment) == Settings(cell_seconds=1.5, language="zh")


def test_the_environment_is_the_process_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_SEED", "12")
    assert load_settings(tmp_path).seed == 12


# ---- what is refused ----------------------------------------------------------------------------

WRONG = [
    ('seed = "many"', "seed"),
    ("seed = 1.5", "seed"),
    ("seed = [1]", "seed"),
    ("[seed]\nx = 1", "seed"),
    ('language = "klingon"', "language"),
    ("course = 3", "course"),
    ('cell_seconds = "long"', "cell_seconds"),
    ("cell_seconds = 0", "cell_seconds"),
    ("run_seconds = -1", "run_seconds"),
    ("run_seconds = nan", "run_seconds"),
    ("output_bytes = -1", "output_bytes"),
    ("memory_mb = -1", "memory_mb"),
    ("sead = 1", "sead"),
    ("secret = 5", "secret"),
    ('sandbox = "docker"', "sandbox"),
]


@pytest.mark.parametrize(("name", "head"), [("grader.toml", ""), ("pyproject.toml", "[tool.grader]\n")])
@pytest.mark.parametrize(("text", "setting"), WRONG)
def test_refuses_a_setting_that_does_not_fit(
    tmp_path: Path, name: str, head: str, text: str, setting: str
) -> None:
    write(tmp_path, name, head + text.replace("[seed]", "[tool.grader.seed]" if head else "[seed]"))
    error = refused(tmp_path)
    assert error.text == "settings-invalid"
    assert setting in str(error.params["reason"])


@pytest.mark.parametrize(
    ("name", "value"),
    [("SEED", "many"), ("SEED", ""), ("CELL_SECONDS", "long"), ("RUN_SECONDS", "nan"), ("LANGUAGE", "de")],
)
def test_refuses_an_environment_variable_that_does_not_fit(tmp_path: Path, name: str, value: str) -> None:
    error = refused(tmp_path, {f"GRADER_{name}": value})
    assert error.text == "settings-invalid"
    assert name.lower() in str(error.params["reason"])


@pytest.mark.parametrize("chosen", [{"seed": "many"}, {"language": "de"}, {"sead": 1}])
def test_refuses_an_option_that_does_not_fit(tmp_path: Path, chosen: dict[str, object]) -> None:
    assert refused(tmp_path, **chosen).text == "settings-invalid"


@pytest.mark.parametrize("text", ["tool = 5", "tool = []", "[tool]\ngrader = 5", '[tool]\ngrader = "seed"'])
def test_refuses_a_pyproject_whose_table_is_none(tmp_path: Path, text: str) -> None:
    write(tmp_path, "pyproject.toml", text)
    assert refused(tmp_path).text == "settings-invalid"


@pytest.mark.parametrize("name", ["grader.toml", "pyproject.toml"])
@pytest.mark.parametrize("content", [b"seed = ", b"seed 3", b"seed = 1\nseed = 2", "课程 = 1".encode("gbk")])
def test_refuses_a_file_that_is_no_toml(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    error = refused(tmp_path)
    assert error.text == "settings-unreadable"
    assert all(str(tmp_path / name) in sentence for sentence in worded(error))
