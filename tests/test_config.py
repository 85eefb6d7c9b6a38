from pathlib import Path

import pytest

from edgeanon.config import Settings, read_settings
from edgeanon.errors import ConfigError


def test_the_defaults_keep_nothing_and_mask_both_kinds() -> None:
    settings = Settings()
    assert settings.faces
    assert settings.plates
    assert settings.metadata == "none"
    assert settings.style == "soft"


def test_a_file_is_read_and_what_is_given_goes_before_it(tmp_path: Path) -> None:
    path = tmp_path / "edgeanon.toml"
    path.write_text('profile = "fast"\nstyle = "fill"\nmargin = [0.2, 0.3]\ndevice = ["GPU", "CPU"]\n')
    settings = read_settings(path, style="soft", profile=None)
    assert (settings.profile, settings.style) == ("fast", "soft")
    assert settings.margin == (0.2, 0.3)
    assert settings.device == ("GPU", "CPU")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('styel = "fill"', "styel"),
        ('profile = "best"', "profile"),
        ("threshold = 0", "threshold"),
        ("threshold = nan", "threshold"),
        ("margin = [0.1]", "margin"),
        ("margin = [-0.1, 0.1]", "margin"),
        ("margin = [inf, 0.1]", "margin"),
        ('metadata = "all"', "metadata"),
        ('faces = "perhaps"', "faces"),
        ("faces = ", "TOML"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "edgeanon.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=key) as caught:
        read_settings(path)
    assert str(path) in str(caught.value)


def test_a_wrong_option_does_not_blame_the_file(tmp_path: Path) -> None:
    path = tmp_path / "edgeanon.toml"
    path.write_text('style = "fill"')
    with pytest.raises(ConfigError, match="profile") as caught:
        read_settings(path, profile="best")
    assert str(path) not in str(caught.value)


def test_a_missing_file_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_settings(tmp_path / "none.toml")
