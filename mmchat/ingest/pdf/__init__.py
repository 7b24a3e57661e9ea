"""PDF files: their text by page and bookmark, their figures, and what is on scanned pages."""

from mmchat.ingest.pdf.loading import load_pdf

__all__ = ["load_pdf"]
