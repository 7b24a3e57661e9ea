"""Settings: one frozen dataclass per part, read from flags, the environment, a file and defaults."""

from mmchat.config.loading import load_config, nearest
from mmchat.config.owner import OwnerConfig
from mmchat.config.patterns import Patterns
from mmchat.config.sections import (
    AnswerConfig,
    ColumnsConfig,
    Config,
    EncoderConfig,
    IngestConfig,
    RetrievalConfig,
    WebConfig,
)
from mmchat.config.service import HandoffConfig, ServiceConfig, SessionsConfig
from mmchat.config.tags import TagsConfig

__all__ = [
    "AnswerConfig",
    "ColumnsConfig",
    "Config",
    "EncoderConfig",
    "HandoffConfig",
    "IngestConfig",
    "OwnerConfig",
    "Patterns",
    "RetrievalConfig",
    "ServiceConfig",
    "SessionsConfig",
    "TagsConfig",
    "WebConfig",
    "load_config",
    "nearest",
]
