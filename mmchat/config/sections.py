"""The settings: one frozen dataclass per part. The sentence below a field is its documentation."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import ClassVar

from mmchat.config.checks import is_origin
from mmchat.config.checks import require as _require
from mmchat.config.owner import OwnerConfig
from mmchat.config.service import HandoffConfig, ServiceConfig, SessionsConfig
from mmchat.config.tags import TagsConfig


@dataclass(frozen=True, slots=True)
class IngestConfig:
    """How a folder becomes items."""

    chunk_tokens: int = 160
    """Tokens of the text encoder in a chunk, at most."""
    chunk_overlap: int = 32
    """Tokens that a chunk repeats of the one before it, at most; whole sentences only."""
    max_file_mb: float = 64.0
    """A larger file is refused, in megabytes (10^6 bytes); text has a limit of its own."""
    max_text_mb: float = 1000.0
    """The same for plain text, Markdown, CSV, TSV and JSONL, which are read piece by piece."""
    max_unpacked_mb: float = 512.0
    """A Word, PowerPoint or Excel file that unpacks to more is refused, in megabytes."""
    max_megapixels: float = 100.0
    """A picture with more is refused before it is decoded, in millions of pixels."""
    max_pages: int = 2000
    """Pages of a document, at most."""
    max_media_px: int = 1600
    """The copy of a picture that the index keeps is scaled down to this length of its longer side."""
    ocr: str = "auto"
    """Whether text in pictures is read: `auto` (scanned pages, and pictures that look like a screenshot, a
    label, a receipt or a diagram), `on` (every picture) or `off`."""
    ocr_model: str = ""
    """The path of another recognition model (PP-OCR, .onnx) than the one that comes with rapidocr, which
    reads Chinese, English, Japanese and the Latin alphabet, but no Korean."""
    korean_words: str = "pairs"
    """What words are in Korean: `pairs` of syllables, or `morphemes`, which need `pip install
    'mmchat[korean]'` (100 MB) wherever the index is searched. Both find about the same (docs/quality.md)."""
    max_seconds: float = 300.0
    """A file that takes longer to read is given up, in seconds; a file of more than 64 MB may take as many
    times longer as it is larger."""
    max_memory_mb: int = 2048
    """Memory that reading a file may take before it is given up, in megabytes (2^20 bytes). Kept where
    the system can limit it (Linux)."""

    LIMITS: ClassVar = frozenset(
        {
            "max_file_mb",
            "max_text_mb",
            "max_unpacked_mb",
            "max_megapixels",
            "max_pages",
            "max_seconds",
            "max_memory_mb",
        }
    )
    """Settings that say only which files are refused: they leave what is made of the others as it is."""

    def shape(self) -> dict[str, object]:
        """Return the settings that shape the items: with others, everything is to be read again."""
        return {name: value for name, value in asdict(self).items() if name not in self.LIMITS}

    def __post_init__(self) -> None:
        _require(self.chunk_tokens >= 16, "ingest.chunk_tokens", self.chunk_tokens, "16 or more")
        _require(
            0 <= self.chunk_overlap <= self.chunk_tokens // 2,
            "ingest.chunk_overlap",
            self.chunk_overlap,
            "from 0 to half of ingest.chunk_tokens",
        )
        _require(self.max_file_mb > 0, "ingest.max_file_mb", self.max_file_mb, "above 0")
        _require(self.max_text_mb > 0, "ingest.max_text_mb", self.max_text_mb, "above 0")
        _require(
            self.max_unpacked_mb > 0, "ingest.max_unpacked_mb", self.max_unpacked_mb, "above 0"
        )
        _require(self.max_megapixels > 0, "ingest.max_megapixels", self.max_megapixels, "above 0")
        _require(self.max_pages >= 1, "ingest.max_pages", self.max_pages, "1 or more")
        _require(self.max_media_px >= 384, "ingest.max_media_px", self.max_media_px, "384 or more")
        _require(self.max_seconds > 0, "ingest.max_seconds", self.max_seconds, "above 0")
        _require(
            self.max_memory_mb >= 256, "ingest.max_memory_mb", self.max_memory_mb, "256 or more"
        )
        _require(
            self.korean_words in {"pairs", "morphemes"},
            "ingest.korean_words",
            self.korean_words,
            "pairs or morphemes",
        )
        _require(self.ocr in {"auto", "on", "off"}, "ingest.ocr", self.ocr, "auto, on or off")


@dataclass(frozen=True, slots=True)
class ColumnsConfig:
    """What the columns of tables are called: a name, several with commas between, or nothing to have it
    guessed from the header. Capitals, spaces and `_` do not matter; `none` says that there is no such
    column. What was made of them is told at the end of a build."""

    id: str = ""
    """The name of a row among the others; without one, rows are called by their line. This and the others
    of `[columns]`: a column's name, several with commas between, `none`, or nothing to have it guessed."""
    title: str = ""
    """The product's name, or what else stands above the row's text."""
    question: str = ""
    """The question, of a row with a question and its answer."""
    answer: str = ""
    """The answer, likewise."""
    picture: str = ""
    """Paths or names of picture files; several in a cell with `;`, `|` or `,` between."""
    url: str = ""
    """Web addresses: kept as metadata, left out of the text."""


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """Which models turn text and pictures into vectors, and where they run."""

    text: str = "auto"
    """A name of the catalogue, a sentence-transformers folder, or a hub id. `auto` is what the index
    was built with, and multilingual-e5-small for a new one."""
    image: str = "auto"
    """`mmchat-lite` (what `auto` is for a new index), `mmchat-lite@FOLDER` with a head that `mmchat tune
    photos` made, an OpenCLIP `name/pretrained`, `hf-hub:…`, or `name@checkpoint-file`."""
    device: str = "auto"
    """`auto` (a GPU where there is one), `cpu`, `cuda`, `cuda:1`, `mps`."""
    dtype: str = "auto"
    """`auto`, `float32` or `bfloat16`. `auto` is float32 for text on a processor, where ONNX Runtime
    computes it; for all else it is bfloat16 where the device computes in it. An index may be built with
    one and searched with another."""
    batch_size: int = 32
    """Items that are encoded at once, at most."""

    def __post_init__(self) -> None:
        _require(
            self.dtype in {"auto", "float32", "bfloat16"},
            "encoders.dtype",
            self.dtype,
            "auto, float32 or bfloat16",
        )
        _require(self.batch_size >= 1, "encoders.batch_size", self.batch_size, "1 or more")


