"""The errors that mmchat raises.

    MmchatError
    ├── ConfigError          a setting is unknown, or its value is not usable
    ├── InputError           what the caller handed over (a path, a query, a picture) is not usable
    │   ├── FileRejected     one file of a folder cannot be indexed; the others still are
    │   ├── QueryError       a query that cannot be answered as it stands
    │   └── UnknownConversation  there is none of that id, or it is somebody else's
    ├── StoreError           an index cannot be opened, read or written
    │   ├── IndexNotFound    there is no index at that path
    │   ├── IndexMismatch    the index was built with another version or other encoders
    │   └── IndexLocked      another process is writing the index
    ├── ModelError           a model cannot be had or used
    │   ├── UnknownModel     no model of that name in the catalogue
    │   ├── DownloadError    the files of a model could not be fetched
    │   └── HashMismatch     a file is not the one that the catalogue pins
    ├── SessionError         the conversations cannot be opened, read or written
    ├── MissingExtra         an optional dependency is not installed
    └── GenerationError      a generator failed while it wrote an answer

Every message says what was got, what was expected, and what to do next. `mmchat` translates errors
of other libraries at the place where it calls them, so that a caller needs to know these alone.
"""

from __future__ import annotations


class MmchatError(Exception):
    """Base of all errors of mmchat. `exit_code` is what the command line ends with."""

    exit_code = 1


class ConfigError(MmchatError):
    """A setting is unknown, or its value is not usable."""

    exit_code = 2


class InputError(MmchatError):
    """What the caller handed over is not usable."""

    exit_code = 2


class FileRejected(InputError):
    """One file cannot be indexed. The reason names the limit that it broke and the way out."""


class QueryError(InputError):
    """A query that cannot be answered as it stands (empty, k below one, an unreadable picture)."""


class UnknownConversation(InputError):
    """There is no conversation of that id, or it belongs to somebody else: both look the same."""


class StoreError(MmchatError):
    """An index cannot be opened, read or written."""

    exit_code = 3


class IndexNotFound(StoreError):
    """There is no index at the path."""


class IndexMismatch(StoreError):
    """The index was built by another version of mmchat or with other encoders."""


class IndexLocked(StoreError):
    """Another process is writing the index."""


class ModelError(MmchatError):
    """A model cannot be had or used."""

    exit_code = 4


class UnknownModel(ModelError):
    """No model of that name is in the catalogue, on disk or named by a hub id."""


class DownloadError(ModelError):
    """The files of a model could not be fetched (no network, no space, interrupted)."""


class HashMismatch(ModelError):
    """A file is not the one that the catalogue pins; it was removed."""


class SessionError(MmchatError):
    """The conversations cannot be opened, read or written."""

    exit_code = 6


class MissingExtra(MmchatError):
    """An optional dependency is not installed. The message names the command that installs it."""

    exit_code = 2


class GenerationError(MmchatError):
    """A generator failed while it wrote an answer."""

    exit_code = 5
