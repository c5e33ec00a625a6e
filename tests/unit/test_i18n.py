"""The language: chosen by the environment, the configuration or the locale."""

import pytest
from support.fakes.lazychat import Home

from tui import i18n, paths
from tui.cli import language
from tui.i18n import _, ngettext

VARIABLES = ("LAZYCHAT_LANGUAGE", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    yield
    i18n.choose("en")


@pytest.fixture
def place(tmp_path):
    with Home(tmp_path) as home:
        for name in VARIABLES:
            home.env.pop(name, None)
        yield home


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW.UTF-8"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "zh_CN"}, "zh"),
        ({"LANG": "en_GB.UTF-8", "LANGUAGE": "de:zh_CN:en"}, "zh"),
        ({"LANG": "C", "LANGUAGE": "zh_CN"}, "en"),
        ({"LANG": "zha.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LAZYCHAT_LANGUAGE": "en"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LAZYCHAT_LANGUAGE": "zh"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LAZYCHAT_LANGUAGE": "klingon"}, "zh"),
        ({"LAZYCHAT_LANGUAGE": "zh_CN"}, "zh"),
        ({"LAZYCHAT_LANGUAGE": "zh-CN"}, "zh"),
        ({"LAZYCHAT_LANGUAGE": "zh_Hans"}, "zh"),
        ({"LAZYCHAT_LANGUAGE": "zh-Hans-CN"}, "zh"),
        ({"LAZYCHAT_LANGUAGE": " ZH_CN.UTF-8 "}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LAZYCHAT_LANGUAGE": "en_GB"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LAZYCHAT_LANGUAGE": "en_US.UTF-8@euro"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LAZYCHAT_LANGUAGE": "C.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LAZYCHAT_LANGUAGE": "zhuang"}, "en"),
    ],
)
def test_the_language_is_that_of_the_locale(monkeypatch, environment, expected):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    i18n.choose()

    assert i18n.language() == expected


def test_english_is_what_stands_in_the_code(monkeypatch):
    monkeypatch.setattr(i18n, "FOLDER", i18n.FOLDER / "missing")
    i18n.choose("en")

    assert _("New conversation") == "New conversation"
    assert ngettext("{count} tool", "{count} tools", 1) == "{count} tool"
    assert ngettext("{count} tool", "{count} tools", 0) == "{count} tools"


def test_chinese_is_in_the_catalogue_and_the_rest_stays_english():
    i18n.choose("zh")

    assert _("New conversation") == "新对话"
    assert ngettext("{count} tool", "{count} tools", 1) == "{count} 个工具"
    assert i18n.labelled("starter", "小") == "starter：小"
    assert _("no text of the app") == "no text of the app"
    assert _("") == ""


def test_without_the_catalogue_everything_is_english(monkeypatch, tmp_path):
    monkeypatch.setattr(i18n, "FOLDER", tmp_path)
    i18n.choose("zh")

    assert _("New conversation") == "New conversation"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('language = "zh"\n', "zh"),
        ("# language = 'en'\n  language='zh'  # mine\n", "zh"),
        ('[models.x]\nlanguage = "zh"\n', "en"),
        ('language = "xx"\n', "en"),
        ('language = "zh-CN"\n', "zh"),
        ('language = "zh_CN.UTF-8"\n', "zh"),
        ("\xff not TOML", "en"),
        (None, "en"),
    ],
)
def test_the_configuration_chooses_it_before_it_is_parsed(
    monkeypatch, tmp_path, text, expected
):
    file = tmp_path / "my.toml"
    if text is not None:
        file.write_text(text, "latin-1")
    monkeypatch.setenv("LAZYCHAT_LANGUAGE", "")

    language.choose(["ask", f"--config={file}", "hi"])

    assert i18n.language() == expected


def test_the_file_is_the_one_that_is_parsed_later(monkeypatch, tmp_path):
    monkeypatch.delenv("LAZYCHAT_HOME", raising=False)
    assert language.config_file() == paths.config_file()

    monkeypatch.setenv("LAZYCHAT_HOME", str(tmp_path))
    assert language.config_file() == paths.config_file()


def test_the_help_is_chinese_in_a_chinese_locale(place):
    place.env["LANG"] = "zh_CN.UTF-8"

    done = place.run("export", "--help")

    assert "用法：" in done.out
    assert "选项" in done.out
    assert "覆盖已有的 FILE" in done.out


def test_the_variable_wins_over_the_configuration(place):
    place.write("config.toml", 'language = "zh"\n')
    assert "用法：" in place.run("--help").out

    place.env["LAZYCHAT_LANGUAGE"] = "en"
    assert "usage: " in place.run("--help").out


def test_an_unknown_language_in_the_configuration_is_named(place):
    place.write("config.toml", 'language = "klingon"\n')

    done = place.run("ask", "hi")

    assert done.code == 2
    assert 'language cannot be "klingon". Known: en, zh.' in done.err


def test_an_unknown_language_in_the_environment_is_named(place):
    place.env["LAZYCHAT_LANGUAGE"] = "klingon"

    done = place.run("ask", "hi")

    assert done.code == 2
    assert "LAZYCHAT_LANGUAGE is 'klingon': use en or zh." in done.err


@pytest.mark.parametrize("spelled", ["zh_CN", "zh-CN", "zh_Hans", "zh_CN.UTF-8"])
def test_a_language_may_be_spelled_like_a_locale(place, spelled):
    place.scripted("Hi.", more=f'language = "{spelled}"')
    by_file = place.run("ask", "hi")
    place.env["LAZYCHAT_LANGUAGE"] = spelled
    by_variable = place.run("ask", "hi")

    assert (by_file.code, by_file.out) == (0, "Hi.\n"), by_file.err
    assert (by_variable.code, by_variable.out) == (0, "Hi.\n"), by_variable.err


ENGLISH = """
import sys
def look(event, arguments):
    if event == "open" and "LC_MESSAGES" in str(arguments[0]):
        raise SystemExit(f"opened {arguments[0]}")
sys.addaudithook(look)
from tui.i18n import _, language
assert _("New conversation") == "New conversation" and language() == "en"
assert "gettext" not in sys.modules and "unicodedata" not in sys.modules
"""


def test_english_opens_no_file_and_imports_nothing(place):
    assert place.python("-c", ENGLISH) == (0, "", "")