_WEIGHTS = (
    *("weight_dense", "weight_bm25", "weight_image"),
    *("weight_text", "weight_linked", "weight_photo"),
)


@dataclass(frozen=True, slots=True)
class RetrievalConfig:
    """How channels are searched and fused. A weight of 0 switches its channel off."""

    k: int = 5
    """Hits that are returned where the caller does not say."""
    depth: int = 50
    """Items that each channel hands to the fusion."""
    weight_dense: float = 1.0
    """Of passages by their meaning: for each standard deviation by which a cosine is above that of
    sentences which have nothing to do with each other."""
    weight_bm25: float = 7.1
    """Of passages by their words: for all words of a question, where passages have 80 words on average;
    more where they are longer. Chosen by cross-validation, see docs/quality.md."""
    document_share: float = 0.6
    """The share of the hits that one document may take while others have something too."""
    reranker: str = ""
    """A cross-encoder of sentence-transformers (a folder or hub id) that reads the best passages once
    more; empty for none."""
    rerank_depth: int = 20
    """Passages that the reranker reads."""
    rrf_k: float = 10.0
    """The constant of reciprocal rank fusion (Cormack et al., SIGIR 2009), by which what a photo found
    is fused."""
    weight_image: float = 0.6
    """Of pictures by what they show."""
    weight_text: float = 1.6
    """Of passages that the words beside a photo found."""
    weight_linked: float = 0.8
    """Of what belongs to a hit: pictures to passages, passages to pictures."""
    weight_photo: float = 2.0
    """Of passages that belong to the pictures which a photo found, where words come with it: the photo
    says which product is meant, and the words ("how do I clean it?") would fit any of them."""

    def __post_init__(self) -> None:
        _require(self.k >= 1, "retrieval.k", self.k, "1 or more")
        _require(self.depth >= 1, "retrieval.depth", self.depth, "1 or more")
        _require(self.rrf_k > 0, "retrieval.rrf_k", self.rrf_k, "above 0")
        _require(self.rerank_depth >= 1, "retrieval.rerank_depth", self.rerank_depth, "1 or more")
        _require(
            0 < self.document_share <= 1,
            "retrieval.document_share",
            self.document_share,
            "above 0, up to 1",
        )
        for name in _WEIGHTS:
            _require(
                getattr(self, name) >= 0, f"retrieval.{name}", getattr(self, name), "0 or more"
            )


_PROMPT_TOKENS = 1000
"""Room for the instructions, the worked examples, the question and a passage."""


