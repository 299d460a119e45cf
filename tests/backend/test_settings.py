"""Settings: one place, from a file and the environment, shown with their source."""

from pathlib import Path

import pytest

from backend import settings
from backend.cli import configuration
from backend.settings import SETTINGS

README = Path(__file__).parents[2] / "README.md"
SECRET = "s3cret/?"
URL = f"mqtt://ann:{SECRET.replace('/', '%2F').replace('?', '%3F')}@pond.example:1883"


def file_with(folder: Path, text: str) -> dict[str, str]:
    path = folder / "here.toml"
    path.write_text(text)
    return {settings.CONFIG: str(path)}


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    given = file_with(tmp_path, "http_port = 8081\nwindow = 5\nsecure_cookies = true")
    found = settings.find({**given, "HTTP_PORT": "8082"})
    options = settings.read(found)
    assert (options.http_port, options.window, options.secure_cookies) == (8082, 5, True)
    lines = configuration.effective(options, found).splitlines()
    assert "HTTP_PORT=8082  # environment" in lines
    assert f"WINDOW=5  # {tmp_path / 'here.toml'}" in lines
    assert "HTTP_THREADS=8  # default" in lines
    assert len(lines) == len(SETTINGS)


def test_a_file_in_the_folder_it_is_started_in_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings.load({}).window == 2_000
    Path(settings.CONFIG_FILE).write_text("window = 7")
    assert settings.load({}).window == 7


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("htp_port = 1", "'htp_port' is unknown; did you mean http_port?"),
        ("HTTP_PORT = 1", "'HTTP_PORT' is unknown; did you mean http_port?"),
        ("xyzzy = 1", "'xyzzy' is unknown; use some of data_dir"),
        ("http_port = 99999", "here.toml: HTTP_PORT: '99999' is no port"),
        ("window = 1.5", "window must be text"),
        ("[http]\nport = 1", "'http' is unknown"),
        ("window = ", "here.toml: is no TOML"),
        ('log_format = "xml"', "LOG_FORMAT: 'xml' is no format; use text or json"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ValueError, match="here.toml") as raised:
        settings.load(file_with(tmp_path, text))
    assert why in str(raised.value)


def test_a_file_that_is_named_must_be_there() -> None:
    with pytest.raises(ValueError, match="ANSWERBACK_CONFIG: /nowhere.toml can't be read"):
        settings.load({settings.CONFIG: "/nowhere.toml"})


def test_a_password_is_not_shown(tmp_path: Path) -> None:
    found = settings.find(file_with(tmp_path, f'broker_url = "{URL}"'))
    shown = configuration.effective(settings.read(found), found)
    assert "BROKER_URL=mqtt://ann:***@pond.example:1883" in shown
    assert "s3cret" not in shown
    assert settings.read(found).broker_url == URL


def test_a_password_in_a_file_for_all_is_trouble(tmp_path: Path) -> None:
    found = settings.find(file_with(tmp_path, f'broker_url = "{URL}"'))
    path = tmp_path / "here.toml"
    path.chmod(0o644)
    assert configuration.exposed(found) == [path]
    path.chmod(0o600)
    assert configuration.exposed(found) == []


def test_the_readme_has_the_table_of_all_settings() -> None:
    assert configuration.table() in README.read_text()
