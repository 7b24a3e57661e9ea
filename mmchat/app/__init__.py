"""The composition root: the one place that names concrete encoders, stores and generators.

The command line, the pages, HTTP and Python all come through here, so that the same query gives the
same items in the same order everywhere.
"""

from mmchat.answering.grading import Grade, grade
from mmchat.app.amending import add, delete
from mmchat.app.answers import WrittenAnswer, draft_answer, write_answer, written_answers
from mmchat.app.assistant import Assistant
from mmchat.app.building import build_index, sync
from mmchat.app.corpus import build_corpus
from mmchat.app.desk import Desk
from mmchat.app.drafting import (
    DraftText,
    draft_description,
    draft_faq,
    draft_reply,
    translate,
)
from mmchat.app.encoders import Encoders, default_models
from mmchat.app.generators import build_generator
from mmchat.app.index import Index, describe_index, open_index
from mmchat.app.keeping import (
    conversation_markdown,
    conversation_values,
    handoff_values,
    new_owner,
    open_store,
)
from mmchat.app.overview import DocumentPage, DocumentRow, Overview, list_documents, overview
from mmchat.app.reporting import Gap, report
from mmchat.app.tuning import tune_photos, tune_text
from mmchat.app.uploading import Intake, take_in
from mmchat.app.watching import watch
from mmchat.tuning.training import Training

__all__ = [
    "Assistant",
    "Desk",
    "DocumentPage",
    "DocumentRow",
    "DraftText",
    "Encoders",
    "Gap",
    "Grade",
    "Index",
    "Intake",
    "Overview",
    "Training",
    "WrittenAnswer",
    "add",
    "build_corpus",
    "build_generator",
    "build_index",
    "conversation_markdown",
    "conversation_values",
    "default_models",
    "delete",
    "describe_index",
    "draft_answer",
    "draft_description",
    "draft_faq",
    "draft_reply",
    "grade",
    "handoff_values",
    "list_documents",
    "new_owner",
    "open_index",
    "open_store",
    "overview",
    "report",
    "sync",
    "take_in",
    "translate",
    "tune_photos",
    "tune_text",
    "watch",
    "write_answer",
    "written_answers",
]
