"""Settings: one frozen dataclass per part, read from flags, the environment, a file and defaults."""

from mmchat.config.loading import load_config, nearest
from mmchat.config.sections import (
    AnswerConfig,
    ColumnsConfig,
    Config,
    EncoderConfig,
    IngestConfig,
    RetrievalConfig,
    WebConfig,
)

__all__ = [
    "AnswerConfig",
    "ColumnsConfig",
    "Config",
    "EncoderConfig",
    "IngestConfig",
    "RetrievalConfig",
    "WebConfig",
    "load_config",
    "nearest",
]
