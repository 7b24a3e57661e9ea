"""Results as plain values for JSON: the same names at every edge (command line, HTTP, exports)."""

from __future__ import annotations

from dataclasses import asdict

from mmchat.types import Answer, Hit, IndexReport, Similar, Source


def hit_values(hit: Hit) -> dict[str, object]:
    """Return a hit as JSON values. `picture_path` is the index's own copy, ready to open."""
    return {
        "rank": hit.rank,
        "score": hit.score,
        "kind": hit.kind,
        "item": hit.item,
        "document": hit.document,
        "title": hit.title,
        "page": hit.page,
        "text": hit.text,
        "picture": hit.picture,
        "picture_path": str(hit.picture_path) if hit.picture_path else None,
        "alt": hit.alt,
        "tag": asdict(hit.tag) if hit.tag else None,
        "channels": dict(hit.channels),
        "words": list(hit.words),
        "duplicates": list(hit.duplicates),
    }


def source_values(source: Source) -> dict[str, object]:
    """Return a source as JSON values. `span` is [start, end) in characters of the document."""
    return {
        "n": source.n,
        "document": source.document,
        "title": source.title,
        "page": source.page,
        "span": list(source.span) if source.span else None,
        "text": source.text,
        "passage": source.passage,
        "picture": source.picture,
        "picture_path": str(source.picture_path) if source.picture_path else None,
        "basis": source.basis,
    }


def answer_values(answer: Answer) -> dict[str, object]:
    """Return an answer as JSON values."""
    return {
        "answer": answer.answer,
        "status": answer.status.value,
        "sources": [source_values(source) for source in answer.sources],
        "pictures": [hit_values(hit) for hit in answer.pictures],
        "seconds": round(answer.seconds, 3),
        "asked": answer.asked,
        "nearest": list(answer.nearest),
        "similar": [similar_values(each) for each in answer.similar],
    }


def similar_values(similar: Similar) -> dict[str, object]:
    """Return a product that looks like a picture as JSON values; `price` is None where it is not known."""
    return {
        "name": similar.name,
        "price": similar.price or None,
        "likeness": similar.likeness.value,
        "kind": similar.kind,
        "document": similar.hit.document,
        "picture": similar.hit.picture,
        "picture_path": str(similar.hit.picture_path) if similar.hit.picture_path else None,
    }


def report_values(report: IndexReport) -> dict[str, object]:
    """Return the report of a build as JSON values."""
    return {
        "documents": report.documents,
        "chunks": report.chunks,
        "pictures": report.pictures,
        "embedded": report.embedded,
        "skipped": report.skipped,
        "removed": report.removed,
        "errors": report.errors,
        "dropped": report.dropped,
        "duplicates": report.duplicates,
        "seconds": report.seconds,
        "problems": [{"document": p.document, "reason": p.reason} for p in report.problems],
        "notes": list(report.notes),
    }
