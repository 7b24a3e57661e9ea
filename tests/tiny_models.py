"""Models with random weights, small enough to be written to disk by a test and loaded in a moment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmchat.encoders.runtime import ensure_torchvision

ARCHITECTURE = "mmchat-tiny"
_WORDS = "a photo of the red blue kettle mug banana apple milk how do i return it query passage :"
_POOLINGS = ("cls_token", "mean_tokens", "max_tokens")
SIZES = {"vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16}}
SIZES |= {"text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2}}


def sentence_folder(
    folder: Path,
    *,
    seed: int = 0,
    prompts: Mapping[str, str] | None = None,
    family: str = "Bert",
    layers: int = 1,
    pooling: str = "mean",
) -> Path:
    """Write a sentence-transformers folder: 16 numbers, tokens of words and letters.

    `family` is what transformers calls the kind of model (`Bert`, `XLMRoberta`, …).
    """
    ensure_torchvision()
    import torch
    import transformers

    folder.mkdir(parents=True)
    vocabulary = _write_tokenizer(folder)
    torch.manual_seed(seed)
    config = getattr(transformers, f"{family}Config")(
        vocab_size=vocabulary,
        hidden_size=16,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        pad_token_id=0,
        # The usual 0.02 would leave all texts almost alike.
        initializer_range=0.5,
    )
    model = getattr(transformers, f"{family}Model")(config, add_pooling_layer=False)
    # As made, all biases are zero and all norms alike, which would hide what is mixed up.
    for name, weight in model.named_parameters():
        if "bias" in name or "LayerNorm" in name:
            torch.nn.init.normal_(weight, float("weight" in name), 0.2)
    model.save_pretrained(folder)
    prefix = "sentence_transformers.models"
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    settings: dict[str, object] = {
        "modules.json": [
            {"idx": i, "name": str(i), "path": path, "type": f"{prefix}.{kind}"}
            for i, (path, kind) in enumerate(modules)
        ],
        "sentence_bert_config.json": {"max_seq_length": 48},
        "1_Pooling/config.json": {
            "word_embedding_dimension": 16,
            **{f"pooling_mode_{mode}": mode.startswith(pooling) for mode in _POOLINGS},
        },
        "config_sentence_transformers.json": {"prompts": dict(prompts or {})},
    }
    (folder / "1_Pooling").mkdir()
    for name, content in settings.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder


def _write_tokenizer(folder: Path) -> int:
    """Write a WordPiece tokenizer and return the size of its vocabulary."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    letters = [chr(code) for code in range(ord("!"), ord("~") + 1) if not chr(code).isupper()]
    pieces = [*special, *letters, *(f"##{letter}" for letter in letters), *_WORDS.split()]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    # As published folders do: what reads the file must undo it.
    tokenizer.enable_truncation(8)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 64, **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return len(vocabulary)


def open_clip_checkpoint(folder: Path, *, seed: int = 0) -> str:
    """Write a checkpoint of a tiny architecture of open_clip's own code and return its name."""
    ensure_torchvision()
    import open_clip
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    architecture = folder / f"{ARCHITECTURE}.json"
    architecture.write_text(json.dumps({"embed_dim": 24, **SIZES}), encoding="utf-8")
    open_clip.add_model_config(architecture)
    torch.manual_seed(seed)
    model = open_clip.create_model(ARCHITECTURE)
    # Some weights of CLIP share memory, which safetensors refuses.
    save_file({k: v.clone() for k, v in model.state_dict().items()}, folder / "tiny.safetensors")
    return f"{ARCHITECTURE}@{folder / 'tiny.safetensors'}"


def image_tower(path: Path, *, seed: int = 0) -> Path:
    """Write the image tower of mmchat-lite with random weights."""
    ensure_torchvision()
    import timm
    import torch

    from mmchat.encoders.lite import IMAGE_TOWER

    torch.manual_seed(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(timm.create_model(IMAGE_TOWER).state_dict(), path)
    return path


def lite_heads(path: Path, *, seed: int = 0) -> Path:
    """Write random heads of mmchat-lite for a text tower of 16 numbers."""
    import numpy as np

    from mmchat.encoders.heads import FREQUENCIES, Heads, write_heads
    from mmchat.encoders.lite import FEATURES

    random = np.random.default_rng(seed)

    def rows(*shape: int) -> np.ndarray:
        return random.normal(size=shape).astype(np.float32) / np.sqrt(shape[-1])

    path.parent.mkdir(parents=True, exist_ok=True)
    heads = Heads(
        gate=rows(FEATURES + 1),
        means=rows(2, FEATURES) / 10,
        common=rows(FEATURES) / 10,
        scale=np.array([9.0], np.float32),
        basis=np.linalg.qr(rows(FEATURES, 3))[0].T.astype(np.float32),
        gains=np.array([-0.9, -0.5, -0.1], np.float32),
        labels=rows(1000, 8),
        looks=rows(1000, FEATURES),
        words_centre=rows(16),
        frequencies=rows(FREQUENCIES, 16),
        phases=rows(FREQUENCIES),
        words_map=rows(16 + FREQUENCIES, 8),
        look_share=np.array([0.1], np.float32),
    )
    write_heads(heads, path)
    return path


def cross_encoder_folder(folder: Path, *, outputs: int = 1, seed: int = 0) -> Path:
    """Write a cross-encoder: one BERT layer that reads two texts together."""
    ensure_torchvision()
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    folder.mkdir(parents=True)
    vocabulary = _write_tokenizer(folder)
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        pad_token_id=0,
        num_labels=outputs,
        initializer_range=0.5,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


_TEXT_SIZES = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
    "bos_token_id": None,
    "tie_word_embeddings": False,
}
_CHAT = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:"
_CHAT_WITH_PICTURES = (
    "{% for m in messages %}{{ m.role }}: {% for part in m.content %}"
    "{% if part.type == 'image' %}<image>{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}\n{% endfor %}assistant:"
)


def _characters_tokenizer(chat_template: str, *special: str) -> Any:
    """Return a tokenizer of single bytes, which knows no merges."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<end>", additional_special_tokens=list(special)
    )
    fast.chat_template = chat_template
    return fast


def language_model_folder(folder: Path, *, seed: int = 0) -> Path:
    """Write a Llama with random weights and a tokenizer of single characters."""
    ensure_torchvision()
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = _characters_tokenizer(_CHAT)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer), eos_token_id=tokenizer.eos_token_id, **_TEXT_SIZES
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def vision_language_folder(folder: Path, *, seed: int = 0) -> Path:
    """Write a LLaVA with random weights: four tokens a picture of 32 x 32 pixels."""
    ensure_torchvision()
    import torch
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    side = {"height": 32, "width": 32}
    tokenizer = _characters_tokenizer(_CHAT_WITH_PICTURES, "<image>")
    LlavaProcessor(
        CLIPImageProcessor(size=side, crop_size=side),
        tokenizer,
        patch_size=16,
        vision_feature_select_strategy="default",
        chat_template=_CHAT_WITH_PICTURES,
        num_additional_image_tokens=1,
    ).save_pretrained(folder)
    torch.manual_seed(seed)
    vision = CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=32,
        patch_size=16,
    )
    text = LlamaConfig(
        vocab_size=len(tokenizer), eos_token_id=tokenizer.eos_token_id, **_TEXT_SIZES
    )
    image = tokenizer.convert_tokens_to_ids("<image>")
    config = LlavaConfig(vision_config=vision, text_config=text, image_token_index=image)
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    return folder
