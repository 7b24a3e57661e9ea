from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from mmchat.config import Config, Patterns, WebConfig, load_config, with_changes
from mmchat.errors import ConfigError


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path):
    file = tmp_path / "mmchat.toml"
    file.write_text("[retrieval]\nk = 6\ndepth = 60\nrrf_k = 30\n")
    environ = {"MMCHAT_RETRIEVAL_K": "7", "MMCHAT_RETRIEVAL_DEPTH": "70", "PATH": "/bin"}
    config = load_config(file, {"retrieval.k": 8, "web.port": None}, environ)
    assert (config.retrieval.k, config.retrieval.depth) == (8, 70)
    assert config.retrieval.rrf_k == 30.0
    assert config.web == Config().web


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[retrieval]\nkk = 3\n", "retrieval.k"),
        ("[retreival]\nk = 3\n", "retrieval.k"),
        ("k = 3\n", "[retrieval]"),
        ("[retrieval]\nk = 0\n", "1 or more"),
        ("[retrieval]\nk = 2.5\n", "a whole number"),
        ("[retrieval]\nk = true\n", "a whole number"),
        ("[encoders]\ndtype = 'int3'\n", "bfloat16"),
        ("[ingest]\nchunk_overlap = 100\n", "half of ingest.chunk_tokens"),
        ("not toml", "not valid TOML"),
        ("[service]\nforbidden_topics = ['/(/']\n", "no regular expression"),
        ("[service]\nforbidden_topics = ['a', ' ']\n", "an empty entry"),
        ("[service]\nforbidden_topics = [1]\n", "a list of texts"),
        ("[service]\nforbidden_topics = 7\n", "a list of texts"),
        ("[service]\nlanguages = ['fr']\n", "one or more of en, ko"),
        ("[service]\nlanguages = []\n", "one or more of en, ko"),
        ("[service]\ntone = 'a\\nb'\n".replace("'a\\nb'", '"a\\nb"'), "one line"),
        ("[handoff]\nwebhook = 'example.com/hook'\n", "https://host/path"),
        ("[handoff]\nwebhook = 'file:///etc/passwd'\n", "https://host/path"),
        ("[handoff]\nafter_abstentions = -1\n", "0 or more"),
        ("[handoff]\ntopics = ['/[/']\n", "handoff.topics"),
        ("[sessions]\ndatabase = ''\n", "a file or a URL"),
    ],
)
def test_a_wrong_file_is_refused_with_the_way_out(tmp_path: Path, text: str, named: str):
    file = tmp_path / "mmchat.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(file, environ={})
    assert named in str(caught.value)


def test_an_unknown_variable_is_refused_and_the_nearest_named():
    with pytest.raises(ConfigError, match="MMCHAT_RETRIEVAL_K"):
        load_config(environ={"MMCHAT_RETRIEVAL_KK": "3"})


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"gone\.toml"):
        load_config(tmp_path / "gone.toml")


def test_home_and_index_are_not_settings_of_a_part():
    environ = {"MMCHAT_HOME": "/somewhere", "MMCHAT_INDEX": "indexes/shop"}
    assert load_config(environ=environ) == Config()


def test_settings_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        Config().retrieval.k = 3


def test_lists_come_from_a_file_and_from_the_environment(tmp_path: Path):
    file = tmp_path / "mmchat.toml"
    file.write_text("[service]\nforbidden_topics = ['a, b', '/c{1,2}/']\n")
    assert load_config(file, environ={}).service.forbidden_topics == ("a, b", "/c{1,2}/")
    environ = {"MMCHAT_SERVICE_FORBIDDEN_TOPICS": "politics, religion"}
    assert load_config(file, environ=environ).service.forbidden_topics == ("politics", "religion")
    none = {"MMCHAT_HANDOFF_TOPICS": ""}
    assert load_config(environ=none).handoff.topics == ()


def test_a_secret_is_not_shown():
    config = load_config(environ={"MMCHAT_HANDOFF_SECRET": "whsec_abc"})
    assert config.handoff.secret == "whsec_abc"
    assert "whsec_abc" not in repr(config)


@pytest.mark.parametrize(
    ("entry", "text", "found"),
    [
        ("art", "modern ART?", True),
        ("art", "where do I start", False),
        ("money back", "I want my money\n back!", True),
        ("C++", "is it C++?", True),
        ("변호사", "변호사에게 말할게요", True),
        ("/competitor (a|b)/", "better than Competitor B", True),
        ("/^why/", "tell me why", False),
    ],
)
def test_words_stand_whole_and_patterns_as_they_are(entry: str, text: str, found: bool):
    assert Patterns([entry], "service.forbidden_topics").find(text) == (entry if found else "")


@pytest.mark.parametrize("replies", [("",), ("x" * 61,), ("Where is my order?",) * 9])
def test_quick_replies_fit_their_buttons(replies: tuple[str, ...]):
    with pytest.raises(ConfigError, match=r"web\.quick_replies.*expected 8 questions at most"):
        WebConfig(quick_replies=replies)


def test_some_settings_changed():
    config = Config()
    changed = with_changes(config, {"retrieval.k": "9", "retrieval.weight_bm25": 3})
    assert changed.retrieval == replace(config.retrieval, k=9, weight_bm25=3.0)
    assert replace(changed, retrieval=config.retrieval) == config
    assert with_changes(config, {}) == config
    with pytest.raises(ConfigError, match=r"did you mean 'retrieval.depth'"):
        with_changes(config, {"retrieval.dept": 3})
    with pytest.raises(ConfigError, match=r"retrieval.k = 0: expected 1 or more"):
        with_changes(config, {"retrieval.k": 0})
