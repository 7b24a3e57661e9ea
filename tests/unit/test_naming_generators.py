"""Which generator a name in the settings means, and what a wrong name is told."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

import mmchat
from mmchat.answering.generators import EndpointGenerator
from mmchat.answering.generators.gguf import trained_context
from mmchat.app import build_generator
from mmchat.cli.asking import open_assistant
from mmchat.errors import ConfigError, ModelError, UnknownModel
from mmchat.models import ModelStore


def build(name: str, **answers: object) -> object:
    overrides = {f"answers.{key}": value for key, value in answers.items()}
    config = mmchat.load_config(overrides={"answers.generator": name, **overrides}, environ={})
    return build_generator(config, ModelStore(entries={}))


def test_none_is_no_generator() -> None:
    assert build("none") is None


def test_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMCHAT_API_KEY", " sk-secret\n")
    made = build("http://127.0.0.1:11434/v1/", model="llama3.2:1b", context_tokens=8192)
    assert isinstance(made, EndpointGenerator)
    assert made.name == "llama3.2:1b at http://127.0.0.1:11434/v1"
    assert made.context_tokens == 8192
    made.close()


def test_the_key_is_no_setting() -> None:
    assert mmchat.load_config(environ={"MMCHAT_API_KEY": "sk-secret"}) == mmchat.load_config(
        environ={}
    )
    with pytest.raises(ConfigError, match=r"answers\.api_key"):
        mmchat.load_config(overrides={"answers.api_key": "sk-secret"}, environ={})


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("qwen2.5-coder-0.5", "qwen2.5-coder-0.5b"),
        ("qwen-coder-1.5b", "qwen2.5-coder-1.5b"),
        ("smollm", "smollm2-135m"),
        ("nonne", "none"),
        ("gpt2", "smollm2-135m"),
        ("./gone/folder", "none"),
        ("a/b/c", "none"),
    ],
)
def test_a_misspelt_name_is_never_asked_of_a_hub(
    name: str, nearest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the hub was asked")

    monkeypatch.setattr("mmchat.answering.generators.hugging_face._load", refuse)
    with pytest.raises(UnknownModel, match=r"owner/name") as raised:
        build(name)
    assert nearest in str(raised.value)


def test_an_address_that_is_misspelt() -> None:
    with pytest.raises(ConfigError, match="http://host:port/v1"):
        build("htp://localhost:11434/v1")


def test_no_name() -> None:
    with pytest.raises(ConfigError, match=r"answers\.generator = ''"):
        build("")


def test_a_model_of_another_role() -> None:
    with pytest.raises(ModelError, match=r"role text.*smollm2-135m"):
        build("multilingual-e5-small")


def test_a_file_that_is_no_gguf_whatever_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(ModelError, match=r"begins with b'PK.*not a \.gguf file"):
        build(str(path))


def test_a_gguf_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.gguf.*mmchat models list"):
        build(str(tmp_path / "gone.gguf"))


def test_a_gguf_is_not_asked_to_see(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"answers\.sees_pictures.*words only"):
        build(str(tmp_path / "model.gguf"), sees_pictures=True)


class TestHeads:
    """What a .gguf file says before its weights."""

    @staticmethod
    def text(value: bytes) -> bytes:
        return struct.pack("<Q", len(value)) + value

    def head(self, *entries: tuple[bytes, int, bytes]) -> bytes:
        body = b"".join(
            self.text(key) + struct.pack("<I", kind) + value for key, kind, value in entries
        )
        return b"GGUF" + struct.pack("<IQQ", 3, 0, len(entries)) + body

    def whole(self) -> bytes:
        names = struct.pack("<IQ", 8, 2) + self.text(b"<s>") + self.text("가".encode())
        scores = struct.pack("<IQ", 6, 3) + bytes(12)
        return self.head(
            (b"general.name", 8, self.text(b"small")),
            (b"tokenizer.tokens", 9, names),
            (b"tokenizer.scores", 9, scores),
            (b"general.flag", 7, b"\x01"),
            (b"llama.context_length", 4, struct.pack("<I", 8192)),
        )

    def test_the_context_is_found_behind_anything(self, tmp_path: Path) -> None:
        path = tmp_path / "m.gguf"
        path.write_bytes(self.whole())
        assert trained_context(path) == 8192

    def test_a_model_that_does_not_say(self, tmp_path: Path) -> None:
        path = tmp_path / "m.gguf"
        path.write_bytes(self.head((b"general.name", 8, self.text(b"small"))))
        assert trained_context(path) is None

    def test_wherever_it_is_cut_off(self, tmp_path: Path) -> None:
        path, whole = tmp_path / "m.gguf", self.whole()
        for length in range(4, len(whole)):
            path.write_bytes(whole[:length])
            with pytest.raises(ModelError, match="download it again"):
                trained_context(path)

    def test_lengths_that_cannot_be(self, tmp_path: Path) -> None:
        path = tmp_path / "m.gguf"
        path.write_bytes(
            b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1 << 62) + b"x" * 50
        )
        with pytest.raises(ModelError, match="cut off or damaged"):
            trained_context(path)


class _Index:
    """As much of an index as an assistant asks for before its first question."""

    class encoders:  # noqa: N801
        text = None


class TestServing:
    def start(self, generator: str, *, or_quote: bool) -> mmchat.Assistant:
        config = mmchat.load_config(overrides={"answers.generator": generator}, environ={})
        with open_assistant(_Index(), config, or_quote=or_quote) as assistant:  # type: ignore[arg-type]
            return assistant

    def test_without_its_model_the_chat_quotes(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = tmp_path / "model.gguf"
        path.write_bytes(b"GGUF\x03\x00cut")
        assistant = self.start(str(path), or_quote=True)
        assert assistant.config.answers.generator == "none"
        assert "quoted from the documents" in caplog.text
        assert "model.gguf" in caplog.text

    def test_a_question_on_the_command_line_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=r"model\.gguf"):
            self.start(str(tmp_path / "model.gguf"), or_quote=False)

    @pytest.mark.parametrize("or_quote", [True, False])
    def test_a_misspelt_name_is_told_at_once(self, or_quote: bool) -> None:
        with pytest.raises(UnknownModel, match="smollm2-135m"):
            self.start("smollm2-135", or_quote=or_quote)
