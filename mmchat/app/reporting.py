"""What the owner should write next: questions without an answer, those that are alike together."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mmchat.app.answers import same_words, written_answers
from mmchat.everyday import EVERYDAY
from mmchat.types import Hit

if TYPE_CHECKING:
    from mmchat.answering.evidence import TextEncoder
    from mmchat.app.index import Index
    from mmchat.sessions import SessionStore, Unanswered

_ALIKE = 0.6
"""Mean cosine, above everyday sentences, of questions that are one group. With multilingual-e5-small, 40
questions in four wordings each come together with a precision of 0.78 and a recall of 0.97 (Korean, parakqc),
and 40 intents, which are wider than a question, with 0.89 and 0.47 (English, clinc150)."""
_MOST = 5000
"""Different questions that are grouped, the newest; time and memory grow with their square."""
_EXAMPLES = 3

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Gap:
    """Questions that ask for the same and got no answer, or none that was liked."""

    questions: tuple[str, ...]
    """Examples, the one that stands in the middle of the others first."""
    count: int
    """How often it was asked."""
    abstained: int
    """How often the documents did not hold the answer."""
    disliked: int
    """How often a thumb went down."""
    reasons: tuple[str, ...]
    """What customers said of the answers."""
    conversations: tuple[str, ...]
    last_asked: datetime.datetime
    nearest: Hit | None
    """The passage that comes closest now; None in an empty index."""


def report(
    index: Index, store: SessionStore, *, since: datetime.datetime | None = None
) -> list[Gap]:
    """Return what is asked for and not answered, the most frequent first.

    What the owner has answered since (`write_answer`) is left out: of a group that asks for the same, all
    that was asked before. What was asked after that, and still was not answered, is told again.

    Args:
        index: gives the encoder, and the passages that come closest.
        store: the conversations.
        since: only what was asked from then on.
    """
    asked: dict[str, list[Unanswered]] = {}
    for each in store.unanswered(since):
        asked.setdefault(same_words(each.question), []).append(each)
    alike = list(asked.values())[:_MOST]
    if not alike:
        return []
    vectors = centred(index.encoders.text, [same[0].question for same in alike])
    answered = _Answered(index)
    gaps = []
    for group in grouped(vectors):
        members = [alike[at] for at in _from_the_middle(vectors, group)]
        until = answered.until(members, vectors[group].mean(axis=0))
        left = [
            [each for each in same if until is None or each.created > until] for same in members
        ]
        if any(left):
            gaps.append(_gap(index, [same for same in left if same]))
    return sorted(gaps, key=lambda gap: (-gap.count, -gap.last_asked.timestamp()))


class _Answered:
    """The answers that the owner has written."""

    def __init__(self, index: Index) -> None:
        self._answers = written_answers(index)
        questions = [each.asked for each in self._answers]
        self._vectors = centred(index.encoders.text, questions) if questions else None

    def until(
        self, members: Sequence[Sequence[Unanswered]], middle: Vectors
    ) -> datetime.datetime | None:
        """Return up to when a group of questions is answered: by one of them, or by one as much alike."""
        if self._vectors is None:
            return None
        words = {same_words(same[0].question) for same in members}
        nearness = self._vectors @ middle
        return max(
            (
                answer.written
                for answer, near in zip(self._answers, nearness, strict=True)
                if near >= _ALIKE or same_words(answer.asked) in words
            ),
            default=None,
        )


def centred(encoder: TextEncoder, texts: Sequence[str]) -> Vectors:
    """Return the vectors of questions without what they share with everyday sentences.

    Encoders differ in how alike everything is to them; without the mean of unrelated sentences a cosine
    of zero is chance for each. Shape (texts, dimension), each of length one.
    """
    vectors = encoder.encode_queries(texts) - encoder.encode_queries(EVERYDAY).mean(axis=0)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-6), dtype=np.float32)


def grouped(vectors: Vectors, alike: float = _ALIKE) -> list[list[int]]:
    """Return which of the vectors belong together, by agglomerative clustering with average linkage.

    Args:
        vectors: of shape (questions, dimension), each of length one.
        alike: mean cosine between two groups from which on they are one.
    """
    if len(vectors) < 2:
        return [[at] for at in range(len(vectors))]
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    tree = linkage(np.maximum(pdist(vectors, "cosine"), 0.0), method="average")
    groups: dict[int, list[int]] = {}
    for at, label in enumerate(fcluster(tree, 1.0 - alike, criterion="distance")):
        groups.setdefault(int(label), []).append(at)
    return list(groups.values())


def _from_the_middle(vectors: Vectors, group: Sequence[int]) -> list[int]:
    chosen = vectors[list(group)]
    nearness = chosen @ chosen.mean(axis=0)
    return [group[at] for at in np.argsort(-nearness, kind="stable")]


def _gap(index: Index, members: Sequence[list[Unanswered]]) -> Gap:
    everything = [each for same in members for each in same]
    questions = tuple(same[0].question for same in members[:_EXAMPLES])
    found = (
        index.search(questions[0], k=1, where={"kind": "chunk"}) if index.manifest.chunks else []
    )
    return Gap(
        questions=questions,
        count=len(everything),
        abstained=sum(each.abstained for each in everything),
        disliked=sum(not each.abstained for each in everything),
        reasons=_different(each.reason for each in everything),
        conversations=_different(each.conversation for each in everything),
        last_asked=max(each.created for each in everything),
        nearest=found[0] if found else None,
    )


def _different(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