@dataclass(frozen=True, slots=True)
class AnswerConfig:
    """How a question is answered."""

    generator: str = "qwen2.5-coder-0.5b"
    """A name of the catalogue, a .gguf file, a transformers folder or hub id, the address of an
    OpenAI-compatible server (`http://host:port/v1`), or `none`, which quotes the documents."""
    model: str = ""
    """What the server at that address calls the model; may be empty where it has only one. Its key comes from
    the environment variable MMCHAT_API_KEY alone."""
    sees_pictures: bool = False
    """Whether the generator is shown pictures: a vision-language model of transformers, or one at an
    address. What it says of a picture is marked as seen, not read."""
    passages: int = 3
    """Passages that the generator is shown, at most."""
    max_tokens: int = 160
    """Tokens of an answer, at most."""
    context_tokens: int = 4096
    """Tokens of prompt and answer together."""
    temperature: float = 0.0
    """0 always writes the same answer to the same question."""
    time_limit: float = 60.0
    """Seconds after which an answer is ended with what is there."""
    quoted_languages: str = "ko"
    """Languages (codes with commas between) whose questions are answered by quotation, because the
    generator writes them badly; empty for one that writes all of them well."""
    threads: int = 0
    """Threads of the generator; 0 is one per core."""

    def __post_init__(self) -> None:
        named = bool(self.generator.strip())
        _require(named, "answers.generator", self.generator, "the name of a generator, or none")
        _require(1 <= self.passages <= 50, "answers.passages", self.passages, "from 1 to 50")
        _require(self.max_tokens >= 1, "answers.max_tokens", self.max_tokens, "1 or more")
        _require(
            self.context_tokens >= self.max_tokens + _PROMPT_TOKENS,
            "answers.context_tokens",
            self.context_tokens,
            f"answers.max_tokens + {_PROMPT_TOKENS} or more (instructions, examples and a passage)",
        )
        _require(self.temperature >= 0, "answers.temperature", self.temperature, "0 or more")
        _require(self.time_limit > 0, "answers.time_limit", self.time_limit, "above 0")
        _require(self.threads >= 0, "answers.threads", self.threads, "0 or more")


_QUICK_REPLIES = 8
_QUICK_REPLY = 60
"""Characters that still fit a button on a phone."""


@dataclass(frozen=True, slots=True)
class WebConfig:
    """The chat in the browser."""

    company: str = ""
    """The name that the page greets with; empty takes a neutral greeting."""
    host: str = "127.0.0.1"
    """The address that is listened on; `0.0.0.0` lets other machines in."""
    port: int = 7860
    """The port that is listened on."""
    max_upload_mb: float = 20.0
    """A larger picture is refused, in megabytes."""
    concurrency: int = 2
    """Answers that are written at once; further questions wait in a queue."""
    quick_replies: tuple[str, ...] = ()
    """Questions that are asked with one click, above the box: "Where is my order?"."""
    embed_origins: tuple[str, ...] = ()
    """Sites whose pages may show the chat (`https://www.shop.example`); empty lets none do so. See
    [embedding](embedding.md)."""

    def __post_init__(self) -> None:
        _require(0 <= self.port <= 65535, "web.port", self.port, "from 0 to 65535")
        _require(self.max_upload_mb > 0, "web.max_upload_mb", self.max_upload_mb, "above 0")
        _require(self.concurrency >= 1, "web.concurrency", self.concurrency, "1 or more")
        fit = all(0 < len(each.strip()) <= _QUICK_REPLY for each in self.quick_replies)
        _require(
            fit and len(self.quick_replies) <= _QUICK_REPLIES,
            "web.quick_replies",
            list(self.quick_replies),
            f"{_QUICK_REPLIES} questions at most, each of 1 to {_QUICK_REPLY} characters",
        )
        for each in self.embed_origins:
            _require(
                is_origin(each),
                "web.embed_origins",
                each,
                "the start of an address as browsers write it, https://www.shop.example: http or https, "
                "the host in small letters, a port if it is not the usual one, no path, no *",
            )


@dataclass(frozen=True, slots=True)
class Config:
    """All settings. The field names are the sections of mmchat.toml."""

    ingest: IngestConfig = field(default_factory=IngestConfig)
    columns: ColumnsConfig = field(default_factory=ColumnsConfig)
    encoders: EncoderConfig = field(default_factory=EncoderConfig)
    tags: TagsConfig = field(default_factory=TagsConfig)
    retrieval: RetrievalConfig = field(default_factory=RetrievalConfig)
    answers: AnswerConfig = field(default_factory=AnswerConfig)
    service: ServiceConfig = field(default_factory=ServiceConfig)
    handoff: HandoffConfig = field(default_factory=HandoffConfig)
    sessions: SessionsConfig = field(default_factory=SessionsConfig)
    web: WebConfig = field(default_factory=WebConfig)
    owner: OwnerConfig = field(default_factory=OwnerConfig)
